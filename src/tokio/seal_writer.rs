//! Sealing as an `AsyncWrite`.

use std::{
    fmt,
    future::poll_fn,
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll, ready},
};

use ::tokio::{io::AsyncWrite, task::coop::poll_proceed};

use super::in_task::InTask;
use crate::{
    envelope::{BodyKey, Sealer},
    stream::{
        Outgoing,
        sealing::{self, Sealing},
    },
};

/// Seals everything that is written to it. The asynchronous form of
/// [`stream::SealWriter`](crate::stream::SealWriter), which writes the same bytes.
///
/// Call [`shutdown`](::tokio::io::AsyncWriteExt::shutdown) at the end, or
/// [`finish`](Self::finish), which leaves the inner writer open. Without it the envelope is truncated
/// and does not open, so a task that is cancelled half-way leaves nothing that looks whole. Dropping the
/// writer does not finish.
///
/// Writing takes bytes while a buffer of 128 KiB has room. If it is full, the inner writer is driven, and
/// until it has taken the buffer nothing more of the plaintext is taken. `flush` writes the full chunks;
/// a part of a chunk waits for its end.
///
/// # Errors of the inner writer
///
/// They lose nothing: the bytes that were sealed are kept, and the next call writes them first. A call
/// that fails has taken nothing of its plaintext. If the inner writer panics, or claims more bytes than
/// it was offered, every later call fails, because it is unclear how much was written.
///
/// # Cancellation
///
/// `write`, `flush`, `shutdown` and [`try_finish`](Self::try_finish) can be cancelled and called again.
/// No chunk is sealed or written twice. After a cancelled `write_all` it is unknown how much was taken,
/// as with every other writer.
///
/// # Copies
///
/// A copy of the process continues with the same key and nonces; see
/// [`stream::SealWriter`](crate::stream::SealWriter#copies).
///
/// ```
/// use tokio::io::AsyncWriteExt;
/// use twinseal::tokio::SealWriter;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let bob = twinseal::DecapsulationKey::generate()?;
/// let sealer = bob.encapsulation_key().sealer(b"example.com/notes")?;
/// let mut writer = SealWriter::new(sealer, Vec::new());
/// writer.write_all(b"hello, ").await?;
/// writer.write_all(b"world").await?;
/// let sealed = writer.finish().await?;
/// assert_eq!(&bob.open(b"example.com/notes", &sealed)?[..], b"hello, world");
/// # Ok(())
/// # }
/// ```
#[must_use = "without shutdown() or finish() the envelope does not open"]
pub struct SealWriter<W> {
    sealing: Sealing<W>,
    /// The inner writer was shut down.
    is_shut: bool,
}

impl<W> SealWriter<W> {
    /// A writer of what [`EncapsulationKey::sealer`](crate::EncapsulationKey::sealer),
    /// [`Recipients::sealer`](crate::Recipients::sealer) or
    /// [`Asked::answer_sealer`](crate::request::Asked::answer_sealer) returns: the bytes to write first,
    /// the prefix of the body, and the sealer of the chunks. The first call that writes writes them.
    /// [`request_writer`](super::request_writer) makes a writer of a request.
    pub fn new(
        (start, prefix, sealer): (Vec<u8>, [u8; BodyKey::PREFIX_LEN], Sealer),
        inner: W,
    ) -> Self {
        let outgoing = Outgoing::waiting(sealing::first(start, &prefix), inner);
        Self { sealing: Sealing::new(outgoing, sealer), is_shut: false }
    }

    /// The inner writer, where the sealed bytes go.
    #[must_use]
    pub fn get_ref(&self) -> &W {
        self.sealing.get_ref()
    }

    /// The inner writer. Bytes that it has not taken yet are dropped: unless
    /// [`try_finish`](Self::try_finish) or `shutdown` has succeeded, the envelope is truncated.
    #[must_use]
    pub fn into_inner(self) -> W {
        self.sealing.into_inner()
    }
}

impl<W: AsyncWrite + Unpin> SealWriter<W> {
    /// Seals the last chunk, flushes, and returns the inner writer, which stays open.
    ///
    /// # Errors
    ///
    /// The errors of the inner writer. The envelope is truncated then, and so it is if this is
    /// cancelled: use [`try_finish`](Self::try_finish) to be able to call again.
    pub async fn finish(mut self) -> io::Result<W> {
        self.try_finish().await?;
        Ok(self.into_inner())
    }

    /// Seals the last chunk and flushes; the inner writer stays open. After an error, or if it was
    /// cancelled, it can be called again, and continues where it stopped. When it has returned `Ok`, the
    /// envelope is complete, and writing fails with [`InvalidInput`](io::ErrorKind::InvalidInput).
    ///
    /// # Errors
    ///
    /// The errors of the inner writer.
    pub async fn try_finish(&mut self) -> io::Result<()> {
        poll_fn(|cx| self.sealing.poll_finish(&mut InTask(cx))).await
    }

    fn poll_take(&mut self, cx: &mut Context<'_>, plaintext: &[u8]) -> Poll<io::Result<usize>> {
        // A full batch takes a share of the task's time, even if the inner writer never waits.
        let share = if self.sealing.is_full() { Some(ready!(poll_proceed(cx))) } else { None };
        let taken = ready!(self.sealing.poll_take(plaintext, &mut InTask(cx)))?;
        if let Some(share) = share {
            share.made_progress();
        }
        Poll::Ready(Ok(taken))
    }
}

impl<W: AsyncWrite + Unpin> AsyncWrite for SealWriter<W> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        plaintext: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.get_mut().poll_take(cx, plaintext)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let mut parts = parts.iter().filter(|part| !part.is_empty());
        let first: &[u8] = parts.next().map_or(&[], |part| part);
        let mut taken = ready!(this.poll_take(cx, first))?;
        // Only the first part may have to wait; once the batch is full, the others are for the next call.
        for part in parts {
            if this.sealing.is_full() {
                break;
            }
            taken += ready!(this.sealing.poll_take(part, &mut InTask(cx)))?;
        }
        Poll::Ready(Ok(taken))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().sealing.poll_flush(&mut InTask(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Self { sealing, is_shut } = self.get_mut();
        if !*is_shut {
            ready!(sealing.poll_finish(&mut InTask(cx)))?;
            ready!(sealing.poll_end(|inner| Pin::new(inner).poll_shutdown(cx)))?;
            *is_shut = true;
        }
        Poll::Ready(Ok(()))
    }
}

impl<W> fmt::Debug for SealWriter<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SealWriter({:?})", self.sealing.sealer())
    }
}
