//! Entries are looked at and opened relative to an open directory, which nobody can replace.

use std::{
    ffi::{OsStr, OsString},
    fs::File,
    io,
    os::{
        fd::{AsFd, OwnedFd},
        unix::ffi::OsStrExt,
    },
    path::Path,
};

use rustix::{
    fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, Stat, fstat, openat, statat},
    io::{Errno, retry_on_intr},
};

use super::Kind;

/// An open directory.
pub(in super::super) struct Directory(OwnedFd);

/// Which file it is, and in which state: if one of this changes while the file is read, so may its bytes. Whoever
/// changes a file can set its time of modification afterwards, but not that of its change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) struct State {
    pub(in super::super) length: u64,
    device: u64,
    inode: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

/// A directory, not a link to one.
const DIRECTORY: OFlags = OFlags::DIRECTORY.union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// To look at and open what is in a directory, the right to list it is not needed.
#[cfg(any(target_os = "linux", target_os = "android"))]
const SEARCH: OFlags = DIRECTORY.union(OFlags::PATH);
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const SEARCH: OFlags = DIRECTORY;

/// A link or pipe may have taken the place of a file.
const FILE: OFlags =
    OFlags::NOFOLLOW.union(OFlags::NONBLOCK).union(OFlags::NOCTTY).union(OFlags::CLOEXEC);

impl Directory {
    /// Opens a directory to list it.
    pub(in super::super) fn open(path: &Path) -> io::Result<Self> {
        open(CWD, path.as_os_str(), DIRECTORY).map(Self)
    }

    /// Opens a directory whose entries are known.
    pub(in super::super) fn open_to_search(path: &Path) -> io::Result<Self> {
        open(CWD, path.as_os_str(), SEARCH).map(Self)
    }

    /// Opens a directory in it.
    pub(in super::super) fn directory(&self, name: &OsStr) -> io::Result<Self> {
        match open(&self.0, name, DIRECTORY) {
            // Of a link, some systems say this and others the next.
            Err(error)
                if matches!(Errno::from_io_error(&error), Some(Errno::LOOP | Errno::MLINK)) =>
            {
                Err(io::ErrorKind::NotADirectory.into())
            }
            opened => opened.map(Self),
        }
    }

    /// Opens a file in it, which may be something else.
    pub(in super::super) fn file(&self, name: &OsStr) -> io::Result<File> {
        open(&self.0, name, FILE).map(File::from)
    }

    /// Looks at an entry.
    pub(in super::super) fn look(&self, name: &OsStr) -> io::Result<(Kind, State)> {
        Ok(seen(&statat(&self.0, name, AtFlags::SYMLINK_NOFOLLOW)?))
    }

    /// The state of the directory itself, which changes with the names in it.
    pub(in super::super) fn state(&self) -> io::Result<State> {
        Ok(seen(&fstat(&self.0)?).1)
    }

    /// The names in it, and what they are.
    pub(in super::super) fn list(&self) -> io::Result<Vec<(OsString, Kind)>> {
        let mut entries = Vec::new();
        for entry in Dir::read_from(&self.0)? {
            let entry = entry?;
            let name = OsStr::from_bytes(entry.file_name().to_bytes());
            if name == "." || name == ".." {
                continue;
            }
            let kind = match entry.file_type() {
                // Some file systems do not say.
                FileType::Unknown => match self.look(name) {
                    Ok((kind, _)) => kind,
                    // It has gone since.
                    Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                    Err(error) => return Err(error),
                },
                known => kind(known),
            };
            entries.push((name.to_owned(), kind));
        }
        Ok(entries)
    }
}

impl State {
    /// Looks at an open file.
    pub(in super::super) fn of(file: &File) -> io::Result<(Kind, Self)> {
        Ok(seen(&fstat(file)?))
    }
}

fn open(directory: impl AsFd, name: &OsStr, flags: OFlags) -> io::Result<OwnedFd> {
    Ok(retry_on_intr(|| openat(&directory, name, flags, Mode::empty()))?)
}

/// The types of the fields differ from system to system.
#[allow(clippy::unnecessary_cast, clippy::cast_lossless, clippy::useless_conversion)]
fn seen(stat: &Stat) -> (Kind, State) {
    #[cfg(not(target_os = "netbsd"))]
    let (modified, changed) = (stat.st_mtime_nsec as i64, stat.st_ctime_nsec as i64);
    #[cfg(target_os = "netbsd")]
    let (modified, changed) = (stat.st_mtimensec as i64, stat.st_ctimensec as i64);
    let state = State {
        length: stat.st_size as u64,
        device: stat.st_dev as u64,
        inode: stat.st_ino as u64,
        modified: (stat.st_mtime as i64, modified),
        changed: (stat.st_ctime as i64, changed),
    };
    (kind(FileType::from_raw_mode(stat.st_mode as _)), state)
}

fn kind(file_type: FileType) -> Kind {
    match file_type {
        FileType::RegularFile => Kind::File,
        FileType::Directory => Kind::Directory,
        FileType::Symlink => Kind::Link,
        _ => Kind::Special,
    }
}
