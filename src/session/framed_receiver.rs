//! Receiving a session over a connection.

use std::{
    fmt,
    io::{self, Read, Write},
};

use super::{
    FramedSender, SessionId, SessionReceiver,
    frame::{Content, FirstFrame},
    framed::{Inbound, Outbound},
};
use crate::{key_id::KeyId, plaintext::Plaintext, retry::read_some};

/// Receives a session, or its reply, from a connection. The other end is a [`FramedSender`]; the
/// [module](super#over-a-connection) has both in an example.
///
/// The messages are complete when [`receive`](Self::receive) has returned `None`. A connection that
/// ends earlier is an error, and so is every message that is not the next one, or was changed: the
/// framing ends there, and every later call returns that error again.
///
/// # Memory
///
/// A hello has at most [`Hello::MAX_LEN`](super::Hello::MAX_LEN) bytes, a message's plaintext at most 1 MiB or what
/// [`with_bound`](Self::with_bound) says. A length over the bound is refused before
/// anything is allocated for it. A length within it takes at most 1 MiB; more is allocated as the bytes
/// arrive.
///
/// # Several sessions on one connection
///
/// It reads no byte beyond the last frame that it has returned. After the last message, and the reply's,
/// [`into_inner`](Self::into_inner) returns the reader, from which another session can be
/// accepted. If no other may follow, say so with [`expect_end`](Self::expect_end).
///
/// # Errors of the reader
///
/// They lose nothing: after [`WouldBlock`](io::ErrorKind::WouldBlock),
/// [`TimedOut`](io::ErrorKind::TimedOut) or any other error the next call reads on where this one
/// stopped. A call that fails with [`Interrupted`](io::ErrorKind::Interrupted) is repeated at once. Each
/// message takes at least two calls of `read`; for many small messages, put a `BufReader` around a
/// connection that carries only one session.
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
    /// # Errors
    ///
    /// The errors of [`SessionReceiver::reply`], and those of the writer.
    pub fn reply<W: Write>(&self, inner: W) -> io::Result<FramedSender<W>> {
        let (nonce, sender) = self.inbound.receiver.reply()?;
        FramedSender::begin(inner, Outbound::reply(nonce, sender))
    }

    /// The reader.
    #[must_use]
    pub fn get_ref(&self) -> &R {
        &self.inner
    }

    /// The reader, for example to set a timeout. What is read from it directly is missing here.
    pub fn get_mut(&mut self) -> &mut R {
        &mut self.inner
    }

    /// Returns the reader, which is behind the last frame that was received.
    #[must_use]
    pub fn into_inner(self) -> R {
        self.inner
    }
}

impl<R: Read> FramedReceiver<R> {
    /// Reads the hello, and accepts the session as `accept` says, for example with
    /// [`Accepting::receiver`](crate::Accepting::receiver).
    ///
    /// # Errors
    ///
    /// Those of `accept`; [`Error::Invalid`](crate::Error::Invalid) for a frame that is longer than any hello;
    /// [`UnexpectedEof`](io::ErrorKind::UnexpectedEof) if the reader ends; the errors of the reader. None can
    /// be tried again on this connection.
    ///
    /// ```
    /// use twinseal::{DecapsulationKey, session::{FramedReceiver, FramedSender}};
    ///
    /// # let bob = DecapsulationKey::generate()?;
    /// let session = bob.encapsulation_key().sender(b"example.com/logs")?;
    /// let mut lines = FramedSender::start(Vec::new(), session)?;
    /// lines.send(b"a line")?;
    /// lines.finish(b"the last line")?;
    /// let connection = lines.into_inner();
    ///
    /// let accept = |hello: &[u8]| bob.receiver(b"example.com/logs", hello);
    /// let lines = FramedReceiver::accept(&connection[..], accept)?.with_bound(1000);
    /// for line in lines {
    ///     println!("{}", str::from_utf8(&line?)?);
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn accept<E: Into<io::Error>>(
        mut inner: R,
        accept: impl FnOnce(&[u8]) -> Result<SessionReceiver, E>,
    ) -> io::Result<Self> {
        let hello = first_frame(&mut inner, Content::Hello)?;
        let receiver = accept(&hello).map_err(Into::into)?;
        Ok(Self::new(inner, receiver))
    }

    /// Receives the next message, or `None` after the last one.
    ///
    /// After the last message it does not read: on a connection that stays open, for a reply or another
    /// session, the end of the input never comes.
    ///
    /// # Errors
    ///
    /// [`InvalidData`](io::ErrorKind::InvalidData) with one of the errors of [`SessionReceiver::open`], or
    /// with [`Error::Invalid`](crate::Error::Invalid) for a message over the bound;
    /// [`UnexpectedEof`](io::ErrorKind::UnexpectedEof) if the reader ends before the last message; both are
    /// returned again by every later call. The errors of the reader.
    pub fn receive(&mut self) -> io::Result<Option<Plaintext>> {
        self.receive_with_aad(b"")
    }

    /// Receives the next message, which was sent with this `aad`, or `None` after the last one.
    ///
    /// # Errors
    ///
    /// Same as [`receive`](Self::receive).
    pub fn receive_with_aad(&mut self, aad: &[u8]) -> io::Result<Option<Plaintext>> {
        if self.inbound.ended()? {
            return Ok(None);
        }
        loop {
            let space = self.inbound.space()?;
            if space.is_empty() {
                return self.inbound.open(aad).map(Some);
            }
            let count = read_some(&mut self.inner, space)?.len();
            self.inbound.advance(count)?;
        }
    }

    /// Waits for the end of the input, where nothing may follow the session.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`](crate::Error::Invalid) if a byte follows; [`Error::Misuse`](crate::Error::Misuse) before the last message was received; the errors
    /// of the reader.
    pub fn expect_end(&mut self) -> io::Result<()> {
        self.inbound.expects_end()?;
        let count = read_some(&mut self.inner, &mut [0])?.len();
        self.inbound.end(count)
    }
}

/// The messages up to the last one. After an error it returns that error again and again, because only a
/// complete session ends with `None`: stop at the first error.
impl<R: Read> Iterator for FramedReceiver<R> {
    type Item = io::Result<Plaintext>;

    fn next(&mut self) -> Option<Self::Item> {
        self.receive().transpose()
    }
}

impl<R> fmt::Debug for FramedReceiver<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FramedReceiver({:?})", self.inbound.receiver)
    }
}

/// Reads the frame with which a session or a reply begins.
pub(super) fn first_frame(inner: &mut impl Read, content: Content) -> io::Result<Vec<u8>> {
    let mut frame = FirstFrame::new(content);
    loop {
        let space = frame.space()?;
        if space.is_empty() {
            return Ok(frame.take().1);
        }
        match read_some(inner, space)?.len() {
            0 => return Err(io::Error::new(io::ErrorKind::UnexpectedEof, frame.cut_off())),
            count => frame.advance(count),
        }
    }
}
