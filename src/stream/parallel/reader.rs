//! Opening on all cores: batches are opened while those after them are read.

use std::{
    fmt,
    io::{self, BufRead, Read},
    mem,
    ops::Range,
};

use super::pipeline::{Batch, Pipeline};
use crate::{
    Error,
    schedule::TAG,
    stream::{
        ChunkKey, OpenReader, SEALED_CHUNK,
        reader::{BATCH, State, read_full},
    },
};

impl<R: Read> OpenReader<R> {
    /// Opens on all cores: on this thread, which reads, and on those of the `rayon` pool that it is
    /// used in.
    ///
    /// It reads ahead, and memory grows by half a MiB for each thread.
    ///
    /// ```
    /// use std::io::Read;
    ///
    /// # let bob = twinseal::DecapsulationKey::generate()?;
    /// # let sealed = bob.encapsulation_key().seal(b"example.com/models", &[7; 1_000_000])?;
    /// let mut model = Vec::new();
    /// bob.open_reader(b"example.com/models", &sealed[..])?.parallel().read_to_end(&mut model)?;
    /// assert_eq!(model, [7; 1_000_000]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn parallel(self) -> ParallelOpenReader<R> {
        let Self { inner, opener, batch, filled, opened, ready, state } = self;
        let unopened = batch.get(opened..filled).unwrap_or_default().to_vec();
        let (key, next) = opener.into_parts();
        ParallelOpenReader {
            inner,
            unopened,
            pipeline: Pipeline::new(key, open_batch),
            next,
            ahead: Ahead::Reading,
            current: Batch { bytes: batch, length: 0, first: 0 },
            ready,
            later: 0..0,
            state,
        }
    }
}

/// Opens the chunks of a batch where they are. A batch that is not full is the end of the body.
fn open_batch(key: &ChunkKey, batch: &mut Batch) -> Result<(), Error> {
    let is_last = batch.length < batch.bytes.len();
    if is_last && batch.length.is_multiple_of(SEALED_CHUNK) {
        return Err(Error::Open); // the last chunk is missing
    }
    let sealed = batch.bytes.get_mut(..batch.length).unwrap_or_default();
    for (index, chunk) in (batch.first..).zip(sealed.chunks_mut(SEALED_CHUNK)) {
        key.open_sealed(index, chunk)?;
    }
    Ok(())
}

/// An [`OpenReader`] on all cores; see [`OpenReader::parallel`].
pub struct ParallelOpenReader<R> {
    inner: R,
    /// What was read and not opened before it came to this.
    unopened: Vec<u8>,
    /// The batches after the current one.
    pipeline: Pipeline,
    /// The number of the next chunk to be read.
    next: u64,
    ahead: Ahead,
    /// A batch of opened chunks.
    current: Batch,
    /// The plaintext of the current chunk that was not given yet.
    ready: Range<usize>,
    /// Where the chunks after it are, with their tags.
    later: Range<usize>,
    state: State,
}

/// Where reading stands, which is ahead of what was given.
enum Ahead {
    Reading,
    Ended,
    Failed(io::Error),
}

impl<R: Read> ParallelOpenReader<R> {
    /// The inner reader.
    pub fn get_ref(&self) -> &R {
        &self.inner
    }

    /// Reads as many batches as may be under way.
    fn read_ahead(&mut self) {
        while matches!(self.ahead, Ahead::Reading) && !self.pipeline.is_full() {
            let mut batch = self.pipeline.spare();
            for (byte, value) in batch.bytes.iter_mut().zip(&self.unopened) {
                *byte = *value;
            }
            let filled = mem::take(&mut self.unopened).len();
            match read_full(&mut self.inner, &mut batch.bytes, filled) {
                Ok((length, ended)) => {
                    (batch.length, batch.first) = (length, self.next);
                    self.next = self.next.saturating_add(BATCH as u64);
                    self.pipeline.push(batch);
                    if ended {
                        self.ahead = Ahead::Ended;
                    }
                }
                Err(error) => self.ahead = Ahead::Failed(error),
            }
        }
    }

    /// Makes the next batch the current one.
    fn next_batch(&mut self) -> io::Result<()> {
        // Until the batch is there: should the inner reader panic, none is skipped.
        self.state = State::InnerFailed(io::ErrorKind::Other);
        self.read_ahead();
        match self.pipeline.next() {
            Some((batch, Ok(()))) => {
                self.later = 0..batch.length;
                let before = mem::replace(&mut self.current, batch);
                self.pipeline.reuse(before);
                self.state = State::Reading;
                Ok(())
            }
            Some((_, Err(error))) => {
                self.give_up(State::Forged);
                Err(error.into())
            }
            None => match mem::replace(&mut self.ahead, Ahead::Ended) {
                Ahead::Failed(error) => {
                    self.give_up(State::InnerFailed(error.kind()));
                    Err(error)
                }
                Ahead::Reading | Ahead::Ended => {
                    self.state = State::Complete;
                    Ok(())
                }
            },
        }
    }

    /// From here on there is no plaintext any more.
    fn give_up(&mut self, state: State) {
        self.current.bytes.wipe();
        self.pipeline.abandon();
        self.ready = 0..0;
        self.later = 0..0;
        self.state = state;
    }
}

impl<R: Read> BufRead for ParallelOpenReader<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        while self.ready.is_empty() {
            if self.later.is_empty() {
                if !self.state.is_reading()? {
                    break;
                }
                self.next_batch()?;
            } else {
                let Range { start, end } = self.later;
                let chunk_end = end.min(start + SEALED_CHUNK);
                self.ready = start..chunk_end - TAG;
                self.later = chunk_end..end;
            }
        }
        Ok(self.current.bytes.get(self.ready.clone()).unwrap_or_default())
    }

    fn consume(&mut self, amount: usize) {
        self.ready.start = self.ready.end.min(self.ready.start.saturating_add(amount));
    }
}

impl<R: Read> Read for ParallelOpenReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        let length = self.fill_buf()?.read(buffer)?;
        self.consume(length);
        Ok(length)
    }
}

impl<R> fmt::Debug for ParallelOpenReader<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ParallelOpenReader({} chunks read)", self.next)
    }
}
