//! Can a ring change while many threads use it, and when a change panics or a key uses the ring?

use std::{
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
    thread,
};

use twinseal::{
    Decapsulate, DecapsulationKey, EncapsulationKey, Error, Keyring,
    kem::{Ciphertext, SharedSecret},
    keyring::Shared,
};

use super::{CTX, key};
use crate::common::process::{Watch, wait_until};

pub(super) struct SetOnDrop<'a>(pub(super) &'a AtomicBool);

impl Drop for SetOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, SeqCst);
    }
}

/// Threads open what is sealed to the primary key while another thread rotates, and retires the
/// oldest: nothing is lost, and once `retire` has returned nothing opens with the retired key.
#[test]
fn rotation_under_load() {
    const ROTATIONS: u8 = 40;
    let ring = Shared::new(Keyring::new(key(0)));
    let done = AtomicBool::new(false);
    let opened = AtomicUsize::new(0);
    let _watch = Watch::over("threads that use a ring");
    thread::scope(|scope| {
        let _done = SetOnDrop(&done); // after a failed assertion too, or the threads never end
        for _ in 0..3 {
            scope.spawn(|| {
                while !done.load(SeqCst) {
                    let to = ring.load().primary().clone();
                    let sealed = to.seal(CTX, b"in flight").unwrap();
                    // Two rotations may retire it meanwhile; then it is refused, never lost.
                    match ring.load().open(CTX, &sealed) {
                        Ok(plaintext) => assert_eq!(&plaintext[..], b"in flight"),
                        Err(error) => {
                            assert!(matches!(error, Error::NotARecipient));
                            assert!(ring.load().keys().all(|known| *known != to));
                        }
                    }
                    opened.fetch_add(1, SeqCst);
                }
            });
        }
        // Each rotation meets threads that have opened something since the last.
        for number in 1..=ROTATIONS {
            let seen = opened.load(SeqCst);
            wait_until("something is opened", || opened.load(SeqCst) > seen);
            let before = ring.load().primary().clone();
            let sealed = before.seal(CTX, b"before").unwrap();
            ring.update(|ring| ring.rotate(key(number))).unwrap();
            assert_eq!(&ring.load().open(CTX, &sealed).unwrap()[..], b"before");
            ring.update(|ring| ring.retire(before.key_id())).unwrap();
            assert!(matches!(ring.load().open(CTX, &sealed), Err(Error::NotARecipient)));
        }
    });
    assert_eq!(ring.load().primary(), key(ROTATIONS).encapsulation_key());
    assert_eq!(ring.load().keys().count(), 1);
}

/// No change of several threads is lost.
#[test]
fn changes_at_once_all_happen() {
    let ring = Shared::new(Keyring::new(key(0)));
    let _watch = Watch::over("threads that change a ring");
    thread::scope(|scope| {
        for thread in 0..4 {
            let ring = &ring;
            scope.spawn(move || {
                for number in 1..=5 {
                    ring.update(|ring| ring.add_older(key(thread * 10 + number))).unwrap();
                }
            });
        }
    });
    assert_eq!(ring.load().keys().count(), 1 + 4 * 5);
}

/// A change that panics changes nothing, and the ring still works.
#[test]
fn a_change_that_panics() {
    let ring = Shared::new(Keyring::new(key(0)));
    let _watch = Watch::over("a change that panics");
    let panicked = thread::scope(|scope| {
        let change = || {
            ring.update(|ring| {
                ring.rotate(key(1)).unwrap();
                panic!("half-way");
            });
        };
        scope.spawn(change).join().is_err()
    });
    assert!(panicked);
    assert_eq!(ring.load().primary(), key(0).encapsulation_key());
    ring.update(|ring| ring.rotate(key(2))).unwrap();
    assert_eq!(ring.load().primary(), key(2).encapsulation_key());
}

/// A change within a change would wait for itself: it panics, and says why.
#[test]
fn a_change_within_a_change() {
    let ring = Shared::new(Keyring::new(key(0)));
    let changes: [fn(&Shared<Keyring>); 3] = [
        |ring| ring.update(|_| ()),
        |ring| drop(ring.replace(Keyring::new(key(3)))),
        |ring| drop(ring.reload()),
    ];
    for change in changes {
        let within = || ring.update(|_| change(&ring));
        let panicked = catch_unwind(AssertUnwindSafe(within)).unwrap_err();
        let text = panicked.downcast_ref::<&str>().unwrap();
        assert!(text.contains("from within a change of the same ring"), "{text}");
        // No lock is held, and the ring is unchanged.
        ring.update(|ring| ring.add_older(key(1))).unwrap();
    }
    // Reading, and changing another ring, is fine.
    let other = Shared::new(Keyring::new(key(5)));
    ring.update(|copy| {
        copy.rotate(key(2)).unwrap();
        assert_eq!(ring.load().primary(), key(0).encapsulation_key());
        assert!(format!("{ring:?}").starts_with("Shared"));
        other.update(|other| other.rotate(key(6))).unwrap();
    });
    assert_eq!(ring.load().primary(), key(2).encapsulation_key());
}

/// A key whose end is a caller's code, which uses the ring.
struct UsesTheRing(DecapsulationKey, Arc<Shared<Keyring>>, Arc<AtomicUsize>);

impl Decapsulate for UsesTheRing {
    fn encapsulation_key(&self) -> &EncapsulationKey {
        self.0.encapsulation_key()
    }

    fn decapsulate(&self, ciphertext: &Ciphertext) -> Result<SharedSecret, Error> {
        self.1.update(|ring| ring.add_older(key(9)))?;
        self.0.decapsulate(ciphertext)
    }
}

impl Drop for UsesTheRing {
    fn drop(&mut self) {
        assert!(self.1.load().keys().count() > 0);
        self.1.update(|_| ());
        self.2.fetch_add(1, SeqCst);
    }
}

/// No lock is held while a key is used or dropped.
#[test]
fn keys_may_use_the_ring_that_they_are_in() {
    let ring = Arc::new(Shared::new(Keyring::new(key(0))));
    let dropped = Arc::new(AtomicUsize::new(0));
    let handle = || -> Arc<dyn Decapsulate> {
        Arc::new(UsesTheRing(key(1), Arc::clone(&ring), Arc::clone(&dropped)))
    };
    ring.update(|ring| ring.rotate(handle())).unwrap();
    let sealed = ring.load().primary().seal(CTX, b"hello").unwrap();
    ring.load().open(CTX, &sealed).unwrap();
    ring.update(|ring| ring.rotate(key(2))).unwrap();
    ring.update(|ring| ring.retire(key(1).encapsulation_key().key_id())).unwrap();
    assert_eq!(dropped.load(SeqCst), 1);
    let panicking = || {
        ring.update(|ring| {
            ring.rotate(handle()).unwrap();
            panic!("half-way");
        })
    };
    catch_unwind(AssertUnwindSafe(panicking)).unwrap_err();
    assert_eq!(dropped.load(SeqCst), 2);
    assert_eq!(ring.load().primary(), key(2).encapsulation_key());
}

#[cfg(unix)]
#[test]
fn a_mounted_secret_is_reloaded() {
    use std::os::unix::fs::symlink;

    // As Kubernetes mounts a secret: files behind `..data`, which is replaced as a whole.
    let directory = tempfile::tempdir().unwrap();
    let mount = |name: &str, keys: &[(&str, DecapsulationKey)]| {
        let data = directory.path().join(name);
        fs::create_dir(&data).unwrap();
        for (file, key) in keys {
            key.write_pem_file(data.join(file)).unwrap();
        }
        let link = directory.path().join("..new");
        symlink(name, &link).unwrap();
        fs::rename(link, directory.path().join("..data")).unwrap();
    };
    mount("..1", &[("primary.pem", key(1))]);
    let ring = Shared::<Keyring>::read_dir(directory.path()).unwrap();
    assert!(!ring.reload().unwrap());

    mount("..2", &[("primary.pem", key(2)), ("older.pem", key(1))]);
    assert!(ring.reload().unwrap());
    assert_eq!(ring.load().primary(), key(2).encapsulation_key());
    assert_eq!(ring.load().keys().count(), 2);

    // Wrong files change nothing, and are named.
    mount("..3", &[("older.pem", key(3))]);
    assert!(ring.reload().unwrap_err().to_string().contains("primary.pem"));
    fs::write(directory.path().join("..3/primary.pem"), "-----BEGIN").unwrap();
    assert!(ring.reload().unwrap_err().to_string().contains("primary.pem"));
    assert_eq!(ring.load().primary(), key(2).encapsulation_key());

    assert!(Shared::new(Keyring::new(key(1))).reload().is_err());
    assert!(Keyring::read_dir(directory.path().join("missing")).is_err());
}
