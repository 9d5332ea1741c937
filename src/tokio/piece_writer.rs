//! Answering in pieces as an `AsyncWrite`.

use std::{
    fmt,
    future::poll_fn,
    io, mem,
    pin::Pin,
    task::{Context, Poll, ready},
};

use ::tokio::{io::AsyncWrite, task::coop::poll_proceed};

use super::in_task::InTask;
use crate::{
    error::Error,
    request::PieceSealer,
    secret::SecretBuffer,
    stream::{Outgoing, outgoing::Calls},
};

/// Writes an answer in pieces. The asynchronous form of
/// [`request::PieceWriter`](crate::request::PieceWriter), which writes the same bytes.
///
/// [`piece`](Self::piece) makes exactly one piece; `flush` waits until it is written. Bytes that are
/// written with [`AsyncWrite`] are collected: a piece ends at the bound and at `flush`. Call
/// [`shutdown`](::tokio::io::AsyncWriteExt::shutdown) or [`finish`](Self::finish) at the end; without it
/// the answer is cut off, and the other side notices. Dropping the writer does not finish.
///
/// # Errors of the inner writer, and cancellation
///
/// Nothing is lost: what was sealed is kept, and the next call writes it first. A call that fails or is
/// cancelled has taken nothing. If the inner writer panics, or claims more bytes than it was offered,
/// every later call fails.
///
/// ```
/// use tokio::io::{AsyncWriteExt, duplex};
/// use twinseal::tokio::{PieceReader, PieceWriter};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let bob = twinseal::DecapsulationKey::generate()?;
/// # let guard = twinseal::request::AllowReplays;
/// # let (request, pending) = bob.encapsulation_key().request(b"example.com/generate", b"a poem")?;
/// # let (_, asked) = bob.accept(b"example.com/generate", &request, &guard)?;
/// let (client, server) = duplex(1000);
/// let answering = async {
///     let mut answer = PieceWriter::new(asked.piece_sealer()?, server);
///     for word in ["roses ", "are ", "red"] {
///         answer.piece(word.as_bytes()).await?;
///         answer.flush().await?; // it is on its way
///     }
///     answer.shutdown().await
/// };
/// let reading = async {
///     let mut poem = Vec::new();
///     let mut pieces = PieceReader::new(pending.piece_opener(), client);
///     while let Some(piece) = pieces.piece().await? {
///         poem.extend_from_slice(&piece);
///     }
///     Ok::<_, std::io::Error>(poem) // complete
/// };
/// let (answered, poem) = tokio::join!(answering, reading);
/// answered?;
/// assert_eq!(poem?, b"roses are red");
/// # Ok(())
/// # }
/// ```
#[must_use = "without shutdown() or finish() the answer is cut off"]
pub struct PieceWriter<W> {
    outgoing: Outgoing<W>,
    /// Until the last piece.
    sealer: Option<PieceSealer>,
    /// A piece in the making, from `write`.
    partial: SecretBuffer,
    /// Pieces that were not written yet.
    sealed: Vec<u8>,
    end: End,
}

/// How much of the end of an answer is done.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Open,
    /// It is written and flushed.
    Written,
    /// The inner writer was shut down.
    Shut,
}

impl<W> PieceWriter<W> {
    /// A writer of what [`Asked::piece_sealer`](crate::request::Asked::piece_sealer) returns: the start,
    /// which the first call writes, and what seals the pieces.
    pub fn new((start, sealer): (Vec<u8>, PieceSealer), inner: W) -> Self {
        Self {
            outgoing: Outgoing::waiting(start, inner),
            sealer: Some(sealer),
            partial: SecretBuffer::with_capacity(0),
            sealed: Vec::new(),
            end: End::Open,
        }
    }

    /// The same with another bound for the plaintext of a piece; see [`PieceSealer::with_bound`].
    pub fn with_bound(self, bound: usize) -> Self {
        Self { sealer: self.sealer.map(|sealer| sealer.with_bound(bound)), ..self }
    }

    /// The inner writer, where the sealed bytes go.
    #[must_use]
    pub fn get_ref(&self) -> &W {
        self.outgoing.get_ref()
    }

    /// The inner writer. Bytes that it has not taken yet are dropped.
    #[must_use]
    pub fn into_inner(self) -> W {
        self.outgoing.into_inner()
    }

    fn sealer(&mut self) -> io::Result<&mut PieceSealer> {
        let finished = || io::Error::new(io::ErrorKind::InvalidInput, "the answer is finished");
        self.sealer.as_mut().ok_or_else(finished)
    }

    fn seal(&mut self, plaintext: &[u8]) -> io::Result<()> {
        let Self { outgoing, sealer, sealed, .. } = self;
        if let Some(sealer) = sealer {
            let piece = outgoing.or_fail(|| sealer.piece(plaintext))?;
            sealed.extend_from_slice(&piece);
        }
        Ok(())
    }

    /// An empty one makes no piece, one that is longer than the bound makes several.
    fn seal_partial(&mut self) -> io::Result<()> {
        if !self.partial.is_empty() {
            let bound = self.sealer()?.bound().max(1);
            let mut partial = mem::replace(&mut self.partial, SecretBuffer::with_capacity(0));
            for piece in partial.chunks(bound) {
                self.seal(piece)?;
            }
            partial.wipe();
            self.partial = partial;
        }
        Ok(())
    }

    /// Seals what leaves no room for more, because the bound was lowered since it was written.
    fn keep_bound(&mut self) -> io::Result<()> {
        if self.partial.len() >= self.sealer()?.bound() { self.seal_partial() } else { Ok(()) }
    }
}

impl<W: AsyncWrite + Unpin> PieceWriter<W> {
    /// Waits until what was sealed before is written, then makes a piece of these bytes, and writes as
    /// much of it as the inner writer takes at once; `flush` writes the rest, and so does the next call.
    /// Bytes that were written with [`AsyncWrite`] are a piece before it.
    ///
    /// # Errors
    ///
    /// The errors of the inner writer, if what was sealed before cannot be written;
    /// [`InvalidInput`](io::ErrorKind::InvalidInput) if the bytes are longer than the bound, or the
    /// answer is finished.
    pub async fn piece(&mut self, plaintext: &[u8]) -> io::Result<()> {
        poll_fn(|cx| self.poll_piece(cx, plaintext)).await
    }

    fn poll_piece(&mut self, cx: &mut Context<'_>, plaintext: &[u8]) -> Poll<io::Result<()>> {
        self.outgoing.check()?;
        if plaintext.len() > self.sealer()?.bound() {
            let reason = "it is longer than the bound";
            return Poll::Ready(Err(Error::Misuse { what: "piece", reason }.into()));
        }
        let share = ready!(poll_proceed(cx));
        ready!(self.poll_sealed(cx))?;
        self.seal_partial()?;
        self.seal(plaintext)?;
        share.made_progress();
        // It was taken. What the inner writer does not take now, and its errors, are for the next call.
        let _ = self.poll_sealed(cx);
        Poll::Ready(self.outgoing.check())
    }

    /// Makes the last piece of the bytes that were written, flushes, and returns the inner writer, which
    /// stays open.
    ///
    /// # Errors
    ///
    /// The errors of the inner writer. The answer is cut off then, and so it is if this is cancelled:
    /// use [`try_finish`](Self::try_finish) to be able to call again.
    pub async fn finish(mut self) -> io::Result<W> {
        self.try_finish().await?;
        Ok(self.into_inner())
    }

    /// Makes the last piece and flushes; the inner writer stays open. After an error, or if it was
    /// cancelled, it can be called again, and continues where it stopped.
    ///
    /// # Errors
    ///
    /// The errors of the inner writer.
    pub async fn try_finish(&mut self) -> io::Result<()> {
        poll_fn(|cx| self.poll_finish(cx)).await
    }

    fn poll_finish(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.outgoing.check()?;
        if self.sealer.is_some() {
            self.keep_bound()?;
        }
        if let Some(sealer) = self.sealer.take() {
            let last = mem::replace(&mut self.partial, SecretBuffer::with_capacity(0));
            let piece = self.outgoing.or_fail(|| sealer.finish(&last))?;
            self.sealed.extend_from_slice(&piece);
        }
        if self.end == End::Open {
            ready!(self.poll_sealed(cx))?;
            ready!(self.outgoing.poll_end(|inner| InTask(cx).flush(inner)))?;
            self.end = End::Written;
        }
        Poll::Ready(Ok(()))
    }

    fn poll_sealed(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.outgoing.poll_write(&self.sealed, &mut InTask(cx)))?;
        self.sealed.clear();
        Poll::Ready(Ok(()))
    }
}

impl<W: AsyncWrite + Unpin> AsyncWrite for PieceWriter<W> {
    /// The steps that may fail or wait come first, so that then nothing of the plaintext was taken.
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        plaintext: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        this.outgoing.check()?;
        let bound = this.sealer()?.bound();
        let share = ready!(poll_proceed(cx));
        ready!(this.poll_sealed(cx))?;
        this.keep_bound()?;
        let room = bound - this.partial.len();
        let now = plaintext.get(..room).unwrap_or(plaintext);
        this.partial.extend_from_slice(now);
        if this.partial.len() == bound {
            this.seal_partial()?;
        }
        share.made_progress();
        Poll::Ready(Ok(now.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.outgoing.check()?;
        ready!(this.poll_sealed(cx))?;
        this.seal_partial()?;
        ready!(this.poll_sealed(cx))?;
        this.outgoing.poll_end(|inner| InTask(cx).flush(inner))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.end != End::Shut {
            ready!(this.poll_finish(cx))?;
            ready!(this.outgoing.poll_end(|inner| Pin::new(inner).poll_shutdown(cx)))?;
            this.end = End::Shut;
        }
        Poll::Ready(Ok(()))
    }
}

impl<W> fmt::Debug for PieceWriter<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PieceWriter({:?})", self.sealer)
    }
}
