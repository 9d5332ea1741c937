//! Opens a file of unknown origin without blocking.

use std::{
    fs::{File, OpenOptions},
    io,
    path::Path,
};

/// Opens a regular file. Refuses a device, a socket and a FIFO, which would block until there is a
/// writer.
pub fn open_regular(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.custom_flags(rustix::fs::OFlags::NONBLOCK.bits().cast_signed());
    }
    let file = options.open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
    }
    Ok(file)
}
