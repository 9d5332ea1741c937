//! Opening on all cores: batches are opened while those after them are read.

use std::{
    fmt,
    io::{self, BufRead, Read},
    mem,
    ops::Range,
    panic::{RefUnwindSafe, UnwindSafe},
};

use super::pipeline::{Batch, Pipeline};
use crate::{
    error::Error,
    numbered_key::TAG,
    retry::read_full,
    stream::{
        ChunkKey, OpenReader, SEALED_CHUNK,
        batch::BATCH,
        opening::{Opening, State},
        reader::read_buffered,
    },
};

impl<R: Read> OpenReader<R> {
    /// Opens on all cores: on this thread, which reads, and on those of the `rayon` pool that it is used
    /// in. The inner reader is called only on this thread. Where no thread can be started, this one
    /// does everything. If a `build_global` of the caller has failed before, `rayon` reports that only
    /// by a panic, which is caught.
    ///
    /// It reads ahead, and memory grows by half a MiB for each thread.
    ///
    /// This thread copies whatever the inner reader and the caller's buffer hold. Where the provider decrypts faster
    /// than memory is copied (AWS-LC), reading into a buffer gains little. [`BufRead::fill_buf`] lends the plaintext
    /// without a copy: two threads open 1.9 times as much as one that way, with AWS-LC and graviola on AMD Zen 4.
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
    #[must_use]
    pub fn parallel(self) -> ParallelOpenReader<R> {
        let Self { inner, opening } = self;
        let Opening { opener, batch, filled, opened, ready, state } = opening;
        let (key, next) = opener.into_parts();
        let mut pipeline = Pipeline::new(key, open_batch);
        let mut reading = pipeline.spare();
        copy_to_front(&batch[opened..filled], &mut reading);
        ParallelOpenReader {
            inner,
            reading: Some(reading),
            pipeline,
            next,
            ahead: Ahead::Reading,
            current: Batch { bytes: batch, length: 0, first: 0, ends: false, done: 0 },
            ready,
            later: 0..0,
            state,
        }
    }
}

/// Opens the chunks of a batch where they are.
fn open_batch(key: &ChunkKey, batch: &mut Batch) -> Result<(), Error> {
    batch.each_chunk(|index, chunk| key.open_sealed(index, chunk).map(drop))?;
    let lacks_the_last_chunk = batch.ends && batch.length.is_multiple_of(SEALED_CHUNK);
    if lacks_the_last_chunk { Err(Error::Open) } else { Ok(()) }
}

/// Starts a batch with these bytes.
fn copy_to_front(bytes: &[u8], batch: &mut Batch) {
    batch.bytes[..bytes.len()].copy_from_slice(bytes);
    batch.length = bytes.len();
}

/// An [`OpenReader`] on all cores; see [`OpenReader::parallel`].
pub struct ParallelOpenReader<R> {
    inner: R,
    /// The batch that is being read.
    reading: Option<Batch>,
    /// The batches between that one and the current one.
    pipeline: Pipeline,
    /// The number of the first chunk of the batch that is being read.
    next: u64,
    ahead: Ahead,
    /// A batch of opened chunks.
    current: Batch,
    /// The plaintext of the current chunk that was not returned yet.
    ready: Range<usize>,
    /// The position of the chunks after it, with their tags.
    later: Range<usize>,
    state: State,
}

/// How far reading is, which is ahead of opening.
enum Ahead {
    Reading,
    Ended,
    Failed(io::Error),
}

// The `io::Error` in `ahead` is why these are not derived. It comes from the inner reader.
impl<R: UnwindSafe> UnwindSafe for ParallelOpenReader<R> {}
impl<R: RefUnwindSafe> RefUnwindSafe for ParallelOpenReader<R> {}

impl<R: Read> ParallelOpenReader<R> {
    /// The inner reader.
    #[must_use]
    pub fn get_ref(&self) -> &R {
        &self.inner
    }

    /// Reads as many batches as may be under way.
    fn read_ahead(&mut self) {
        while matches!(self.ahead, Ahead::Reading) && !self.pipeline.is_full() {
            // It stays in its place while it is read: the inner reader may fail, or panic.
            let batch = self.reading.get_or_insert_with(|| self.pipeline.spare());
            match read_full(&mut self.inner, &mut batch.bytes, &mut batch.length) {
                Ok(ended) => self.push(ended),
                Err(error) => {
                    self.push_full();
                    self.ahead = Ahead::Failed(error);
                }
            }
        }
    }

    /// Sends the batch that was read on its way.
    fn push(&mut self, ended: bool) {
        let Some(mut batch) = self.reading.take() else { return };
        (batch.first, batch.ends) = (self.next, ended);
        self.next = self.next.saturating_add(BATCH as u64);
        self.pipeline.push(batch);
        if ended {
            self.ahead = Ahead::Ended;
        }
    }

    /// Sends the full chunks of a batch on their way: they are returned before the error.
    fn push_full(&mut self) {
        let Some(mut batch) = self.reading.take_if(|batch| batch.length >= SEALED_CHUNK) else {
            return;
        };
        let full = batch.length / SEALED_CHUNK;
        let mut rest = self.pipeline.spare();
        copy_to_front(&batch.bytes[full * SEALED_CHUNK..batch.length], &mut rest);
        self.reading = Some(rest);
        (batch.length, batch.first) = (full * SEALED_CHUNK, self.next);
        self.next = self.next.saturating_add(full as u64);
        self.pipeline.push(batch);
    }

    /// Makes the next batch the current one.
    fn next_batch(&mut self) -> io::Result<()> {
        self.read_ahead();
        // Until the batch is there: if the provider has panicked, no batch is skipped.
        self.state = State::Failed(Error::Open);
        let next = self.pipeline.next();
        self.state = State::Reading;
        match next {
            Some((batch, opened)) => {
                self.later = 0..batch.done;
                let before = mem::replace(&mut self.current, batch);
                self.pipeline.reuse(before);
                if let Err(error) = opened {
                    // The chunks before the damaged one are returned, and nothing after them.
                    self.pipeline.abandon();
                    self.state = State::Failed(error);
                }
                Ok(())
            }
            None => match mem::replace(&mut self.ahead, Ahead::Ended) {
                Ahead::Failed(error) => {
                    self.ahead = Ahead::Reading;
                    Err(error)
                }
                Ahead::Reading | Ahead::Ended => {
                    self.state = State::Complete;
                    Ok(())
                }
            },
        }
    }

    /// Whether more may come after the current batch, all of which was returned.
    fn is_reading(&mut self) -> io::Result<bool> {
        let reading = self.state.is_reading();
        if reading.is_err() {
            self.current.bytes.wipe();
        }
        reading
    }
}

impl<R: Read> BufRead for ParallelOpenReader<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        while self.ready.is_empty() {
            if self.later.is_empty() {
                if !self.is_reading()? {
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
        Ok(&self.current.bytes[self.ready.clone()])
    }

    fn consume(&mut self, amount: usize) {
        self.ready.start = self.ready.end.min(self.ready.start.saturating_add(amount));
    }
}

impl<R: Read> Read for ParallelOpenReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        read_buffered(self, buffer)
    }
}

impl<R> fmt::Debug for ParallelOpenReader<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ParallelOpenReader({} chunks read)", self.next)
    }
}
