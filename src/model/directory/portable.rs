//! Entries are looked at and opened by their paths: the standard library has nothing else. A directory can be replaced
//! by a link between the two.

use std::{
    ffi::{OsStr, OsString},
    fs::{self, File, FileType, Metadata},
    io,
    path::{Path, PathBuf},
    time::SystemTime,
};

use super::Kind;

/// A directory that is there.
pub(in super::super) struct Directory(PathBuf);

/// Which state a file is in: if one of this changes while the file is read, so may its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) struct State {
    pub(in super::super) length: u64,
    /// Some file systems have no times.
    modified: Option<SystemTime>,
    created: Option<SystemTime>,
}

impl Directory {
    /// Finds a directory to list it.
    pub(in super::super) fn open(path: &Path) -> io::Result<Self> {
        match fs::symlink_metadata(path)?.is_dir() {
            true => Ok(Self(path.to_owned())),
            false => Err(io::ErrorKind::NotADirectory.into()),
        }
    }

    /// Finds a directory whose entries are known.
    pub(in super::super) fn open_to_search(path: &Path) -> io::Result<Self> {
        Self::open(path)
    }

    /// Finds a directory in it.
    pub(in super::super) fn directory(&self, name: &OsStr) -> io::Result<Self> {
        Self::open(&self.0.join(name))
    }

    /// Opens a file in it, which may be something else.
    pub(in super::super) fn file(&self, name: &OsStr) -> io::Result<File> {
        let path = self.0.join(name);
        match fs::symlink_metadata(&path)?.is_file() {
            true => File::open(path),
            false => Err(io::ErrorKind::InvalidInput.into()),
        }
    }

    /// Looks at an entry.
    pub(in super::super) fn look(&self, name: &OsStr) -> io::Result<(Kind, State)> {
        Ok(seen(&fs::symlink_metadata(self.0.join(name))?))
    }

    /// The state of the directory itself, which changes with the names in it.
    pub(in super::super) fn state(&self) -> io::Result<State> {
        Ok(seen(&fs::symlink_metadata(&self.0)?).1)
    }

    /// The names in it, and what they are.
    pub(in super::super) fn list(&self) -> io::Result<Vec<(OsString, Kind)>> {
        let entry = |entry: io::Result<fs::DirEntry>| {
            let entry = entry?;
            Ok((entry.file_name(), kind(entry.file_type()?)))
        };
        fs::read_dir(&self.0)?.map(entry).collect()
    }
}

impl State {
    /// Looks at an open file.
    pub(in super::super) fn of(file: &File) -> io::Result<(Kind, Self)> {
        Ok(seen(&file.metadata()?))
    }
}

fn seen(metadata: &Metadata) -> (Kind, State) {
    let state = State {
        length: metadata.len(),
        modified: metadata.modified().ok(),
        created: metadata.created().ok(),
    };
    (kind(metadata.file_type()), state)
}

fn kind(file_type: FileType) -> Kind {
    if file_type.is_symlink() {
        Kind::Link
    } else if file_type.is_dir() {
        Kind::Directory
    } else if file_type.is_file() {
        Kind::File
    } else {
        Kind::Special
    }
}
