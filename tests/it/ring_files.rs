//! What does a ring do with files that change, that occur twice, or that are not files?

use std::{
    error::Error as _,
    fs, io,
    os::unix::{
        fs::{PermissionsExt, symlink},
        net::UnixListener,
    },
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
        mpsc,
    },
    thread,
    time::Duration,
};

use tempfile::TempDir;
use twinseal::{
    Decapsulate, DecapsulationKey, EncapsulationKey, Error, Keyring, Recipients, SigningKey,
    VerifyingKey, VerifyingKeyring,
    kem::{Ciphertext, SharedSecret},
    keyring::Shared,
};

use crate::common::{
    der::pem,
    errors::chain,
    keys::{CTX, X25519, kem_key, signing_key},
    process::{command, ended},
};

fn key(number: u8) -> DecapsulationKey {
    kem_key(X25519, number)
}

/// The first bytes of the seeds, by which these tests number their keys.
fn numbers(ring: &Keyring) -> Vec<u8> {
    let number = |public: &EncapsulationKey| {
        (0..=u8::MAX).find(|number| key(*number).encapsulation_key() == public).unwrap()
    };
    ring.keys().map(number).collect()
}

fn write(directory: &TempDir, name: &str, number: u8) {
    key(number).write_pem_file(directory.path().join(name)).unwrap();
}

fn directory(files: &[(&str, u8)]) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    files.iter().for_each(|(name, number)| write(&directory, name, *number));
    directory
}

/// Only a hang takes so long.
fn with_deadline<T: Send + 'static>(what: &str, work: impl FnOnce() -> T + Send + 'static) -> T {
    let (done, result) = mpsc::channel();
    thread::spawn(move || done.send(work()));
    result.recv_timeout(Duration::from_secs(60)).unwrap_or_else(|_| panic!("{what} hangs"))
}

/// Ends a thread also after a failed assertion.
struct SetOnDrop<'a>(&'a AtomicBool);

impl Drop for SetOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, SeqCst);
    }
}

// Two sources: `update` and the directory.

#[test]
fn what_update_added_stays_over_a_reload() {
    let files = directory(&[("primary.pem", 1)]);
    let ring = Shared::<Keyring>::read_dir(files.path()).unwrap();
    ring.update(|ring| ring.rotate(key(2))).unwrap();
    let sealed = ring.load().primary().seal(CTX, b"hello").unwrap();
    assert!(!ring.reload().unwrap());
    assert_eq!(numbers(&ring.load()), [2, 1]);
    assert_eq!(&ring.load().open(CTX, &sealed).unwrap()[..], b"hello");

    // Another file, another primary key; the one of `update` stays an older one.
    write(&files, "other.pem", 3);
    assert!(ring.reload().unwrap());
    assert_eq!(numbers(&ring.load()), [2, 1, 3]);
    fs::rename(files.path().join("other.pem"), files.path().join("primary.pem")).unwrap();
    assert!(ring.reload().unwrap());
    assert_eq!(numbers(&ring.load()), [3, 2]);
    assert!(!ring.reload().unwrap());
    ring.load().open(CTX, &sealed).unwrap();
}

#[test]
fn what_update_removed_stays_away() {
    let files = directory(&[("primary.pem", 1), ("older.pem", 2)]);
    let ring = Shared::<Keyring>::read_dir(files.path()).unwrap();
    ring.update(|ring| ring.retire(key(2).encapsulation_key().key_id())).unwrap();
    assert!(!ring.reload().unwrap());
    assert_eq!(numbers(&ring.load()), [1]);

    let signers: Vec<_> = (1..=2).map(signing_key).collect();
    let files = tempfile::tempdir().unwrap();
    let publish = |number: usize| {
        let path = files.path().join(format!("{number}.pem"));
        fs::write(path, signers[number].verifying_key().to_pem()).unwrap();
    };
    publish(0);
    publish(1);
    let ring = Shared::<VerifyingKeyring>::read_dir(files.path()).unwrap();
    ring.update(|ring| ring.remove(signers[0].verifying_key().key_id())).unwrap();
    assert!(!ring.reload().unwrap());
    assert_eq!(ring.load().keys().count(), 1);
    // The directory drops the one that is left, and keeps the one that is no longer trusted.
    fs::remove_file(files.path().join("1.pem")).unwrap();
    assert!(ring.reload().unwrap());
    assert!(ring.load().is_empty());
}

/// A key in a module that may be replaced by another handle to it.
struct Module(DecapsulationKey, bool);

impl Decapsulate for Module {
    fn encapsulation_key(&self) -> &EncapsulationKey {
        self.0.encapsulation_key()
    }

    fn decapsulate(&self, ciphertext: &Ciphertext) -> Result<SharedSecret, Error> {
        if self.1 { self.0.decapsulate(ciphertext) } else { Err(Error::external("logged out")) }
    }
}

#[test]
fn handles_stay_over_a_reload() {
    let handle = |works| -> Arc<dyn Decapsulate> { Arc::new(Module(key(1), works)) };
    let files = directory(&[("primary.pem", 1)]);
    let ring = Shared::<Keyring>::read_dir(files.path()).unwrap();
    let sealed = ring.load().primary().seal(CTX, b"hello").unwrap();
    ring.update(|ring| ring.rotate(handle(false))).unwrap();
    assert!(!ring.reload().unwrap());
    assert!(matches!(ring.load().open(CTX, &sealed), Err(Error::External(_))));
    ring.update(|ring| ring.add_older(handle(true))).unwrap();
    write(&files, "older.pem", 2);
    assert!(ring.reload().unwrap());
    ring.load().open(CTX, &sealed).unwrap();
    assert!(matches!(ring.load().to_pem(), Err(Error::Unsupported(_))), "it is the handle still");
}

// Directories that change while they are read.

/// As the kubelet publishes: another directory, a link to it renamed over `..data`, the old removed.
fn publish(mount: &Path, number: u32, files: &[(String, String)]) {
    let name = format!("..{number}");
    fs::create_dir(mount.join(&name)).unwrap();
    for (file, pem) in files {
        fs::write(mount.join(&name).join(file), pem).unwrap();
    }
    let before = fs::read_link(mount.join("..data"));
    symlink(&name, mount.join("..new")).unwrap();
    fs::rename(mount.join("..new"), mount.join("..data")).unwrap();
    if let Ok(before) = before {
        fs::remove_dir_all(mount.join(before)).unwrap();
    }
}

/// Every reading gives the files of one moment: the primary key, and the two before it.
#[test]
fn a_mounted_secret_that_changes_while_it_is_read() {
    const CHANGES: u32 = 300;
    let pems: Vec<_> = (0..5).map(|number| key(number).to_pem().as_str().to_owned()).collect();
    let state =
        |number: u32| -> Vec<u8> { (0..3).map(|age| ((number + 5 - age) % 5) as u8).collect() };
    let files = |number: u32| -> Vec<_> {
        let names = ["primary.pem", "a.pem", "b.pem"].map(str::to_owned);
        let pems = state(number).into_iter().map(|key| pems[usize::from(key)].clone());
        names.into_iter().zip(pems).collect()
    };
    let mount = tempfile::tempdir().unwrap();
    publish(mount.path(), 0, &files(0));
    let ring = Shared::<Keyring>::read_dir(mount.path()).unwrap();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let _done = SetOnDrop(&done);
            for number in 1..=CHANGES {
                publish(mount.path(), number, &files(number));
                thread::sleep(Duration::from_millis(1)); // seldom, beside what a reading takes
            }
        });
        while !done.load(SeqCst) {
            let read = numbers(&Keyring::read_dir(mount.path()).unwrap());
            assert!((0..5).any(|number| state(number) == read), "a mixture: {read:?}");
            ring.reload().unwrap();
            assert_eq!(ring.load().keys().count(), 3);
        }
    });
    ring.reload().unwrap();
    assert_eq!(numbers(&ring.load()), state(CHANGES));
}

/// The directory is there: it is the link in it that leads nowhere.
#[test]
fn a_link_that_leads_nowhere_is_named() {
    let files = directory(&[("primary.pem", 1)]);
    symlink("gone", files.path().join("..data")).unwrap();
    let error = Keyring::read_dir(files.path()).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::NotFound);
    assert!(error.to_string().contains("..data: "), "{error}");
}

/// A plain directory behind a link that is made to lead elsewhere.
#[test]
fn a_link_to_a_directory_that_changes() {
    let place = tempfile::tempdir().unwrap();
    let at = |name: &str| place.path().join(name);
    let release = |number: u8| {
        fs::create_dir(at(&number.to_string())).unwrap();
        key(number).write_pem_file(at(&number.to_string()).join("primary.pem")).unwrap();
        symlink(number.to_string(), at("new")).unwrap();
        fs::rename(at("new"), at("current")).unwrap();
    };
    release(0);
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let _done = SetOnDrop(&done);
            for number in 1..100 {
                release(number);
                fs::remove_dir_all(at(&(number - 1).to_string())).unwrap();
                thread::sleep(Duration::from_millis(1));
            }
        });
        while !done.load(SeqCst) {
            Keyring::read_dir(at("current")).unwrap();
        }
    });
}

/// The order that `Ring` documents: at every instant all keys are there.
#[test]
fn a_rotation_in_a_plain_directory() {
    let files = directory(&[("primary.pem", 0)]);
    let at = |name: &str| files.path().join(name);
    let done = AtomicBool::new(false);
    let old = key(0).encapsulation_key().seal(CTX, b"old").unwrap();
    thread::scope(|scope| {
        scope.spawn(|| {
            let _done = SetOnDrop(&done);
            for number in 1..60 {
                key(number).write_pem_file(at("new")).unwrap();
                fs::hard_link(at("primary.pem"), at(&format!("{}.pem", number - 1))).unwrap();
                fs::rename(at("new"), at("primary.pem")).unwrap();
            }
        });
        while !done.load(SeqCst) {
            Keyring::read_dir(files.path()).unwrap().open(CTX, &old).unwrap();
        }
    });
    assert_eq!(Keyring::read_dir(files.path()).unwrap().keys().count(), 60);
}

/// A file of `write_pem_file` is there completely or not at all.
#[test]
fn files_appear_whole() {
    let files = directory(&[("primary.pem", 0)]);
    let ring = Shared::<Keyring>::read_dir(files.path()).unwrap();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let _done = SetOnDrop(&done);
            (1..100).for_each(|number| write(&files, &format!("{number}.pem"), number));
        });
        while !done.load(SeqCst) {
            ring.reload().unwrap();
        }
    });
    ring.reload().unwrap();
    assert_eq!(ring.load().keys().count(), 100);
    let names = fs::read_dir(files.path()).unwrap().map(|entry| entry.unwrap().file_name());
    assert!(names.into_iter().all(|name| name.to_str().unwrap().ends_with(".pem")));
}

/// A writer that finds the name taken leaves what is there, and nothing beside it.
#[test]
fn writers_at_once_make_one_file() {
    let files = tempfile::tempdir().unwrap();
    let path = files.path().join("primary.pem");
    let written: Vec<_> = thread::scope(|scope| {
        let writers: Vec<_> = (0..8)
            .map(|number| {
                scope.spawn({
                    let path = &path;
                    move || key(number).write_pem_file(path)
                })
            })
            .collect();
        writers.into_iter().map(|writer| writer.join().unwrap()).collect()
    });
    assert_eq!(written.iter().filter(|result| result.is_ok()).count(), 1);
    for error in written.into_iter().filter_map(Result::err) {
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        assert!(error.to_string().contains("primary.pem"), "{error}");
    }
    assert_eq!(fs::read_dir(files.path()).unwrap().count(), 1);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o600);
    DecapsulationKey::read_pem_file(&path).unwrap();
}

// A key that is there twice.

#[test]
fn a_key_under_several_names_counts_once() {
    let files = directory(&[("2026-01.pem", 1), ("2026-02.pem", 2)]);
    let at = |name: &str| files.path().join(name);
    symlink("2026-01.pem", at("primary.pem")).unwrap();
    assert_eq!(numbers(&Keyring::read_dir(files.path()).unwrap()), [1, 2]);
    symlink("2026-02.pem", at("new")).unwrap();
    fs::rename(at("new"), at("primary.pem")).unwrap();
    assert_eq!(numbers(&Keyring::read_dir(files.path()).unwrap()), [2, 1]);
    fs::copy(at("2026-01.pem"), at("copy.pem")).unwrap();
    fs::hard_link(at("2026-02.pem"), at("link.pem")).unwrap();
    assert_eq!(numbers(&Keyring::read_dir(files.path()).unwrap()), [2, 1]);
}

/// Each may take as long as a passphrase does.
#[test]
fn a_file_under_several_names_is_read_once() {
    let files = directory(&[("2026-01.pem", 1), ("2026-02.pem", 2), ("copy.pem", 1)]);
    symlink("2026-02.pem", files.path().join("primary.pem")).unwrap();
    let mut reads = 0;
    let mut read = |text: &str| {
        reads += 1;
        DecapsulationKey::from_pem(text)
    };
    let ring = Keyring::read_dir_with(files.path(), &mut read).unwrap();
    assert_eq!((numbers(&ring), reads), (vec![2, 1], 2));

    let refused = Keyring::read_dir_with(files.path(), |_| Err(Error::Passphrase)).unwrap_err();
    assert_eq!(Error::inside(&refused), Some(&Error::Passphrase));
    assert!(refused.to_string().contains("primary.pem: wrong passphrase"), "{refused}");
}

#[test]
fn more_keys_than_a_ring_may_have() {
    let bundle = |count: u16| -> String {
        (0..count)
            .map(|number| {
                let mut seed = [7; 32];
                seed[..2].copy_from_slice(&number.to_be_bytes());
                let bytes = [&[0, 1][..], &seed].concat();
                pem("TWINSEAL KEM PRIVATE KEY", &bytes)
            })
            .collect()
    };
    let reason = |result: Result<Keyring, Error>| match result {
        Err(Error::Keyring { reason }) => reason,
        other => panic!("{other:?}"),
    };
    assert_eq!(Keyring::from_pem(&bundle(1000)).unwrap().keys().count(), 1000);
    for count in [1001, 10_000] {
        assert_eq!(reason(Keyring::from_pem(&bundle(count))), "a file may have at most 1000 keys");
    }
    let mut ring = Keyring::from_pem(&bundle(1000)).unwrap();
    ring.add_older(key(1)).unwrap();
    assert!(matches!(ring.to_pem(), Err(Error::Misuse { .. })));

    let files = directory(&[("primary.pem", 1)]);
    for number in 0..1000 {
        fs::hard_link(files.path().join("primary.pem"), files.path().join(format!("{number}.pem")))
            .unwrap();
    }
    let error = Keyring::read_dir(files.path()).unwrap_err();
    assert!(error.to_string().contains("at most 1000"), "{error}");
}

// Files that are not regular ones.

fn mkfifo(path: &Path) {
    let mut mkfifo = command("mkfifo");
    assert!(ended(mkfifo.arg(path)).status.success());
}

#[test]
fn a_fifo_a_socket_a_device_or_a_directory_among_the_keys() {
    type Make = fn(&Path);
    let made: [(&str, Make); 5] = [
        ("a FIFO", mkfifo),
        ("a link to a FIFO", |path| {
            mkfifo(&path.with_extension("fifo"));
            symlink("old.fifo", path).unwrap();
        }),
        ("a socket", |path| drop(UnixListener::bind(path).unwrap())),
        ("a link to a device", |path| symlink("/dev/zero", path).unwrap()),
        ("a directory", |path| fs::create_dir(path).unwrap()),
    ];
    for (what, make) in made {
        let files = directory(&[("primary.pem", 1)]);
        let ring = Shared::<Keyring>::read_dir(files.path()).unwrap();
        make(&files.path().join("old.pem"));
        let path = files.path().to_path_buf();
        let errors = with_deadline(what, move || {
            [
                Keyring::read_dir(&path).map(drop),
                VerifyingKeyring::read_dir(&path).map(drop),
                ring.reload().map(drop),
            ]
            .map(|result| result.unwrap_err().to_string())
        });
        for error in errors {
            assert!(error.contains("old.pem") || error.contains("primary.pem"), "{what}: {error}");
            assert!(
                !error.contains("primary.pem") || error.contains("labelled"),
                "{what}: {error}"
            );
        }
    }
}

// Errors.

#[test]
fn errors_about_files_name_them() {
    let files = directory(&[("primary.pem", 1)]);
    let at = |name: &str| files.path().join(name);
    fs::write(at("wrong.pem"), "-----BEGIN").unwrap();
    let ring = Keyring::new(key(1));
    let missing = at("missing").join("key.pem");
    let errors: [(&str, io::Error); 17] = [
        ("absent.pem", DecapsulationKey::read_pem_file(at("absent.pem")).unwrap_err()),
        ("absent.pem", SigningKey::read_pem_file(at("absent.pem")).unwrap_err()),
        ("absent.pem", EncapsulationKey::read_pem_file(at("absent.pem")).unwrap_err()),
        ("absent.pem", VerifyingKey::read_pem_file(at("absent.pem")).unwrap_err()),
        ("absent.pem", Keyring::read_pem_file(at("absent.pem")).unwrap_err()),
        ("wrong.pem", DecapsulationKey::read_pem_file(at("wrong.pem")).unwrap_err()),
        ("wrong.pem", SigningKey::read_pem_file(at("wrong.pem")).unwrap_err()),
        ("wrong.pem", EncapsulationKey::read_pem_file(at("wrong.pem")).unwrap_err()),
        ("wrong.pem", VerifyingKeyring::read_pem_file(at("wrong.pem")).unwrap_err()),
        ("wrong.pem", Recipients::read_pem_file(at("wrong.pem")).unwrap_err()),
        ("wrong.pem", Keyring::read_pem_file(at("wrong.pem")).unwrap_err()),
        ("wrong.pem", Keyring::read_dir(files.path()).unwrap_err()),
        ("primary.pem", VerifyingKeyring::read_dir(files.path()).unwrap_err()),
        ("absent", Keyring::read_dir(at("absent")).unwrap_err()),
        ("primary.pem", key(1).write_pem_file(at("primary.pem")).unwrap_err()),
        ("missing", signing_key(1).write_pem_file(&missing).unwrap_err()),
        ("missing", ring.write_pem_file(&missing).unwrap_err()),
    ];
    for (name, error) in errors {
        let text = chain(&error);
        assert_eq!(text.matches(name).count(), 1, "{text}");
        assert!(text.starts_with(files.path().to_str().unwrap()), "{text}");
    }
    let error = DecapsulationKey::read_pem_file(at("wrong.pem")).unwrap_err();
    assert!(matches!(Error::inside(&error), Some(Error::NotPem { .. } | Error::Pem { .. })));
    assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    assert!(Error::inside(&DecapsulationKey::read_pem_file(at("absent")).unwrap_err()).is_none());
}

#[derive(Debug)]
struct Unreachable(io::Error);

impl std::fmt::Display for Unreachable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the KMS does not answer")
    }
}

impl std::error::Error for Unreachable {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

#[test]
fn the_cause_of_an_external_error_is_in_its_chain() {
    let refused = io::Error::new(io::ErrorKind::ConnectionRefused, "10.0.0.7 refused");
    let error = Error::external(Unreachable(refused));
    let expected = "the external key failed: the KMS does not answer: 10.0.0.7 refused";
    assert_eq!(chain(&error), expected);
    assert_eq!(chain(&io::Error::from(error.clone())), expected);
    assert!(error.source().unwrap().is::<Unreachable>());
    assert!(Error::Open.source().is_none());
}
