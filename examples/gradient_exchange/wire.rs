//! The frames on TCP: a kind, a length and a payload, read and written by a deadline.
//!
//! A length is accepted only up to a limit. The deadline is that of the whole frame: a peer that
//! sends or reads one byte a second does not extend it.

use std::{
    io::{self, Read, Write},
    net::TcpStream,
    time::{Duration, Instant},
};

/// The kind of a frame. It is not authenticated, and need not be: a hello that is sent as a message
/// does not open as one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Kind {
    /// 32 random bytes of the aggregator, new for each connection.
    Challenge = 1,
    /// A worker starts a session.
    Hello = 2,
    /// The aggregator starts the session's reply.
    Reply = 3,
    /// A sealed message of a session or its reply.
    Message = 4,
}

impl Kind {
    const ALL: [Self; 4] = [Self::Challenge, Self::Hello, Self::Reply, Self::Message];

    /// The longest payload.
    fn limit(self, message: usize) -> usize {
        match self {
            Self::Challenge | Self::Reply => 32,
            Self::Hello => 16 * 1024, // a signed hello is at most 6381 bytes long
            Self::Message => message,
        }
    }
}

#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) kind: Kind,
    pub(crate) payload: Vec<u8>,
}

/// Kind and length, the same with and without cryptography.
const HEADER: usize = 5;

/// One TCP connection.
#[derive(Debug)]
pub(crate) struct Wire {
    stream: TcpStream,
    timeout: Duration,
    longest_message: usize,
}

impl Wire {
    /// `timeout` is for each frame. Messages are refused until [`allow`](Self::allow) is called.
    pub(crate) fn new(stream: TcpStream, timeout: Duration) -> io::Result<Self> {
        // A frame waits for its answer: collecting small ones only delays them.
        stream.set_nodelay(true)?;
        Ok(Self { stream, timeout, longest_message: 0 })
    }

    /// Allows messages of up to this many bytes. Call it when the peer is known.
    pub(crate) fn allow(&mut self, longest_message: usize) {
        self.longest_message = longest_message;
    }

    pub(crate) fn stream(&self) -> &TcpStream {
        &self.stream
    }

    /// The next frame; `None` if the peer closed the connection between two frames.
    pub(crate) fn read(&mut self) -> io::Result<Option<Frame>> {
        let mut stream = ByDeadline::new(&self.stream, self.timeout);
        let mut header = [0; HEADER];
        if stream.read(&mut header[..1])? == 0 {
            return Ok(None);
        }
        stream.read_exact(&mut header[1..])?;
        let [id, length @ ..] = header;
        let kind = Kind::ALL
            .into_iter()
            .find(|kind| *kind as u8 == id)
            .ok_or_else(|| invalid(format!("no frame starts with the byte {id:#04x}")))?;
        let length = u32::from_be_bytes(length);
        let limit = kind.limit(self.longest_message);
        if length as usize > limit {
            return Err(invalid(format!("a frame of {length} bytes, at most {limit} are allowed")));
        }
        // The buffer grows as bytes arrive: a length by itself takes no memory.
        let mut payload = Vec::new();
        stream.take(length.into()).read_to_end(&mut payload)?;
        if payload.len() < length as usize {
            let message = format!("the frame ends after {} of {length} bytes", payload.len());
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, message));
        }
        Ok(Some(Frame { kind, payload }))
    }

    /// The next frame, which must be of this kind.
    pub(crate) fn expect(&mut self, kind: Kind) -> io::Result<Vec<u8>> {
        match self.read()? {
            Some(frame) if frame.kind == kind => Ok(frame.payload),
            Some(frame) => Err(invalid(format!("a {:?}, expected a {kind:?}", frame.kind))),
            None => Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the connection was closed")),
        }
    }

    /// Sends a frame whose payload is in parts.
    pub(crate) fn write(&mut self, kind: Kind, parts: &[&[u8]]) -> io::Result<()> {
        let length: usize = parts.iter().map(|part| part.len()).sum();
        let length = u32::try_from(length)
            .ok()
            .filter(|length| *length as usize <= kind.limit(self.longest_message))
            .ok_or_else(|| invalid(format!("{length} bytes are too long for a {kind:?}")))?;
        let mut stream = ByDeadline::new(&self.stream, self.timeout);
        // The header and the first part are sent in one packet.
        let (first, rest) = match parts {
            [] => (&[][..], parts),
            [first, rest @ ..] => (*first, rest),
        };
        stream.write_all(&[&[kind as u8], &length.to_be_bytes()[..], first].concat())?;
        rest.iter().try_for_each(|part| stream.write_all(part))
    }
}

fn invalid(message: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message)
}

/// A socket's own timeout starts again with each byte. This one does not.
struct ByDeadline<'a> {
    stream: &'a TcpStream,
    timeout: Duration,
    deadline: Instant,
}

impl<'a> ByDeadline<'a> {
    fn new(stream: &'a TcpStream, timeout: Duration) -> Self {
        Self { stream, timeout, deadline: Instant::now() + timeout }
    }

    fn left(&self) -> io::Result<Option<Duration>> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() { Err(self.too_late()) } else { Ok(Some(left)) }
    }

    fn too_late(&self) -> io::Error {
        io::Error::new(io::ErrorKind::TimedOut, format!("nothing complete in {:?}", self.timeout))
    }

    /// The kind of a socket's timeout error depends on the system.
    fn named(&self, error: io::Error) -> io::Error {
        match error.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => self.too_late(),
            _ => error,
        }
    }
}

impl Read for ByDeadline<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stream.set_read_timeout(self.left()?)?;
        self.stream.read(buffer).map_err(|error| self.named(error))
    }
}

impl Write for ByDeadline<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.set_write_timeout(self.left()?)?;
        self.stream.write(bytes).map_err(|error| self.named(error))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}
