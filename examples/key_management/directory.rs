//! Where the socket is: a directory that only this user can enter. A socket that was bound first and
//! protected afterwards could be connected to in between.

use std::{
    fs::{self, DirBuilder, File, TryLockError},
    io,
    os::{
        fd::AsRawFd,
        unix::{
            fs::{DirBuilderExt, FileTypeExt, MetadataExt},
            net::UnixListener,
        },
    },
    path::{Path, PathBuf},
};

use rustix::{
    fs::{Mode, OFlags},
    io::Errno,
};

pub(crate) const SOCKET: &str = "socket";
const LOCK: &str = "lock";

/// Makes the directory unless it exists, and works in it from now on.
pub(crate) fn enter(path: &Path) -> io::Result<()> {
    match DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    Ok(rustix::process::fchdir(open(path)?)?)
}

/// Opens a directory, not a link to one, that only this user can enter. Who can write to its parent
/// can put another directory in its place, but not change which one was opened and checked.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    let refused = |reason| io::Error::new(io::ErrorKind::PermissionDenied, reason);
    let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let directory = match rustix::fs::open(path, flags, Mode::empty()) {
        Ok(directory) => File::from(directory),
        Err(Errno::NOTDIR | Errno::LOOP) => return Err(refused("not a directory")),
        Err(error) => return Err(error.into()),
    };
    let metadata = directory.metadata()?;
    if metadata.uid() != rustix::process::geteuid().as_raw() {
        return Err(refused("the directory belongs to another user"));
    }
    if metadata.mode() & 0o777 != 0o700 {
        return Err(refused("others can enter the directory; its mode must be 0700"));
    }
    Ok(directory)
}

/// The path of the socket in a directory that was opened. Linux has paths to what a process has open;
/// they are short, too, as a socket's must be. Elsewhere this is `path` again, and only this user may
/// be able to write to the parent of the directory.
pub(crate) fn socket(path: &Path, opened: &File) -> PathBuf {
    let directory = if cfg!(target_os = "linux") {
        format!("/proc/self/fd/{}", opened.as_raw_fd()).into()
    } else {
        path.to_owned()
    };
    directory.join(SOCKET)
}

/// Locks the current directory. The lock is released when this process ends, however it ends.
pub(crate) fn lock() -> io::Result<File> {
    let lock = File::options().create(true).append(true).open(LOCK)?;
    lock.try_lock().map_err(|error| match error {
        TryLockError::WouldBlock => io::Error::other("another custodian uses this directory"),
        TryLockError::Error(error) => error,
    })?;
    Ok(lock)
}

/// Listens in the current directory. Removes the socket that a killed process has left: whoever has
/// the lock knows that nobody listens on it.
pub(crate) fn listen(_locked: &File) -> io::Result<UnixListener> {
    if fs::symlink_metadata(SOCKET).is_ok_and(|left| left.file_type().is_socket()) {
        fs::remove_file(SOCKET)?;
    }
    UnixListener::bind(SOCKET)
}
