//! Sealing as an `io::Write`.

use std::{
    fmt,
    io::{self, Write},
};

use super::{CHUNK, SEALED_CHUNK, Sealer};
use crate::{Error, SecretBuffer};

/// How many chunks are written at once. Sealed one by one while they are in the cache.
const BATCH: usize = 8;

/// Seals everything that is written to it. From [`seal_writer`](crate::EncapsulationKey::seal_writer).
///
/// Call [`finish`](Self::finish) at the end: without it the envelope is truncated and does not
/// open, which is what should happen when a program fails half-way. `flush` hands on what forms
/// full chunks; a part of a chunk waits for its end.
///
/// After an error of the inner writer every later call fails: chunks may be lost, and none is ever
/// encrypted twice.
///
/// ```
/// use std::io::Write;
///
/// # let bob = twinseal::DecapsulationKey::generate()?;
/// let mut writer = bob.encapsulation_key().seal_writer(b"example.com/notes", Vec::new())?;
/// writer.write_all(b"hello, ")?;
/// writer.write_all(b"world")?;
/// let sealed = writer.finish()?;
/// assert_eq!(&bob.open(b"example.com/notes", &sealed)?[..], b"hello, world");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "without finish() the envelope does not open"]
pub struct SealWriter<W> {
    pub(super) inner: W,
    pub(super) sealer: Sealer,
    /// In front sealed chunks, then the part of a chunk that waits for its end.
    pub(super) batch: SecretBuffer,
    /// Where the sealed chunks end.
    pub(super) sealed: usize,
    /// Set while the inner writer is called, so that one that panics has failed too.
    pub(super) failed: bool,
}

impl<W: Write> SealWriter<W> {
    /// Writes the `head`, which is the header and the prefix.
    pub(crate) fn new(head: &[u8], sealer: Sealer, mut inner: W) -> io::Result<Self> {
        inner.write_all(head)?;
        Ok(Self {
            inner,
            sealer,
            batch: SecretBuffer::with_capacity(BATCH * SEALED_CHUNK),
            sealed: 0,
            failed: false,
        })
    }

    /// Seals the last chunk, flushes, and gives the inner writer back.
    ///
    /// # Errors
    ///
    /// Those of the inner writer.
    pub fn finish(mut self) -> io::Result<W> {
        self.check()?;
        self.seal_waiting()?;
        self.write_sealed()?;
        self.inner.flush()?;
        Ok(self.inner)
    }

    /// The inner writer, where the sealed bytes go.
    pub fn get_ref(&self) -> &W {
        &self.inner
    }

    fn check(&self) -> io::Result<()> {
        if self.failed { Err(failed_before()) } else { Ok(()) }
    }

    /// Seals what waits in the batch: a full chunk, or at the end the last one.
    fn seal_waiting(&mut self) -> Result<(), Error> {
        let waiting = self.batch.get_mut(self.sealed..).unwrap_or_default();
        let tag = self.sealer.seal_next(waiting).inspect_err(|_| self.failed = true)?;
        self.batch.extend_from_slice(&tag);
        self.sealed = self.batch.len();
        Ok(())
    }

    /// Hands the sealed chunks on and moves what waits to the front.
    fn write_sealed(&mut self) -> io::Result<()> {
        let sealed = self.batch.get(..self.sealed).unwrap_or_default();
        self.failed = true;
        self.inner.write_all(sealed)?;
        self.failed = false;
        self.batch.as_mut_vec().drain(..self.sealed);
        self.sealed = 0;
        Ok(())
    }
}

impl<W: Write> Write for SealWriter<W> {
    fn write(&mut self, plaintext: &[u8]) -> io::Result<usize> {
        self.check()?;
        let mut rest = plaintext;
        while !rest.is_empty() {
            let room = CHUNK - (self.batch.len() - self.sealed);
            let (now, later) = rest.split_at(rest.len().min(room));
            self.batch.extend_from_slice(now);
            rest = later;
            if now.len() == room {
                self.seal_waiting()?;
            }
            if self.sealed == BATCH * SEALED_CHUNK {
                self.write_sealed()?;
                break;
            }
        }
        Ok(plaintext.len() - rest.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.check()?;
        self.write_sealed()?;
        self.failed = true;
        self.inner.flush()?;
        self.failed = false;
        Ok(())
    }
}

pub(super) fn failed_before() -> io::Error {
    io::Error::other("the inner writer failed before")
}

impl<W> fmt::Debug for SealWriter<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SealWriter({:?})", self.sealer)
    }
}
