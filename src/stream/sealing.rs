//! What the writers that seal have in common, blocking or not: a batch of chunks, and where it goes.

use std::{
    io,
    task::{Poll, ready},
};

use super::{
    CHUNK, PREFIX, SEALED_CHUNK, batch,
    chunks::Sealer,
    outgoing::{Calls, Outgoing},
};
use crate::{error::Error, numbered_key::TAG, secret::PageBuffer};

/// Takes plaintext, and writes it sealed to an inner writer, which is called in any way.
pub(crate) struct Sealing<W> {
    pub(super) outgoing: Outgoing<W>,
    pub(super) sealer: Sealer,
    /// Sealed chunks, then the part of a chunk that waits for its end.
    pub(super) batch: PageBuffer,
    /// Where the sealed chunks end.
    pub(super) sealed: usize,
    /// How much of a chunk waits behind them.
    pub(super) waiting: usize,
    pub(super) end: End,
}

/// How much of the end of an envelope is done.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// More plaintext may come.
    Open,
    /// The last chunk is sealed.
    Sealed,
    /// It is written, and flushed.
    Written,
}

impl End {
    /// Plaintext is taken only before the end.
    pub(super) fn check(self) -> io::Result<()> {
        if self == Self::Open {
            return Ok(());
        }
        Err(io::Error::new(io::ErrorKind::InvalidInput, "the envelope is finished"))
    }
}

/// The first bytes that are written: a header or another start, and the prefix of the body.
pub(crate) fn first(mut start: Vec<u8>, prefix: &[u8; PREFIX]) -> Vec<u8> {
    start.extend_from_slice(prefix);
    start
}

impl<W> Sealing<W> {
    pub(crate) fn new(outgoing: Outgoing<W>, sealer: Sealer) -> Self {
        Self { outgoing, sealer, batch: batch::zeroed(), sealed: 0, waiting: 0, end: End::Open }
    }

    pub(crate) fn sealer(&self) -> &Sealer {
        &self.sealer
    }

    pub(crate) fn get_ref(&self) -> &W {
        self.outgoing.get_ref()
    }

    pub(crate) fn into_inner(self) -> W {
        self.outgoing.into_inner()
    }

    /// Takes as much plaintext as the batch has room for, after a full batch was written. The steps that
    /// may fail come first, so that an error has taken nothing of the plaintext.
    pub(crate) fn poll_take(
        &mut self,
        plaintext: &[u8],
        calls: &mut impl Calls<W>,
    ) -> Poll<io::Result<usize>> {
        self.outgoing.check()?;
        self.end.check()?;
        ready!(self.poll_room(calls))?;
        let mut rest = plaintext;
        while !rest.is_empty() && !self.is_full() {
            rest = match rest.split_first_chunk::<CHUNK>() {
                Some((chunk, later)) if self.waiting == 0 => {
                    self.seal_whole(chunk)?;
                    later
                }
                _ => self.add_to_waiting(rest)?,
            };
        }
        Poll::Ready(Ok(plaintext.len() - rest.len()))
    }

    /// Whether the next plaintext has to wait for the inner writer.
    pub(crate) fn is_full(&self) -> bool {
        self.sealed == self.batch.len()
    }

    /// Writes the sealed chunks, and flushes. A part of a chunk waits for its end.
    pub(crate) fn poll_flush(&mut self, calls: &mut impl Calls<W>) -> Poll<io::Result<()>> {
        self.outgoing.check()?;
        ready!(self.poll_sealed(calls))?;
        self.outgoing.poll_end(|inner| calls.flush(inner))
    }

    /// Seals the last chunk, writes and flushes. What is done is not done again.
    pub(crate) fn poll_finish(&mut self, calls: &mut impl Calls<W>) -> Poll<io::Result<()>> {
        self.outgoing.check()?;
        if self.end == End::Open {
            ready!(self.poll_room(calls))?;
            self.seal_waiting()?;
            self.end = End::Sealed;
        }
        if self.end == End::Sealed {
            ready!(self.poll_flush(calls))?;
            self.end = End::Written;
        }
        Poll::Ready(Ok(()))
    }

    /// Another call of the inner writer at the end; see [`Outgoing::poll_end`].
    #[cfg(feature = "tokio")]
    pub(crate) fn poll_end(
        &mut self,
        end: impl FnOnce(&mut W) -> Poll<io::Result<()>>,
    ) -> Poll<io::Result<()>> {
        self.outgoing.poll_end(end)
    }

    /// Takes plaintext until the chunk that waits is full, and seals that one. Returns the rest.
    fn add_to_waiting<'a>(&mut self, plaintext: &'a [u8]) -> Result<&'a [u8], Error> {
        let room = &mut self.batch[self.sealed..][self.waiting..CHUNK];
        let (now, later) = plaintext.split_at(plaintext.len().min(room.len()));
        room[..now.len()].copy_from_slice(now);
        self.waiting += now.len();
        if self.waiting == CHUNK {
            self.seal_waiting()?;
        }
        Ok(later)
    }

    /// Seals a full chunk into the batch: it is encrypted where it will be, without a copy.
    fn seal_whole(&mut self, chunk: &[u8; CHUNK]) -> Result<(), Error> {
        let (sealed, room) = self.batch[self.sealed..].split_at_mut(CHUNK);
        let tag = self.outgoing.or_fail(|| self.sealer.seal_next_into(chunk, sealed))?;
        room[..TAG].copy_from_slice(&tag);
        self.sealed += SEALED_CHUNK;
        Ok(())
    }

    /// Seals the chunk that waits in the batch: a full one, or at the end the last one.
    fn seal_waiting(&mut self) -> Result<(), Error> {
        let (waiting, room) = self.batch[self.sealed..].split_at_mut(self.waiting);
        let tag = self.outgoing.or_fail(|| self.sealer.seal_next(waiting))?;
        room[..TAG].copy_from_slice(&tag);
        self.sealed += self.waiting + TAG;
        self.waiting = 0;
        Ok(())
    }

    /// Writes a batch that is full.
    fn poll_room(&mut self, calls: &mut impl Calls<W>) -> Poll<io::Result<()>> {
        if self.is_full() { self.poll_sealed(calls) } else { Poll::Ready(Ok(())) }
    }

    /// Writes the sealed chunks, and moves the waiting plaintext to the front.
    fn poll_sealed(&mut self, calls: &mut impl Calls<W>) -> Poll<io::Result<()>> {
        ready!(self.outgoing.poll_write(&self.batch[..self.sealed], calls))?;
        self.batch.copy_within(self.sealed..self.sealed + self.waiting, 0);
        self.sealed = 0;
        Poll::Ready(Ok(()))
    }
}
