//! Sending a session over an asynchronous connection.

use std::{
    fmt,
    future::poll_fn,
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use ::tokio::{
    io::{AsyncRead, AsyncWrite},
    task::coop::poll_proceed,
};

use super::framed_receiver::{FramedReceiver, first_frame};
use crate::session::{
    SessionId, SessionSender,
    frame::Content,
    framed::{Outbound, nonce},
    message::MessageKind,
};

/// Sends a session, or its reply, over an asynchronous connection, in the frames of the blocking
/// [`session::FramedSender`](crate::session::FramedSender).
///
/// Call [`finish`](Self::finish) with the last message. Without it the other end reports that the
/// session was cut off. The connection is never shut down; that is up to its owner.
///
/// # Cancellation, and errors of the writer
///
/// A message is sealed and queued when its future is first polled, before the writer is called. From then on
/// it is sent, once: if the future is dropped, or the writer fails, the rest of it is written by the next
/// call. So do not send it again, but call [`flush`](Self::flush). Every message that is cancelled makes the queue
/// longer. If the writer panics, or claims more bytes than it was offered, every later call fails.
///
/// # What blocks
///
/// Sealing takes about 0.3 ms for each MiB, or less, and is done at once: one authentication tag covers all of a
/// message. If a raised bound allows messages of more than a few MiB, send them in parts.
/// [`SignedBy::sender`](crate::SignedBy::sender), which makes the session, signs, and that takes one to several
/// ms: call it with [`spawn_blocking`](::tokio::task::spawn_blocking).
///
/// ```
/// use std::io;
///
/// use tokio::io::{duplex, split};
/// use twinseal::{DecapsulationKey, SigningKey, tokio::{FramedReceiver, FramedSender}};
///
/// const CTX: &[u8] = b"example.com/gradients/round-7";
///
/// #[tokio::main(flavor = "current_thread")]
/// async fn main() -> io::Result<()> {
///     let (bob, alice) = (DecapsulationKey::generate()?, SigningKey::generate()?);
///     let session = bob.encapsulation_key().signed_by(&alice).sender(CTX)?;
///     let (client, server) = duplex(1024); // a connection
///
///     let sending = async {
///         let (reader, writer) = split(client);
///         let mut gradients = FramedSender::start(writer, session).await?;
///         gradients.send(b"layer 1").await?;
///         gradients.finish(b"layer 2").await?;
///         let mut answers = gradients.accept_reply(reader).await?;
///         assert_eq!(answers.receive().await?.as_deref(), Some(&b"averaged"[..]));
///         Ok::<_, io::Error>(())
///     };
///     let averaging = async {
///         let (reader, writer) = split(server);
///         let accept = |hello: &[u8]| bob.accepting(alice.verifying_key()).receiver(CTX, hello);
///         let mut gradients = FramedReceiver::accept(reader, accept).await?;
///         while let Some(gradient) = gradients.receive().await? {
///             assert!(gradient.starts_with(b"layer"));
///         }
///         gradients.reply(writer).await?.finish(b"averaged").await
///     };
///     tokio::try_join!(sending, averaging)?;
///     Ok(())
/// }
/// ```
#[must_use = "without finish() the session is cut off"]
pub struct FramedSender<W> {
    inner: W,
    outbound: Outbound,
}

impl<W> FramedSender<W> {
    /// Sets how long a message may be, in bytes, in place of 1 MiB. The receiver has a bound of its own,
    /// and refuses a longer message. At most 2^30 bytes, which no message may exceed.
    pub fn with_bound(mut self, bytes: usize) -> Self {
        self.outbound.set_bound(bytes);
        self
    }

    /// The name of the session, the same on both sides and for the reply.
    #[must_use]
    pub fn session_id(&self) -> SessionId {
        self.outbound.sender.session_id()
    }

    /// The writer.
    #[must_use]
    pub fn get_ref(&self) -> &W {
        &self.inner
    }

    /// The writer. What is written to it directly ends the session.
    pub fn get_mut(&mut self) -> &mut W {
        &mut self.inner
    }

    /// Returns the writer. Bytes that are still queued are lost.
    #[must_use]
    pub fn into_inner(self) -> W {
        self.inner
    }
}

impl<W: AsyncWrite + Unpin> FramedSender<W> {
    /// Sends the hello. The session is what [`sender`](crate::EncapsulationKey::sender) returned, or
    /// [`PreparedSender::finish`](crate::session::PreparedSender::finish) if the signature was awaited.
    ///
    /// If it is cancelled, the session is lost: start another one on another connection.
    ///
    /// # Errors
    ///
    /// The errors of the writer, after which the session is lost too.
    pub async fn start(inner: W, session: (Vec<u8>, SessionSender)) -> io::Result<Self> {
        let (hello, sender) = session;
        Self::begin(inner, Outbound::start(&hello, sender)?).await
    }

    pub(super) async fn begin(inner: W, outbound: Outbound) -> io::Result<Self> {
        let mut begun = Self { inner, outbound };
        begun.flush().await?;
        Ok(begun)
    }

    /// Sends the next message.
    ///
    /// # Errors
    ///
    /// [`Error::Misuse`](crate::Error::Misuse) if it is over the bound, and the errors of
    /// [`SessionSender::seal`]: then nothing was sent. The errors of the writer: then it is queued.
    pub async fn send(&mut self, message: &[u8]) -> io::Result<()> {
        self.send_with_aad(b"", message).await
    }

    /// Sends the next message. `aad` is authenticated with it, but not sent.
    ///
    /// # Errors
    ///
    /// Same as [`send`](Self::send).
    pub async fn send_with_aad(&mut self, aad: &[u8], message: &[u8]) -> io::Result<()> {
        self.outbound.push(MessageKind::More, aad, message)?;
        self.flush().await
    }

    /// Sends the last message, so that the receiver notices if any was cut off. It may be empty.
    ///
    /// # Errors
    ///
    /// Same as [`send`](Self::send).
    pub async fn finish(&mut self, message: &[u8]) -> io::Result<()> {
        self.finish_with_aad(b"", message).await
    }

    /// Sends the last message. `aad` is authenticated with it, but not sent.
    ///
    /// # Errors
    ///
    /// Same as [`send`](Self::send).
    pub async fn finish_with_aad(&mut self, aad: &[u8], message: &[u8]) -> io::Result<()> {
        self.outbound.push(MessageKind::Last, aad, message)?;
        self.flush().await
    }

    /// Writes what is queued, after a cancelled call or an error of the writer, and flushes it. It can be
    /// cancelled itself, and called again.
    ///
    /// # Errors
    ///
    /// The errors of the writer.
    pub async fn flush(&mut self) -> io::Result<()> {
        poll_fn(|cx| self.poll_flush(cx)).await
    }

    /// Waits for the start of the reply, which [`FramedReceiver::reply`] sends, and returns its
    /// receiving end. Its first message shows whether it is the true one.
    ///
    /// If it is cancelled, the part of the reply that it has read is lost.
    ///
    /// # Errors
    ///
    /// The errors of the reader; [`Error::Length`](crate::Error::Length) if it is not a nonce; the
    /// errors of [`SessionSender::accept_reply`]. None can be tried again on this connection.
    pub async fn accept_reply<R>(&mut self, mut inner: R) -> io::Result<FramedReceiver<R>>
    where
        R: AsyncRead + Unpin,
    {
        let frame = first_frame(&mut inner, Content::ReplyNonce).await?;
        let receiver = self.outbound.sender.accept_reply(nonce(&frame)?)?;
        Ok(FramedReceiver::new(inner, receiver))
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.outbound.check()?;
        // A writer that is always ready does not hold the thread.
        let share = ready!(poll_proceed(cx));
        while !self.outbound.unwritten().is_empty() {
            self.outbound.broken = true;
            let written = Pin::new(&mut self.inner).poll_write(cx, self.outbound.unwritten());
            self.outbound.broken = false;
            let count = ready!(written)?;
            share.made_progress();
            self.outbound.advance(count)?;
        }
        self.outbound.broken = true;
        let flushed = Pin::new(&mut self.inner).poll_flush(cx);
        self.outbound.broken = false;
        flushed
    }
}

impl<W> fmt::Debug for FramedSender<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FramedSender({} bytes queued)", self.outbound.unwritten().len())
    }
}
