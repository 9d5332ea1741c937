//! What the readers that open have in common, blocking or not: a batch of chunks, and what of it is
//! plaintext.

use std::{
    io,
    ops::Range,
    task::{Poll, ready},
};

use super::{SEALED_CHUNK, chunks::Opener};
use crate::{error::Error, numbered_key::TAG, secret::PageBuffer};

/// How many chunks are read at once.
pub(super) const BATCH: usize = 8;

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
            batch: PageBuffer::zeroed(BATCH * SEALED_CHUNK),
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

    /// Opens the next chunk, reading as much as that needs.
    fn poll_chunk(
        &mut self,
        read: &mut impl FnMut(&mut [u8]) -> Poll<io::Result<usize>>,
    ) -> Poll<io::Result<()>> {
        while self.filled - self.opened < SEALED_CHUNK {
            if self.batch.len() - self.opened < SEALED_CHUNK {
                self.batch.copy_within(self.opened..self.filled, 0);
                self.filled -= self.opened;
                self.opened = 0;
            }
            match ready!(read(&mut self.batch[self.filled..]))? {
                0 => return Poll::Ready(self.last_chunk()),
                length => self.filled += length,
            }
        }
        Poll::Ready(self.open_to(self.opened + SEALED_CHUNK))
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
