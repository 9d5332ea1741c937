//! Sealing on all cores: batches are sealed while those before them are written.

use std::{
    fmt,
    io::{self, Write},
    mem,
};

use super::pipeline::{Batch, Pipeline};
use crate::{
    error::Error,
    numbered_key::TAG,
    stream::{
        CHUNK, ChunkKey, SEALED_CHUNK, SealWriter,
        batch::BATCH,
        outgoing::Outgoing,
        sealing::{End, Sealing},
    },
};

/// Plaintext that a batch holds.
const CAPACITY: usize = BATCH * CHUNK;

impl<W: Write> SealWriter<W> {
    /// Seals on all cores: on this thread, which writes, and on those of the `rayon` pool that it is used
    /// in. The inner writer is called only on this thread. Where no thread can be started, this one
    /// does everything. If a `build_global` of the caller has failed before, `rayon` reports that only
    /// by a panic, which is caught.
    ///
    /// The bytes are the same; memory grows by half a MiB for each thread.
    ///
    /// ```
    /// use std::io::Write;
    ///
    /// # let bob = twinseal::DecapsulationKey::generate()?;
    /// let to_bob = bob.encapsulation_key();
    /// let mut writer = to_bob.seal_writer(b"example.com/models", Vec::new())?.parallel();
    /// writer.write_all(&[7; 1_000_000])?;
    /// let sealed = writer.finish()?;
    /// assert_eq!(&bob.open(b"example.com/models", &sealed)?[..], &[7; 1_000_000]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn parallel(self) -> ParallelSealWriter<W> {
        let Sealing { mut outgoing, sealer, batch, sealed, waiting, end } = self.0;
        let (sealed, rest) = batch.split_at(sealed);
        outgoing.keep(sealed);
        let (key, next) = sealer.into_parts();
        let mut pipeline = Pipeline::new(key, seal_batch);
        let filling = pipeline.spare();
        let mut writer =
            ParallelSealWriter { outgoing, pipeline, next, filling, filled: 0, writing: None, end };
        writer.fill(&rest[..waiting]);
        writer
    }
}

/// Seals the chunks of a batch where they are.
fn seal_batch(key: &ChunkKey, batch: &mut Batch) -> Result<(), Error> {
    batch.each_chunk(|index, chunk| {
        let (chunk, tag) = chunk.split_last_chunk_mut::<TAG>().ok_or(Error::Open)?;
        *tag = key.seal_chunk(index, chunk)?;
        Ok(())
    })
}

/// A [`SealWriter`] on all cores; see [`SealWriter::parallel`].
#[must_use = "without finish() the envelope does not open"]
pub struct ParallelSealWriter<W> {
    outgoing: Outgoing<W>,
    /// The batches between the one that is written and the one that is filled.
    pipeline: Pipeline,
    /// The number of the first chunk of the batch that is filled.
    next: u64,
    /// Plaintext, chunk by chunk, each with room for its tag behind it.
    filling: Batch,
    /// How much plaintext that is.
    filled: usize,
    /// A sealed batch that the inner writer has not taken whole.
    writing: Option<Batch>,
    end: End,
}

impl<W: Write> ParallelSealWriter<W> {
    /// Seals the last chunk, flushes, and returns the inner writer; see [`SealWriter::finish`].
    ///
    /// # Errors
    ///
    /// The errors of the inner writer. The envelope is truncated then.
    pub fn finish(mut self) -> io::Result<W> {
        self.try_finish()?;
        Ok(self.outgoing.into_inner())
    }

    /// Seals the last chunk and flushes. After an error it can be called again, and continues where it
    /// stopped; see [`SealWriter::try_finish`].
    ///
    /// # Errors
    ///
    /// The errors of the inner writer.
    pub fn try_finish(&mut self) -> io::Result<()> {
        self.outgoing.check()?;
        if self.end == End::Open {
            self.push_if_full()?;
            self.make_room()?;
            self.push_last();
            self.end = End::Sealed;
        }
        if self.end == End::Sealed {
            self.write_all_sealed()?;
            self.outgoing.flush()?;
            self.end = End::Written;
        }
        Ok(())
    }

    /// The inner writer, where the sealed bytes go.
    #[must_use]
    pub fn get_ref(&self) -> &W {
        self.outgoing.get_ref()
    }

    /// Copies plaintext to where it will be sealed, and returns how much found room.
    fn fill(&mut self, plaintext: &[u8]) -> usize {
        let mut rest = plaintext;
        let first = self.filled / CHUNK;
        for slot in self.filling.bytes.chunks_exact_mut(SEALED_CHUNK).skip(first) {
            let room = &mut slot[self.filled % CHUNK..CHUNK];
            let (now, later) = rest.split_at(rest.len().min(room.len()));
            room[..now.len()].copy_from_slice(now);
            self.filled += now.len();
            rest = later;
            if rest.is_empty() {
                break;
            }
        }
        plaintext.len() - rest.len()
    }

    fn has_room(&self) -> bool {
        self.writing.is_none() && !self.pipeline.is_full()
    }

    /// Writes until one more batch may be under way.
    fn make_room(&mut self) -> io::Result<()> {
        while !self.has_room() {
            self.write_next()?;
        }
        Ok(())
    }

    fn push_if_full(&mut self) -> io::Result<()> {
        if self.filled == CAPACITY {
            self.make_room()?;
            self.push_full();
        }
        Ok(())
    }

    /// Sends the full chunks on their way. The start of another one moves to the next batch.
    fn push_full(&mut self) {
        let chunks = self.filled / CHUNK;
        let mut next = self.pipeline.spare();
        let sealed = chunks * SEALED_CHUNK;
        let waiting = self.filled % CHUNK;
        next.bytes[..waiting].copy_from_slice(&self.filling.bytes[sealed..sealed + waiting]);
        self.filled = waiting;
        let mut batch = mem::replace(&mut self.filling, next);
        batch.length = sealed;
        self.push(batch, chunks);
    }

    /// Sends everything on its way, with the last chunk at the end: in a batch that is not full there
    /// is room for its tag.
    fn push_last(&mut self) {
        let full = self.filled / CHUNK;
        let next = self.pipeline.spare();
        let mut batch = mem::replace(&mut self.filling, next);
        batch.length = full * SEALED_CHUNK + self.filled % CHUNK + TAG;
        self.filled = 0;
        self.push(batch, full + 1);
    }

    /// The numbers of the chunks count as used, even if sealing them fails: none is used twice.
    fn push(&mut self, mut batch: Batch, chunks: usize) {
        batch.first = self.next;
        self.next = batch.first.saturating_add(chunks as u64);
        self.pipeline.push(batch);
    }

    /// Writes the oldest batch under way; `false` if there is none.
    fn write_next(&mut self) -> io::Result<bool> {
        let batch = match self.writing.take() {
            Some(batch) => batch,
            None => {
                let next = self.outgoing.or_fail(|| match self.pipeline.next() {
                    Some((batch, sealed)) => sealed.map(|()| Some(batch)),
                    None => Ok(None),
                });
                match next? {
                    Some(batch) => batch,
                    None => return Ok(false),
                }
            }
        };
        match self.outgoing.write(batch.done()) {
            Ok(()) => {
                self.pipeline.reuse(batch);
                Ok(true)
            }
            Err(error) => {
                self.writing = Some(batch);
                Err(error)
            }
        }
    }

    /// Writes everything that is sealed or under way.
    fn write_all_sealed(&mut self) -> io::Result<()> {
        while self.write_next()? {}
        self.outgoing.write(&[]) // bytes that were kept before there were batches
    }
}

impl<W: Write> Write for ParallelSealWriter<W> {
    /// The steps that may fail come first, so that an error has taken nothing of the plaintext.
    fn write(&mut self, plaintext: &[u8]) -> io::Result<usize> {
        self.outgoing.check()?;
        self.end.check()?;
        self.push_if_full()?;
        let taken = self.fill(plaintext);
        if self.filled == CAPACITY && self.has_room() {
            self.push_full(); // the other threads need not wait for the next call
        }
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.outgoing.check()?;
        if self.filled >= CHUNK {
            self.make_room()?;
            self.push_full();
        }
        self.write_all_sealed()?;
        self.outgoing.flush()
    }
}

impl<W> fmt::Debug for ParallelSealWriter<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ParallelSealWriter({} chunks begun)", self.next)
    }
}
