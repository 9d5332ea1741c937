//! Does a shared signing key follow its file, and never become another one than a whole file holds?

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
    thread,
};

use tempfile::TempDir;
use twinseal::{Error, Sign, SigningKey, VerifyingKeyring, keyring::Shared};

use super::{CTX, key, shared::SetOnDrop};
use crate::common::{
    keys::signing_key,
    process::{Watch, wait_until},
};

/// A directory with the key of this number in `sign.pem`, and its path.
fn file(number: u8) -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("sign.pem");
    put(&path, number);
    (directory, path)
}

/// As `mv` does.
fn put(path: &Path, number: u8) {
    let next = path.with_extension("next");
    signing_key(number).write_pem_file(&next).unwrap();
    fs::rename(next, path).unwrap();
}

#[track_caller]
fn assert_is(key: &Shared<SigningKey>, number: u8) {
    assert_eq!(key.load().verifying_key(), signing_key(number).verifying_key());
}

#[test]
fn another_key_in_its_file() {
    let (_directory, path) = file(1);
    let key = Shared::read_pem_file(&path).unwrap();
    let first = key.load();
    assert!(!key.reload().unwrap());
    put(&path, 1); // another file with the same key
    assert!(!key.reload().unwrap());
    assert!(Arc::ptr_eq(&first, &key.load()));

    put(&path, 2);
    assert_is(&key, 1);
    assert!(key.reload().unwrap());
    assert_is(&key, 2);
    assert!(!key.reload().unwrap());
    // Who has the old one still signs with it.
    first.verifying_key().verify(CTX, b"hello", &first.sign(CTX, b"hello").unwrap()).unwrap();

    // A key that nobody has any more is gone.
    let second = Arc::downgrade(&key.load());
    put(&path, 1);
    assert!(key.reload().unwrap());
    assert!(second.upgrade().is_none());
}

/// The key stays, the error names the file, and the next reload works.
#[test]
fn a_file_that_is_no_signing_key() {
    let (_directory, path) = file(1);
    let shared = Shared::read_pem_file(&path).unwrap();
    let signing = signing_key(2).to_pem();
    for (what, text) in [
        ("nothing", String::new()),
        ("no PEM", "sign".to_owned()),
        ("a public key", signing_key(2).verifying_key().to_pem()),
        ("a key that opens", key(2).to_pem().as_str().to_owned()),
        ("two keys", signing.as_str().repeat(2)),
        ("a damaged key", signing.as_str().replace('M', "N")),
    ] {
        fs::write(&path, text).unwrap();
        let error = shared.reload().expect_err(what);
        assert!(Error::inside(&error).is_some(), "{what}: {error}");
        assert!(error.to_string().contains("sign.pem: "), "{what}: {error}");
        assert!(Shared::<SigningKey>::read_pem_file(&path).is_err(), "{what}");
        assert_is(&shared, 1);
    }
    fs::remove_file(&path).unwrap();
    let error = shared.reload().unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::NotFound);
    assert!(error.to_string().contains("sign.pem: "), "{error}");
    fs::create_dir(&path).unwrap();
    shared.reload().unwrap_err();
    assert_is(&shared, 1);

    fs::remove_dir(&path).unwrap();
    put(&path, 1);
    assert!(!shared.reload().unwrap());
    put(&path, 2);
    assert!(shared.reload().unwrap());
    assert_is(&shared, 2);
}

/// While a file is copied there, a reader sees its start.
#[test]
fn no_part_of_a_file_is_a_key() {
    let (_directory, path) = file(1);
    let shared = Shared::read_pem_file(&path).unwrap();
    let whole = signing_key(2).to_pem();
    let whole = whole.as_str().trim_end();
    for len in 0..whole.len() {
        fs::write(&path, &whole[..len]).unwrap();
        shared.reload().expect_err("a part");
        assert_is(&shared, 1);
    }
    fs::write(&path, whole).unwrap();
    assert!(shared.reload().unwrap());
    assert_is(&shared, 2);
}

#[cfg(unix)]
#[test]
fn it_does_not_wait_for_a_pipe() {
    use crate::common::process::{command, ended};

    let _watch = Watch::over("a reload of a pipe");
    let (_directory, path) = file(1);
    let shared = Shared::read_pem_file(&path).unwrap();
    fs::remove_file(&path).unwrap();
    assert!(ended(command("mkfifo").arg(&path)).status.success());
    let error = shared.reload().unwrap_err();
    assert!(error.to_string().contains("not a key file"), "{error}");
    assert_is(&shared, 1);
}

#[cfg(unix)]
#[test]
fn a_mounted_secret_is_reloaded() {
    use std::os::unix::fs::symlink;

    // As Kubernetes mounts a secret: each file is a link through `..data`, which is replaced.
    let directory = tempfile::tempdir().unwrap();
    let mount = |number: u8| {
        let name = format!("..{number}");
        let data = directory.path().join(&name);
        fs::create_dir(&data).unwrap();
        signing_key(number).write_pem_file(data.join("sign.pem")).unwrap();
        let link = directory.path().join("..new");
        symlink(name, &link).unwrap();
        fs::rename(link, directory.path().join("..data")).unwrap();
    };
    mount(1);
    symlink("..data/sign.pem", directory.path().join("sign.pem")).unwrap();
    let key = Shared::read_pem_file(directory.path().join("sign.pem")).unwrap();
    assert_is(&key, 1);
    mount(2);
    fs::remove_dir_all(directory.path().join("..1")).unwrap();
    assert!(key.reload().unwrap());
    assert_is(&key, 2);
    // Between two states the link may lead nowhere.
    fs::remove_dir_all(directory.path().join("..2")).unwrap();
    assert_eq!(key.reload().unwrap_err().kind(), std::io::ErrorKind::NotFound);
    assert_is(&key, 2);
}

/// What `replace` set stays until the file holds another key.
#[test]
fn two_sources_of_a_signing_key() {
    let (_directory, path) = file(1);
    let key = Shared::read_pem_file(&path).unwrap();
    let before = key.replace(signing_key(9));
    assert_eq!(before.verifying_key(), signing_key(1).verifying_key());
    assert!(!key.reload().unwrap());
    assert_is(&key, 9);
    put(&path, 2);
    assert!(key.reload().unwrap());
    assert_is(&key, 2);
    // The file gets the key that is there already: the handle stays.
    key.replace(signing_key(3));
    let handle = key.load();
    put(&path, 3);
    assert!(!key.reload().unwrap());
    assert!(Arc::ptr_eq(&handle, &key.load()));
    put(&path, 4);
    assert!(key.reload().unwrap());

    // Without a file, `replace` is the only way.
    let key = Shared::new(signing_key(1));
    assert_eq!(key.reload().unwrap_err().kind(), std::io::ErrorKind::Unsupported);
    key.replace(signing_key(2));
    assert_is(&key, 2);
}

/// A key of any kind can be shared, though only those of this crate are reloaded.
#[test]
fn a_shared_external_key() {
    let key: Shared<Box<dyn Sign>> = Shared::new(Box::new(signing_key(1)));
    key.replace(Box::new(signing_key(2)));
    assert_eq!(key.load().verifying_key(), signing_key(2).verifying_key());
}

/// Every signature is by one of the keys that the file had, and after a reload by its newest.
#[test]
fn signing_while_it_changes() {
    const KEYS: u8 = 20;
    let (_directory, path) = file(1);
    let key = Shared::read_pem_file(&path).unwrap();
    let keys: Vec<_> = (1..=KEYS).map(signing_key).collect();
    let known = VerifyingKeyring::new(keys.iter().map(SigningKey::verifying_key)).unwrap();
    let done = AtomicBool::new(false);
    let (signed, changes) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let _watch = Watch::over("threads that sign");
    thread::scope(|scope| {
        let _done = SetOnDrop(&done); // after a failed assertion too, or the threads never end
        for _ in 0..3 {
            scope.spawn(|| {
                while !done.load(SeqCst) {
                    let key = key.load();
                    let signature = key.sign(CTX, b"in flight").unwrap();
                    let id = key.verifying_key().key_id();
                    known.verify_by(id, CTX, b"in flight", &signature).unwrap();
                    signed.fetch_add(1, SeqCst);
                }
            });
        }
        // Another thread reloads as well: only one of the two sees each change.
        scope.spawn(|| {
            while !done.load(SeqCst) {
                changes.fetch_add(usize::from(key.reload().unwrap()), SeqCst);
            }
        });
        for number in 2..=KEYS {
            let seen = signed.load(SeqCst);
            wait_until("something is signed", || signed.load(SeqCst) > seen);
            put(&path, number);
            changes.fetch_add(usize::from(key.reload().unwrap()), SeqCst);
            assert_is(&key, number);
        }
        wait_until("each change is reported", || changes.load(SeqCst) == keys.len() - 1);
        assert!(!key.reload().unwrap());
    });
    assert_is(&key, KEYS);
}
