//! Sealing and opening chunk by chunk, without I/O. The readers and writers use it, and so does
//! asynchronous code.

use std::fmt;

use zeroize::Zeroize;

use super::{CHUNK, ChunkKey, SEALED_CHUNK};
use crate::{error::Error, numbered_key::TAG, secret::SecretBuffer};

/// Seals a body chunk by chunk. Pass plaintext to [`update`](Self::update), end with
/// [`finish`](Self::finish), and send the bytes that they append. Or pass whole chunks, which are
/// encrypted in place, to [`seal_chunk`](Self::seal_chunk) and [`seal_last`](Self::seal_last).
///
/// [`sealer`](crate::EncapsulationKey::sealer) returns it, with the bytes to send first. After an
/// error a chunk is lost, and it seals nothing more.
///
/// A copy of the process (`fork`, a snapshot of a virtual machine) has the same key and the same number
/// of the next chunk. If both continue, they encrypt different chunks under one nonce. That reveals the
/// difference of their plaintexts and lets chunks be forged. So only one of them may continue; the
/// other must drop its sealer.
///
/// ```
/// # let bob = twinseal::DecapsulationKey::generate()?;
/// let (header, prefix, mut sealer) = bob.encapsulation_key().sealer(b"example.com/notes")?;
/// let mut sealed = [&header[..], &prefix].concat();
/// for part in [b"hello, ".as_slice(), b"world"] {
///     sealer.update(part, &mut sealed)?;
/// }
/// sealer.finish(&mut sealed)?;
/// assert_eq!(&bob.open(b"example.com/notes", &sealed)?[..], b"hello, world");
/// # Ok::<(), twinseal::Error>(())
/// ```
pub struct Sealer {
    key: ChunkKey,
    next: u64,
    failed: bool,
    /// The beginning of a chunk, from `update`.
    partial: SecretBuffer,
}

impl Sealer {
    /// Plaintext in a full chunk: 16384 bytes.
    pub const CHUNK_LEN: usize = CHUNK;

    /// Length of a chunk's tag: 16 bytes.
    pub const TAG_LEN: usize = TAG;

    pub(crate) fn new(key: ChunkKey) -> Self {
        Self { key, next: 0, failed: false, partial: SecretBuffer::with_capacity(0) }
    }

    /// Takes plaintext and appends to `sealed` the chunks that became full.
    ///
    /// # Errors
    ///
    /// [`Error::Misuse`] beyond 4 PiB, or after an error; and the errors of the provider.
    pub fn update(&mut self, mut plaintext: &[u8], sealed: &mut Vec<u8>) -> Result<(), Error> {
        self.check()?; // also if no chunk becomes full
        if !self.partial.is_empty() {
            plaintext = fill(self.partial.as_mut_vec(), CHUNK, plaintext);
            if self.partial.len() < CHUNK {
                return Ok(());
            }
            let mut chunk = self.take_partial();
            self.append_sealed(&chunk, sealed)?;
            chunk.as_mut_vec().clear();
            self.partial = chunk;
        }
        let (full, rest) = plaintext.as_chunks::<CHUNK>();
        for chunk in full {
            self.append_sealed(chunk, sealed)?;
        }
        fill(self.partial.as_mut_vec(), CHUNK, rest);
        Ok(())
    }

    /// Appends the last chunk, which is shorter than the others and may be empty. Without it the
    /// envelope does not open.
    ///
    /// # Errors
    ///
    /// [`Error::Misuse`] beyond 4 PiB, or after an error; and the errors of the provider.
    pub fn finish(mut self, sealed: &mut Vec<u8>) -> Result<(), Error> {
        let last = self.take_partial();
        self.append_sealed(&last, sealed)
    }

    /// Seals the whole body at once: its last chunk is known, and does not wait in a buffer.
    pub(crate) fn seal_all(mut self, plaintext: &[u8], sealed: &mut Vec<u8>) -> Result<(), Error> {
        let (full, last) = plaintext.as_chunks::<CHUNK>();
        self.update(full.as_flattened(), sealed)?;
        self.append_sealed(last, sealed)
    }

    /// Encrypts a full chunk in place; its tag goes behind it.
    ///
    /// # Errors
    ///
    /// [`Error::Misuse`] beyond 4 PiB, after an error, or if [`update`](Self::update) has kept a part
    /// of a chunk; and the errors of the provider.
    pub fn seal_chunk(&mut self, chunk: &mut [u8; CHUNK]) -> Result<[u8; TAG], Error> {
        self.seal_in_place(chunk)
    }

    /// Encrypts the last chunk in place; its tag goes behind it, and nothing after that.
    ///
    /// # Errors
    ///
    /// [`Error::Misuse`] if the chunk is not shorter than 16384 bytes. Otherwise same as
    /// [`seal_chunk`](Self::seal_chunk).
    pub fn seal_last(mut self, chunk: &mut [u8]) -> Result<[u8; TAG], Error> {
        if chunk.len() >= CHUNK {
            let reason = "it must be shorter than 16384 bytes";
            return Err(Error::Misuse { what: "last chunk", reason });
        }
        self.seal_in_place(chunk)
    }

    fn seal_in_place(&mut self, chunk: &mut [u8]) -> Result<[u8; TAG], Error> {
        if !self.partial.is_empty() {
            let reason = "the start of another chunk is waiting for its end";
            return Err(Error::Misuse { what: "chunk", reason });
        }
        self.seal_next(chunk)
    }

    fn check(&self) -> Result<(), Error> {
        if self.failed {
            let reason = "it failed before, and a chunk is lost";
            return Err(Error::Misuse { what: "sealer", reason });
        }
        Ok(())
    }

    fn take_partial(&mut self) -> SecretBuffer {
        std::mem::replace(&mut self.partial, SecretBuffer::with_capacity(0))
    }

    fn append_sealed(&mut self, chunk: &[u8], sealed: &mut Vec<u8>) -> Result<(), Error> {
        let mut appended = Appended { start: sealed.len(), bytes: sealed, keep: false };
        appended.bytes.extend_from_slice(chunk);
        let tag = self.seal_next(&mut appended.bytes[appended.start..])?;
        appended.keep = true;
        appended.bytes.extend_from_slice(&tag);
        Ok(())
    }

    /// A chunk that fails, by an error or a panic of the provider, is lost, so nothing may follow it.
    pub(super) fn seal_next(&mut self, chunk: &mut [u8]) -> Result<[u8; TAG], Error> {
        self.next_by(|key, index| key.seal_chunk(index, chunk))
    }

    /// Same as [`seal_next`](Self::seal_next), into a buffer of the same length.
    pub(super) fn seal_next_into(
        &mut self,
        chunk: &[u8],
        sealed: &mut [u8],
    ) -> Result<[u8; TAG], Error> {
        self.next_by(|key, index| key.seal_chunk_into(index, chunk, sealed))
    }

    fn next_by(
        &mut self,
        seal: impl FnOnce(&ChunkKey, u64) -> Result<[u8; TAG], Error>,
    ) -> Result<[u8; TAG], Error> {
        self.check()?;
        self.failed = true;
        // Counted before anything is encrypted, so that no number is used twice, even after a failure.
        let index = self.next;
        self.next = index.saturating_add(1);
        let tag = seal(&self.key, index)?;
        self.failed = false;
        Ok(tag)
    }

    /// The key and the number of the next chunk, for code that seals chunks itself.
    #[cfg(feature = "rayon")]
    pub(super) fn into_parts(self) -> (ChunkKey, u64) {
        (self.key, self.next)
    }
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sealer({} chunks sealed)", self.next)
    }
}

/// A chunk that is appended to others, and wiped and removed again unless the work on it succeeds. Until
/// then it is plaintext that is not encrypted, or not authenticated.
struct Appended<'a> {
    bytes: &'a mut Vec<u8>,
    start: usize,
    keep: bool,
}

impl Drop for Appended<'_> {
    fn drop(&mut self) {
        if !self.keep {
            self.bytes[self.start..].zeroize();
            self.bytes.truncate(self.start);
        }
    }
}

/// Appends from `input` to `partial` up to `length`, and returns the rest. The buffer gets its final
/// capacity at once: a growing one would leave copies behind.
fn fill<'a>(partial: &mut Vec<u8>, length: usize, input: &'a [u8]) -> &'a [u8] {
    if input.is_empty() {
        return input;
    }
    partial.reserve_exact(length.saturating_sub(partial.len()));
    let (now, later) = input.split_at(input.len().min(length.saturating_sub(partial.len())));
    partial.extend_from_slice(now);
    later
}

/// Opens a body chunk by chunk. Pass the bytes behind the 56 bytes of the prefix to
/// [`update`](Self::update), and end with [`finish`](Self::finish). Or pass whole chunks, which are
/// decrypted in place, to [`open_chunk`](Self::open_chunk) and [`open_last`](Self::open_last).
///
/// Every opened chunk is authentic, but only `finish` or `open_last` shows that none is missing.
/// After an error it opens nothing more.
///
/// ```
/// # use twinseal::envelope::{BodyKey, Header};
/// # let bob = twinseal::DecapsulationKey::generate()?;
/// # let sealed = bob.encapsulation_key().seal(b"example.com/notes", b"hello")?;
/// # let header = Header::parse(&sealed)?;
/// # let body_key = bob.unlock(&header)?;
/// # let body = &sealed[header.len()..];
/// let (prefix, chunks) = body.split_first_chunk::<{ BodyKey::PREFIX_LEN }>().unwrap();
/// let mut opener = body_key.opener(b"example.com/notes", prefix)?;
/// let mut plaintext = Vec::new();
/// for part in chunks.chunks(7) {
///     opener.update(part, &mut plaintext)?;
/// }
/// opener.finish(&mut plaintext)?;
/// assert_eq!(plaintext, b"hello");
/// # Ok::<(), twinseal::Error>(())
/// ```
pub struct Opener {
    key: ChunkKey,
    next: u64,
    failed: bool,
    /// The beginning of a sealed chunk, from `update`.
    partial: Vec<u8>,
}

impl Opener {
    pub(crate) fn new(key: ChunkKey) -> Self {
        Self { key, next: 0, failed: false, partial: Vec::new() }
    }

    /// Takes sealed bytes and appends to `plaintext` the chunks that became full.
    ///
    /// # Errors
    ///
    /// [`Error::Open`] if a chunk is not authentic, or an earlier one was not. Nothing of that chunk
    /// is appended.
    pub fn update(&mut self, mut sealed: &[u8], plaintext: &mut Vec<u8>) -> Result<(), Error> {
        if self.failed {
            return Err(Error::Open);
        }
        if !self.partial.is_empty() {
            sealed = fill(&mut self.partial, SEALED_CHUNK, sealed);
            if self.partial.len() < SEALED_CHUNK {
                return Ok(());
            }
            let mut chunk = std::mem::take(&mut self.partial);
            self.append_opened(&chunk, plaintext)?;
            chunk.clear();
            self.partial = chunk;
        }
        let (full, rest) = sealed.as_chunks::<SEALED_CHUNK>();
        for chunk in full {
            self.append_opened(chunk, plaintext)?;
        }
        fill(&mut self.partial, SEALED_CHUNK, rest);
        Ok(())
    }

    /// Appends the last chunk. If it succeeds, the plaintext is complete and authentic.
    ///
    /// # Errors
    ///
    /// [`Error::Open`] if the end is missing or not authentic.
    pub fn finish(mut self, plaintext: &mut Vec<u8>) -> Result<(), Error> {
        let last = std::mem::take(&mut self.partial);
        self.append_opened(&last, plaintext)
    }

    /// Opens the whole body at once: its last chunk is known, and does not wait in a buffer.
    pub(crate) fn open_all(mut self, sealed: &[u8], plaintext: &mut Vec<u8>) -> Result<(), Error> {
        let (full, last) = sealed.as_chunks::<SEALED_CHUNK>();
        self.update(full.as_flattened(), plaintext)?;
        self.append_opened(last, plaintext)
    }

    /// Decrypts a full chunk in place. After an error it holds zeros.
    ///
    /// # Errors
    ///
    /// [`Error::Open`] if it is not authentic, or an earlier one was not.
    pub fn open_chunk(&mut self, chunk: &mut [u8; CHUNK], tag: &[u8; TAG]) -> Result<(), Error> {
        self.open_in_place(chunk, tag)
    }

    /// Decrypts the last chunk in place. If it succeeds, the plaintext is complete and authentic.
    /// After an error the chunk holds zeros.
    ///
    /// # Errors
    ///
    /// [`Error::Open`] if it is not the last one, or not authentic, or an earlier one was not.
    pub fn open_last(mut self, chunk: &mut [u8], tag: &[u8; TAG]) -> Result<(), Error> {
        self.failed |= chunk.len() >= CHUNK;
        self.open_in_place(chunk, tag)
    }

    fn open_in_place(&mut self, chunk: &mut [u8], tag: &[u8; TAG]) -> Result<(), Error> {
        self.failed |= !self.partial.is_empty();
        self.open_next(chunk, tag)
    }

    fn append_opened(&mut self, sealed: &[u8], plaintext: &mut Vec<u8>) -> Result<(), Error> {
        let (chunk, tag) = sealed.split_last_chunk::<TAG>().ok_or(Error::Open)?;
        if self.failed {
            return Err(Error::Open);
        }
        let mut appended = Appended { start: plaintext.len(), bytes: plaintext, keep: false };
        let end = appended.start + chunk.len();
        appended.bytes.resize(end, 0);
        self.open_next_into(chunk, &mut appended.bytes[appended.start..], tag)?;
        appended.keep = true;
        Ok(())
    }

    /// Same as [`open_next`](Self::open_next), into a buffer of the same length.
    pub(super) fn open_next_into(
        &mut self,
        chunk: &[u8],
        plaintext: &mut [u8],
        tag: &[u8; TAG],
    ) -> Result<(), Error> {
        if self.failed {
            plaintext.fill(0);
            return Err(Error::Open);
        }
        self.failed = true;
        let index = self.take_index();
        self.key.open_chunk_into(index, chunk, plaintext, tag)?;
        self.failed = false;
        Ok(())
    }

    fn take_index(&mut self) -> u64 {
        let index = self.next;
        self.next = index.saturating_add(1);
        index
    }

    /// After the first failure everything fails. A provider that panics has failed, too.
    pub(super) fn open_next(&mut self, chunk: &mut [u8], tag: &[u8; TAG]) -> Result<(), Error> {
        if self.failed {
            chunk.fill(0);
            return Err(Error::Open);
        }
        self.failed = true;
        let index = self.take_index();
        self.key.open_chunk(index, chunk, tag)?;
        self.failed = false;
        Ok(())
    }

    /// The key and the number of the next chunk, for code that opens chunks itself.
    #[cfg(feature = "rayon")]
    pub(super) fn into_parts(self) -> (ChunkKey, u64) {
        (self.key, self.next)
    }
}

impl fmt::Debug for Opener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Opener({} chunks opened)", self.next)
    }
}
