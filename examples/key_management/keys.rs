//! The halves that a custodian keeps: each is a file `NAME.ALGORITHM` of its private bytes, in the
//! current directory, and ready for use in memory.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Read, Write},
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tempfile::NamedTempFile;
use twinseal::split::Half;
use zeroize::Zeroizing;

use crate::{
    Result,
    algorithm::{Algorithm, HalfKey, is_name},
};

/// So that clients cannot fill the memory.
const MAX_KEYS: usize = 1000;

pub(crate) struct Keys {
    half: Half,
    loaded: Mutex<Loaded>,
}

type Loaded = BTreeMap<(String, Algorithm), Arc<HalfKey>>;

impl Keys {
    /// Whoever has both halves has the key, so a half of the other kind is an error.
    pub(crate) fn read(half: Half) -> Result<Self> {
        let mut loaded = Loaded::new();
        for entry in fs::read_dir(".")? {
            let file = entry?.file_name();
            if file.as_encoded_bytes().starts_with(b".tmp") {
                fs::remove_file(&file)?; // a half that was being written when the process was killed
                continue;
            }
            let Some((name, algorithm)) = file.to_str().and_then(parse) else { continue };
            let at = |reason: String| format!("{name}.{algorithm}: {reason}");
            if algorithm.half() != half {
                return Err(at(only(half)).into());
            }
            let key = read(Path::new(&file), algorithm).and_then(|key| Ok(algorithm.load(&key)?));
            let key = key.map_err(|error| at(error.to_string()))?;
            loaded.insert((name.to_owned(), algorithm), Arc::new(key));
        }
        Ok(Self { half, loaded: Mutex::new(loaded) })
    }

    /// Keeps a new half, and returns its public half. Never replaces one.
    pub(crate) fn add(&self, name: &str, algorithm: Algorithm, private: &[u8]) -> Result<Vec<u8>> {
        if algorithm.half() != self.half {
            return Err(only(self.half).into());
        }
        let key = algorithm.load(private)?;
        let public = key.public.clone();
        let mut loaded = self.loaded();
        if loaded.len() >= MAX_KEYS {
            return Err("it has no room for another key".into());
        }
        write(name, algorithm, private).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => format!("it has a key {name} for {algorithm} already"),
            _ => format!("it cannot write a key: {error}"),
        })?;
        loaded.insert((name.to_owned(), algorithm), Arc::new(key));
        Ok(public)
    }

    pub(crate) fn find(&self, name: &str, algorithm: Algorithm) -> Result<Arc<HalfKey>> {
        let key = self.loaded().get(&(name.to_owned(), algorithm)).cloned();
        Ok(key.ok_or_else(|| absent(name, algorithm))?)
    }

    pub(crate) fn destroy(&self, name: &str, algorithm: Algorithm) -> Result<()> {
        let mut loaded = self.loaded();
        let key = (name.to_owned(), algorithm);
        if !loaded.contains_key(&key) {
            return Err(absent(name, algorithm).into());
        }
        fs::remove_file(format!("{name}.{algorithm}"))?;
        loaded.remove(&key);
        Ok(())
    }

    /// Wipes the halves in memory. Whoever asks for one waits until the guard is dropped.
    pub(crate) fn wipe(&self) -> impl Sized {
        let mut loaded = self.loaded();
        loaded.clear();
        loaded
    }

    /// A thread that panicked left the map as it was, or with one key more or less.
    fn loaded(&self) -> MutexGuard<'_, Loaded> {
        self.loaded.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn only(half: Half) -> String {
    format!("this custodian keeps only the {half} of a key")
}

fn absent(name: &str, algorithm: Algorithm) -> String {
    format!("there is no key {name} for {algorithm}")
}

fn parse(file: &str) -> Option<(&str, Algorithm)> {
    let (name, algorithm) = file.split_once('.')?;
    Some((name, Algorithm::from_name(algorithm)?)).filter(|_| is_name(name))
}

/// A longer file is read one byte too far, and its length is refused.
fn read(path: &Path, algorithm: Algorithm) -> Result<Zeroizing<Vec<u8>>> {
    let limit = algorithm.private_length() + 1;
    let mut private = Zeroizing::new(Vec::with_capacity(limit));
    common::open_regular(path)?.take(limit as u64).read_to_end(&mut private)?;
    Ok(private)
}

/// With mode 0600, and under its name only when all of it is on the disk.
fn write(name: &str, algorithm: Algorithm, private: &[u8]) -> io::Result<()> {
    let mut file = NamedTempFile::new_in(".")?;
    file.write_all(private)?;
    file.as_file().sync_all()?;
    file.persist_noclobber(format!("{name}.{algorithm}"))?;
    File::open(".")?.sync_all()
}
