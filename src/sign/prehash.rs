//! The hash of a message that is signed in its place: SHA-512.

use std::io;

use sha2::{Digest, Sha512};

use crate::secret::SecretBuffer;

/// PH(M) of the draft: SHA-512.
pub(crate) fn prehash(message: &[u8]) -> [u8; 64] {
    Sha512::digest(message).into()
}

/// [`prehash`] of all that a reader returns.
pub(crate) fn hash_reader(mut message: impl io::Read) -> io::Result<[u8; 64]> {
    let mut hash = Sha512::new();
    let mut buffer = SecretBuffer::zeroed(64 * 1024);
    loop {
        match message.read(&mut buffer) {
            Ok(0) => return Ok(hash.finalize().into()),
            Ok(length) => hash.update(buffer.get(..length).ok_or_else(broken_reader)?),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

fn broken_reader() -> io::Error {
    io::Error::other("the reader claims more bytes than the buffer holds")
}
