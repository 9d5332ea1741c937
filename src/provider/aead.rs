//! What does an AEAD of a provider do?

use std::fmt;

use crate::error::Error;

/// Authenticated encryption with a 32-byte key, 12-byte nonces and 16-byte tags.
pub trait Aead: fmt::Debug + Send + Sync {
    /// Expands a key.
    ///
    /// # Errors
    ///
    /// [`Error::Unsupported`] if the provider cannot.
    fn key(&self, key: &[u8; 32]) -> Result<Box<dyn AeadKey>, Error>;
}

/// A key in its expanded form; it wipes itself when dropped.
pub trait AeadKey: Send + Sync {
    /// Encrypts `buffer` in place and returns the tag. A nonce must never be used twice.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] if the buffer is longer than the algorithm allows.
    fn seal_in_place(
        &self,
        nonce: &[u8; 12],
        aad: &[u8],
        buffer: &mut [u8],
    ) -> Result<[u8; 16], Error>;

    /// Encrypts `plaintext` into `ciphertext`, which has the same length, and returns the tag. A nonce must
    /// never be used twice. After a failure, `ciphertext` may hold plaintext.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] if the plaintext is longer than the algorithm allows.
    fn seal_into(
        &self,
        nonce: &[u8; 12],
        aad: &[u8],
        plaintext: &[u8],
        ciphertext: &mut [u8],
    ) -> Result<[u8; 16], Error> {
        ciphertext.copy_from_slice(plaintext);
        self.seal_in_place(nonce, aad, ciphertext)
    }

    /// Checks the tag and decrypts `buffer` in place. After a failure, the buffer must not be used as
    /// plaintext.
    ///
    /// # Errors
    ///
    /// [`Error::Open`] if the tag does not fit.
    fn open_in_place(
        &self,
        nonce: &[u8; 12],
        aad: &[u8],
        buffer: &mut [u8],
        tag: &[u8; 16],
    ) -> Result<(), Error>;

    /// Checks the tag and decrypts `ciphertext` into `plaintext`, which has the same length. After a
    /// failure, it must not be used as plaintext.
    ///
    /// # Errors
    ///
    /// [`Error::Open`] if the tag does not fit.
    fn open_into(
        &self,
        nonce: &[u8; 12],
        aad: &[u8],
        ciphertext: &[u8],
        plaintext: &mut [u8],
        tag: &[u8; 16],
    ) -> Result<(), Error> {
        plaintext.copy_from_slice(ciphertext);
        self.open_in_place(nonce, aad, plaintext, tag)
    }
}
