//! Closes files: some errors of writing are reported only then.

use std::{fs::File, io};

/// Closes a file. On network file systems, and with quotas, only this reports that data was lost.
#[cfg(unix)]
pub(super) fn close(file: File) -> io::Result<()> {
    nix::unistd::close(file).map_err(|error| io::Error::from_raw_os_error(error as i32))
}

#[cfg(not(unix))]
pub(super) fn close(file: File) -> io::Result<()> {
    drop(file);
    Ok(())
}

/// Waits until the names in a directory are on the disk. `file` is a file in it.
#[cfg(unix)]
pub(super) fn sync_directory(directory: &std::os::fd::OwnedFd, file: &File) -> io::Result<()> {
    use rustix::{
        fs::{Mode, OFlags, fsync, openat},
        io::Errno,
    };

    // The descriptor may be good only for walking through the directory.
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let synced = openat(directory, ".", flags, Mode::empty()).and_then(fsync);
    match synced {
        // File systems that cannot sync a directory have nothing to sync there.
        Ok(()) | Err(Errno::INVAL) => Ok(()),
        #[cfg(target_os = "linux")]
        Err(Errno::ACCESS) => Ok(rustix::fs::syncfs(file)?),
        Err(error) => {
            let _ = file;
            Err(error.into())
        }
    }
}
