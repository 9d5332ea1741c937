//! A framed session without I/O: which bytes are to be written, and which messages have arrived.

use std::io;

use super::{
    direction::MAX_MESSAGE,
    frame::{Content, FrameReader, LENGTH},
    hello::Hello,
    message::{MessageKind, MessageTag},
    receiver::SessionReceiver,
    reply::ReplyNonce,
    sender::SessionSender,
};
use crate::{error::Error, plaintext::Plaintext, secret::SecretBuffer, wire};

/// The longest plaintext of a message, unless the caller says otherwise.
const DEFAULT_BOUND: usize = 1 << 20;

/// A message's length and type.
const HEAD: usize = LENGTH + 1;

fn bound(max_message: usize) -> usize {
    max_message.min(MAX_MESSAGE as usize)
}

/// The sending end: frames wait here until they are written.
pub(crate) struct Outbound {
    pub(crate) sender: SessionSender,
    /// Frames. Each is sealed where it is.
    queue: SecretBuffer,
    /// How many bytes of the queue were written.
    written: usize,
    bound: usize,
    /// Whether it is unclear how much the writer has taken, or what is in the queue. Set during every call of
    /// a writer, and of a provider that works in the queue, so that one that panics has failed too.
    pub(crate) broken: bool,
}

impl Outbound {
    /// Queues the hello.
    pub(crate) fn start(hello: &[u8], sender: SessionSender) -> Result<Self, Error> {
        if hello.len() > Hello::MAX_LEN {
            return Err(Error::Misuse { what: "hello", reason: "it is longer than any hello" });
        }
        Ok(Self::new(hello, sender))
    }

    /// Queues the nonce of a reply.
    pub(crate) fn reply(nonce: ReplyNonce, sender: SessionSender) -> Self {
        Self::new(nonce.as_bytes(), sender)
    }

    fn new(first: &[u8], sender: SessionSender) -> Self {
        let mut queue = SecretBuffer::with_capacity(LENGTH + first.len());
        queue.extend_from_slice(&length(first.len()));
        queue.extend_from_slice(first);
        Self { sender, queue, written: 0, bound: DEFAULT_BOUND, broken: false }
    }

    pub(crate) fn set_bound(&mut self, max_message: usize) {
        self.bound = bound(max_message);
    }

    /// Fails after the writer has.
    pub(crate) fn check(&self) -> io::Result<()> {
        if self.broken {
            return Err(io::Error::other("the writer failed before, and what was queued is lost"));
        }
        Ok(())
    }

    fn admit(&self, message: &[u8]) -> io::Result<()> {
        self.check()?;
        if message.len() > self.bound {
            return Err(
                Error::Misuse { what: "message", reason: "it is longer than the bound" }.into()
            );
        }
        Ok(())
    }

    /// Seals a message behind what is queued.
    pub(crate) fn push(&mut self, kind: MessageKind, aad: &[u8], message: &[u8]) -> io::Result<()> {
        self.admit(message)?;
        self.sender.direction.admit_to_send(kind, aad, message.len())?; // before it is copied
        let start = self.queue.len();
        let sealed_len = MessageTag::LEN + message.len();
        self.queue.reserve(LENGTH + sealed_len);
        self.queue.extend_from_slice(&head(kind, message.len()));
        self.queue.extend_from_slice(message);
        let (_, plaintext) = self.queue.split_at_mut(start + HEAD);
        self.broken = true; // plaintext is in the queue, and stays there if the provider panics
        let sealed = self.sender.direction.seal(kind, aad, plaintext);
        self.broken = false;
        match sealed {
            Ok(tag) => self.queue.extend_from_slice(tag.tag()),
            Err(error) => {
                plaintext.fill(0);
                self.queue.as_mut_vec().truncate(start);
                return Err(error.into());
            }
        }
        Ok(())
    }

    /// Seals a message in its own buffer. Returns what goes before and behind it.
    pub(crate) fn seal_in_place(
        &mut self,
        kind: MessageKind,
        aad: &[u8],
        message: &mut [u8],
    ) -> io::Result<([u8; HEAD], MessageTag)> {
        self.admit(message)?;
        let tag = self.sender.direction.seal(kind, aad, message)?;
        Ok((head(kind, message.len()), tag))
    }

    /// Queues bytes of a frame that was sealed in place.
    pub(crate) fn keep(&mut self, bytes: &[u8]) {
        self.queue.extend_from_slice(bytes);
    }

    /// The bytes that are to be written.
    pub(crate) fn unwritten(&self) -> &[u8] {
        self.queue.split_at(self.written).1
    }

    /// Counts the bytes that the writer has taken of those that it was offered.
    pub(crate) fn taken(&mut self, count: usize, offered: usize) -> io::Result<usize> {
        if count > offered {
            self.broken = true;
            return Err(io::Error::other("the inner writer claims too many bytes"));
        }
        if count == 0 { Err(io::ErrorKind::WriteZero.into()) } else { Ok(count) }
    }

    /// Counts bytes of the queue that the writer has taken. The buffer is kept for the next message.
    pub(crate) fn advance(&mut self, count: usize) -> io::Result<()> {
        self.written += self.taken(count, self.unwritten().len())?;
        if self.written == self.queue.len() {
            self.queue.as_mut_vec().clear();
            self.written = 0;
        }
        Ok(())
    }
}

fn length(length: usize) -> [u8; LENGTH] {
    (length as u32).to_be_bytes() // of a hello, a nonce, or a message within its bound of 2^30 bytes
}

fn head(kind: MessageKind, message_len: usize) -> [u8; HEAD] {
    let mut head = [kind.id(); HEAD];
    head[..LENGTH].copy_from_slice(&length(MessageTag::LEN + message_len));
    head
}

/// The receiving end. After a failure it repeats its error.
pub(crate) struct Inbound {
    pub(crate) receiver: SessionReceiver,
    frames: FrameReader<HEAD>,
    failed: Option<(io::ErrorKind, Error)>,
}

impl Inbound {
    pub(crate) fn new(receiver: SessionReceiver) -> Self {
        let frames = FrameReader::new(Content::Message(DEFAULT_BOUND));
        Self { receiver, frames, failed: None }
    }

    pub(crate) fn set_bound(&mut self, max_message: usize) {
        self.frames.expect(Content::Message(bound(max_message)));
    }

    fn check(&self) -> io::Result<()> {
        match &self.failed {
            Some((kind, error)) => Err(io::Error::new(*kind, error.clone())),
            None => Ok(()),
        }
    }

    fn fail<T>(&mut self, error: Error) -> io::Result<T> {
        let error = io::Error::from(error);
        self.failed = Error::inside(&error).map(|inside| (error.kind(), inside.clone()));
        Err(error)
    }

    /// Whether the last message was opened.
    pub(crate) fn ended(&self) -> io::Result<bool> {
        self.check()?;
        Ok(self.receiver.is_finished())
    }

    /// Where the next bytes go; nothing if a message has arrived.
    pub(crate) fn space(&mut self) -> io::Result<&mut [u8]> {
        self.check()?;
        match self.frames.space() {
            Err(error) => self.fail(error),
            Ok(_) => Ok(self.frames.space()?), // again, because the match still borrows it
        }
    }

    /// Counts bytes that were read into the space; none are the end of the input.
    pub(crate) fn advance(&mut self, count: usize) -> io::Result<()> {
        if count == 0 {
            self.failed = Some((io::ErrorKind::UnexpectedEof, self.frames.cut_off()));
            return self.check();
        }
        self.frames.advance(count);
        Ok(())
    }

    /// Opens the message that has arrived, where it is.
    pub(crate) fn open(&mut self, aad: &[u8]) -> io::Result<Plaintext> {
        self.check()?;
        let ([.., kind], mut body) = self.frames.take();
        match open(&mut self.receiver, kind, aad, &mut body) {
            Ok(()) => Ok(Plaintext::new(body.into())),
            Err(error) => self.fail(error),
        }
    }

    /// Counts bytes that were read after the last message.
    pub(crate) fn end(&mut self, count: usize) -> io::Result<()> {
        if count > 0 {
            let reason = "bytes follow its last message";
            return self.fail(Error::Invalid { what: "session", reason });
        }
        Ok(())
    }

    /// Checks that the end of the input may follow.
    pub(crate) fn expects_end(&self) -> io::Result<()> {
        if !self.ended()? {
            let reason = "its last message has not been received";
            return Err(Error::Misuse { what: "session", reason }.into());
        }
        Ok(())
    }
}

/// Opens `ciphertext || tag`, and leaves the plaintext.
fn open(
    receiver: &mut SessionReceiver,
    kind: u8,
    aad: &[u8],
    body: &mut Vec<u8>,
) -> Result<(), Error> {
    let actual = 1 + body.len();
    let too_short = Error::Truncated { what: "message", needed: MessageTag::LEN, actual };
    let (message, tag) = body.split_last_chunk_mut().ok_or(too_short)?;
    let tag = MessageTag::new(MessageKind::from_id(kind)?, *tag);
    receiver.open_in_place(aad, message, &tag)?;
    let len = message.len();
    body.truncate(len);
    Ok(())
}

/// The nonce in a frame of a reply.
pub(crate) fn nonce(frame: &[u8]) -> Result<ReplyNonce, Error> {
    wire::array("reply nonce", frame).map(ReplyNonce::from_bytes)
}
