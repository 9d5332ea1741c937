//! Answering in pieces as an `io::Write`.

use std::{
    fmt,
    io::{self, Write},
};

use super::PieceSealer;
use crate::{error::Error, secret::SecretBuffer, session::MessageKind, stream::Outgoing};

/// Writes an answer in pieces. From [`Asked::piece_writer`](super::Asked::piece_writer).
///
/// [`piece`](Self::piece) makes exactly one piece. Bytes that are written with [`Write`] are collected: a
/// piece ends at the bound and at `flush`. Call [`finish`](Self::finish) at the end; without it the
/// answer is cut off, and the other side notices.
///
/// If the inner writer fails, nothing is lost: what was sealed is kept, and the next call writes it
/// first. A call that fails has taken nothing. So over a non-blocking socket, call again after
/// [`WouldBlock`](io::ErrorKind::WouldBlock), and at the end [`try_finish`](Self::try_finish). If the
/// inner writer panics, or claims more bytes than it was offered, every later call fails.
///
/// ```
/// # let bob = twinseal::DecapsulationKey::generate()?;
/// # let guard = twinseal::request::AllowReplays;
/// # let (request, pending) = bob.encapsulation_key().request(b"example.com/generate", b"a poem")?;
/// # let (_, asked) = bob.accept(b"example.com/generate", &request, &guard)?;
/// # let connection = Vec::new();
/// let mut answer = asked.piece_writer(connection)?;
/// for word in ["roses ", "are ", "red"] {
///     answer.piece(word.as_bytes())?;
/// }
/// let connection = answer.finish()?;
///
/// for piece in pending.piece_reader(&connection[..]) {
///     print!("{}", String::from_utf8_lossy(&piece?));
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "without finish() the answer is cut off"]
pub struct PieceWriter<W> {
    outgoing: Outgoing<W>,
    sealer: PieceSealer,
    /// A piece in the making, from `write`.
    partial: SecretBuffer,
    /// Pieces that were not written yet.
    sealed: Vec<u8>,
    finished: bool,
    /// The last piece is written, and flushed.
    complete: bool,
}

impl<W: Write> PieceWriter<W> {
    /// Writes the start.
    pub(super) fn new(start: Vec<u8>, sealer: PieceSealer, inner: W) -> io::Result<Self> {
        Ok(Self {
            outgoing: Outgoing::new(start, inner)?,
            sealer,
            partial: SecretBuffer::with_capacity(0),
            sealed: Vec::new(),
            finished: false,
            complete: false,
        })
    }

    /// The same with another bound for the plaintext of a piece; see [`PieceSealer::with_bound`].
    pub fn with_bound(self, bound: usize) -> Self {
        Self { sealer: self.sealer.with_bound(bound), ..self }
    }

    /// Makes a piece of these bytes and writes it. Bytes that were written before are a piece before it.
    /// If the inner writer fails then, the next call reports it.
    ///
    /// # Errors
    ///
    /// The errors of the inner writer, if what was sealed before cannot be written;
    /// [`InvalidInput`](io::ErrorKind::InvalidInput) if the bytes are longer than the bound, or the
    /// answer is finished.
    pub fn piece(&mut self, plaintext: &[u8]) -> io::Result<()> {
        self.check()?;
        self.write_sealed()?;
        if plaintext.len() > self.sealer.bound() {
            let reason = "it is longer than the bound";
            return Err(Error::Misuse { what: "piece", reason }.into());
        }
        self.seal_partial()?;
        self.seal(MessageKind::More, plaintext)?;
        // It was taken, so whatever the inner writer says is for the next call, which writes the rest.
        let _ = self.write_sealed();
        Ok(())
    }

    /// Makes the last piece of the bytes that were written, flushes, and returns the inner writer.
    ///
    /// # Errors
    ///
    /// The errors of the inner writer. The answer is cut off then, because the writer is dropped: use
    /// [`try_finish`](Self::try_finish) if writing can be tried again after an error.
    pub fn finish(mut self) -> io::Result<W> {
        self.try_finish()?;
        Ok(self.outgoing.into_inner())
    }

    /// Makes the last piece and flushes. After an error it can be called again, and continues where it
    /// stopped. When it has returned `Ok`, the answer is complete: [`finish`](Self::finish) only returns
    /// the inner writer.
    ///
    /// # Errors
    ///
    /// The errors of the inner writer.
    pub fn try_finish(&mut self) -> io::Result<()> {
        self.outgoing.check()?;
        if !self.finished {
            self.keep_bound()?;
            let last = std::mem::replace(&mut self.partial, SecretBuffer::with_capacity(0));
            self.seal(MessageKind::Last, &last)?;
            self.finished = true;
        }
        if !self.complete {
            self.write_sealed()?;
            self.outgoing.flush()?;
            self.complete = true;
        }
        Ok(())
    }

    /// The inner writer, where the sealed bytes go.
    #[must_use]
    pub fn get_ref(&self) -> &W {
        self.outgoing.get_ref()
    }

    fn check(&self) -> io::Result<()> {
        self.outgoing.check()?;
        if self.finished {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "the answer is finished"));
        }
        Ok(())
    }

    fn seal(&mut self, kind: MessageKind, plaintext: &[u8]) -> io::Result<()> {
        let piece = self.outgoing.or_fail(|| self.sealer.seal(kind, plaintext))?;
        self.sealed.extend_from_slice(&piece);
        Ok(())
    }

    /// An empty one makes no piece, one that is longer than the bound makes several.
    fn seal_partial(&mut self) -> io::Result<()> {
        if !self.partial.is_empty() {
            let mut partial = std::mem::replace(&mut self.partial, SecretBuffer::with_capacity(0));
            for piece in partial.chunks(self.sealer.bound().max(1)) {
                self.seal(MessageKind::More, piece)?;
            }
            partial.wipe();
            self.partial = partial;
        }
        Ok(())
    }

    /// Seals what leaves no room for more, because the bound was lowered since it was written.
    fn keep_bound(&mut self) -> io::Result<()> {
        if self.partial.len() >= self.sealer.bound() { self.seal_partial() } else { Ok(()) }
    }

    fn write_sealed(&mut self) -> io::Result<()> {
        self.outgoing.write(&self.sealed)?;
        self.sealed.clear();
        Ok(())
    }
}

impl<W: Write> Write for PieceWriter<W> {
    /// The steps that may fail come first, so that an error has taken nothing of the plaintext.
    fn write(&mut self, plaintext: &[u8]) -> io::Result<usize> {
        self.check()?;
        self.write_sealed()?;
        self.keep_bound()?;
        let room = self.sealer.bound() - self.partial.len();
        let now = plaintext.get(..room).unwrap_or(plaintext);
        self.partial.extend_from_slice(now);
        if self.partial.len() == self.sealer.bound() {
            self.seal_partial()?;
        }
        Ok(now.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.outgoing.check()?;
        self.write_sealed()?;
        self.seal_partial()?;
        self.write_sealed()?;
        self.outgoing.flush()
    }
}

impl<W> fmt::Debug for PieceWriter<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PieceWriter({:?})", self.sealer)
    }
}
