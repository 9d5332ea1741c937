//! Files that somebody else puts somewhere: opened without waiting, and never read without a bound.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read},
    path::Path,
};

/// A public key is 4 KB of PEM; nothing that is much longer is one.
const LONGEST_KEY: u64 = 64 * 1024;

/// Opens a regular file. Opening a FIFO would wait for somebody who writes to it, and a device or a
/// socket is no file either.
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
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file"));
    }
    Ok(file)
}

/// Reads the text of a key.
pub fn read_key(file: File) -> io::Result<String> {
    let mut text = String::new();
    if file.take(LONGEST_KEY + 1).read_to_string(&mut text)? as u64 > LONGEST_KEY {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "it is too long for a key"));
    }
    Ok(text)
}
