//! Sealing as an `io::Write`.

use std::{
    fmt,
    io::{self, Write},
};

use super::{CHUNK, PREFIX, SEALED_CHUNK, chunks::Sealer, outgoing::Outgoing};
use crate::{error::Error, secret::SecretBuffer};

/// How many chunks are written at once. Each is sealed while it is in the cache.
const BATCH: usize = 8;

/// Seals everything that is written to it. From [`seal_writer`](crate::EncapsulationKey::seal_writer).
///
/// Call [`finish`](Self::finish) at the end. Without it the envelope is truncated and does not open,
/// so a program that fails half-way leaves nothing that looks whole. `flush` writes the full chunks;
/// a part of a chunk waits for its end.
///
/// # Errors of the inner writer
///
/// They lose nothing: the bytes that were sealed are kept, and the next call writes them first.
/// `write` takes nothing of its plaintext when it fails. So over a non-blocking socket, call `write`
/// again after [`WouldBlock`](io::ErrorKind::WouldBlock), and at the end
/// [`try_finish`](Self::try_finish). A call that fails with
/// [`Interrupted`](io::ErrorKind::Interrupted) is repeated at once. If the inner writer panics, or
/// claims more bytes than it was offered, every later call fails, because it is unclear how much was
/// written.
///
/// # Copies
///
/// A copy of the process (`fork`, a snapshot of a virtual machine) copies the key and the number of
/// the next chunk with it. If both continue, they encrypt different chunks under one nonce. That
/// reveals the difference of their plaintexts and lets chunks be forged. So only one of them may
/// continue; the other must drop its writer.
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
    pub(super) outgoing: Outgoing<W>,
    pub(super) sealer: Sealer,
    /// Sealed chunks, then the part of a chunk that waits for its end.
    pub(super) batch: SecretBuffer,
    /// Where the sealed chunks end.
    pub(super) sealed: usize,
    pub(super) end: End,
}

/// How much of the end of an envelope is done.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// More plaintext may come.
    Open,
    /// The last chunk is sealed.
    Sealed,
    /// It is written, and flushed.
    Written,
}

impl End {
    /// Plaintext is taken only before the end.
    pub(super) fn check(self) -> io::Result<()> {
        if self == Self::Open {
            return Ok(());
        }
        Err(io::Error::new(io::ErrorKind::InvalidInput, "the envelope is finished"))
    }
}

impl<W: Write> SealWriter<W> {
    /// Writes the header and the prefix.
    pub(crate) fn new(
        mut header: Vec<u8>,
        prefix: &[u8; PREFIX],
        sealer: Sealer,
        inner: W,
    ) -> io::Result<Self> {
        header.extend_from_slice(prefix);
        Ok(Self {
            outgoing: Outgoing::new(header, inner)?,
            sealer,
            batch: SecretBuffer::with_capacity(BATCH * SEALED_CHUNK),
            sealed: 0,
            end: End::Open,
        })
    }

    /// Seals the last chunk, flushes, and returns the inner writer.
    ///
    /// # Errors
    ///
    /// The errors of the inner writer. The envelope is truncated then, because the writer is dropped:
    /// use [`try_finish`](Self::try_finish) if writing can be tried again after an error.
    pub fn finish(mut self) -> io::Result<W> {
        self.try_finish()?;
        Ok(self.outgoing.into_inner())
    }

    /// Seals the last chunk and flushes. After an error it can be called again, and continues where it
    /// stopped. When it has returned `Ok`, the envelope is complete: [`finish`](Self::finish) only
    /// returns the inner writer, and writing fails with
    /// [`InvalidInput`](io::ErrorKind::InvalidInput).
    ///
    /// # Errors
    ///
    /// The errors of the inner writer.
    ///
    /// ```
    /// use std::io::{ErrorKind, Write};
    ///
    /// # fn wait_until_writable() {}
    /// # let bob = twinseal::DecapsulationKey::generate()?;
    /// # let socket = Vec::new();
    /// let mut writer = bob.encapsulation_key().seal_writer(b"example.com/notes", socket)?;
    /// writer.write_all(b"hello")?;
    /// while let Err(error) = writer.try_finish() {
    ///     match error.kind() {
    ///         ErrorKind::WouldBlock => wait_until_writable(),
    ///         _ => return Err(error.into()),
    ///     }
    /// }
    /// let socket = writer.finish()?;
    /// # assert_eq!(&bob.open(b"example.com/notes", &socket)?[..], b"hello");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn try_finish(&mut self) -> io::Result<()> {
        self.outgoing.check()?;
        if self.end == End::Open {
            self.make_room()?;
            self.seal_waiting()?;
            self.end = End::Sealed;
        }
        if self.end == End::Sealed {
            self.write_sealed()?;
            self.outgoing.flush()?;
            self.end = End::Written;
        }
        Ok(())
    }

    /// The inner writer, where the sealed bytes go.
    pub fn get_ref(&self) -> &W {
        self.outgoing.get_ref()
    }

    /// Seals the chunk that waits in the batch: a full one, or at the end the last one.
    fn seal_waiting(&mut self) -> Result<(), Error> {
        let waiting = &mut self.batch[self.sealed..];
        let tag = self.outgoing.or_fail(|| self.sealer.seal_next(waiting))?;
        self.batch.extend_from_slice(&tag);
        self.sealed = self.batch.len();
        Ok(())
    }

    /// Writes a batch that is full.
    fn make_room(&mut self) -> io::Result<()> {
        if self.sealed == BATCH * SEALED_CHUNK { self.write_sealed() } else { Ok(()) }
    }

    /// Writes the sealed chunks, and moves the waiting plaintext to the front.
    fn write_sealed(&mut self) -> io::Result<()> {
        self.outgoing.write(&self.batch[..self.sealed])?;
        self.batch.as_mut_vec().drain(..self.sealed);
        self.sealed = 0;
        Ok(())
    }
}

impl<W: Write> Write for SealWriter<W> {
    /// The steps that may fail come first, so that an error has taken nothing of the plaintext.
    fn write(&mut self, plaintext: &[u8]) -> io::Result<usize> {
        self.outgoing.check()?;
        self.end.check()?;
        self.make_room()?;
        let mut rest = plaintext;
        while !rest.is_empty() && self.sealed < BATCH * SEALED_CHUNK {
            let room = CHUNK - (self.batch.len() - self.sealed);
            let (now, later) = rest.split_at(rest.len().min(room));
            self.batch.extend_from_slice(now);
            rest = later;
            if now.len() == room {
                self.seal_waiting()?;
            }
        }
        Ok(plaintext.len() - rest.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.outgoing.check()?;
        self.write_sealed()?;
        self.outgoing.flush()
    }
}

impl<W> fmt::Debug for SealWriter<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SealWriter({:?})", self.sealer)
    }
}
