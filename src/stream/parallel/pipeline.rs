//! Batches of chunks on their way through all cores, in order.

use std::{
    collections::VecDeque,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
};

use super::pool::threads;
use crate::{
    error::Error,
    secret::PageBuffer,
    stream::{ChunkKey, SEALED_CHUNK, batch},
};

/// Batches under way for each thread: half a MiB.
const BATCHES_PER_THREAD: usize = 4;

/// Chunks, each with its tag or room for it behind it: full ones, and at the end of the body the
/// last one, which is shorter.
pub(super) struct Batch {
    pub(super) bytes: PageBuffer,
    /// How many of the bytes are in use.
    pub(super) length: usize,
    /// The number of its first chunk.
    pub(super) first: u64,
    /// Whether the body ends with it.
    pub(super) ends: bool,
    /// How many of the bytes are chunks on which the work is done.
    pub(super) done: usize,
}

impl Batch {
    /// Works on the chunks one by one, each with its number, up to the first error.
    pub(super) fn each_chunk(
        &mut self,
        mut work: impl FnMut(u64, &mut [u8]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let chunks = &mut self.bytes[..self.length];
        for (index, chunk) in (self.first..).zip(chunks.chunks_mut(SEALED_CHUNK)) {
            work(index, chunk)?;
            self.done += chunk.len();
        }
        Ok(())
    }

    /// The chunks on which the work is done.
    pub(super) fn done(&self) -> &[u8] {
        &self.bytes[..self.done]
    }
}

/// The work on each batch.
pub(super) type Work = fn(&ChunkKey, &mut Batch) -> Result<(), Error>;

/// A queue that its owner fills and empties, while the threads of the `rayon` pool work on it.
///
/// Workers are requested but never awaited: if none has begun a batch when it is due, the owner
/// works on it itself. A busy pool slows this down but never stops it. Workers only compute; calls
/// that may block are the owner's, on its own thread.
pub(super) struct Pipeline {
    shared: Arc<Shared>,
    /// How many batches went in, and how many came out.
    pushed: u64,
    taken: u64,
    spare: Vec<Batch>,
}

struct Shared {
    key: ChunkKey,
    work: Work,
    queue: Mutex<Queue>,
    done: Condvar,
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<(u64, Batch)>,
    /// In the order in which they were done.
    done: Vec<Done>,
    /// Jobs in the pool, at work or on their way.
    workers: usize,
    /// Nobody needs the batches that are not done yet.
    abandoned: bool,
}

struct Done {
    number: u64,
    batch: Batch,
    /// An error if the work panicked.
    result: thread::Result<Result<(), Error>>,
}

impl Shared {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The job of a worker: it works on batches until none waits.
    fn work_off(&self) {
        loop {
            let mut queue = self.queue();
            let Some(next) = queue.waiting.pop_front() else {
                queue.workers -= 1;
                return;
            };
            drop(queue);
            self.work_on(next);
        }
    }

    fn work_on(&self, (number, mut batch): (u64, Batch)) {
        // A provider that panics does so in the owner's thread: elsewhere it would end the process.
        let work = AssertUnwindSafe(|| (self.work)(&self.key, &mut batch));
        let result = catch_unwind(work);
        let mut queue = self.queue();
        if !queue.abandoned {
            queue.done.push(Done { number, batch, result });
        }
        drop(queue);
        self.done.notify_one();
    }
}

impl Pipeline {
    pub(super) fn new(key: ChunkKey, work: Work) -> Self {
        let queue = Mutex::default();
        let shared = Arc::new(Shared { key, work, queue, done: Condvar::new() });
        Self { shared, pushed: 0, taken: 0, spare: Vec::new() }
    }

    /// Whether as many batches are under way as the threads need. One thread needs only one.
    pub(super) fn is_full(&self) -> bool {
        let most = match threads() {
            1 => 1,
            threads => BATCHES_PER_THREAD * threads,
        };
        self.pushed - self.taken >= most as u64
    }

    /// A batch to be filled.
    pub(super) fn spare(&mut self) -> Batch {
        self.spare.pop().unwrap_or_else(|| Batch {
            bytes: batch::zeroed(),
            length: 0,
            first: 0,
            ends: false,
            done: 0,
        })
    }

    /// Takes back a batch that is no longer needed.
    pub(super) fn reuse(&mut self, batch: Batch) {
        self.spare.push(Batch { length: 0, ends: false, done: 0, ..batch });
    }

    /// Sends a batch on its way.
    pub(super) fn push(&mut self, batch: Batch) {
        let mut queue = self.shared.queue();
        queue.waiting.push_back((self.pushed, batch));
        self.pushed += 1;
        // With the owner's thread, as many as the pool has.
        if queue.workers + 1 < threads() {
            queue.workers += 1;
            drop(queue);
            // A busy pool may start the job long after; a weak reference does not keep the key alive.
            let shared = Arc::downgrade(&self.shared);
            rayon::spawn(move || {
                if let Some(shared) = shared.upgrade() {
                    shared.work_off();
                }
            });
        }
    }

    /// The oldest batch under way, done; `None` if there is none.
    pub(super) fn next(&mut self) -> Option<(Batch, Result<(), Error>)> {
        if self.taken == self.pushed {
            return None;
        }
        let number = self.taken;
        self.taken += 1;
        loop {
            let mut queue = self.shared.queue();
            if let Some(place) = queue.done.iter().position(|done| done.number == number) {
                let Done { batch, result, .. } = queue.done.swap_remove(place);
                drop(queue);
                return Some((batch, result.unwrap_or_else(|panic| resume_unwind(panic))));
            }
            match queue.waiting.pop_front() {
                Some(next) => {
                    drop(queue);
                    self.shared.work_on(next);
                }
                None => drop(self.shared.done.wait(queue)),
            }
        }
    }

    /// Gives up all batches, for good: their plaintext is wiped at once.
    pub(super) fn abandon(&mut self) {
        self.taken = self.pushed;
        self.spare.clear();
        let mut queue = self.shared.queue();
        queue.abandoned = true;
        queue.waiting.clear();
        queue.done.clear();
    }
}

impl Drop for Pipeline {
    fn drop(&mut self) {
        self.abandon();
    }
}
