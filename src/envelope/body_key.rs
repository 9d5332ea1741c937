//! Opens an envelope's body after its header was unlocked.

use std::fmt;

use zeroize::Zeroizing;

use crate::{
    context,
    error::Error,
    plaintext::Plaintext,
    provider::Provider,
    secret::SecretBuffer,
    stream::{
        self, ChunkKey,
        body::UnverifiedBody,
        chunks::{Opener, Sealer},
    },
};

/// The key to an envelope's body, after its header was authenticated. Wiped when dropped.
pub struct BodyKey {
    pub(super) key: Zeroizing<[u8; 32]>,
    pub(super) provider: &'static Provider,
}

impl BodyKey {
    pub(crate) fn new(key: Zeroizing<[u8; 32]>, provider: &'static Provider) -> Self {
        Self { key, provider }
    }

    /// Starts a body: its prefix, and the sealer of the chunks.
    pub(crate) fn sealer(
        &self,
        context: &[u8],
        salt: &[u8; 24],
    ) -> Result<([u8; Self::PREFIX_LEN], Sealer), Error> {
        let (key, prefix) = ChunkKey::seal(self.provider, &self.key, salt, context)?;
        Ok((prefix, Sealer::new(key)))
    }

    /// Length of the body's prefix, salt and commitment, which precedes the chunks: 56 bytes.
    pub const PREFIX_LEN: usize = stream::PREFIX;

    /// Opens the body, which is everything after the header: all of it, or nothing.
    ///
    /// # Errors
    ///
    /// [`Error::Context`] for an invalid context; [`Error::Open`] if the context differs from that of
    /// sealing, or the body was changed or cut off.
    pub fn open(&self, context: &[u8], body: &[u8]) -> Result<Plaintext, Error> {
        let (prefix, chunks) = body.split_first_chunk().ok_or(Error::Open)?;
        let opener = self.opener(context, prefix)?;
        let mut plaintext = SecretBuffer::with_capacity(chunks.len());
        opener.open_all(chunks, plaintext.as_mut_vec())?;
        Ok(Plaintext::new(plaintext))
    }

    /// Opens the body chunk by chunk, without I/O. From the body's first 56 bytes it makes the
    /// [`Opener`] of the rest.
    ///
    /// # Errors
    ///
    /// [`Error::Context`] for an invalid context; [`Error::Open`] if the context differs from that of
    /// sealing, or the bytes were changed.
    pub fn opener(&self, context: &[u8], prefix: &[u8; Self::PREFIX_LEN]) -> Result<Opener, Error> {
        self.chunk_key(context, prefix).map(Opener::new)
    }

    /// Opens any range of the body, without I/O. It needs the body's first 56 bytes and its length in
    /// bytes, which is the length of the envelope without the header.
    ///
    /// # Errors
    ///
    /// Same as [`opener`](Self::opener); [`Error::Open`] if a body cannot have this length.
    pub fn body(
        &self,
        context: &[u8],
        prefix: &[u8; Self::PREFIX_LEN],
        body_len: u64,
    ) -> Result<UnverifiedBody, Error> {
        UnverifiedBody::new(self.chunk_key(context, prefix)?, body_len)
    }

    /// [`open`](Self::open) in one of the crate's own contexts, which no caller can name.
    #[cfg(feature = "object_store")]
    pub(crate) fn open_reserved(&self, context: &[u8], body: &[u8]) -> Result<Plaintext, Error> {
        let (prefix, chunks) = body.split_first_chunk().ok_or(Error::Open)?;
        let opener = Opener::new(ChunkKey::open(self.provider, &self.key, prefix, context)?);
        let mut plaintext = SecretBuffer::with_capacity(chunks.len());
        opener.open_all(chunks, plaintext.as_mut_vec())?;
        Ok(Plaintext::new(plaintext))
    }

    fn chunk_key(
        &self,
        context: &[u8],
        prefix: &[u8; Self::PREFIX_LEN],
    ) -> Result<ChunkKey, Error> {
        context::check(context)?;
        ChunkKey::open(self.provider, &self.key, prefix, context)
    }
}

impl fmt::Debug for BodyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BodyKey(..)")
    }
}
