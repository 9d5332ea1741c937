//! Walks a tree of directories, in the order in which the system lists them.
//!
//! Memory holds only the path to the current entry, however large the tree is. Symbolic links are not
//! followed: each entry is opened in the directory that it was found in, without following one that has
//! just taken its place. Only regular files and directories are opened.

use std::{
    ffi::OsStr,
    fs::{File, Metadata},
    io,
    os::unix::{
        ffi::OsStrExt,
        fs::{MetadataExt, OpenOptionsExt},
    },
    path::{Path, PathBuf},
};

use rustix::{
    fs::{Dir, FileType, Mode, OFlags, openat},
    io::Errno,
};

use super::Entry;

/// How many levels of directories are read. Each directory stays open while those in it are read.
const DEEPEST: usize = 1000;

const FLAGS: OFlags = OFlags::RDONLY.union(OFlags::NONBLOCK).union(OFlags::NOCTTY);

pub(super) struct Walk {
    /// The path of the current entry.
    path: PathBuf,
    /// The root, until it is returned.
    first: Option<Entry>,
    levels: Vec<Level>,
    /// Whether the last part of `path` is an entry of the innermost level.
    is_within: bool,
}

struct Level {
    directory: Dir,
    identity: (u64, u64),
}

impl Walk {
    /// Walks `root` and everything in it. If `root` itself is a link, it is followed.
    pub(super) fn new(root: &Path) -> io::Result<Self> {
        let file = File::options().read(true).custom_flags(FLAGS.bits() as i32).open(root)?;
        let mut walk =
            Self { path: root.into(), first: None, levels: Vec::new(), is_within: false };
        walk.first = Some(walk.opened(file)?);
        Ok(walk)
    }

    /// The next entry and its path, which begins with that of the root.
    pub(super) fn next(&mut self) -> Option<(&Path, Entry)> {
        let entry = match self.first.take() {
            Some(entry) => entry,
            None => self.listed()?,
        };
        Some((&self.path, entry))
    }

    fn listed(&mut self) -> Option<Entry> {
        loop {
            if self.is_within {
                self.path.pop();
                self.is_within = false;
            }
            let level = self.levels.last_mut()?;
            match level.directory.read() {
                Some(Ok(entry)) => {
                    let name = entry.file_name().to_bytes();
                    if name == b"." || name == b".." {
                        continue;
                    }
                    self.path.push(OsStr::from_bytes(name));
                    self.is_within = true;
                    return Some(self.open(OsStr::from_bytes(name), entry.file_type()));
                }
                // The directory is still the current entry: it could not be read to its end.
                Some(Err(error)) => {
                    self.leave();
                    return Some(Entry::Unreadable(error.into()));
                }
                None => self.leave(),
            }
        }
    }

    /// Leaves a directory, which becomes the current entry of its parent.
    fn leave(&mut self) {
        self.levels.pop();
        self.is_within = !self.levels.is_empty();
    }

    fn open(&mut self, name: &OsStr, kind: FileType) -> Entry {
        match kind {
            FileType::RegularFile | FileType::Directory => {}
            FileType::Symlink => return Entry::Link,
            // Not every file system lists the kind.
            FileType::Unknown => match self.kind(name) {
                Ok(FileType::Unknown) => return Entry::Special,
                Ok(kind) => return self.open(name, kind),
                Err(error) => return failed(error),
            },
            _ => return Entry::Special,
        }
        let Some(level) = self.levels.last() else { return Entry::Vanished };
        let flags = FLAGS | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let opened = level
            .directory
            .fd()
            .and_then(|directory| openat(directory, name, flags, Mode::empty()));
        match opened {
            Ok(file) => self.opened(file.into()).unwrap_or_else(Entry::Unreadable),
            Err(error) => failed(error),
        }
    }

    fn kind(&self, name: &OsStr) -> Result<FileType, Errno> {
        use rustix::fs::{AtFlags, statat};

        let level = self.levels.last().ok_or(Errno::NOENT)?;
        let status = statat(level.directory.fd()?, name, AtFlags::SYMLINK_NOFOLLOW)?;
        Ok(FileType::from_raw_mode(status.st_mode))
    }

    fn opened(&mut self, file: File) -> io::Result<Entry> {
        let metadata = file.metadata()?;
        if metadata.is_file() {
            return Ok(Entry::File(file, metadata));
        }
        if !metadata.is_dir() {
            return Ok(Entry::Special);
        }
        self.enter(file, &metadata)?;
        Ok(Entry::Directory)
    }

    fn enter(&mut self, file: File, metadata: &Metadata) -> io::Result<()> {
        let identity = (metadata.dev(), metadata.ino());
        if self.levels.iter().any(|level| level.identity == identity) {
            return Err(io::Error::other("this directory contains itself"));
        }
        if self.levels.len() >= DEEPEST {
            return Err(io::Error::other(format!("it is more than {DEEPEST} directories deep")));
        }
        self.levels.push(Level { directory: Dir::new(file)?, identity });
        self.is_within = false;
        Ok(())
    }
}

fn failed(error: Errno) -> Entry {
    match error {
        Errno::NOENT => Entry::Vanished,
        // It has just become a link, or something that cannot be opened.
        Errno::LOOP => Entry::Link,
        Errno::NXIO => Entry::Special,
        error => Entry::Unreadable(error.into()),
    }
}
