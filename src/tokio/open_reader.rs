//! Opening as an `AsyncRead`.

use std::{
    fmt, io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use ::tokio::{
    io::{AsyncBufRead, AsyncRead, ReadBuf},
    task::coop::poll_proceed,
};

use super::reading;
use crate::{
    context,
    envelope::{BodyKey, Header, Opener, parsing::Arriving},
    error::Error,
    stream::opening::Opening,
    unlock::Unlock,
};

/// Opens everything that it reads. The asynchronous form of
/// [`stream::OpenReader`](crate::stream::OpenReader), from [`open_reader`] or [`open_body`].
///
/// It returns only authentic plaintext. The plaintext is complete only when it has returned 0 bytes:
/// do not act on a part of a file whose end may be missing. Forged, truncated and extended data end in
/// [`InvalidData`](io::ErrorKind::InvalidData), and every later call returns that error again. An
/// envelope ends where the inner reader does: on a connection that stays open, send the length first.
///
/// # Errors of the inner reader, and cancellation
///
/// Neither loses anything: the next call reads on where this one stopped.
///
/// ```
/// use tokio::io::AsyncReadExt;
/// use twinseal::tokio::open_reader;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let bob = twinseal::DecapsulationKey::generate()?;
/// # let sealed = bob.encapsulation_key().seal(b"example.com/notes", b"hello")?;
/// let mut text = String::new();
/// let mut reader = open_reader(&bob, b"example.com/notes", &sealed[..]).await?;
/// reader.read_to_string(&mut text).await?;
/// assert_eq!(text, "hello");
/// # Ok(())
/// # }
/// ```
pub struct OpenReader<R> {
    inner: R,
    opening: Opening,
}

impl<R> OpenReader<R> {
    /// A reader of the chunks, which `inner` has next: everything after the prefix. [`open_body`]
    /// reads the prefix itself.
    #[must_use]
    pub fn new(opener: Opener, inner: R) -> Self {
        Self { inner, opening: Opening::new(opener) }
    }

    /// The inner reader.
    #[must_use]
    pub fn get_ref(&self) -> &R {
        &self.inner
    }
}

impl<R: AsyncRead + Unpin> AsyncBufRead for OpenReader<R> {
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        let Self { inner, opening } = self.get_mut();
        if opening.ready().is_empty() {
            // A chunk takes a share of the task's time, even if the inner reader never waits.
            let share = ready!(poll_proceed(cx));
            ready!(opening.poll_ready(|room| reading::poll_some(inner, cx, room)))?;
            share.made_progress();
        }
        Poll::Ready(Ok(opening.ready()))
    }

    fn consume(self: Pin<&mut Self>, amount: usize) {
        self.get_mut().opening.consume(amount);
    }
}

impl<R: AsyncRead + Unpin> AsyncRead for OpenReader<R> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        // Reading into an empty buffer does nothing.
        if buffer.remaining() > 0 {
            let ready = ready!(self.as_mut().poll_fill_buf(cx))?;
            let len = ready.len().min(buffer.remaining());
            buffer.put_slice(&ready[..len]);
            self.consume(len);
        }
        Poll::Ready(Ok(()))
    }
}

impl<R> fmt::Debug for OpenReader<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OpenReader({:?})", self.opening.opener())
    }
}

/// Opens an envelope while it is read; see
/// [`DecapsulationKey::open_reader`](crate::DecapsulationKey::open_reader).
///
/// The header is unlocked here, in the task: about 0.2 ms for a key in memory. If the key is in another
/// process or device, do it in parts: [`read_header`], then unlock the header in
/// [`spawn_blocking`](::tokio::task::spawn_blocking) or await the secret for [`Header::unlock`], then
/// [`open_body`].
///
/// # Errors
///
/// Same as [`DecapsulationKey::open`](crate::DecapsulationKey::open), wrapped in [`io::Error`]; and the
/// errors of the inner reader. No plaintext is returned before its header, context and chunk were
/// authenticated. After an error, or if this is cancelled, the part that was read is lost.
pub async fn open_reader<R: AsyncRead + Unpin>(
    keys: &(impl Unlock + ?Sized),
    context: &[u8],
    mut inner: R,
) -> io::Result<OpenReader<R>> {
    context::check(context)?;
    let body_key = keys.unlock(&read_header(&mut inner).await?)?;
    open_body(&body_key, context, inner).await
}

/// Opens the body of an envelope while it is read, after its header was read and unlocked.
///
/// # Errors
///
/// Same as [`BodyKey::opener`], wrapped in [`io::Error`]; and the errors of the inner reader. After an
/// error, or if this is cancelled, the part that was read is lost.
///
/// ```
/// use std::sync::Arc;
///
/// use tokio::{io::AsyncReadExt, task::spawn_blocking};
/// use twinseal::{Decapsulate, Unlock, tokio::{open_body, read_header}};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let bob = twinseal::DecapsulationKey::generate()?;
/// # let sealed = bob.encapsulation_key().seal(b"example.com/notes", b"hello")?;
/// # let mut connection = &sealed[..];
/// let key: Arc<dyn Decapsulate> = Arc::new(bob); // or one that asks another machine
/// let header = read_header(&mut connection).await?;
/// let body_key = spawn_blocking(move || key.unlock(&header)).await??;
/// let mut reader = open_body(&body_key, b"example.com/notes", connection).await?;
/// # let mut text = String::new();
/// reader.read_to_string(&mut text).await?;
/// # assert_eq!(text, "hello");
/// # Ok(())
/// # }
/// ```
pub async fn open_body<R: AsyncRead + Unpin>(
    body_key: &BodyKey,
    context: &[u8],
    mut inner: R,
) -> io::Result<OpenReader<R>> {
    context::check(context)?;
    let mut prefix = [0; BodyKey::PREFIX_LEN];
    if reading::fill(&mut inner, &mut prefix).await? < prefix.len() {
        return Err(Error::Open.into()); // it was cut off
    }
    Ok(OpenReader::new(body_key.opener(context, &prefix)?, inner))
}

/// Reads a header from the front of an envelope, and not a byte more: the reader then stands at the
/// body.
///
/// # Errors
///
/// Same as [`Header::parse`], wrapped in [`io::Error`]; and the errors of the reader. After an error, or
/// if this is cancelled, the part of the header that was read is lost.
pub async fn read_header(mut inner: impl AsyncRead + Unpin) -> io::Result<Header> {
    let mut arriving = Arriving::default();
    while let Some(room) = arriving.room()? {
        let wanted = room.len();
        let filled = reading::fill(&mut inner, room).await?;
        arriving.arrived(filled, filled < wanted);
    }
    Ok(arriving.into_header())
}
