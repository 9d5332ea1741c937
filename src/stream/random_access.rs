//! Opening an envelope at any position: in a file, in memory, or in any other [`ReadAt`].

use std::{
    fmt,
    io::{self, BufRead, Read, Seek, SeekFrom},
    ops::Range,
    sync::Arc,
};

use super::{
    CHUNK, ReadAt, SEALED_CHUNK,
    body::{Body, UnverifiedBody},
    read_at::read_exact_at,
    reader::read_buffered,
};
use crate::{
    error::Error,
    secret::{PageBuffer, SecretBuffer},
};

/// How many chunks are read at once.
const BATCH: u64 = 8;

/// An envelope opened for reading at any position. From
/// [`open_at`](crate::DecapsulationKey::open_at), which has authenticated the last chunk.
///
/// [`read_exact_at`](Self::read_exact_at) reads from several threads at once. For code that reads
/// files (archives, media, tables), it is [`Read`], [`BufRead`] and [`Seek`] too, with one position;
/// [`cursor`](Self::cursor) makes more of them.
///
/// ```
/// use std::io::{Read, Seek, SeekFrom};
///
/// # let bob = twinseal::DecapsulationKey::generate()?;
/// # let sealed = bob.encapsulation_key().seal(b"example.com/models", &[7; 100_000])?;
/// let mut model = bob.open_at(b"example.com/models", &sealed)?;
/// let mut tensor = [0; 10];
/// model.read_exact_at(&mut tensor, 50_000)?;
/// assert_eq!(tensor, [7; 10]);
/// assert_eq!(model.len(), 100_000);
///
/// model.seek(SeekFrom::End(-4))?;
/// let mut tail = Vec::new();
/// model.read_to_end(&mut tail)?;
/// assert_eq!(tail, [7; 4]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Damaged data
///
/// Each chunk of 16384 bytes is authenticated on its own, so a damaged chunk does not affect the others:
///
/// ```
/// use std::io::ErrorKind;
///
/// use twinseal::envelope::Sealer;
///
/// # let bob = twinseal::DecapsulationKey::generate()?;
/// # let mut damaged = bob.encapsulation_key().seal(b"example.com/models", &[7; 100_000])?;
/// # damaged[40_000] ^= 1;
/// const CHUNK: u64 = Sealer::CHUNK_LEN as u64;
///
/// let model = bob.open_at(b"example.com/models", &damaged)?;
/// let mut saved = vec![0; model.len() as usize]; // zeros where a chunk is lost
/// for (chunk, start) in saved.chunks_mut(CHUNK as usize).zip((0..).step_by(CHUNK as usize)) {
///     match model.read_exact_at(chunk, start) {
///         Err(error) if error.kind() == ErrorKind::InvalidData => println!("lost from {start} on"),
///         read => read?,
///     }
/// }
/// # assert_eq!(saved.iter().filter(|byte| **byte == 0).count() as u64, CHUNK);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// It needs the header, the 56 bytes behind it, and the last chunk. If the last chunk is damaged or
/// missing, [`open_reader`](crate::DecapsulationKey::open_reader) still returns the chunks before the
/// first damaged one.
pub struct RandomAccess<S> {
    source: S,
    /// Where the body starts in the source.
    body_start: u64,
    body: Arc<Body>,
    /// The position of `Read` and `Seek` in the plaintext.
    position: u64,
    /// The chunk that was opened for them last, and where it starts.
    chunk: SecretBuffer,
    chunk_start: u64,
}

impl<S: ReadAt> RandomAccess<S> {
    /// Reads and authenticates the last chunk of a body that starts at `body_start` in the source.
    pub(crate) fn new(source: S, body_start: u64, body: UnverifiedBody) -> io::Result<Self> {
        let Range { start, end } = body.range();
        let mut sealed = PageBuffer::zeroed((end - start) as usize);
        read_exact_at(&source, &mut sealed, body_start + start)?;
        let body = Arc::new(body.authenticate(&mut sealed)?);
        Ok(Self::at_the_start(source, body_start, body))
    }

    /// Fills the whole buffer with the plaintext from this offset. After an error the buffer holds
    /// zeros, and reading again is possible.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::UnexpectedEof`] if the plaintext ends before;
    /// [`io::ErrorKind::InvalidData`] with [`Error::Open`] if the data was changed; and the errors
    /// of the source.
    pub fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        self.read_into(buffer, offset).inspect_err(|_| buffer.fill(0))
    }

    fn read_into(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        let end = offset
            .checked_add(buffer.len() as u64)
            .filter(|end| *end <= self.len())
            .ok_or(io::ErrorKind::UnexpectedEof)?;
        let mut fetched = None;
        let mut position = offset;
        let mut rest = buffer;
        while position < end {
            let batch_end = end.min((position / CHUNK as u64 + BATCH) * CHUNK as u64);
            let plan = self.body.plan(position..batch_end)?;
            let Range { start, end: sealed_end } = plan.sealed();
            let length = (sealed_end - start) as usize;
            let fetched = fetched.get_or_insert_with(|| PageBuffer::zeroed(length));
            let fetched = &mut fetched[..length];
            read_exact_at(&self.source, fetched, self.body_start + start)?;
            for (planned, sealed) in self.body.chunks(&plan).zip(fetched.chunks_mut(SEALED_CHUNK)) {
                let chunk = self.body.open_chunk(planned.index, sealed)?;
                let wanted = chunk.get(planned.wanted).ok_or(Error::Open)?;
                let (now, later) = rest.split_at_mut_checked(wanted.len()).ok_or(Error::Open)?;
                now.copy_from_slice(wanted);
                rest = later;
            }
            position = batch_end;
        }
        Ok(())
    }
}

impl<S> RandomAccess<S> {
    fn at_the_start(source: S, body_start: u64, body: Arc<Body>) -> Self {
        let chunk = SecretBuffer::with_capacity(0);
        Self { source, body_start, body, position: 0, chunk, chunk_start: 0 }
    }

    /// Length of the plaintext in bytes; it is authentic.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.body.len()
    }

    /// Whether the plaintext is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.body.is_empty()
    }

    /// Returns a reader of the same plaintext with a position of its own, at the start.
    ///
    /// ```
    /// use std::io::Read;
    ///
    /// # let bob = twinseal::DecapsulationKey::generate()?;
    /// # let sealed = bob.encapsulation_key().seal(b"example.com/notes", b"hello")?;
    /// let notes = bob.open_at(b"example.com/notes", &sealed)?;
    /// for mut cursor in [notes.cursor(), notes.cursor()] {
    ///     let mut text = String::new();
    ///     cursor.read_to_string(&mut text)?;
    ///     assert_eq!(text, "hello");
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn cursor(&self) -> RandomAccess<&S> {
        RandomAccess::at_the_start(&self.source, self.body_start, Arc::clone(&self.body))
    }

    /// The rest of the opened chunk, from the position on.
    fn buffered(&self) -> &[u8] {
        let within = self.position.checked_sub(self.chunk_start);
        let within = within.and_then(|within| usize::try_from(within).ok());
        within.and_then(|within| self.chunk.get(within..)).unwrap_or_default()
    }

    fn left(&self) -> u64 {
        self.len().saturating_sub(self.position)
    }
}

impl<S: ReadAt> BufRead for RandomAccess<S> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.buffered().is_empty() && self.left() > 0 {
            let start = self.position - self.position % CHUNK as u64;
            let length = (self.len() - start).min(CHUNK as u64) as usize;
            let mut chunk = SecretBuffer::zeroed(length);
            self.read_exact_at(&mut chunk, start)?;
            self.chunk = chunk;
            self.chunk_start = start;
        }
        Ok(self.buffered())
    }

    fn consume(&mut self, amount: usize) {
        self.position += amount.min(self.buffered().len()) as u64;
    }
}

impl<S: ReadAt> Read for RandomAccess<S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.len() < CHUNK || !self.buffered().is_empty() {
            return read_buffered(self, buffer);
        }
        if self.left() == 0 {
            return Ok(0);
        }
        // Whole chunks are read straight into the buffer. If one of them is damaged, those before it are
        // read one by one.
        let chunk_end = CHUNK as u64 - self.position % CHUNK as u64;
        let batch_end = chunk_end + (BATCH - 1) * CHUNK as u64;
        let most = self.left().min(buffer.len() as u64);
        let mut read = |length: u64| {
            let length = most.min(length) as usize;
            self.read_exact_at(&mut buffer[..length], self.position).map(|()| length)
        };
        let length = read(batch_end).or_else(|_| read(chunk_end))?;
        self.position += length as u64;
        Ok(length)
    }
}

/// A position may be behind the end of the plaintext, where there is nothing to read.
impl<S> Seek for RandomAccess<S> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::End(offset) => self.len().checked_add_signed(offset),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
        };
        let outside =
            || io::Error::new(io::ErrorKind::InvalidInput, "the position is out of range");
        self.position = position.ok_or_else(outside)?;
        Ok(self.position)
    }
}

/// Reads the plaintext, so that code for a [`ReadAt`] also works with sealed data.
impl<S: ReadAt> ReadAt for RandomAccess<S> {
    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        self.read_exact_at(buffer, offset)
    }

    fn size(&self) -> io::Result<u64> {
        Ok(self.len())
    }
}

impl<S> fmt::Debug for RandomAccess<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RandomAccess({:?})", self.body)
    }
}
