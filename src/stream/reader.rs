//! Opening as an `io::Read`.

use std::{
    fmt,
    io::{self, BufRead, Read},
    ops::Range,
};

use super::{SEALED_CHUNK, chunks::Opener};
use crate::{error::Error, numbered_key::TAG, retry::read_some, secret::SecretBuffer};

/// How many chunks are read at once.
pub(super) const BATCH: usize = 8;

/// Opens everything that it reads. From [`open_reader`](crate::DecapsulationKey::open_reader).
///
/// It returns only authentic plaintext. The plaintext is complete only when it has returned `Ok(0)`:
/// do not act on a part of a file whose end may be missing. Forged, truncated and extended data end in
/// [`InvalidData`](io::ErrorKind::InvalidData), and every later call returns that error again.
///
/// # Damaged data
///
/// Every chunk of 16 KiB before the first damaged one is returned before the error. To read the chunks
/// after it, use [`RandomAccess`](crate::stream::RandomAccess), whose documentation has an example.
///
/// # Errors of the inner reader
///
/// They lose nothing. After [`WouldBlock`](io::ErrorKind::WouldBlock),
/// [`TimedOut`](io::ErrorKind::TimedOut) or any other error the next call reads on where this one
/// stopped. A call that fails with [`Interrupted`](io::ErrorKind::Interrupted) is repeated at once.
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
    /// How many bytes were read into the batch.
    pub(super) filled: usize,
    /// How many of them were opened: the chunks before this position are plaintext.
    pub(super) opened: usize,
    /// The plaintext of the current chunk that was not returned yet.
    pub(super) ready: Range<usize>,
    pub(super) state: State,
}

pub(super) enum State {
    Reading,
    Complete,
    Failed(Error),
}

impl State {
    /// Whether there is more to read. If opening has failed, that error again.
    pub(super) fn is_reading(&self) -> io::Result<bool> {
        match self {
            Self::Reading => Ok(true),
            Self::Complete => Ok(false),
            Self::Failed(error) => Err(error.clone().into()),
        }
    }
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
            match read_some(&mut self.inner, &mut self.batch[self.filled..])?.len() {
                0 => return self.last_chunk(),
                length => self.filled += length,
            }
        }
        self.open_to(self.opened + SEALED_CHUNK)
    }

    /// The inner reader has ended: the rest of the batch is the last chunk.
    fn last_chunk(&mut self) -> io::Result<()> {
        self.open_to(self.filled)?;
        self.state = State::Complete;
        Ok(())
    }

    fn open_to(&mut self, end: usize) -> io::Result<()> {
        let start = self.opened;
        let opened = match self.batch[start..end].split_last_chunk_mut::<TAG>() {
            Some((chunk, tag)) => self.opener.open_next(chunk, tag),
            None => Err(Error::Open),
        };
        if let Err(error) = opened {
            // All plaintext was read, and nothing else is worth keeping.
            self.batch.wipe();
            (self.filled, self.opened, self.ready) = (0, 0, 0..0);
            self.state = State::Failed(error.clone());
            return Err(error.into());
        }
        self.opened = end;
        self.ready = start..end - TAG;
        Ok(())
    }
}

impl<R: Read> BufRead for OpenReader<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        while self.ready.is_empty() && self.state.is_reading()? {
            self.next_chunk()?;
        }
        Ok(&self.batch[self.ready.clone()])
    }

    fn consume(&mut self, amount: usize) {
        self.ready.start = self.ready.end.min(self.ready.start.saturating_add(amount));
    }
}

impl<R: Read> Read for OpenReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        read_buffered(self, buffer)
    }
}

/// Implements `Read` on top of `BufRead`. Reading into an empty buffer does nothing.
pub(super) fn read_buffered(reader: &mut impl BufRead, buffer: &mut [u8]) -> io::Result<usize> {
    if buffer.is_empty() {
        return Ok(0);
    }
    let length = reader.fill_buf()?.read(buffer)?;
    reader.consume(length);
    Ok(length)
}

impl<R> fmt::Debug for OpenReader<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OpenReader({:?})", self.opener)
    }
}
