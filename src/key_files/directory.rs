//! The key files of a directory at one moment.

use std::{
    borrow::Cow,
    ffi::{OsStr, OsString},
    fs, io,
    path::{Path, PathBuf},
    time::SystemTime,
};

use super::{PrivatePem, files, keyrings::MAX_KEYS};
use crate::error::Error;

/// A key file that is read but not parsed: parsing takes long, and the directory could change
/// meanwhile.
pub(crate) struct KeyFile {
    path: PathBuf,
    text: PrivatePem,
}

impl KeyFile {
    pub(super) fn is_primary(&self) -> bool {
        self.path.file_name().is_some_and(|name| name == "primary.pem")
    }

    /// Its name without `.pem`.
    pub(super) fn name(&self) -> Cow<'_, str> {
        self.path.file_stem().expect("its name ends in .pem").to_string_lossy()
    }

    /// Whether it has the same content, as under another name.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.text.as_str() == other.text.as_str()
    }

    /// The key in the file. Errors name the file.
    pub(crate) fn parse<Key>(
        &self,
        parse: impl FnOnce(&str) -> Result<Key, Error>,
    ) -> io::Result<Key> {
        parse(self.text.as_str()).map_err(|error| self.error(error))
    }

    /// The error, with the path.
    pub(super) fn error(&self, error: Error) -> io::Error {
        Error::at(&self.path, error.into())
    }

    /// The error, with the path, and with the name of the other file that it is about, if it is about two.
    pub(super) fn error_with(&self, other: Option<&str>, error: Error) -> io::Error {
        match other {
            None => self.error(error),
            Some(name) => {
                let both = format!("{} and {name}.pem", self.path.display());
                Error::at(Path::new(&both), error.into())
            }
        }
    }
}

/// The most bytes of all key files together.
const MAX_TOTAL: usize = 4 * files::MAX_LEN;

/// How often a directory is read if it changes each time. Reading takes less than a millisecond,
/// and a mounted secret changes seldom, within microseconds.
const ATTEMPTS: usize = 50;

/// Reads the key files of a directory in the order of their names.
pub(crate) fn read(directory: &Path) -> io::Result<Vec<KeyFile>> {
    let changes = "it changed each time that it was read";
    let mut reason = io::Error::new(io::ErrorKind::ResourceBusy, changes);
    for _ in 0..ATTEMPTS {
        match read_once(directory) {
            Ok(Some(read)) => return read,
            Ok(None) => {}
            // A file that is missing in the middle of a change is there in the next attempt.
            Err(error) if error.kind() == io::ErrorKind::NotFound => reason = error,
            Err(error) => return Err(Error::at(directory, error)),
        }
    }
    Err(Error::at(directory, reason))
}

/// The files, unless any was replaced or removed while they were read. Files may have been added.
///
/// If no file was replaced since before the names were listed, the list lacks no key: a rotation
/// first gives the old key another name, and only then replaces `primary.pem`.
fn read_once(directory: &Path) -> io::Result<Option<io::Result<Vec<KeyFile>>>> {
    let place = Place::of(directory)?;
    let before = place.names()?;
    let stamps: Vec<_> = before.iter().map(|name| place.stamp(name)).collect();
    let names = place.names()?;
    let read = place.read(&names);
    let same = before
        .iter()
        .zip(&stamps)
        .all(|(name, stamp)| names.binary_search(name).is_ok() && place.stamp(name) == *stamp);
    let settled = same && Place::of(directory)? == place;
    Ok(settled.then_some(read))
}

/// The place of the files: behind Kubernetes' `..data` link if there is one, because a mounted secret
/// changes by replacing that link. If the link leads nowhere, the files beside it are not read instead.
#[derive(PartialEq, Eq)]
struct Place {
    /// The path in errors.
    path: PathBuf,
    /// The path without links, any of which may be replaced.
    real: PathBuf,
    #[cfg(unix)]
    identity: (u64, u64),
}

/// Distinguishes a file from another one in its place.
#[derive(PartialEq, Eq)]
struct Stamp {
    #[cfg(unix)]
    identity: (u64, u64),
    length: u64,
    modified: Option<SystemTime>,
}

impl Stamp {
    fn of(metadata: &fs::Metadata) -> Self {
        Self {
            #[cfg(unix)]
            identity: identity(metadata),
            length: metadata.len(),
            modified: metadata.modified().ok(),
        }
    }
}

/// Device and inode.
#[cfg(unix)]
fn identity(metadata: &fs::Metadata) -> (u64, u64) {
    use std::os::unix::fs::MetadataExt;
    (metadata.dev(), metadata.ino())
}

impl Place {
    fn of(directory: &Path) -> io::Result<Self> {
        let link = directory.join("..data");
        let (path, real) = match fs::symlink_metadata(&link) {
            Ok(_) => {
                let real = fs::canonicalize(&link).map_err(|error| Error::at(&link, error))?;
                (real.clone(), real)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                (directory.to_path_buf(), fs::canonicalize(directory)?)
            }
            Err(error) => return Err(error),
        };
        Ok(Self {
            #[cfg(unix)]
            identity: identity(&fs::metadata(&real)?),
            path,
            real,
        })
    }

    /// The names of the key files, sorted.
    fn names(&self) -> io::Result<Vec<OsString>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.path)? {
            let name = entry?.file_name();
            let bytes = name.as_encoded_bytes();
            if bytes.ends_with(b".pem") && !bytes.starts_with(b".") {
                names.push(name);
            }
            if names.len() > MAX_KEYS {
                let reason = "a directory may have at most 1000 key files";
                return Err(Error::Keyring { reason }.into());
            }
        }
        names.sort();
        Ok(names)
    }

    /// `None` if there is no such file, or if it is a link that leads nowhere.
    fn stamp(&self, name: &OsStr) -> Option<Stamp> {
        fs::metadata(self.path.join(name)).ok().as_ref().map(Stamp::of)
    }

    fn read(&self, names: &[OsString]) -> io::Result<Vec<KeyFile>> {
        let mut files = Vec::with_capacity(names.len());
        let mut total = 0;
        for name in names {
            let path = self.path.join(name);
            let text = files::read_regular(&path)?;
            total += text.as_str().len();
            if total > MAX_TOTAL {
                let reason = "its files have more than 16 MiB together";
                return Err(Error::at(&path, Error::Keyring { reason }.into()));
            }
            files.push(KeyFile { path, text });
        }
        Ok(files)
    }
}
