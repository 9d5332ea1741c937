//! Where the socket is: a directory that only this user can enter. A socket that was bound first and
//! protected afterwards could be connected to in between.

use std::{
    env,
    fs::{self, DirBuilder, File, Metadata, TryLockError},
    io,
    os::unix::{
        fs::{DirBuilderExt, FileTypeExt, MetadataExt},
        net::UnixListener,
    },
    path::Path,
};

pub(crate) const SOCKET: &str = "socket";
const LOCK: &str = "lock";

/// Makes the directory unless it exists, and works in it from now on: whatever is put in its place
/// later is not used, and a long path does not count towards the short limit of a socket's.
pub(crate) fn enter(path: &Path) -> io::Result<()> {
    match DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    let seen = check(path)?;
    env::set_current_dir(path)?;
    let entered = check(Path::new("."))?;
    if (seen.dev(), seen.ino()) == (entered.dev(), entered.ino()) {
        return Ok(());
    }
    Err(io::Error::other("it was replaced meanwhile"))
}

/// Fails unless it is a directory, not a link to one, that only this user can enter.
pub(crate) fn check(path: &Path) -> io::Result<Metadata> {
    let metadata = fs::symlink_metadata(path)?;
    let refused = if !metadata.is_dir() {
        "not a directory"
    } else if metadata.uid() != rustix::process::geteuid().as_raw() {
        "the directory belongs to another user"
    } else if metadata.mode() & 0o777 != 0o700 {
        "others can enter the directory; its mode must be 0700"
    } else {
        return Ok(metadata);
    };
    Err(io::Error::new(io::ErrorKind::PermissionDenied, refused))
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
