//! AES-256-GCM keys that number their nonces: the only place where a nonce is made.

use crate::{
    error::Error,
    provider::{AeadKey, Provider},
};

/// Length of an AES-256-GCM key and its base nonce, as key derivations return them.
pub(crate) const KEY_AND_NONCE: usize = 32 + 12;

/// Length of an AES-256-GCM tag.
pub(crate) const TAG: usize = 16;

/// An AES-256-GCM key with the base nonce that was derived beside it. Message `index` uses the base
/// nonce XOR `index`: RFC 9180 §5.2 for messages, C2SP chunked-encryption for chunks, and index 0
/// for a key that is used once.
pub(crate) struct NumberedKey {
    key: Box<dyn AeadKey>,
    base_nonce: [u8; 12],
}

impl NumberedKey {
    /// From the first 44 bytes of a key derivation: `key (32) || base nonce (12)`.
    pub(crate) fn new(
        provider: &Provider,
        key_and_nonce: &[u8; KEY_AND_NONCE],
    ) -> Result<Self, Error> {
        let (key, rest) = key_and_nonce.split_first_chunk::<32>().expect("44 bytes hold 32");
        let (base_nonce, _) = rest.split_first_chunk::<12>().expect("the other 12 are the nonce");
        Ok(Self { key: provider.aes_256_gcm.key(key)?, base_nonce: *base_nonce })
    }

    /// Encrypts in place. The caller never uses an index twice.
    pub(crate) fn seal_in_place(
        &self,
        index: u64,
        aad: &[u8],
        buffer: &mut [u8],
    ) -> Result<[u8; TAG], Error> {
        self.key.seal_in_place(&self.nonce(index), aad, buffer)
    }

    /// Encrypts from one buffer into another of the same length. The caller never uses an index twice.
    pub(crate) fn seal_into(
        &self,
        index: u64,
        aad: &[u8],
        plaintext: &[u8],
        ciphertext: &mut [u8],
    ) -> Result<[u8; TAG], Error> {
        self.key.seal_into(&self.nonce(index), aad, plaintext, ciphertext)
    }

    /// Decrypts in place. After a failure the buffer holds zeros.
    pub(crate) fn open_in_place(
        &self,
        index: u64,
        aad: &[u8],
        buffer: &mut [u8],
        tag: &[u8; TAG],
    ) -> Result<(), Error> {
        self.key.open_in_place(&self.nonce(index), aad, buffer, tag).map_err(|_| {
            buffer.fill(0);
            Error::Open
        })
    }

    /// Decrypts from one buffer into another of the same length. After a failure that holds zeros.
    pub(crate) fn open_into(
        &self,
        index: u64,
        aad: &[u8],
        ciphertext: &[u8],
        plaintext: &mut [u8],
        tag: &[u8; TAG],
    ) -> Result<(), Error> {
        self.key.open_into(&self.nonce(index), aad, ciphertext, plaintext, tag).map_err(|_| {
            plaintext.fill(0);
            Error::Open
        })
    }

    fn nonce(&self, index: u64) -> [u8; 12] {
        let mut nonce = self.base_nonce;
        for (byte, number) in nonce.iter_mut().skip(4).zip(index.to_be_bytes()) {
            *byte ^= number;
        }
        nonce
    }
}
