//! How sealed bytes reach the inner writer: each of them once, in order, whatever the writer does.

use std::{
    io::{self, Write},
    mem,
    task::{Poll, ready},
};

use crate::retry::{flush, uninterrupted};

/// How an inner writer is called: so that it blocks, or within an asynchronous task.
pub(crate) trait Calls<W> {
    /// Writes a part of these bytes, and returns how many.
    fn write(&mut self, inner: &mut W, bytes: &[u8]) -> Poll<io::Result<usize>>;

    /// Flushes.
    fn flush(&mut self, inner: &mut W) -> Poll<io::Result<()>>;
}

/// Calls that block, and are repeated when they are interrupted.
pub(crate) struct Blocking;

impl<W: Write> Calls<W> for Blocking {
    fn write(&mut self, inner: &mut W, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(uninterrupted(|| inner.write(bytes)))
    }

    fn flush(&mut self, inner: &mut W) -> Poll<io::Result<()>> {
        Poll::Ready(flush(inner))
    }
}

/// The result of [`Blocking`] calls, which are never pending.
pub(crate) fn blocking<T>(result: Poll<io::Result<T>>) -> io::Result<T> {
    match result {
        Poll::Ready(result) => result,
        Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
    }
}

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
    /// The `first` bytes wait for the first call.
    pub(crate) fn waiting(first: Vec<u8>, inner: W) -> Self {
        Self { inner, first, taken: 0, failed: false }
    }

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

    /// Writes the `first` bytes, then these. Until it is ready with `Ok`, the same bytes must be offered
    /// again.
    pub(crate) fn poll_write(
        &mut self,
        bytes: &[u8],
        calls: &mut impl Calls<W>,
    ) -> Poll<io::Result<()>> {
        self.check()?;
        if !self.first.is_empty() {
            let first = mem::take(&mut self.first);
            let written = self.poll_rest(&first, calls);
            if !matches!(written, Poll::Ready(Ok(()))) {
                self.first = first;
                return written;
            }
        }
        self.poll_rest(bytes, calls)
    }

    /// Writes the bytes that the inner writer has not taken yet.
    fn poll_rest(&mut self, bytes: &[u8], calls: &mut impl Calls<W>) -> Poll<io::Result<()>> {
        while let Some(rest) = bytes.get(self.taken..).filter(|rest| !rest.is_empty()) {
            self.failed = true;
            let written = calls.write(&mut self.inner, rest);
            self.failed = false;
            match ready!(written)? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                length if length <= rest.len() => self.taken += length,
                _ => {
                    self.failed = true;
                    let claim = io::Error::other("the inner writer claims too many bytes");
                    return Poll::Ready(Err(claim));
                }
            }
        }
        self.taken = 0;
        Poll::Ready(Ok(()))
    }

    /// Flushes the inner writer, or makes another call after which nothing of what it took is unwritten.
    pub(crate) fn poll_end(
        &mut self,
        end: impl FnOnce(&mut W) -> Poll<io::Result<()>>,
    ) -> Poll<io::Result<()>> {
        self.check()?;
        self.failed = true;
        let ended = end(&mut self.inner);
        self.failed = false;
        ended
    }
}

impl<W: Write> Outgoing<W> {
    /// Writes the `first` bytes. If the inner writer asks to be tried again, they wait for the next
    /// call.
    pub(crate) fn new(first: Vec<u8>, inner: W) -> io::Result<Self> {
        let mut outgoing = Self::waiting(first, inner);
        match outgoing.write(&[]) {
            Err(error) if is_again(&error) => Ok(outgoing),
            written => written.map(|()| outgoing),
        }
    }

    /// Writes all of these bytes. After an error the same bytes must be offered again.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        blocking(self.poll_write(bytes, &mut Blocking))
    }

    pub(crate) fn flush(&mut self) -> io::Result<()> {
        blocking(self.poll_end(|inner| Blocking.flush(inner)))
    }
}

/// Whether an error asks for the same call again: the kinds of a non-blocking socket, and of one
/// with a time limit.
fn is_again(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}
