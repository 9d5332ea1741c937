//! Receiving a session over an asynchronous connection.

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
use futures_core::Stream;

use super::{framed_sender::FramedSender, reading::poll_some};
use crate::{
    key_id::KeyId,
    plaintext::Plaintext,
    session::{
        SessionId, SessionReceiver,
        frame::{Content, FirstFrame},
        framed::{Inbound, Outbound},
    },
};

/// Receives a session, or its reply, from an asynchronous connection, in the frames of the blocking
/// [`session::FramedReceiver`](crate::session::FramedReceiver), which documents its bounds, its memory, and
/// several sessions on one connection. [`FramedSender`] has both ends in an example.
///
/// The messages are complete when [`receive`](Self::receive) has returned `None`. A connection that
/// ends earlier is an error, and so is every message that is not the next one, or was changed: the
/// framing ends there, and every later call returns that error again.
///
/// It is also a [`Stream`] of messages. After an error that repeats the error, because only a complete session ends
/// with `None`: stop at the first one.
///
/// # Cancellation, and errors of the reader
///
/// They lose nothing: what has been read of a message is kept, and the next call reads on. So
/// [`receive`](Self::receive) can be a branch of `tokio::select!`, or be given a
/// [timeout](::tokio::time::timeout).
///
/// # What blocks
///
/// Opening takes about 0.3 ms for each MiB, or less, and is done at once, because nothing of a message may be
/// used before all of it is authentic. So a bound of more than a few MiB lets the other end delay this thread.
pub struct FramedReceiver<R> {
    inner: R,
    inbound: Inbound,
}

impl<R> FramedReceiver<R> {
    /// Receives a session that was accepted already, from a reader that is behind its hello.
    #[must_use]
    pub fn new(inner: R, receiver: SessionReceiver) -> Self {
        Self { inner, inbound: Inbound::new(receiver) }
    }

    /// Sets how long a message may be, in bytes, in place of 1 MiB; at most 2^30. Set it when it is known
    /// who sends: see [`signer`](Self::signer).
    #[must_use]
    pub fn with_bound(mut self, bytes: usize) -> Self {
        self.inbound.set_bound(bytes);
        self
    }

    /// Whether the last message was received.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.inbound.receiver.is_finished()
    }

    /// The name of the session, the same on both sides and for the reply. Remember it to notice
    /// replays.
    #[must_use]
    pub fn session_id(&self) -> SessionId {
        self.inbound.receiver.session_id()
    }

    /// The key that signed the session; see [`SessionReceiver::signer`].
    #[must_use]
    pub fn signer(&self) -> Option<KeyId> {
        self.inbound.receiver.signer()
    }

    /// Starts the reply, which may be at any time, also before the first message. The other end accepts it with
    /// [`FramedSender::accept_reply`].
    ///
    /// If it is cancelled, that reply is lost, and the connection with it if a part of it was sent.
    ///
    /// # Errors
    ///
    /// The errors of [`SessionReceiver::reply`], and those of the writer.
    pub async fn reply<W: AsyncWrite + Unpin>(&self, inner: W) -> io::Result<FramedSender<W>> {
        let (nonce, sender) = self.inbound.receiver.reply()?;
        FramedSender::begin(inner, Outbound::reply(nonce, sender)).await
    }

    /// The reader.
    #[must_use]
    pub fn get_ref(&self) -> &R {
        &self.inner
    }

    /// The reader. What is read from it directly is missing here.
    pub fn get_mut(&mut self) -> &mut R {
        &mut self.inner
    }

    /// Returns the reader, which is behind the last frame that was received.
    #[must_use]
    pub fn into_inner(self) -> R {
        self.inner
    }
}

impl<R: AsyncRead + Unpin> FramedReceiver<R> {
    /// Reads the hello, and accepts the session as `accept` says, for example with
    /// [`Accepting::receiver`](crate::Accepting::receiver).
    ///
    /// `accept` is called in this task. With keys in memory that takes one or two milliseconds; with an external
    /// key it may wait for another machine. Then call [`read_hello`](Self::read_hello), accept
    /// the session with [`spawn_blocking`](::tokio::task::spawn_blocking), and go on with [`new`](Self::new).
    ///
    /// If it is cancelled, the part of the hello that it has read is lost.
    ///
    /// # Errors
    ///
    /// Those of `accept`; [`Error::Invalid`](crate::Error::Invalid) for a frame that is longer than any hello;
    /// [`UnexpectedEof`](io::ErrorKind::UnexpectedEof) if the reader ends; the errors of the reader. None can
    /// be tried again on this connection.
    pub async fn accept<E: Into<io::Error>>(
        mut inner: R,
        accept: impl FnOnce(&[u8]) -> Result<SessionReceiver, E>,
    ) -> io::Result<Self> {
        let hello = Self::read_hello(&mut inner).await?;
        let receiver = accept(&hello).map_err(Into::into)?;
        Ok(Self::new(inner, receiver))
    }

    /// Reads a hello and not a byte more. See [`accept`](Self::accept).
    ///
    /// # Errors
    ///
    /// Those of [`accept`](Self::accept) that are about reading.
    ///
    /// ```
    /// # use twinseal::{DecapsulationKey, tokio::{FramedReceiver, FramedSender}};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// # let bob = std::sync::Arc::new(DecapsulationKey::generate()?);
    /// # let session = bob.encapsulation_key().sender(b"example.com/logs")?;
    /// # let mut sender = FramedSender::start(Vec::new(), session).await?;
    /// # sender.finish(b"a line").await?;
    /// # let connection = sender.into_inner();
    /// # let mut connection = &connection[..];
    /// let hello = FramedReceiver::read_hello(&mut connection).await?;
    /// let bob = bob.clone();
    /// let accepting = move || bob.receiver(b"example.com/logs", &hello);
    /// let receiver = tokio::task::spawn_blocking(accepting).await??;
    /// let mut lines = FramedReceiver::new(connection, receiver);
    /// assert_eq!(lines.receive().await?.as_deref(), Some(&b"a line"[..]));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// A secret that is awaited, of a key whose public half is here:
    ///
    /// ```
    /// # use twinseal::{DecapsulationKey, Error, tokio::FramedSender};
    /// use twinseal::{Unlock, kem::{AwaitedKey, Ciphertext, SharedSecret}, tokio::FramedReceiver};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// # let inside = DecapsulationKey::generate()?;
    /// # let public = inside.encapsulation_key().clone();
    /// # let ask_kms = async |ciphertext: &Ciphertext| -> Result<SharedSecret, Error> { inside.decapsulate(ciphertext) };
    /// # let session = public.sender(b"example.com/logs")?;
    /// # let mut sender = FramedSender::start(Vec::new(), session).await?;
    /// # sender.finish(b"a line").await?;
    /// # let connection = sender.into_inner();
    /// # let mut connection = &connection[..];
    /// let bob = AwaitedKey::new(public);
    /// let hello = FramedReceiver::read_hello(&mut connection).await?;
    /// let verified = bob.accept_hello(b"example.com/logs", &hello)?;
    /// let secret = ask_kms(verified.ciphertext()).await?;
    /// let mut lines = FramedReceiver::new(connection, verified.receiver_with(&secret)?);
    /// assert_eq!(lines.receive().await?.as_deref(), Some(&b"a line"[..]));
    /// # Ok(())
    /// # }
    /// ```
    pub async fn read_hello(inner: &mut R) -> io::Result<Vec<u8>> {
        first_frame(inner, Content::Hello).await
    }

    /// Receives the next message, or `None` after the last one, after which it does not read. It can be cancelled,
    /// and called again.
    ///
    /// # Errors
    ///
    /// Same as those of the blocking [`receive`](crate::session::FramedReceiver::receive).
    pub async fn receive(&mut self) -> io::Result<Option<Plaintext>> {
        self.receive_with_aad(b"").await
    }

    /// Receives the next message, which was sent with this `aad`, or `None` after the last one.
    ///
    /// # Errors
    ///
    /// Same as [`receive`](Self::receive).
    pub async fn receive_with_aad(&mut self, aad: &[u8]) -> io::Result<Option<Plaintext>> {
        poll_fn(|cx| self.poll_receive(aad, cx)).await
    }

    /// Waits for the end of the input, where nothing may follow the session.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`](crate::Error::Invalid) if a byte follows; [`Error::Misuse`](crate::Error::Misuse)
    /// before the last message was received; the errors of the reader.
    pub async fn expect_end(&mut self) -> io::Result<()> {
        self.inbound.expects_end()?;
        let count = poll_fn(|cx| poll_some(&mut self.inner, cx, &mut [0])).await?;
        self.inbound.end(count)
    }

    fn poll_receive(
        &mut self,
        aad: &[u8],
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<Option<Plaintext>>> {
        if self.inbound.ended()? {
            return Poll::Ready(Ok(None));
        }
        // A reader that is always ready, with a stream of messages in memory, does not hold the thread.
        let share = ready!(poll_proceed(cx));
        loop {
            let space = self.inbound.space()?;
            if space.is_empty() {
                share.made_progress();
                return Poll::Ready(self.inbound.open(aad).map(Some));
            }
            let count = ready!(poll_some(&mut self.inner, cx, space))?;
            share.made_progress();
            self.inbound.advance(count)?;
        }
    }
}

/// The messages up to the last one.
impl<R: AsyncRead + Unpin> Stream for FramedReceiver<R> {
    type Item = io::Result<Plaintext>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().poll_receive(b"", cx).map(Result::transpose)
    }
}

impl<R> fmt::Debug for FramedReceiver<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FramedReceiver({:?})", self.inbound.receiver)
    }
}

/// Reads the frame with which a session or a reply begins.
pub(super) async fn first_frame(
    inner: &mut (impl AsyncRead + Unpin),
    content: Content,
) -> io::Result<Vec<u8>> {
    let mut frame = FirstFrame::new(content);
    loop {
        let space = frame.space()?;
        if space.is_empty() {
            return Ok(frame.take().1);
        }
        match poll_fn(|cx| poll_some(inner, cx, space)).await? {
            0 => return Err(io::Error::new(io::ErrorKind::UnexpectedEof, frame.cut_off())),
            count => frame.advance(count),
        }
    }
}
