//! Sealing on all cores: while one batch is sealed, the batch before it is written.

use std::{
    fmt,
    io::{self, Write},
    mem,
};

use rayon::prelude::*;

use crate::{
    Error, SecretBuffer,
    schedule::TAG,
    stream::{CHUNK, SEALED_CHUNK, SealWriter, Sealer, writer::failed_before},
};

/// Chunks for each thread in one batch. There are two batches: half a MiB for each thread.
const CHUNKS_PER_THREAD: usize = 16;

/// Room for one batch of sealed chunks.
fn new_batch() -> SecretBuffer {
    let chunks = CHUNKS_PER_THREAD * rayon::current_num_threads();
    SecretBuffer::zeroed(chunks * SEALED_CHUNK)
}

impl<W: Write + Send> SealWriter<W> {
    /// Seals on all cores: the threads are those of the `rayon` pool that it is used in. While one
    /// batch of chunks is sealed, the batch before it is written.
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
        let Self { inner, sealer, batch: before, sealed, failed } = self;
        let (sealed, waiting) = before.split_at(sealed);
        let mut outgoing = new_batch();
        for (byte, value) in outgoing.iter_mut().zip(sealed) {
            *byte = *value;
        }
        let outgoing_length = sealed.len();
        let batch = new_batch();
        let mut writer = ParallelSealWriter {
            inner,
            sealer,
            batch,
            filled: 0,
            outgoing,
            outgoing_length,
            failed,
        };
        writer.fill(waiting);
        writer
    }
}

/// A [`SealWriter`] on all cores; see [`SealWriter::parallel`].
#[must_use = "without finish() the envelope does not open"]
pub struct ParallelSealWriter<W> {
    inner: W,
    sealer: Sealer,
    /// Plaintext, chunk by chunk, each with room for its tag behind it.
    batch: SecretBuffer,
    /// How much plaintext is in the batch.
    filled: usize,
    /// The batch before, sealed and not yet written.
    outgoing: SecretBuffer,
    outgoing_length: usize,
    /// Set while the inner writer is called, so that one that panics has failed too.
    failed: bool,
}

impl<W: Write + Send> ParallelSealWriter<W> {
    /// Seals the last chunk, flushes, and gives the inner writer back.
    ///
    /// # Errors
    ///
    /// Those of the inner writer.
    pub fn finish(mut self) -> io::Result<W> {
        self.hand_on()?;
        let last = self.batch.get_mut(..self.filled).unwrap_or_default();
        let tag = self.sealer.seal_next(last)?;
        self.inner.write_all(last)?;
        self.inner.write_all(&tag)?;
        self.inner.flush()?;
        Ok(self.inner)
    }

    /// The inner writer, where the sealed bytes go.
    pub fn get_ref(&self) -> &W {
        &self.inner
    }

    /// Plaintext that a batch holds.
    fn capacity(&self) -> usize {
        self.batch.len() / SEALED_CHUNK * CHUNK
    }

    /// Copies plaintext to where it will be sealed, and tells how much found room.
    fn fill(&mut self, plaintext: &[u8]) -> usize {
        let mut rest = plaintext;
        let first = self.filled / CHUNK;
        for slot in self.batch.chunks_exact_mut(SEALED_CHUNK).skip(first) {
            let room = slot.get_mut(self.filled % CHUNK..CHUNK).unwrap_or_default();
            let (now, later) = rest.split_at(rest.len().min(room.len()));
            room.get_mut(..now.len()).unwrap_or_default().copy_from_slice(now);
            self.filled += now.len();
            rest = later;
            if rest.is_empty() {
                break;
            }
        }
        plaintext.len() - rest.len()
    }

    /// Seals so many chunks while those before them are written. They come from the caller's
    /// plaintext if there is some, else from the batch.
    fn seal_batch(&mut self, chunks: usize, plaintext: Option<&[u8]>) -> io::Result<()> {
        let first = self.sealer.take_indexes(chunks);
        let key = self.sealer.key();
        let slots = self.batch.get_mut(..chunks * SEALED_CHUNK).unwrap_or_default();
        let outgoing = self.outgoing.get(..self.outgoing_length).unwrap_or_default();
        let seal = |index: usize, slot: &mut [u8], from: Option<&[u8]>| {
            let (chunk, tag) = slot.split_last_chunk_mut::<TAG>().ok_or(Error::Open)?;
            if let Some(from) = from {
                chunk.copy_from_slice(from);
            }
            *tag = key.seal_chunk(first + index as u64, chunk)?;
            Ok::<(), Error>(())
        };
        let slots = slots.par_chunks_exact_mut(SEALED_CHUNK).enumerate();
        self.failed = true;
        let (written, sealed) = rayon::join(
            || self.inner.write_all(outgoing),
            || match plaintext {
                None => slots.try_for_each(|(index, slot)| seal(index, slot, None)),
                Some(plaintext) => slots
                    .zip(plaintext.par_chunks_exact(CHUNK))
                    .try_for_each(|((index, slot), from)| seal(index, slot, Some(from))),
            },
        );
        written?;
        sealed?;
        self.failed = false;

        mem::swap(&mut self.batch, &mut self.outgoing);
        self.outgoing_length = chunks * SEALED_CHUNK;
        let waiting = self.filled.saturating_sub(chunks * CHUNK);
        let (_, from) = self.outgoing.split_at(self.outgoing_length);
        for (byte, value) in self.batch.iter_mut().zip(from.iter().take(waiting)) {
            *byte = *value;
        }
        self.filled = waiting;
        Ok(())
    }

    /// Hands all full chunks on to the inner writer.
    fn hand_on(&mut self) -> io::Result<()> {
        if self.failed {
            return Err(failed_before());
        }
        let full = self.filled / CHUNK;
        if full > 0 {
            self.seal_batch(full, None)?;
        }
        let outgoing = self.outgoing.get(..self.outgoing_length).unwrap_or_default();
        self.failed = true;
        self.inner.write_all(outgoing)?;
        self.failed = false;
        self.outgoing_length = 0;
        Ok(())
    }
}

impl<W: Write + Send> Write for ParallelSealWriter<W> {
    fn write(&mut self, plaintext: &[u8]) -> io::Result<usize> {
        if self.failed {
            return Err(failed_before());
        }
        let capacity = self.capacity();
        let chunks = capacity / CHUNK;
        if self.filled == 0
            && let Some(whole) = plaintext.get(..capacity)
        {
            self.seal_batch(chunks, Some(whole))?;
            return Ok(capacity);
        }
        let taken = self.fill(plaintext);
        if self.filled == capacity {
            self.seal_batch(chunks, None)?;
        }
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.hand_on()?;
        self.failed = true;
        self.inner.flush()?;
        self.failed = false;
        Ok(())
    }
}

impl<W> fmt::Debug for ParallelSealWriter<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ParallelSealWriter({:?})", self.sealer)
    }
}
