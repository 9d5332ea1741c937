//! Linux's files without a name: they are gone with the process, however it ends.

use std::{fs::File, io, os::fd::AsRawFd, path::Path};

use rustix::fs::{AtFlags, CWD, Mode, OFlags, linkat, open};

pub(super) fn create(folder: &Path, mode: u32) -> io::Result<File> {
    let flags = OFlags::TMPFILE | OFlags::WRONLY | OFlags::CLOEXEC;
    Ok(open(folder, flags, Mode::from_raw_mode(mode))?.into())
}

/// Gives the file a name, as open(2) shows it under `O_TMPFILE`.
pub(super) fn link(file: &File, path: &Path) -> io::Result<()> {
    let open = format!("/proc/self/fd/{}", file.as_raw_fd());
    Ok(linkat(CWD, open, CWD, path, AtFlags::SYMLINK_FOLLOW)?)
}
