//! What the readers that open have in common, blocking or not: a batch of chunks, and what of it is
//! plaintext.

use std::{
    io::{self, Read},
    ops::Range,
    task::{Poll, ready},
};

use super::{CHUNK, SEALED_CHUNK, batch, chunks::Opener};
use crate::{error::Error, numbered_key::TAG, secret::PageBuffer};

/// Opens chunk by chunk what is read in any way.
pub(crate) struct Opening {
    pub(super) opener: Opener,
    /// Room for a batch of sealed chunks, opened where they are.
    pub(super) batch: PageBuffer,
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

impl Opening {
    pub(crate) fn new(opener: Opener) -> Self {
        Self {
            opener,
            batch: batch::zeroed(),
            filled: 0,
            opened: 0,
            ready: 0..0,
            state: State::Reading,
        }
    }

    pub(crate) fn opener(&self) -> &Opener {
        &self.opener
    }

    /// The plaintext that was opened and not consumed yet.
    pub(crate) fn ready(&self) -> &[u8] {
        &self.batch[self.ready.clone()]
    }

    pub(crate) fn consume(&mut self, amount: usize) {
        self.ready.start = self.ready.end.min(self.ready.start.saturating_add(amount));
    }

    /// Opens chunks until there is plaintext or the end. `read` reads into a buffer, and returns how much;
    /// 0 is the end.
    pub(crate) fn poll_ready(
        &mut self,
        mut read: impl FnMut(&mut [u8]) -> Poll<io::Result<usize>>,
    ) -> Poll<io::Result<()>> {
        while self.ready.is_empty() && self.state.is_reading()? {
            ready!(self.poll_chunk(&mut read))?;
        }
        Poll::Ready(Ok(()))
    }

    /// Opens into a buffer, and returns how many bytes; 0 is the end. Whole chunks are decrypted where
    /// they belong, without a copy. After an error the buffer holds nothing that is not authentic.
    pub(crate) fn poll_read(
        &mut self,
        buffer: &mut [u8],
        mut read: impl FnMut(&mut [u8]) -> Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        if buffer.is_empty() {
            return Poll::Ready(Ok(0));
        }
        if !self.ready.is_empty() || buffer.len() < CHUNK {
            ready!(self.poll_ready(read))?;
        } else if self.state.is_reading()? {
            if ready!(self.poll_fill(&mut read))? {
                return Poll::Ready(self.open_full_chunks(buffer));
            }
            self.last_chunk()?;
        }
        let length = self.ready().read(buffer)?;
        self.consume(length);
        Poll::Ready(Ok(length))
    }

    /// Opens the next chunk where it is.
    fn poll_chunk(
        &mut self,
        read: &mut impl FnMut(&mut [u8]) -> Poll<io::Result<usize>>,
    ) -> Poll<io::Result<()>> {
        let is_full = ready!(self.poll_fill(read))?;
        Poll::Ready(if is_full {
            self.open_to(self.opened + SEALED_CHUNK)
        } else {
            self.last_chunk()
        })
    }

    /// Reads until there is a full chunk. `false` if the inner reader ended before.
    fn poll_fill(
        &mut self,
        read: &mut impl FnMut(&mut [u8]) -> Poll<io::Result<usize>>,
    ) -> Poll<io::Result<bool>> {
        while self.filled - self.opened < SEALED_CHUNK {
            if self.batch.len() - self.opened < SEALED_CHUNK {
                self.batch.copy_within(self.opened..self.filled, 0);
                self.filled -= self.opened;
                self.opened = 0;
            }
            match ready!(read(&mut self.batch[self.filled..]))? {
                0 => return Poll::Ready(Ok(false)),
                length => self.filled += length,
            }
        }
        Poll::Ready(Ok(true))
    }

    /// Opens as many of the full chunks that were read as the buffer has room for.
    fn open_full_chunks(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let (chunks, _) = self.batch[self.opened..self.filled].as_chunks::<SEALED_CHUNK>();
        let (rooms, _) = buffer.as_chunks_mut::<CHUNK>();
        let mut opened = 0;
        for (sealed, room) in chunks.iter().zip(rooms) {
            let (chunk, tag) = sealed.split_last_chunk::<TAG>().expect("it has room for a tag");
            if let Err(error) = self.opener.open_next_into(chunk, room, tag) {
                let error = self.fail(error);
                // The chunks before the damaged one come first, the error with the next call.
                return if opened == 0 { Err(error) } else { Ok(opened * CHUNK) };
            }
            opened += 1;
        }
        self.opened += opened * SEALED_CHUNK;
        Ok(opened * CHUNK)
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
        opened.map_err(|error| self.fail(error))?;
        self.opened = end;
        self.ready = start..end - TAG;
        Ok(())
    }

    /// All plaintext was read, and nothing else is worth keeping.
    fn fail(&mut self, error: Error) -> io::Error {
        self.batch.wipe();
        (self.filled, self.opened, self.ready) = (0, 0, 0..0);
        self.state = State::Failed(error.clone());
        error.into()
    }
}
