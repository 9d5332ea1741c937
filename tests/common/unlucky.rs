//! Which provider fails and panics as planned?

use twinseal::{
    Error,
    provider::{Aead, AeadKey, PORTABLE, Provider},
};

/// Its AES-256-GCM fails at plaintext of 13 bytes, and panics at plaintext of 14.
pub(crate) static UNLUCKY: Provider =
    Provider { name: "unlucky", aes_256_gcm: &Unlucky, ..PORTABLE };

#[derive(Debug)]
struct Unlucky;

struct UnluckyKey(Box<dyn AeadKey>);

impl Aead for Unlucky {
    fn key(&self, key: &[u8; 32]) -> Result<Box<dyn AeadKey>, Error> {
        Ok(Box::new(UnluckyKey(PORTABLE.aes_256_gcm.key(key)?)))
    }
}

impl AeadKey for UnluckyKey {
    fn seal_in_place(
        &self,
        nonce: &[u8; 12],
        aad: &[u8],
        buffer: &mut [u8],
    ) -> Result<[u8; 16], Error> {
        assert_ne!(buffer.len(), 14, "unlucky");
        if buffer.len() == 13 {
            return Err(Error::Unsupported("13 bytes"));
        }
        self.0.seal_in_place(nonce, aad, buffer)
    }

    fn open_in_place(
        &self,
        nonce: &[u8; 12],
        aad: &[u8],
        buffer: &mut [u8],
        tag: &[u8; 16],
    ) -> Result<(), Error> {
        self.0.open_in_place(nonce, aad, buffer, tag)
    }
}
