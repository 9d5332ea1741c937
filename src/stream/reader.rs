//! Opening as an `io::Read`.

use std::{
    fmt,
    io::{self, BufRead, Read},
    ops::Range,
};

use super::{Opener, SEALED_CHUNK};
use crate::{Error, SecretBuffer, schedule::TAG};

/// How many chunks are read at once.
pub(super) const BATCH: usize = 8;

/// Opens everything that it reads. From [`open_reader`](crate::DecapsulationKey::open_reader).
///
/// It gives authentic plaintext only, but what it has given is complete only once it has returned
/// `Ok(0)`: do not act on a part of a file whose end may be missing. Forged, truncated and extended
/// data end in [`InvalidData`](io::ErrorKind::InvalidData), and so does every later call.
///
/// ```
/// use std::io::Read;
///
/// # let bob = twinseal::DecapsulationKey::generate()?;
/// # let sealed = bob.encapsulation_key().seal(b"example.com/notes", b"hello")?;
/// let mut text = String::new();
/// bob.open_reader(b"example.com/notes", &sealed[..])?.read_to_string(&mut text)?;
/// assert_eq!(text, "hello");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct OpenReader<R> {
    pub(super) inner: R,
    pub(super) opener: Opener,
    /// Room for a batch of sealed chunks, opened where they are.
    pub(super) batch: SecretBuffer,
    /// What has been read into the batch.
    pub(super) filled: usize,
    /// What has been opened of it: the chunks before this are plaintext.
    pub(super) opened: usize,
    /// The plaintext of the current chunk that was not given yet.
    pub(super) ready: Range<usize>,
    pub(super) state: State,
}

pub(super) enum State {
    Reading,
    Complete,
    Forged,
    InnerFailed(io::ErrorKind),
}

impl State {
    /// Whether there is more to be read; the error of before, if there was one.
    pub(super) fn is_reading(&self) -> io::Result<bool> {
        match self {
            Self::Reading => Ok(true),
            Self::Complete => Ok(false),
            Self::Forged => Err(Error::Open.into()),
            Self::InnerFailed(kind) => Err(io::Error::new(*kind, "the inner reader failed before")),
        }
    }
}

/// Reads once, again if that was interrupted.
fn read_some(inner: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        match inner.read(buffer) {
            Ok(length) if length <= buffer.len() => return Ok(length),
            Ok(_) => return Err(io::Error::other("the inner reader claims too many bytes")),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Fills the buffer from `filled` on, and tells how far that went, and whether the reader ended.
pub(crate) fn read_full(
    inner: &mut impl Read,
    buffer: &mut [u8],
    mut filled: usize,
) -> io::Result<(usize, bool)> {
    while filled < buffer.len() {
        match read_some(inner, buffer.get_mut(filled..).unwrap_or_default())? {
            0 => return Ok((filled, true)),
            length => filled += length,
        }
    }
    Ok((filled, false))
}

impl<R: Read> OpenReader<R> {
    pub(crate) fn new(opener: Opener, inner: R) -> Self {
        Self {
            inner,
            opener,
            batch: SecretBuffer::zeroed(BATCH * SEALED_CHUNK),
            filled: 0,
            opened: 0,
            ready: 0..0,
            state: State::Reading,
        }
    }

    /// The inner reader.
    pub fn get_ref(&self) -> &R {
        &self.inner
    }

    /// Opens the next chunk, reading as much as that needs.
    fn next_chunk(&mut self) -> io::Result<()> {
        while self.filled - self.opened < SEALED_CHUNK {
            if self.batch.len() - self.opened < SEALED_CHUNK {
                self.batch.copy_within(self.opened..self.filled, 0);
                self.filled -= self.opened;
                self.opened = 0;
            }
            let room = self.batch.get_mut(self.filled..).unwrap_or_default();
            match read_some(&mut self.inner, room) {
                Ok(0) => return self.last_chunk(),
                Ok(length) => self.filled += length,
                Err(error) => {
                    self.give_up(State::InnerFailed(error.kind()));
                    return Err(error);
                }
            }
        }
        self.open_to(self.opened + SEALED_CHUNK)
    }

    /// The inner reader has ended: what remains is the last chunk.
    fn last_chunk(&mut self) -> io::Result<()> {
        self.open_to(self.filled)?;
        self.state = State::Complete;
        Ok(())
    }

    fn open_to(&mut self, end: usize) -> io::Result<()> {
        let start = self.opened;
        let sealed = self.batch.get_mut(start..end).unwrap_or_default();
        let opened = match sealed.split_last_chunk_mut::<TAG>() {
            Some((chunk, tag)) => self.opener.open_next(chunk, tag),
            None => Err(Error::Open),
        };
        if let Err(error) = opened {
            self.give_up(State::Forged);
            return Err(error.into());
        }
        self.opened = end;
        self.ready = start..end - TAG;
        Ok(())
    }

    /// From here on there is no plaintext any more.
    fn give_up(&mut self, state: State) {
        self.batch.wipe();
        self.ready = 0..0;
        self.state = state;
    }
}

impl<R: Read> BufRead for OpenReader<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        while self.ready.is_empty() && self.state.is_reading()? {
            self.next_chunk()?;
        }
        Ok(self.batch.get(self.ready.clone()).unwrap_or_default())
    }

    fn consume(&mut self, amount: usize) {
        self.ready.start = self.ready.end.min(self.ready.start.saturating_add(amount));
    }
}

impl<R: Read> Read for OpenReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        let length = self.fill_buf()?.read(buffer)?;
        self.consume(length);
        Ok(length)
    }
}

impl<R> fmt::Debug for OpenReader<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OpenReader({:?})", self.opener)
    }
}
