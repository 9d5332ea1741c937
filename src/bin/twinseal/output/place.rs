//! Resolves the path of an output, to a directory that is held open and the last name in it.
//!
//! The path is walked once, from directory to directory, each by its descriptor: exchanging a part of it
//! afterwards changes nothing. Each symbolic link on the path is checked before it is followed.

use std::{
    env,
    ffi::{OsStr, OsString},
    io,
    os::{fd::OwnedFd, unix::ffi::OsStrExt},
    path::{Component, Path, PathBuf},
    sync::Arc,
};

use rustix::fs::{CWD, FileType, Mode, OFlags, open, openat, readlinkat};

use super::{descriptor::Descriptor, status::Status};
use crate::{failure::Failure, name::Name};

/// A name in a directory.
#[derive(Clone)]
pub(super) struct Place {
    pub(super) directory: Arc<OwnedFd>,
    pub(super) name: OsString,
}

pub(super) enum Found {
    Nothing(Place),
    File(Place, Status),
    /// A FIFO, device or socket.
    Special(Place, Status),
    Descriptor(Descriptor),
}

/// As many as Linux follows.
const MAX_LINKS: usize = 40;

// On Linux, walking through a directory needs no permission to list it.
#[cfg(target_os = "linux")]
const SEARCH: OFlags = OFlags::PATH;
#[cfg(not(target_os = "linux"))]
const SEARCH: OFlags = OFlags::RDONLY;

pub(super) fn find(path: &Path, name: &Name) -> Result<Found, Failure> {
    if let Some(descriptor) = Descriptor::named(path) {
        return Ok(Found::Descriptor(descriptor));
    }
    // An absolute path must not fail because of a working directory that nobody may enter.
    let mut walk = Walk::begin(if path.is_absolute() { "/" } else { "." }, name)?;
    walk.prepend(path)?;
    while let Some(part) = walk.ahead.pop() {
        if let Some(found) = walk.step(&part)? {
            return Ok(found);
        }
    }
    Err(walk.failed(io::ErrorKind::IsADirectory))
}

struct Walk<'a> {
    name: &'a Name,
    directory: OwnedFd,
    /// The path of this directory, which serves only to recognise descriptors in procfs.
    called: PathBuf,
    /// The rest of the path, the next part last.
    ahead: Vec<OsString>,
    links: usize,
    /// Whether the last part of the path was a symbolic link.
    is_behind_a_link: bool,
}

impl<'a> Walk<'a> {
    fn begin(start: &str, name: &'a Name) -> Result<Self, Failure> {
        let directory = open(start, SEARCH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
            .map_err(|error| Failure::writing(name, &error.into()))?;
        let called = env::current_dir().unwrap_or_default();
        Ok(Self { name, directory, called, ahead: Vec::new(), links: 0, is_behind_a_link: false })
    }

    fn failed(&self, error: impl Into<io::Error>) -> Failure {
        Failure::writing(self.name, &error.into())
    }

    fn refused(&self, reason: &str) -> Failure {
        Failure::of(self.name, reason)
    }

    /// Puts the parts of a path in front of those that are ahead.
    fn prepend(&mut self, path: &Path) -> Result<(), Failure> {
        let bytes = path.as_os_str().as_bytes();
        if bytes.is_empty() {
            return Err(self.failed(io::ErrorKind::NotFound));
        }
        if self.ahead.is_empty() && (bytes.ends_with(b"/") || bytes.ends_with(b"/.")) {
            // Only a directory can have such a path.
            self.ahead.push(".".into());
        }
        self.ahead.extend(path.components().rev().map(|part| part.as_os_str().to_os_string()));
        Ok(())
    }

    /// Walks one part. Returns the result if it was the last one.
    fn step(&mut self, part: &OsStr) -> Result<Option<Found>, Failure> {
        match Path::new(part).components().next() {
            Some(Component::RootDir) => {
                let flags = SEARCH | OFlags::DIRECTORY | OFlags::CLOEXEC;
                self.directory =
                    openat(CWD, "/", flags, Mode::empty()).map_err(|e| self.failed(e))?;
                self.called = "/".into();
                Ok(None)
            }
            Some(Component::Normal(_)) if self.ahead.is_empty() => self.arrive(part),
            Some(Component::Normal(_)) => self.enter(part).map(|()| None),
            Some(Component::ParentDir) => {
                self.directory =
                    self.subdirectory(part, OFlags::empty()).map_err(|e| self.failed(e))?;
                self.called.pop();
                Ok(None)
            }
            _ => Ok(None),
        }
    }

    fn subdirectory(&self, part: &OsStr, flags: OFlags) -> io::Result<OwnedFd> {
        let flags = SEARCH | OFlags::DIRECTORY | OFlags::CLOEXEC | flags;
        Ok(openat(&self.directory, part, flags, Mode::empty())?)
    }

    fn enter(&mut self, part: &OsStr) -> Result<(), Failure> {
        let error = match self.subdirectory(part, OFlags::NOFOLLOW) {
            Ok(directory) => {
                self.directory = directory;
                self.called.push(part);
                return Ok(());
            }
            Err(error) => error,
        };
        let status = Status::at(&self.directory, part).map_err(|e| self.failed(e))?;
        if status.kind != FileType::Symlink {
            return Err(self.failed(error));
        }
        self.check_link(&status, "a directory on its path", "directory")?;
        if self.is_in_procfs() {
            // Only the system knows the target: a directory of another process, for example.
            self.directory =
                self.subdirectory(part, OFlags::empty()).map_err(|e| self.failed(e))?;
            self.called = PathBuf::new();
            return Ok(());
        }
        self.follow(part)
    }

    fn arrive(&mut self, part: &OsStr) -> Result<Option<Found>, Failure> {
        let status = match Status::at(&self.directory, part) {
            Ok(status) => status,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return self.miss(part).map(Some);
            }
            Err(error) => return Err(self.failed(error)),
        };
        match status.kind {
            FileType::Symlink if self.is_in_procfs() => {
                match Descriptor::in_procfs(&self.called, part) {
                    Some(descriptor) => Ok(Some(Found::Descriptor(descriptor))),
                    None => {
                        Err(self.refused("it is a link made by the system; name a file with -o"))
                    }
                }
            }
            FileType::Symlink => {
                self.check_link(&status, "it", "file")?;
                self.is_behind_a_link = true;
                self.follow(part).map(|()| None)
            }
            FileType::Directory => Err(self.failed(io::ErrorKind::IsADirectory)),
            FileType::RegularFile => Ok(Some(Found::File(self.place(part)?, status))),
            _ => Ok(Some(Found::Special(self.place(part)?, status))),
        }
    }

    /// The result if no file has the last name.
    fn miss(&self, part: &OsStr) -> Result<Found, Failure> {
        if self.is_in_procfs()
            && let Some(closed) = Descriptor::in_procfs(&self.called, part)
        {
            return Ok(Found::Descriptor(closed));
        }
        if self.is_behind_a_link {
            let reason = "it is a link to a file that does not exist; remove the link";
            return Err(self.refused(reason));
        }
        self.place(part).map(Found::Nothing)
    }

    fn place(&self, name: &OsStr) -> Result<Place, Failure> {
        let directory = self.directory.try_clone().map_err(|error| self.failed(error))?;
        Ok(Place { directory: Arc::new(directory), name: name.to_os_string() })
    }

    fn follow(&mut self, part: &OsStr) -> Result<(), Failure> {
        self.links += 1;
        if self.links > MAX_LINKS {
            return Err(self.refused("symbolic links form a loop; name the file itself"));
        }
        let target = readlinkat(&self.directory, part, Vec::new()).map_err(|e| self.failed(e))?;
        self.prepend(Path::new(OsStr::from_bytes(target.as_bytes())))
    }

    /// Anyone who can exchange a link chooses where the result goes.
    fn check_link(&self, link: &Status, what: &str, target: &str) -> Result<(), Failure> {
        let refused = |reason| {
            let advice =
                format!("{what} is a symbolic link {reason}; name the {target} that it leads to");
            Err(self.refused(&advice))
        };
        if !link.is_mine_or_roots() {
            return refused("of another user");
        }
        let directory = Status::of(&self.directory).map_err(|error| self.failed(error))?;
        let is_ours = directory.is_mine_or_roots();
        let is_shared = directory.mode & 0o022 != 0;
        if is_ours && (!is_shared || directory.is_sticky() && link.is_mine()) {
            return Ok(());
        }
        refused("in a directory that others can write to")
    }

    /// Whether links in this directory are those of procfs, whose text is not where they lead.
    fn is_in_procfs(&self) -> bool {
        #[cfg(target_os = "linux")]
        {
            // In its root they are ordinary links, such as `self`.
            const ROOT: u64 = 1;
            let is_procfs = rustix::fs::fstatfs(&self.directory)
                .is_ok_and(|system| system.f_type == rustix::fs::PROC_SUPER_MAGIC);
            is_procfs && Status::of(&self.directory).is_ok_and(|status| status.identity.1 != ROOT)
        }
        #[cfg(not(target_os = "linux"))]
        false
    }
}
