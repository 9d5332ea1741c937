//! The protocol over the socket: frames, requests, answers and their deadline.
//!
//! A frame is a length (4 bytes, big-endian) and that many bytes. A request is an operation and its
//! arguments. An answer is 0 and the result, or 1 and the reason of the failure.

use std::{
    io::{self, Read, Write},
    os::unix::net::UnixStream,
    time::{Duration, Instant},
};

use twinseal::KeyId;
use zeroize::Zeroizing;

/// More than any request or answer needs.
const MAX_FRAME: usize = 16 * 1024;

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Request<'a> {
    PublicKem,
    PublicSign,
    Decapsulate { key: KeyId, ciphertext: &'a [u8] },
    Sign { key: KeyId, context: &'a [u8], sha512: &'a [u8; 64] },
}

impl<'a> Request<'a> {
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::PublicKem => vec![0],
            Self::PublicSign => vec![1],
            Self::Decapsulate { key, ciphertext } => {
                [&[2][..], key.as_bytes(), ciphertext].concat()
            }
            Self::Sign { key, context, sha512 } => {
                [&[3][..], key.as_bytes(), *sha512, context].concat()
            }
        }
    }

    /// `None` if it is not a request.
    pub(crate) fn parse(bytes: &'a [u8]) -> Option<Self> {
        match bytes.split_first()? {
            (0, []) => Some(Self::PublicKem),
            (1, []) => Some(Self::PublicSign),
            (2, rest) => {
                let (key, ciphertext) = rest.split_first_chunk()?;
                Some(Self::Decapsulate { key: KeyId::from_bytes(*key), ciphertext })
            }
            (3, rest) => {
                let (key, rest) = rest.split_first_chunk()?;
                let (sha512, context) = rest.split_first_chunk()?;
                Some(Self::Sign { key: KeyId::from_bytes(*key), context, sha512 })
            }
            _ => None,
        }
    }
}

/// The result, or the reason of the failure. A result can be a secret, so it is wiped.
pub(crate) type Answer = Result<Zeroizing<Vec<u8>>, String>;

pub(crate) fn answer_to_bytes(answer: &Answer) -> Zeroizing<Vec<u8>> {
    let (kind, bytes) = match answer {
        Ok(result) => (0, result.as_slice()),
        Err(reason) => (1, reason.as_bytes()),
    };
    Zeroizing::new([&[kind], bytes].concat())
}

/// `None` if it is not an answer.
pub(crate) fn parse_answer(bytes: &[u8]) -> Option<Answer> {
    match bytes.split_first()? {
        (0, result) => Some(Ok(Zeroizing::new(result.to_vec()))),
        (1, reason) => Some(Err(String::from_utf8(reason.to_vec()).ok()?)),
        _ => None,
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
