//! The status of a file: its identity, kind, owner, group and mode.

use std::{io, os::fd::AsFd, path::Path};

use rustix::fs::{AtFlags, FileType, Stat, fstat, statat};

#[derive(Clone, Copy)]
pub(super) struct Status {
    /// Device and inode: no two files that exist at the same time have the same.
    pub(super) identity: (u64, u64),
    pub(super) owner: u32,
    pub(super) group: u32,
    /// Permissions with the setuid, setgid and sticky bits.
    pub(super) mode: u32,
    pub(super) kind: FileType,
}

impl Status {
    pub(super) fn of(file: impl AsFd) -> io::Result<Self> {
        Ok(Self::from(&fstat(file)?))
    }

    /// The status of the file with this name in a directory. A symbolic link is not followed.
    pub(super) fn at(directory: impl AsFd, name: impl AsRef<Path>) -> io::Result<Self> {
        Ok(Self::from(&statat(directory, name.as_ref(), AtFlags::SYMLINK_NOFOLLOW)?))
    }

    pub(super) fn is_mine(&self) -> bool {
        self.owner == me()
    }

    pub(super) fn is_mine_or_roots(&self) -> bool {
        self.is_mine() || self.owner == 0
    }

    pub(super) fn is_sticky(&self) -> bool {
        self.mode & 0o1000 != 0
    }
}

impl From<&Stat> for Status {
    // Their types differ from system to system.
    #[allow(clippy::unnecessary_cast, reason = "these are the types of Linux")]
    fn from(stat: &Stat) -> Self {
        Self {
            identity: (stat.st_dev as u64, stat.st_ino as u64),
            owner: stat.st_uid as u32,
            group: stat.st_gid as u32,
            mode: stat.st_mode as u32 & 0o7777,
            kind: FileType::from_raw_mode(stat.st_mode),
        }
    }
}

/// The user who owns new files.
pub(super) fn me() -> u32 {
    rustix::process::geteuid().as_raw()
}
