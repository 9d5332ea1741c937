//! The protocol over the socket: frames, requests, answers and their deadline.
//!
//! A frame is a length (4 bytes, big-endian) and that many bytes. A request is a task (1), an
//! algorithm (1), the key's name and a context, each after its length (1), and the input. An answer is
//! 0 and the result, 1 and the reason of a refusal, or 2 for a ciphertext that is malformed.

use std::{
    io::{self, Read, Write},
    os::unix::net::UnixStream,
    time::{Duration, Instant},
};

use zeroize::Zeroizing;

use crate::algorithm::{Algorithm, is_name};

/// More than any request or answer needs: a signature of ML-DSA-87 has 4627 bytes.
const MAX_FRAME: usize = 8 * 1024;

/// What a half of a key shall do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Task {
    /// Makes it; returns the public half, as the next two do.
    Generate,
    /// Takes these private bytes as it.
    Import,
    Public,
    Decapsulate,
    Sign,
    Destroy,
}

impl Task {
    /// A number on the wire is a place in this list.
    pub(crate) const ALL: [Self; 6] =
        [Self::Generate, Self::Import, Self::Public, Self::Decapsulate, Self::Sign, Self::Destroy];

    pub(crate) fn name(self) -> String {
        format!("{self:?}").to_lowercase()
    }
}

#[derive(Debug)]
pub(crate) struct Request<'a> {
    pub(crate) task: Task,
    pub(crate) algorithm: Algorithm,
    pub(crate) name: &'a str,
    /// Of a signature; empty otherwise.
    pub(crate) context: &'a [u8],
    pub(crate) input: &'a [u8],
}

impl<'a> Request<'a> {
    /// The input can be a secret, so it is wiped.
    pub(crate) fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let head = [self.task as u8, self.algorithm as u8];
        let (name, context) = (self.name.as_bytes(), self.context);
        let lengths = [name, context].map(|part| [u8::try_from(part.len()).unwrap_or(u8::MAX)]);
        let [name_length, context_length] = lengths;
        Zeroizing::new(
            [&head[..], &name_length, name, &context_length, context, self.input].concat(),
        )
    }

    /// `None` if it is not a request.
    pub(crate) fn parse(bytes: &'a [u8]) -> Option<Self> {
        let ([task, algorithm], rest) = bytes.split_first_chunk()?;
        let (name, rest) = with_length(rest)?;
        let (context, input) = with_length(rest)?;
        Some(Self {
            task: *Task::ALL.get(usize::from(*task))?,
            algorithm: *Algorithm::ALL.get(usize::from(*algorithm))?,
            name: str::from_utf8(name).ok().filter(|name| is_name(name))?,
            context,
            input,
        })
    }
}

fn with_length(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first()?;
    rest.split_at_checked(usize::from(*length))
}

/// What a custodian says. A result can be a secret, so it is wiped.
#[derive(Debug)]
pub(crate) enum Answer {
    Done(Zeroizing<Vec<u8>>),
    Refused(String),
    /// The ciphertext breaks a rule that anyone can check.
    Malformed,
}

impl Answer {
    pub(crate) fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let (kind, bytes): (u8, &[u8]) = match self {
            Self::Done(result) => (0, result),
            Self::Refused(reason) => (1, reason.as_bytes()),
            Self::Malformed => (2, &[]),
        };
        Zeroizing::new([&[kind], bytes].concat())
    }

    /// `None` if it is not an answer.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        match bytes.split_first()? {
            (0, result) => Some(Self::Done(Zeroizing::new(result.to_vec()))),
            (1, reason) => Some(Self::Refused(String::from_utf8(reason.to_vec()).ok()?)),
            (2, []) => Some(Self::Malformed),
            _ => None,
        }
    }
}

/// A connection with one deadline for all that is sent and received. With a timeout for each read,
/// a peer that sends a byte now and then could block it for ever.
pub(crate) struct Connection {
    stream: UnixStream,
    until: Instant,
}

impl Connection {
    pub(crate) fn new(stream: UnixStream, time: Duration) -> Self {
        Self { stream, until: Instant::now() + time }
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        let length = u32::try_from(bytes.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
        let frame = Zeroizing::new([&length.to_be_bytes(), bytes].concat());
        self.write_all(&frame)
    }

    /// The error is of kind `InvalidData` if the frame is too long, `UnexpectedEof` if it ends
    /// early.
    pub(crate) fn receive(&mut self) -> io::Result<Zeroizing<Vec<u8>>> {
        let mut length = [0; 4];
        self.read_exact(&mut length)?;
        let length = u32::from_be_bytes(length) as usize;
        if length > MAX_FRAME {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let mut bytes = Zeroizing::new(vec![0; length]);
        self.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    fn time_left(&self) -> io::Result<Option<Duration>> {
        let left = self.until.saturating_duration_since(Instant::now());
        if left.is_zero() { Err(io::ErrorKind::TimedOut.into()) } else { Ok(Some(left)) }
    }
}

impl Read for Connection {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stream.set_read_timeout(self.time_left()?)?;
        self.stream.read(buffer).map_err(timed_out)
    }
}

impl Write for Connection {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.set_write_timeout(self.time_left()?)?;
        self.stream.write(bytes).map_err(timed_out)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

/// Unix reports `WouldBlock` when a socket's timeout has passed.
fn timed_out(error: io::Error) -> io::Error {
    if error.kind() == io::ErrorKind::WouldBlock { io::ErrorKind::TimedOut.into() } else { error }
}
