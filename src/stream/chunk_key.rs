//! The key of a body's chunks: Cobblestone-256 of C2SP chunked-encryption
//! (<https://c2sp.org/chunked-encryption>), AES-256-GCM over chunks of 16 KiB, the last of which
//! is always shorter.

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::{
    error::Error,
    kdf,
    numbered_key::{KEY_AND_NONCE, NumberedKey, TAG},
    provider::Provider,
    wire,
};

/// Length of the plaintext in a full chunk.
pub(crate) const CHUNK: usize = 16 * 1024;

/// Length of a full chunk with its tag.
pub(crate) const SEALED_CHUNK: usize = CHUNK + TAG;

const SALT: usize = 24;
const COMMITMENT: usize = 32;

/// Length of the prefix, which precedes the chunks: `salt || commitment`.
pub(crate) const PREFIX: usize = SALT + COMMITMENT;

/// The specification's bound: 2^38 chunks, 4 PiB.
const MAX_CHUNKS: u64 = 1 << 38;

const INFO: &[u8] = b"c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\0";

/// Length of the body of `plaintext` bytes, or `None` beyond the format's bound.
pub(crate) fn sealed_len(plaintext: u64) -> Option<u64> {
    let chunks = plaintext / CHUNK as u64 + 1;
    // Only then does the sum fit.
    (chunks <= MAX_CHUNKS).then(|| PREFIX as u64 + plaintext + chunks * TAG as u64)
}

/// Length of the plaintext in a body of this length, or `None` if no body has it.
pub(crate) fn plaintext_len(body: u64) -> Option<u64> {
    let chunks = body.checked_sub(PREFIX as u64)?;
    let full = chunks / SEALED_CHUNK as u64;
    let last = (chunks % SEALED_CHUNK as u64).checked_sub(TAG as u64)?;
    (full < MAX_CHUNKS).then_some(full * CHUNK as u64 + last)
}

/// Whether a body may have a chunk of this number.
fn check_bound(index: u64) -> Result<(), Error> {
    if index < MAX_CHUNKS {
        return Ok(());
    }
    Err(Error::Misuse { what: "plaintext", reason: "it is longer than 4 PiB" })
}

/// The key of one body's chunks.
pub(crate) struct ChunkKey(NumberedKey);

impl ChunkKey {
    /// Derives the chunk key and the commitment to it from an input key, a salt and a context.
    fn derive(
        provider: &Provider,
        input_key: &[u8; 32],
        salt: &[u8],
        context: &[u8],
    ) -> Result<(Self, [u8; COMMITMENT]), Error> {
        let mut derived = Zeroizing::new([0; KEY_AND_NONCE + COMMITMENT]);
        kdf::expand_sha512(input_key, &[INFO, salt, context], &mut *derived);
        let (key, commitment) =
            derived.split_first_chunk::<KEY_AND_NONCE>().expect("76 bytes hold 44");
        let commitment = wire::array("commitment", commitment)?;
        Ok((Self(NumberedKey::new(provider, key)?), commitment))
    }

    /// Starts a body: the key, and the prefix to be written.
    pub(crate) fn seal(
        provider: &Provider,
        input_key: &[u8; 32],
        salt: &[u8; SALT],
        context: &[u8],
    ) -> Result<(Self, [u8; PREFIX]), Error> {
        let (key, commitment) = Self::derive(provider, input_key, salt, context)?;
        let mut prefix = [0; PREFIX];
        prefix[..SALT].copy_from_slice(salt);
        prefix[SALT..].copy_from_slice(&commitment);
        Ok((key, prefix))
    }

    /// Reads a body's prefix. Returns the key only if the commitment fits.
    pub(crate) fn open(
        provider: &Provider,
        input_key: &[u8; 32],
        prefix: &[u8; PREFIX],
        context: &[u8],
    ) -> Result<Self, Error> {
        let (salt, found) = prefix.split_at(SALT);
        let (key, commitment) = Self::derive(provider, input_key, salt, context)?;
        if bool::from(commitment.ct_eq(found)) { Ok(key) } else { Err(Error::Open) }
    }

    /// Encrypts one chunk in place. The caller never uses an index twice.
    pub(crate) fn seal_chunk(&self, index: u64, chunk: &mut [u8]) -> Result<[u8; TAG], Error> {
        check_bound(index)?;
        self.0.seal_in_place(index, b"", chunk)
    }

    /// Encrypts one chunk into a buffer of the same length. The caller never uses an index twice.
    pub(super) fn seal_chunk_into(
        &self,
        index: u64,
        chunk: &[u8],
        sealed: &mut [u8],
    ) -> Result<[u8; TAG], Error> {
        check_bound(index)?;
        self.0.seal_into(index, b"", chunk, sealed)
    }

    /// Decrypts one chunk in place. After a failure it holds zeros.
    pub(super) fn open_chunk(
        &self,
        index: u64,
        chunk: &mut [u8],
        tag: &[u8; TAG],
    ) -> Result<(), Error> {
        if index >= MAX_CHUNKS {
            chunk.fill(0);
            return Err(Error::Open);
        }
        self.0.open_in_place(index, b"", chunk, tag)
    }

    /// Decrypts one chunk into a buffer of the same length. After a failure that holds zeros.
    pub(crate) fn open_chunk_into(
        &self,
        index: u64,
        chunk: &[u8],
        plaintext: &mut [u8],
        tag: &[u8; TAG],
    ) -> Result<(), Error> {
        if index >= MAX_CHUNKS {
            plaintext.fill(0);
            return Err(Error::Open);
        }
        self.0.open_into(index, b"", chunk, plaintext, tag)
    }

    /// Decrypts one chunk with its tag behind it in place, and returns the plaintext.
    pub(super) fn open_sealed<'a>(
        &self,
        index: u64,
        sealed: &'a mut [u8],
    ) -> Result<&'a mut [u8], Error> {
        let (chunk, tag) = sealed.split_last_chunk_mut::<TAG>().ok_or(Error::Open)?;
        self.open_chunk(index, chunk, tag)?;
        Ok(chunk)
    }
}
