//! Opening an answer in pieces from an `io::Read`.

use std::{
    fmt,
    io::{self, Read},
    mem,
};

use super::PieceOpener;
use crate::{
    plaintext::Plaintext,
    retry::read_some,
    secret::{PageBuffer, SecretBuffer},
};

/// How many bytes are read at once.
const BATCH: usize = 16 * 1024;

/// Opens the pieces of an answer as they arrive. From
/// [`Pending::piece_reader`](super::Pending::piece_reader).
///
/// As an iterator it returns one piece after another, as they were made; as a [`Read`] it returns their
/// bytes. Each piece is returned when it is authenticated; the answer is complete only at `None` or
/// `Ok(0)`, when the input has ended behind the last piece. So the other side closes the connection, or
/// the inner reader ends where the answer does. The first error about the data is final; after an error
/// of the inner reader the next call reads on.
pub struct PieceReader<R> {
    inner: R,
    opener: PieceOpener,
    buffer: PageBuffer,
    complete: bool,
    /// A piece that `read` has returned in part.
    current: Option<Plaintext>,
    returned: usize,
}

impl<R: Read> PieceReader<R> {
    pub(super) fn new(opener: PieceOpener, inner: R) -> Self {
        let buffer = PageBuffer::zeroed(BATCH);
        Self { inner, opener, buffer, complete: false, current: None, returned: 0 }
    }

    /// The same with another bound for the plaintext of a piece; see [`PieceOpener::with_bound`].
    #[must_use]
    pub fn with_bound(self, bound: usize) -> Self {
        Self { opener: self.opener.with_bound(bound), ..self }
    }

    /// The inner reader.
    #[must_use]
    pub fn get_ref(&self) -> &R {
        &self.inner
    }

    /// Whether the last piece was returned by the iterator. Complete is the answer only when the iterator
    /// ends, because nothing may follow.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.opener.is_finished()
    }

    fn next_piece(&mut self) -> io::Result<Option<Plaintext>> {
        while !self.complete {
            if let Some(piece) = self.opener.next()? {
                return Ok(Some(piece));
            }
            match read_some(&mut self.inner, &mut self.buffer)? {
                [] => {
                    self.opener.check_end()?;
                    self.complete = true;
                }
                bytes => self.opener.update(bytes),
            }
        }
        Ok(None)
    }
}

/// After an error about the data, every later call returns it again. Of a piece that was read in part,
/// the rest is next.
impl<R: Read> Iterator for PieceReader<R> {
    type Item = io::Result<Plaintext>;

    fn next(&mut self) -> Option<io::Result<Plaintext>> {
        if let Some(piece) = self.current.take() {
            let rest = &piece[mem::take(&mut self.returned)..];
            if !rest.is_empty() {
                return Some(Ok(Plaintext::new(SecretBuffer::from(rest.to_vec()))));
            }
        }
        self.next_piece().transpose()
    }
}

impl<R: Read> Read for PieceReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            if let Some(piece) = &self.current {
                let length = (&piece[self.returned..]).read(buffer)?;
                self.returned += length;
                if length > 0 {
                    return Ok(length);
                }
            }
            self.returned = 0;
            self.current = None; // which wipes it
            match self.next_piece()? {
                Some(piece) => self.current = Some(piece),
                None => return Ok(0),
            }
        }
    }
}

impl<R> fmt::Debug for PieceReader<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PieceReader({:?})", self.opener)
    }
}
