//! Opening as an `io::Read`.

use std::{
    fmt,
    io::{self, BufRead, Read},
    task::Poll,
};

use super::{chunks::Opener, opening::Opening, outgoing::blocking};
use crate::retry::read_some;

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
    pub(super) opening: Opening,
}

impl<R: Read> OpenReader<R> {
    pub(crate) fn new(opener: Opener, inner: R) -> Self {
        Self { inner, opening: Opening::new(opener) }
    }

    /// The inner reader.
    #[must_use]
    pub fn get_ref(&self) -> &R {
        &self.inner
    }
}

impl<R: Read> BufRead for OpenReader<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        blocking(self.opening.poll_ready(|room| poll_some(&mut self.inner, room)))?;
        Ok(self.opening.ready())
    }

    fn consume(&mut self, amount: usize) {
        self.opening.consume(amount);
    }
}

impl<R: Read> Read for OpenReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        blocking(self.opening.poll_read(buffer, |room| poll_some(&mut self.inner, room)))
    }
}

/// Reads once, which is never pending.
fn poll_some(reader: &mut impl Read, room: &mut [u8]) -> Poll<io::Result<usize>> {
    Poll::Ready(read_some(reader, room).map(<[u8]>::len))
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
        write!(f, "OpenReader({:?})", self.opening.opener())
    }
}
