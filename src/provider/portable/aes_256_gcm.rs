//! AES-256-GCM, from aes-gcm.

use aes_gcm::{AeadInOut, Aes256Gcm, KeyInit, aead::inout::InOutBuf};

use crate::{
    error::Error,
    provider::{Aead, AeadKey, TOO_LONG},
};

#[derive(Debug)]
pub(super) struct Aes256;

struct Aes256Key(Box<Aes256Gcm>);

impl Aead for Aes256 {
    fn key(&self, key: &[u8; 32]) -> Result<Box<dyn AeadKey>, Error> {
        Ok(Box::new(Aes256Key(Box::new(Aes256Gcm::new(key.into())))))
    }
}

impl AeadKey for Aes256Key {
    fn seal_in_place(
        &self,
        nonce: &[u8; 12],
        aad: &[u8],
        buffer: &mut [u8],
    ) -> Result<[u8; 16], Error> {
        self.0
            .encrypt_inout_detached(nonce.into(), aad, buffer.into())
            .map(Into::into)
            .map_err(|_| TOO_LONG)
    }

    fn seal_into(
        &self,
        nonce: &[u8; 12],
        aad: &[u8],
        plaintext: &[u8],
        ciphertext: &mut [u8],
    ) -> Result<[u8; 16], Error> {
        let buffers = InOutBuf::new(plaintext, ciphertext).map_err(|_| TOO_LONG)?;
        self.0
            .encrypt_inout_detached(nonce.into(), aad, buffers)
            .map(Into::into)
            .map_err(|_| TOO_LONG)
    }

    fn open_in_place(
        &self,
        nonce: &[u8; 12],
        aad: &[u8],
        buffer: &mut [u8],
        tag: &[u8; 16],
    ) -> Result<(), Error> {
        self.0
            .decrypt_inout_detached(nonce.into(), aad, buffer.into(), tag.into())
            .map_err(|_| Error::Open)
    }

    fn open_into(
        &self,
        nonce: &[u8; 12],
        aad: &[u8],
        ciphertext: &[u8],
        plaintext: &mut [u8],
        tag: &[u8; 16],
    ) -> Result<(), Error> {
        let buffers = InOutBuf::new(ciphertext, plaintext).map_err(|_| Error::Open)?;
        self.0
            .decrypt_inout_detached(nonce.into(), aad, buffers, tag.into())
            .map_err(|_| Error::Open)
    }
}
