//! Sending a session over a connection.

use std::{
    fmt,
    io::{self, IoSlice, Write},
};

use super::{
    FramedReceiver, SessionId, SessionSender,
    frame::Content,
    framed::{Outbound, nonce},
    framed_receiver,
    message::MessageKind,
};
use crate::retry::{flush, uninterrupted};

/// Sends a session, or its reply, over a connection: each message with its length in front of it. The
/// [module](super#over-a-connection) has both ends in an example.
///
/// The other end is a [`FramedReceiver`]. A message is one call of the writer's `write`, followed by
/// one of `flush`, so a connection needs no `BufWriter` around it. If it is used in both directions, give
/// one half to each: a `TcpStream` has [`try_clone`](std::net::TcpStream::try_clone), and `&TcpStream`
/// reads and writes.
///
/// Call [`finish`](Self::finish) with the last message. Without it the other end reports that the
/// session was cut off. The connection is never closed; that is up to its owner.
///
/// # Errors of the writer
///
/// They lose nothing. A message that was sealed is in a queue, and stays there until it is written: do
/// not send it again, but call [`flush`](Self::flush), or send the next one. If the writer panics, or
/// claims more bytes than it was offered, every later call fails, because it is unclear how much was
/// written.
///
/// ```
/// use twinseal::session::{FramedReceiver, FramedSender};
///
/// # let bob = twinseal::DecapsulationKey::generate()?;
/// # let connection = Vec::new();
/// let session = bob.encapsulation_key().sender(b"example.com/gradients")?;
/// let mut gradients = FramedSender::start(connection, session)?.with_bound(1 << 30);
/// gradients.send(b"layer 1")?;
/// let mut large = vec![7; 3 << 20];
/// gradients.send_in_place(b"", &mut large)?;
/// gradients.finish(b"")?;
///
/// # let connection = gradients.into_inner();
/// let accept = |hello: &[u8]| bob.receiver(b"example.com/gradients", hello);
/// let mut gradients = FramedReceiver::accept(&connection[..], accept)?.with_bound(3 << 20);
/// assert_eq!(gradients.receive()?.as_deref(), Some(&b"layer 1"[..]));
/// # gradients.receive()?;
/// # assert_eq!(gradients.receive()?.as_deref(), Some(&b""[..]));
/// # assert!(gradients.receive()?.is_none());
/// # Ok::<(), Box<dyn std::error::Error>>(())
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

    /// The writer, for example to set a timeout. What is written to it directly ends the session.
    pub fn get_mut(&mut self) -> &mut W {
        &mut self.inner
    }

    /// Returns the writer. After an error of the writer, bytes that are still queued are lost.
    #[must_use]
    pub fn into_inner(self) -> W {
        self.inner
    }
}

impl<W: Write> FramedSender<W> {
    /// Sends the hello. The session is what [`sender`](crate::EncapsulationKey::sender) returned, or
    /// [`PreparedSender::finish`](crate::session::PreparedSender::finish) if the signature was awaited.
    ///
    /// # Errors
    ///
    /// The errors of the writer: then start another session on another connection.
    pub fn start(inner: W, session: (Vec<u8>, SessionSender)) -> io::Result<Self> {
        let (hello, sender) = session;
        Self::begin(inner, Outbound::start(&hello, sender)?)
    }

    pub(super) fn begin(inner: W, outbound: Outbound) -> io::Result<Self> {
        let mut begun = Self { inner, outbound };
        begun.flush()?;
        Ok(begun)
    }

    /// Sends the next message.
    ///
    /// # Errors
    ///
    /// [`Error::Misuse`](crate::Error::Misuse) if it is over the bound, and the errors of
    /// [`SessionSender::seal`]: then nothing was sent. The errors of the writer: then it is queued.
    pub fn send(&mut self, message: &[u8]) -> io::Result<()> {
        self.send_with_aad(b"", message)
    }

    /// Sends the next message. `aad` is authenticated with it, but not sent.
    ///
    /// # Errors
    ///
    /// Same as [`send`](Self::send).
    pub fn send_with_aad(&mut self, aad: &[u8], message: &[u8]) -> io::Result<()> {
        self.push(MessageKind::More, aad, message)
    }

    /// Sends the next message, which is sealed in its own buffer: nothing is copied. Worth it for
    /// messages from about 1 MiB on. Afterwards the buffer holds what was sent.
    ///
    /// # Errors
    ///
    /// Same as [`send`](Self::send).
    pub fn send_in_place(&mut self, aad: &[u8], message: &mut [u8]) -> io::Result<()> {
        self.push_in_place(MessageKind::More, aad, message)
    }

    /// Sends the last message, so that the receiver notices if any was cut off. It may be empty.
    ///
    /// # Errors
    ///
    /// Same as [`send`](Self::send).
    pub fn finish(&mut self, message: &[u8]) -> io::Result<()> {
        self.finish_with_aad(b"", message)
    }

    /// Sends the last message. `aad` is authenticated with it, but not sent.
    ///
    /// # Errors
    ///
    /// Same as [`send`](Self::send).
    pub fn finish_with_aad(&mut self, aad: &[u8], message: &[u8]) -> io::Result<()> {
        self.push(MessageKind::Last, aad, message)
    }

    /// Sends the last message, which is sealed in its own buffer; see
    /// [`send_in_place`](Self::send_in_place).
    ///
    /// # Errors
    ///
    /// Same as [`send`](Self::send).
    pub fn finish_in_place(&mut self, aad: &[u8], message: &mut [u8]) -> io::Result<()> {
        self.push_in_place(MessageKind::Last, aad, message)
    }

    /// Writes what is queued after an error of the writer, and flushes it.
    ///
    /// # Errors
    ///
    /// The errors of the writer.
    pub fn flush(&mut self) -> io::Result<()> {
        self.outbound.check()?;
        while !self.outbound.unwritten().is_empty() {
            self.outbound.broken = true;
            let written = uninterrupted(|| self.inner.write(self.outbound.unwritten()));
            self.outbound.broken = false;
            self.outbound.advance(written?)?;
        }
        self.outbound.broken = true;
        let flushed = flush(&mut self.inner);
        self.outbound.broken = false;
        flushed
    }

    /// Waits for the start of the reply, which [`FramedReceiver::reply`] sends, and returns its
    /// receiving end. Its first message shows whether it is the true one.
    ///
    /// # Errors
    ///
    /// The errors of the reader; [`Error::Length`](crate::Error::Length) if it is not a nonce; the
    /// errors of [`SessionSender::accept_reply`]. None can be tried again on this connection.
    pub fn accept_reply<R: io::Read>(&mut self, mut inner: R) -> io::Result<FramedReceiver<R>> {
        let frame = framed_receiver::first_frame(&mut inner, Content::ReplyNonce)?;
        let receiver = self.outbound.sender.accept_reply(nonce(&frame)?)?;
        Ok(FramedReceiver::new(inner, receiver))
    }

    fn push(&mut self, kind: MessageKind, aad: &[u8], message: &[u8]) -> io::Result<()> {
        self.outbound.push(kind, aad, message)?;
        self.flush()
    }

    fn push_in_place(
        &mut self,
        kind: MessageKind,
        aad: &[u8],
        message: &mut [u8],
    ) -> io::Result<()> {
        let (head, tag) = self.outbound.seal_in_place(kind, aad, message)?;
        let mut parts = [&head, &*message, tag.tag()].map(IoSlice::new);
        let mut rest = &mut parts[..];
        // What is queued goes first, and then this is copied behind it.
        let mut written = Ok(());
        while written.is_ok() && !rest.is_empty() && self.outbound.unwritten().is_empty() {
            self.outbound.broken = true;
            let count = uninterrupted(|| self.inner.write_vectored(rest));
            self.outbound.broken = false;
            let offered = rest.iter().map(|part| part.len()).sum();
            match count.and_then(|count| self.outbound.taken(count, offered)) {
                Ok(count) => IoSlice::advance_slices(&mut rest, count),
                Err(error) => written = Err(error),
            }
        }
        rest.iter().for_each(|part| self.outbound.keep(part));
        written?;
        self.flush()
    }
}

impl<W> fmt::Debug for FramedSender<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FramedSender({} bytes queued)", self.outbound.unwritten().len())
    }
}
