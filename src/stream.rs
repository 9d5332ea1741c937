//! Files and streams, in constant memory.
//!
//! A [`SealWriter`] seals what is written to it, an [`OpenReader`] opens an envelope while it is read, and
//! [`RandomAccess`] opens any part of one. All of them read and write the format of
//! [`seal`](crate::EncapsulationKey::seal) and [`open`](crate::DecapsulationKey::open):
//!
//! ```
//! use std::{error::Error, io};
//!
//! use twinseal::{DecapsulationKey, EncapsulationKey};
//!
//! /// What the data is for. Data that was sealed for one purpose does not open for another.
//! const CONTEXT: &[u8] = b"example.com/backups/v1";
//!
//! fn main() -> Result<(), Box<dyn Error>> {
//!     // Bob makes a key, keeps it, and publishes its public half as text.
//!     let bob = DecapsulationKey::generate()?;
//!     let published = bob.encapsulation_key().to_pem();
//!
//!     // Anyone can seal a message for him, and only he can open it.
//!     let to_bob = EncapsulationKey::from_pem(&published)?;
//!     let sealed = to_bob.seal(CONTEXT, b"Meet me at the usual place.")?;
//!     assert_eq!(&bob.open(CONTEXT, &sealed)?[..], b"Meet me at the usual place.");
//!
//!     // A stream is sealed in constant memory. Write to a file here: `File::create("backup.sealed")?`.
//!     let backup: Vec<u8> = (0..3_000_000_u32).map(|index| index as u8).collect();
//!     let mut writer = to_bob.seal_writer(CONTEXT, Vec::new())?;
//!     io::copy(&mut &backup[..], &mut writer)?;
//!     let sealed = writer.finish()?; // without it, the envelope does not open
//!
//!     // It is opened in constant memory, too. A reader returns only what is authentic.
//!     let mut reader = bob.open_reader(CONTEXT, &sealed[..])?;
//!     let mut opened = Vec::new();
//!     io::copy(&mut reader, &mut opened)?;
//!     assert_eq!(opened, backup);
//!
//!     // Or only a part of it is read and opened.
//!     let mut part = [0; 100];
//!     bob.open_at(CONTEXT, &sealed)?.read_exact_at(&mut part, 2_000_000)?;
//!     assert_eq!(part, backup[2_000_000..2_000_100]);
//!
//!     println!("{} bytes, sealed {}: all of them opened, then a part", backup.len(), sealed.len());
//!     Ok(())
//! }
//! ```
//!
//! The body of an envelope is Cobblestone-256 of C2SP chunked-encryption
//! (<https://c2sp.org/chunked-encryption>): AES-256-GCM over chunks of 16 KiB, the last of which is always shorter.

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::{
    error::Error,
    kdf,
    numbered_key::{KEY_AND_NONCE, NumberedKey, TAG},
    provider::Provider,
    wire,
};

pub(crate) mod body;
pub(crate) mod chunks;
mod outgoing;
#[cfg(feature = "rayon")]
mod parallel;
mod random_access;
mod read_at;
mod reader;
mod writer;

pub(crate) use outgoing::flush;
#[cfg(feature = "rayon")]
pub use parallel::{ParallelOpenReader, ParallelSealWriter};
pub use random_access::RandomAccess;
pub use read_at::ReadAt;
pub(crate) use read_at::{read_exact_at, size};
pub use reader::OpenReader;
pub(crate) use reader::read_full;
pub use writer::SealWriter;

/// Plaintext in a full chunk.
pub(crate) const CHUNK: usize = 16 * 1024;

/// A full chunk with its tag.
const SEALED_CHUNK: usize = CHUNK + TAG;

pub(crate) const SALT: usize = 24;
const COMMITMENT: usize = 32;

/// What precedes the chunks: `salt || commitment`.
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

/// Length of the plaintext in a body of this length, or `None` if no body is so long.
pub(crate) fn plaintext_len(body: u64) -> Option<u64> {
    let chunks = body.checked_sub(PREFIX as u64)?;
    let full = chunks / SEALED_CHUNK as u64;
    let last = (chunks % SEALED_CHUNK as u64).checked_sub(TAG as u64)?;
    (full < MAX_CHUNKS).then_some(full * CHUNK as u64 + last)
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
        for (byte, value) in prefix.iter_mut().zip(salt.iter().chain(&commitment)) {
            *byte = *value;
        }
        Ok((key, prefix))
    }

    /// Reads a body's prefix; the key is given only if the commitment fits.
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
    fn seal_chunk(&self, index: u64, chunk: &mut [u8]) -> Result<[u8; TAG], Error> {
        if index >= MAX_CHUNKS {
            return Err(Error::Misuse { what: "plaintext", reason: "it is longer than 4 PiB" });
        }
        self.0.seal_in_place(index, b"", chunk)
    }

    /// Decrypts one chunk in place. After a failure it holds zeros.
    fn open_chunk(&self, index: u64, chunk: &mut [u8], tag: &[u8; TAG]) -> Result<(), Error> {
        if index >= MAX_CHUNKS {
            chunk.fill(0);
            return Err(Error::Open);
        }
        self.0.open_in_place(index, b"", chunk, tag)
    }

    /// Decrypts one chunk into a buffer of the same length. After a failure that holds zeros.
    fn open_chunk_into(
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

    /// Decrypts one chunk with its tag behind it in place, and gives the plaintext.
    fn open_sealed<'a>(&self, index: u64, sealed: &'a mut [u8]) -> Result<&'a mut [u8], Error> {
        let (chunk, tag) = sealed.split_last_chunk_mut::<TAG>().ok_or(Error::Open)?;
        self.open_chunk(index, chunk, tag)?;
        Ok(chunk)
    }
}
