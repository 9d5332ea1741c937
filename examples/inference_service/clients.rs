//! The registered clients: a directory with two public keys of each.
//!
//! `NAME.sign.pem` verifies the client's requests, and answers are sealed to `NAME.kem.pem`. Both
//! are registered together by the operator of the service: if a request contained the encapsulation
//! key, anyone who can change requests could read the answers.

use std::{
    collections::HashMap,
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
};

use twinseal::{EncapsulationKey, KeyId, VerifyingKey};

/// A registered client.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    /// For logs.
    pub(crate) name: String,
    pub(crate) verifying_key: VerifyingKey,
    pub(crate) encapsulation_key: EncapsulationKey,
}

type ById = HashMap<KeyId, Arc<Client>>;

/// All clients, read again when the directory changes.
#[derive(Debug)]
pub(crate) struct Clients {
    current: RwLock<ById>,
    directory: Option<PathBuf>,
}

impl Clients {
    pub(crate) fn new(clients: Vec<Client>) -> Self {
        Self { current: RwLock::new(by_id(clients)), directory: None }
    }

    pub(crate) fn read_dir(path: &Path) -> io::Result<Self> {
        let current = RwLock::new(by_id(read(path)?));
        Ok(Self { current, directory: Some(path.to_path_buf()) })
    }

    pub(crate) fn find(&self, id: KeyId) -> Option<Arc<Client>> {
        // The map is valid even if the lock is poisoned: it is only ever replaced as a whole.
        self.current.read().unwrap_or_else(PoisonError::into_inner).get(&id).cloned()
    }

    pub(crate) fn len(&self) -> usize {
        self.current.read().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Reads the directory again, and returns whether anything changed. If a file is invalid, the
    /// clients stay as they were.
    pub(crate) fn reload(&self) -> io::Result<bool> {
        let Some(directory) = &self.directory else { return Ok(false) };
        let new = by_id(read(directory)?);
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        let same = current.len() == new.len()
            && new.iter().all(|(id, client)| {
                let known = current.get(id);
                known.is_some_and(|known| known.encapsulation_key == client.encapsulation_key)
            });
        *current = new;
        Ok(!same)
    }
}

fn by_id(clients: Vec<Client>) -> ById {
    clients.into_iter().map(|client| (client.verifying_key.key_id(), Arc::new(client))).collect()
}

/// How often to read a directory that changes each time.
const ATTEMPTS: u32 = 10;

/// Reads the directory behind the link of a mounted ConfigMap, so that a change during the reading
/// never results in a mixture. That directory is removed when the link changes: then everything is
/// read again.
fn read(directory: &Path) -> io::Result<Vec<Client>> {
    let mut snapshot = snapshot(directory)?;
    for _ in 0..ATTEMPTS {
        let read = list(&snapshot).and_then(|names| {
            // Nothing behind the link is removed while it stays, so no name is missing.
            let is_whole = self::snapshot(directory)? == snapshot;
            if is_whole { clients(&snapshot, &names) } else { Err(io::ErrorKind::NotFound.into()) }
        });
        let missing = match read {
            Err(error) if error.kind() == io::ErrorKind::NotFound => error,
            read => return read,
        };
        let now = self::snapshot(directory)?;
        if now == snapshot {
            return Err(missing);
        }
        snapshot = now;
    }
    Err(io::Error::other("it changes again and again while it is read"))
}

fn snapshot(directory: &Path) -> io::Result<PathBuf> {
    match fs::canonicalize(directory.join("..data")) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(directory.to_path_buf()),
        snapshot => snapshot,
    }
}

/// The names of the clients in a directory.
fn list(directory: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(directory)? {
        let file = entry?.file_name();
        names.extend(file.to_str().and_then(|file| file.strip_suffix(".sign.pem")).map(Into::into));
    }
    Ok(names)
}

fn clients(directory: &Path, names: &[String]) -> io::Result<Vec<Client>> {
    let client = |name: &String| {
        let path = |kind: &str| directory.join(format!("{name}.{kind}.pem"));
        Ok(Client {
            name: name.clone(),
            verifying_key: VerifyingKey::read_pem_file(regular(&path("sign"))?)?,
            encapsulation_key: EncapsulationKey::read_pem_file(regular(&path("kem"))?)?,
        })
    };
    names.iter().map(client).collect()
}

/// Refuses FIFOs, which would block the reader. An error names the file.
fn regular(path: &Path) -> io::Result<&Path> {
    match common::open_regular(path) {
        Ok(_) => Ok(path),
        Err(error) => Err(io::Error::new(error.kind(), format!("{}: {error}", path.display()))),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::{
        os::unix::fs::symlink,
        sync::atomic::{AtomicBool, Ordering::SeqCst},
        thread,
        time::Duration,
    };

    use twinseal::{DecapsulationKey, SigningKey};

    use super::*;

    /// Ends the other thread, also after a failed assertion.
    struct SetOnDrop<'a>(&'a AtomicBool);

    impl Drop for SetOnDrop<'_> {
        fn drop(&mut self) {
            self.0.store(true, SeqCst);
        }
    }

    #[test]
    fn a_mounted_directory_that_changes_all_the_time() {
        let mount = tempfile::tempdir().unwrap();
        let path = |name: &str| mount.path().join(name);
        let sign = SigningKey::generate().unwrap().verifying_key().to_pem();
        let kem = DecapsulationKey::generate().unwrap().encapsulation_key().to_pem();
        let swap = |number: u32| {
            let (new, old) = (path(&format!("..{number}")), path(&format!("..{}", number - 1)));
            fs::create_dir(&new).unwrap();
            fs::write(new.join("alice.sign.pem"), &sign).unwrap();
            fs::write(new.join("alice.kem.pem"), &kem).unwrap();
            symlink(&new, path("..new")).unwrap();
            fs::rename(path("..new"), path("..data")).unwrap();
            let _ = fs::remove_dir_all(old); // before the first there is none
        };
        swap(1);
        symlink("..data/alice.sign.pem", path("alice.sign.pem")).unwrap();
        symlink("..data/alice.kem.pem", path("alice.kem.pem")).unwrap();
        let done = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                for number in 2.. {
                    swap(number);
                    thread::sleep(Duration::from_millis(2));
                    if done.load(SeqCst) {
                        return;
                    }
                }
            });
            let _done = SetOnDrop(&done);
            for _ in 0..300 {
                assert_eq!(read(mount.path()).unwrap().len(), 1);
            }
        });
    }

    #[test]
    fn a_missing_file_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let pem = SigningKey::generate().unwrap().verifying_key().to_pem();
        fs::write(directory.path().join("bob.sign.pem"), pem).unwrap();
        let error = read(directory.path()).unwrap_err();
        assert!(error.to_string().contains("bob.kem.pem: "), "{error}");
    }
}
