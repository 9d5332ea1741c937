//! Files that hold private keys.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    path::Path,
};

use zeroize::Zeroizing;

use crate::{Error, PrivatePem, SecretBuffer};

/// Writes a new file that only its owner can read. An existing one is not overwritten.
pub(super) fn write_private(path: &Path, pem: &PrivatePem) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    let written = file.write_all(pem.as_str().as_bytes()).and_then(|()| file.sync_all());
    if written.is_err() {
        // The error of the write is the one to tell; half a key is refused on reading anyway.
        let _ = fs::remove_file(path);
    }
    written
}

/// A thousand verifying keys are below this; what is larger is no key file, and is not read whole.
const MAX_LENGTH: u64 = 4 * 1024 * 1024;

/// Reads a key file into one buffer: a growing one would leave copies behind that nobody wipes.
pub(super) fn read_private(path: &Path) -> io::Result<PrivatePem> {
    let file = File::open(path)?;
    let expected = file.metadata()?.len().clamp(64 * 1024, MAX_LENGTH);
    let mut bytes = SecretBuffer::with_capacity(expected as usize + 1);
    file.take(MAX_LENGTH + 1).read_to_end(bytes.as_mut_vec())?;
    if bytes.len() as u64 > MAX_LENGTH {
        return Err(Error::NotPem { reason: "it is longer than 4 MiB" }.into());
    }
    let is_utf16 = bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]);
    let text = String::from_utf8(bytes.into_vec()).map_err(|error| {
        drop(SecretBuffer::from(error.into_bytes()));
        let reason = if is_utf16 { "it is UTF-16; save it as UTF-8" } else { "it is not text" };
        Error::NotPem { reason }
    })?;
    Ok(PrivatePem::new(Zeroizing::new(text)))
}
