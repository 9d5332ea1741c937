//! Opening an answer in pieces as a `Stream`.

use std::{
    fmt,
    future::poll_fn,
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use ::tokio::{io::AsyncRead, task::coop::poll_proceed};
use futures_core::Stream;

use super::reading;
use crate::{plaintext::Plaintext, request::PieceOpener, secret::PageBuffer};

/// How many bytes are read at once.
const BATCH: usize = 16 * 1024;

/// Opens the pieces of an answer as they arrive. The asynchronous form of
/// [`request::PieceReader`](crate::request::PieceReader).
///
/// It is a [`Stream`] of pieces, as they were made; [`piece`](Self::piece) needs no other crate. Each piece
/// is returned when it is authenticated; the answer is complete only at `None`, when the input has
/// ended behind the last piece. The first error about the data is final, and every later call returns
/// it again. After an error of the inner reader, or if it was cancelled, the next call reads on.
pub struct PieceReader<R> {
    inner: R,
    opener: PieceOpener,
    buffer: PageBuffer,
    complete: bool,
}

impl<R> PieceReader<R> {
    /// A reader of the answer that [`Pending::piece_opener`](crate::request::Pending::piece_opener)
    /// opens.
    #[must_use]
    pub fn new(opener: PieceOpener, inner: R) -> Self {
        Self { inner, opener, buffer: PageBuffer::zeroed(BATCH), complete: false }
    }

    /// The same with another bound for the plaintext of a piece; see [`PieceOpener::with_bound`].
    #[must_use]
    pub fn with_bound(self, bound: usize) -> Self {
        Self { opener: self.opener.with_bound(bound), ..self }
    }

    /// The inner reader.
    #[must_use]
    pub fn get_ref(&self) -> &R {
        &self.inner
    }

    /// Whether the last piece was returned. Complete is the answer only when the stream ends, because
    /// nothing may follow.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.opener.is_finished()
    }
}

impl<R: AsyncRead + Unpin> PieceReader<R> {
    /// The next piece, or `None` if the answer is complete. Nothing is lost if this is cancelled.
    ///
    /// # Errors
    ///
    /// Same as [`PieceOpener::next`] and [`PieceOpener::finish`], wrapped in [`io::Error`]; and the errors
    /// of the inner reader.
    pub async fn piece(&mut self) -> io::Result<Option<Plaintext>> {
        poll_fn(|cx| self.poll_piece(cx)).await
    }

    fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Option<Plaintext>>> {
        let share = ready!(poll_proceed(cx));
        while !self.complete {
            if let Some(piece) = self.opener.next()? {
                share.made_progress();
                return Poll::Ready(Ok(Some(piece)));
            }
            match ready!(reading::poll_some(&mut self.inner, cx, &mut self.buffer))? {
                0 => {
                    self.opener.check_end()?;
                    self.complete = true;
                }
                len => self.opener.update(&self.buffer[..len]),
            }
        }
        Poll::Ready(Ok(None))
    }
}

impl<R: AsyncRead + Unpin> Stream for PieceReader<R> {
    type Item = io::Result<Plaintext>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().poll_piece(cx).map(Result::transpose)
    }
}

impl<R> fmt::Debug for PieceReader<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PieceReader({:?})", self.opener)
    }
}
