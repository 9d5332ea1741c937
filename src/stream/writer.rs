//! Sealing as an `io::Write`.

use std::{
    fmt,
    io::{self, Write},
};

use super::{
    PREFIX,
    chunks::Sealer,
    outgoing::{Blocking, Outgoing, blocking},
    sealing::{self, Sealing},
};

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
pub struct SealWriter<W>(pub(super) Sealing<W>);

impl<W: Write> SealWriter<W> {
    /// Writes the header and the prefix.
    pub(crate) fn new(
        header: Vec<u8>,
        prefix: &[u8; PREFIX],
        sealer: Sealer,
        inner: W,
    ) -> io::Result<Self> {
        let outgoing = Outgoing::new(sealing::first(header, prefix), inner)?;
        Ok(Self(Sealing::new(outgoing, sealer)))
    }

    /// Seals the last chunk, flushes, and returns the inner writer.
    ///
    /// # Errors
    ///
    /// The errors of the inner writer. The envelope is truncated then, because the writer is dropped:
    /// use [`try_finish`](Self::try_finish) if writing can be tried again after an error.
    pub fn finish(mut self) -> io::Result<W> {
        self.try_finish()?;
        Ok(self.0.into_inner())
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
        blocking(self.0.poll_finish(&mut Blocking))
    }

    /// The inner writer, where the sealed bytes go.
    #[must_use]
    pub fn get_ref(&self) -> &W {
        self.0.get_ref()
    }
}

impl<W: Write> Write for SealWriter<W> {
    fn write(&mut self, plaintext: &[u8]) -> io::Result<usize> {
        blocking(self.0.poll_take(plaintext, &mut Blocking))
    }

    fn flush(&mut self) -> io::Result<()> {
        blocking(self.0.poll_flush(&mut Blocking))
    }
}

impl<W> fmt::Debug for SealWriter<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SealWriter({:?})", self.0.sealer())
    }
}
