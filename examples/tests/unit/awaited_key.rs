//! The example of awaited halves: does one that hangs hang its callers, does the check find a wrong one, and from where
//! may the keys be called?

use std::time::Instant;

use twinseal::split::Half;

use super::*;

/// After which a test has failed.
const DEADLINE: Duration = Duration::from_secs(60);

fn remote(change: impl FnOnce(&mut RemoteKeys)) -> Arc<RemoteKeys> {
    let mut remote = start_two_kms().unwrap();
    change(&mut remote);
    Arc::new(remote)
}

fn sealed(remote: &RemoteKeys) -> Vec<u8> {
    remote.encapsulation_key.seal(CONTEXT, b"hello").unwrap()
}

#[track_caller]
fn assert_too_late(error: &Error, half: Half) {
    let Error::External(failure) = error else { panic!("{error:?}") };
    assert_eq!(failure.half(), Some(half));
}

#[test]
fn a_half_that_hangs_does_not_hang_its_callers() {
    let hangs = |half| {
        remote(|remote| {
            let client = match half {
                Half::PostQuantum => &mut remote.clients.post_quantum,
                Half::Traditional => &mut remote.clients.traditional,
            };
            client.latency = Duration::from_secs(100_000);
            remote.time_limit = Duration::from_millis(300);
        })
    };
    let started = Instant::now();
    for half in [Half::PostQuantum, Half::Traditional] {
        let remote = hangs(half);
        let sealed = sealed(&remote);
        let keys = BlockingKeys::new(remote).unwrap();
        assert_too_late(&keys.open(CONTEXT, &sealed).unwrap_err(), half);
        assert_too_late(&keys.sign(CONTEXT, b"hello").unwrap_err(), half);
    }
    assert!(started.elapsed() < DEADLINE, "waited for halves that hang");
}

#[test]
fn the_check_finds_each_half_of_another_key() {
    type Change = fn(&mut Halves<Client>, Halves<Client>);
    let changes: [Change; 4] = [
        |ours, theirs| ours.post_quantum.decapsulator = theirs.post_quantum.decapsulator,
        |ours, theirs| ours.traditional.decapsulator = theirs.traditional.decapsulator,
        |ours, theirs| ours.post_quantum.signer = theirs.post_quantum.signer,
        |ours, theirs| ours.traditional.signer = theirs.traditional.signer,
    ];
    let runtime = runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(remote(|_| ()).check()).unwrap();
    for (case, change) in changes.into_iter().enumerate() {
        let remote = remote(|ours| change(&mut ours.clients, start_two_kms().unwrap().clients));
        assert!(runtime.block_on(remote.check()).is_err(), "{case}");
    }
}

#[test]
fn the_keys_work_in_every_thread_and_can_be_dropped_there() {
    let use_them = || {
        let remote = remote(|_| ());
        let (sealed, released) = (sealed(&remote), Arc::downgrade(&remote));
        let keys = BlockingKeys::new(remote).unwrap();
        assert_eq!(&keys.open(CONTEXT, &sealed).unwrap()[..], b"hello");
        let signature = keys.sign(CONTEXT, b"hello").unwrap();
        keys.verifying_key().verify(CONTEXT, b"hello", &signature).unwrap();
        drop(keys);
        assert!(released.upgrade().is_none(), "the thread of the keys still has them");
    };
    use_them();
    let mut one = runtime::Builder::new_current_thread();
    one.build().unwrap().block_on(async { use_them() });
    let mut many = runtime::Builder::new_multi_thread();
    let many = many.worker_threads(1).build().unwrap();
    many.block_on(async {
        tokio::spawn(async move { use_them() }).await.unwrap();
        task::spawn_blocking(use_them).await.unwrap();
    });
}
