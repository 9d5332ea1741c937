//! Are keys reloaded at intervals, one reload at a time, until the watcher is dropped?

use std::{
    convert::Infallible,
    fs,
    future::Future,
    io,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
        mpsc,
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use tempfile::TempDir;
use tokio::{
    runtime, task,
    time::{Instant, advance, sleep},
};
use twinseal::{
    Decapsulate, DecapsulationKey, EncapsulationKey, Error, Keyring, VerifyingKeyring,
    kem::{Ciphertext, SharedSecret},
    keyring::Shared,
    tokio::watch,
};

use super::{CTX, key};
use crate::common::{
    keys::signing_key,
    process::{DEADLINE, Watch, wait_until},
};

const EVERY: Duration = Duration::from_secs(10);

/// Runs it on one thread whose clock goes on when nothing else is to be done.
fn run(test: impl Future<Output = ()>) {
    let _watch = Watch::over("a test of the watcher");
    let mut builder = runtime::Builder::new_current_thread();
    builder.enable_time().start_paused(true).build().unwrap().block_on(test);
}

fn directory() -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().to_path_buf();
    put(&path, 1);
    (directory, path)
}

fn put(directory: &Path, number: u8) {
    let next = directory.join("next");
    key(number).write_pem_file(&next).unwrap();
    fs::rename(next, directory.join("primary.pem")).unwrap();
}

/// A watcher in a task, and what it reports.
fn watching(
    ring: &Arc<Shared<Keyring>>,
) -> (task::JoinHandle<()>, mpsc::Receiver<io::Result<bool>>) {
    let (sender, reports) = mpsc::channel();
    let watching = watch(Arc::clone(ring), EVERY, move |report| sender.send(report).unwrap());
    (task::spawn(without_end(watching)), reports)
}

/// Waits for the next report.
async fn next(reports: &mpsc::Receiver<io::Result<bool>>) -> io::Result<bool> {
    loop {
        if let Ok(report) = reports.try_recv() {
            return report;
        }
        sleep(Duration::from_millis(1)).await;
    }
}

#[test]
fn each_interval_is_reported() {
    run(async {
        let (_directory, path) = directory();
        let ring = Arc::new(Shared::<Keyring>::read_dir(&path).unwrap());
        let start = Instant::now();
        let (watching, reports) = watching(&ring);
        assert!(!next(&reports).await.unwrap());
        assert!(start.elapsed() >= EVERY, "{:?}", start.elapsed());

        put(&path, 2);
        assert!(next(&reports).await.unwrap());
        assert_eq!(ring.load().primary(), key(2).encapsulation_key());
        assert!(!next(&reports).await.unwrap());

        // What is wrong is reported each time, and the keys stay.
        fs::write(path.join("primary.pem"), "-----BEGIN").unwrap();
        for _ in 0..2 {
            let error = next(&reports).await.unwrap_err();
            assert!(error.to_string().contains("primary.pem"), "{error}");
            assert_eq!(ring.load().primary(), key(2).encapsulation_key());
        }
        put(&path, 3);
        assert!(next(&reports).await.unwrap());
        assert!(start.elapsed() >= 6 * EVERY, "{:?}", start.elapsed());
        assert!(!watching.is_finished());
    });
}

#[test]
fn every_kind_of_key_is_watched() {
    run(async {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("alice.pem");
        fs::write(&path, signing_key(1).verifying_key().to_pem()).unwrap();
        let clients = Shared::<VerifyingKeyring>::read_dir(directory.path()).unwrap();
        let secret = directory.path().join("key");
        signing_key(1).write_pem_file(&secret).unwrap();
        let signing = Shared::read_pem_file(&secret).unwrap();
        let (clients, signing) = (Arc::new(clients), Arc::new(signing));

        let (sender, reports) = mpsc::channel();
        let other = sender.clone();
        let report = |to: mpsc::Sender<_>| move |report| to.send(report).unwrap();
        let both = [
            task::spawn(without_end(watch(Arc::clone(&clients), EVERY, report(sender)))),
            task::spawn(without_end(watch(Arc::clone(&signing), EVERY, report(other)))),
        ];
        fs::rename(&path, directory.path().join("bob.pem")).unwrap();
        fs::remove_file(&secret).unwrap();
        signing_key(2).write_pem_file(&secret).unwrap();
        assert!(next(&reports).await.unwrap());
        assert!(next(&reports).await.unwrap());
        let alice = signing_key(1).verifying_key().key_id();
        assert_eq!(clients.load().name_of(alice), Some("bob"));
        assert_eq!(signing.load().verifying_key(), signing_key(2).verifying_key());
        both.iter().for_each(task::JoinHandle::abort);
    });
}

async fn without_end(future: impl Future<Output = Infallible>) {
    match future.await {}
}

/// Another thread that changes the ring until it is told to stop, so that a reload waits.
fn busy(ring: &Arc<Shared<Keyring>>) -> (mpsc::Sender<()>, JoinHandle<()>) {
    let ring = Arc::clone(ring);
    let (stop, stopped) = mpsc::channel::<()>();
    let (begin, begun) = mpsc::channel();
    let changing = thread::spawn(move || {
        ring.update(|_| {
            begin.send(()).unwrap();
            let _ = stopped.recv_timeout(DEADLINE); // it is told by an error
        });
    });
    begun.recv_timeout(DEADLINE).unwrap();
    (stop, changing)
}

/// Lets tasks run, and the clock go on, while a reload waits in its thread.
async fn pass(time: Duration) {
    advance(time).await;
    for _ in 0..100 {
        task::yield_now().await;
    }
}

#[test]
fn a_slow_reload_is_waited_for_and_none_is_caught_up_on() {
    run(async {
        let (_directory, path) = directory();
        let ring = Arc::new(Shared::<Keyring>::read_dir(&path).unwrap());
        let (stop, changing) = busy(&ring);
        let (_watching, reports) = watching(&ring);
        task::yield_now().await; // it begins to wait for the interval
        put(&path, 2);
        for _ in 0..5 {
            pass(EVERY).await;
        }
        assert!(reports.try_recv().is_err());
        drop(stop);
        changing.join().unwrap();
        let slow = Instant::now();
        assert!(next(&reports).await.unwrap());
        assert!(reports.try_recv().is_err());
        // Were one more begun, it would have been reported before the interval is over.
        assert!(!next(&reports).await.unwrap());
        assert!(slow.elapsed() >= EVERY, "{:?}", slow.elapsed());
    });
}

#[test]
fn it_ends_when_it_is_dropped() {
    run(async {
        let (_directory, path) = directory();
        let ring = Arc::new(Shared::<Keyring>::read_dir(&path).unwrap());
        let (watching, reports) = watching(&ring);
        next(&reports).await.unwrap();
        watching.abort();
        assert!(watching.await.unwrap_err().is_cancelled());
        put(&path, 2);
        pass(5 * EVERY).await;
        assert_eq!(ring.load().primary(), key(1).encapsulation_key());
        assert_eq!(reports.try_recv().unwrap_err(), mpsc::TryRecvError::Disconnected);
        assert_eq!(Arc::strong_count(&ring), 1);
    });
}

/// A reload that has begun is not left half done.
#[test]
fn a_reload_is_finished_when_its_watcher_is_dropped() {
    run(async {
        let (_directory, path) = directory();
        let ring = Arc::new(Shared::<Keyring>::read_dir(&path).unwrap());
        let (stop, changing) = busy(&ring);
        let (watching, reports) = watching(&ring);
        task::yield_now().await;
        put(&path, 2);
        pass(EVERY).await;
        watching.abort();
        assert!(watching.await.unwrap_err().is_cancelled());
        drop(stop);
        changing.join().unwrap();
        wait_until("the reload", || ring.load().primary() == key(2).encapsulation_key());
        assert!(reports.try_recv().is_err());
    });
}

/// A key of a caller that panics when it is dropped.
struct Fragile(DecapsulationKey, Arc<AtomicBool>);

impl Decapsulate for Fragile {
    fn encapsulation_key(&self) -> &EncapsulationKey {
        self.0.encapsulation_key()
    }

    fn decapsulate(&self, ciphertext: &Ciphertext) -> Result<SharedSecret, Error> {
        self.0.decapsulate(ciphertext)
    }
}

impl Drop for Fragile {
    fn drop(&mut self) {
        assert!(self.1.swap(true, SeqCst), "dropped");
    }
}

#[test]
fn a_panic_is_reported_and_the_next_interval_comes() {
    run(async {
        let (_directory, path) = directory();
        key(2).write_pem_file(path.join("older.pem")).unwrap();
        let ring = Arc::new(Shared::<Keyring>::read_dir(&path).unwrap());
        let dropped = Arc::new(AtomicBool::new(false));
        ring.update(|ring| ring.add_older(Fragile(key(2), Arc::clone(&dropped)))).unwrap();
        let sealed = key(2).encapsulation_key().seal(CTX, b"hello").unwrap();
        ring.load().open(CTX, &sealed).unwrap();

        fs::remove_file(path.join("older.pem")).unwrap();
        let (_watching, reports) = watching(&ring);
        let error = next(&reports).await.unwrap_err();
        assert!(error.to_string().contains("panic"), "{error}");
        assert!(dropped.load(SeqCst));
        assert_eq!(ring.load().open(CTX, &sealed).unwrap_err(), Error::NotARecipient);
        assert!(!next(&reports).await.unwrap());
    });
}
