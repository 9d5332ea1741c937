//! AES-256-GCM.

use graviola::aead::AesGcm;

use crate::{
    error::Error,
    provider::{Aead, AeadKey, TOO_LONG},
};

#[derive(Debug)]
pub(super) struct Aes256;

struct Aes256Key(AesGcm);

/// SP 800-38D §5.2.1.1, in bytes: beyond it the counter begins again, which graviola leaves to its caller.
const LONGEST: u64 = (1 << 36) - 32;

fn fits(length: usize) -> bool {
    length as u64 <= LONGEST
}

impl Aead for Aes256 {
    fn key(&self, key: &[u8; 32]) -> Result<Box<dyn AeadKey>, Error> {
        Ok(Box::new(Aes256Key(AesGcm::new(key))))
    }
}

impl AeadKey for Aes256Key {
    fn seal_in_place(
        &self,
        nonce: &[u8; 12],
        aad: &[u8],
        buffer: &mut [u8],
    ) -> Result<[u8; 16], Error> {
        if !fits(buffer.len()) {
            return Err(TOO_LONG);
        }
        let mut tag = [0; 16];
        self.0.encrypt(nonce, aad, buffer, &mut tag);
        Ok(tag)
    }

    fn open_in_place(
        &self,
        nonce: &[u8; 12],
        aad: &[u8],
        buffer: &mut [u8],
        tag: &[u8; 16],
    ) -> Result<(), Error> {
        if !fits(buffer.len()) {
            return Err(Error::Open);
        }
        self.0.decrypt(nonce, aad, buffer, tag).map_err(|_| Error::Open)
    }
}
