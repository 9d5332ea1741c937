//! How sealed bytes reach the inner writer: each of them once, in order, whatever the writer does.

use std::{
    io::{self, Write},
    mem,
};

use crate::retry::{flush, uninterrupted};

/// An inner writer, and how far it has come.
///
/// An error of [`io::Write::write`] says that nothing was taken, so after one the same bytes are
/// offered again, and none is lost. Only after a writer has panicked, or claimed more than it was
/// offered, is it unclear how much it has taken.
pub(crate) struct Outgoing<W> {
    inner: W,
    /// Bytes that are written before anything else.
    first: Vec<u8>,
    /// How many bytes the inner writer has taken: of `first`, then of those that are offered.
    taken: usize,
    /// Set during every call that may panic, so that one that does has failed too.
    failed: bool,
}

impl<W> Outgoing<W> {
    pub(crate) fn get_ref(&self) -> &W {
        &self.inner
    }

    pub(crate) fn into_inner(self) -> W {
        self.inner
    }

    /// Does work whose failure, by an error or a panic, loses bytes: nothing is written after it.
    pub(crate) fn or_fail<T, E>(&mut self, work: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        self.failed = true;
        let result = work();
        self.failed = result.is_err();
        result
    }

    pub(crate) fn check(&self) -> io::Result<()> {
        if self.failed {
            return Err(io::Error::other("the writer failed before, and what it sealed is lost"));
        }
        Ok(())
    }

    /// Keeps bytes that were to be written next, so that others can follow them.
    #[cfg(feature = "rayon")]
    pub(crate) fn keep(&mut self, bytes: &[u8]) {
        self.first.extend_from_slice(bytes);
    }
}

impl<W: Write> Outgoing<W> {
    /// Writes the `first` bytes. If the inner writer asks to be tried again, they wait for the next
    /// call.
    pub(crate) fn new(first: Vec<u8>, inner: W) -> io::Result<Self> {
        let mut outgoing = Self { inner, first, taken: 0, failed: false };
        match outgoing.write(&[]) {
            Err(error) if is_again(&error) => Ok(outgoing),
            written => written.map(|()| outgoing),
        }
    }

    /// Writes all of these bytes. After an error the same bytes must be offered again.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.check()?;
        if !self.first.is_empty() {
            let first = mem::take(&mut self.first);
            let written = self.write_rest(&first);
            if written.is_err() {
                self.first = first;
                return written;
            }
        }
        self.write_rest(bytes)
    }

    /// Writes the bytes that the inner writer has not taken yet.
    fn write_rest(&mut self, bytes: &[u8]) -> io::Result<()> {
        while let Some(rest) = bytes.get(self.taken..).filter(|rest| !rest.is_empty()) {
            self.failed = true;
            let written = uninterrupted(|| self.inner.write(rest));
            self.failed = false;
            match written {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(length) if length <= rest.len() => self.taken += length,
                Ok(_) => {
                    self.failed = true;
                    return Err(io::Error::other("the inner writer claims too many bytes"));
                }
                Err(error) => return Err(error),
            }
        }
        self.taken = 0;
        Ok(())
    }

    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.check()?;
        self.failed = true;
        let flushed = flush(&mut self.inner);
        self.failed = false;
        flushed
    }
}

/// Whether an error asks for the same call again: the kinds of a non-blocking socket, and of one
/// with a time limit.
fn is_again(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}
