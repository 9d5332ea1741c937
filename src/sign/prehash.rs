//! The hash of a message that is signed in its place: SHA-512.

use std::io::{self, Read};

use sha2::{Digest, Sha512};

use crate::{retry::read_some, secret::PageBuffer};

/// PH(M) of the draft: SHA-512.
pub(crate) fn prehash(message: &[u8]) -> [u8; 64] {
    Sha512::digest(message).into()
}

/// [`prehash`] of all that a reader returns.
pub(crate) fn hash_reader(mut message: impl Read) -> io::Result<[u8; 64]> {
    let mut hash = Sha512::new();
    let mut buffer = PageBuffer::zeroed(64 * 1024);
    loop {
        match read_some(&mut message, &mut buffer)? {
            [] => return Ok(hash.finalize().into()),
            part => hash.update(part),
        }
    }
}
