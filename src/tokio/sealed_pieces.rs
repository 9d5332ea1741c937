//! Sealing a stream of pieces, for the body of an HTTP response.

use std::{
    error, fmt, io,
    pin::Pin,
    task::{Context, Poll},
};

use futures_core::Stream;

use crate::request::PieceSealer;

/// Seals a stream: of plaintexts, each of which becomes a piece, it makes a stream of the answer's bytes,
/// for the body of an HTTP response.
///
/// The first item is the start of the answer. When the inner stream ends, an empty last piece shows that
/// nothing was cut off. An error of the inner stream is passed on, and ends this one without the last
/// piece; so does dropping it. A stream that is not [`Unpin`] has to be pinned (`Box::pin`).
///
/// ```
/// use futures_core::Stream;
/// use twinseal::tokio::SealedPieces;
///
/// # fn tokens() -> impl Stream<Item = std::io::Result<String>> + Unpin {
/// #     struct Empty;
/// #     impl Stream for Empty {
/// #         type Item = std::io::Result<String>;
/// #         fn poll_next(self: std::pin::Pin<&mut Self>, _: &mut std::task::Context<'_>) -> std::task::Poll<Option<Self::Item>> {
/// #             std::task::Poll::Ready(None)
/// #         }
/// #     }
/// #     Empty
/// # }
/// # let bob = twinseal::DecapsulationKey::generate()?;
/// # let (request, pending) = bob.encapsulation_key().request(b"example.com/generate", b"a poem")?;
/// # let (_, asked) = bob.accept(b"example.com/generate", &request, &twinseal::request::AllowReplays)?;
/// // `tokens()` is a stream of `io::Result<String>`.
/// let body = SealedPieces::new(asked.piece_sealer()?, tokens());
/// // With axum: `Body::from_stream(body)`.
/// # Ok::<(), twinseal::Error>(())
/// ```
#[must_use = "a stream does nothing unless it is polled"]
pub struct SealedPieces<S> {
    inner: S,
    start: Option<Vec<u8>>,
    /// Until the last piece, or an error.
    sealer: Option<PieceSealer>,
}

impl<S> SealedPieces<S> {
    /// Seals with what [`Asked::piece_sealer`](crate::request::Asked::piece_sealer) returns.
    pub fn new((start, sealer): (Vec<u8>, PieceSealer), inner: S) -> Self {
        Self { inner, start: Some(start), sealer: Some(sealer) }
    }

    /// The inner stream.
    #[must_use]
    pub fn get_ref(&self) -> &S {
        &self.inner
    }
}

impl<S, P, E> Stream for SealedPieces<S>
where
    S: Stream<Item = Result<P, E>> + Unpin,
    P: AsRef<[u8]>,
    E: Into<Box<dyn error::Error + Send + Sync>>,
{
    type Item = io::Result<Vec<u8>>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        if let Some(start) = this.start.take() {
            return Poll::Ready(Some(Ok(start)));
        }
        // It is taken out, so that a stream that panics is not taken for one that has ended.
        let Some(mut sealer) = this.sealer.take() else { return Poll::Ready(None) };
        let sealed = match Pin::new(&mut this.inner).poll_next(cx) {
            Poll::Pending => {
                this.sealer = Some(sealer);
                return Poll::Pending;
            }
            Poll::Ready(None) => sealer.finish(b"").map_err(io::Error::from),
            Poll::Ready(Some(Err(error))) => Err(io::Error::other(error)),
            Poll::Ready(Some(Ok(piece))) => match sealer.piece(piece.as_ref()) {
                Ok(sealed) => {
                    this.sealer = Some(sealer);
                    Ok(sealed)
                }
                Err(error) => Err(error.into()),
            },
        };
        Poll::Ready(Some(sealed))
    }
}

impl<S> fmt::Debug for SealedPieces<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SealedPieces({:?})", self.sealer)
    }
}
