//! Moves data from an input to an output, piece by piece, with work on it in between.

use std::{
    io::{self, Read, Write},
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::mpsc::{Receiver, Sender, channel},
    thread,
};

use twinseal::{envelope::Sealer, secret::PageBuffer};

/// The length of a piece in bytes: a quarter of the cache that a core of AMD Zen 4 has for itself. Each starts at a
/// multiple of it in the output, so that the system writes whole pages. Written in parts of 32 and 64 KiB, 1 GiB took 1.3
/// and 1.1 times as long (Linux 6.18, ext4), because the system then has more and shorter blocks of memory to manage.
pub(crate) const PIECE: usize = 256 * 1024;

/// Full chunks in a piece.
const CHUNKS: usize = PIECE / Sealer::CHUNK_LEN;

/// While one of them writes, the other one reads and works. On two cores a third one makes it slower: it takes a core
/// from a piece that is half done.
const THREADS: usize = 2;

/// Where pieces come from.
pub(crate) trait Source: Send + 'static {
    /// Reads a piece. Returns whether the input has ended.
    fn fill(&mut self, piece: &mut Piece) -> io::Result<bool>;
}

/// What is done with pieces.
pub(crate) trait Work: Send + 'static {
    /// Works on a piece, and sets the length that is written, also if it fails.
    fn change(&mut self, piece: &mut Piece, ended: bool) -> io::Result<()>;
}

/// Moves data to the end of the input, and returns the output with the source. What was read before an error is
/// written before the error is returned.
///
/// Every piece stays with one thread, which reads it, works on it and writes it, so that it stays in the cache of
/// one core. Meanwhile the other threads do the same with the next pieces, each step in turn. Threads that the
/// system cannot start are not needed.
///
/// After an error the threads are not waited for, because the rest of the input may never come.
pub(crate) fn relay<S: Source, W: Work, O: Write + Send + 'static>(
    source: S,
    work: W,
    output: O,
) -> (O, io::Result<S>) {
    let (done, result) = channel();
    // Only when it is known how many threads there are, each gets its place.
    let threads: Vec<_> = (0..THREADS)
        .map_while(|_| {
            let (to_runner, runner) = channel::<Runner<S, W, O>>();
            let done = done.clone();
            let run = move || {
                let Some(runner) = runner.into_iter().next() else { return };
                let ended = catch_unwind(AssertUnwindSafe(|| runner.run())).transpose();
                if let Some(ended) = ended {
                    let _ = done.send(ended); // the first one counts
                }
            };
            let thread = thread::Builder::new().name("relay".into()).spawn(run).ok()?;
            Some((to_runner, thread))
        })
        .collect();
    let runners = ring(threads.len().max(1), source)
        .zip(ring(threads.len().max(1), work))
        .zip(ring(threads.len().max(1), output))
        .map(|((source, work), output)| Runner { source, work, output });
    let mut threads = threads.into_iter();
    let mut started = Vec::new();
    for runner in runners {
        match threads.next() {
            Some((to_runner, thread)) => {
                let _ = to_runner.send(runner); // it waits for this
                started.push(thread);
            }
            None => return runner.run().expect("a single runner has every step"),
        }
    }
    drop(done);
    let ended = result.into_iter().next().expect("one of the runners comes to an end");
    let (output, result) = ended.unwrap_or_else(|panic| resume_unwind(panic));
    if result.is_ok() {
        // So the pieces are wiped.
        started.into_iter().for_each(|thread| drop(thread.join()));
    }
    (output, result)
}

/// A step that each thread does in turn.
struct Turn<T> {
    mine: Receiver<T>,
    next: Sender<T>,
}

impl<T> Turn<T> {
    /// Waits for the turn. `None` if the relay has ended.
    fn take(&self) -> Option<T> {
        self.mine.iter().next()
    }

    /// It is the next thread's turn.
    fn pass(&self, step: T) {
        let _ = self.next.send(step); // fails if the relay has ended
    }
}

/// The turns of all threads in a ring, of which the first one has the step.
fn ring<T>(threads: usize, step: T) -> impl Iterator<Item = Turn<T>> {
    let (senders, receivers): (Vec<_>, Vec<_>) = (0..threads).map(|_| channel()).unzip();
    if let Some(first) = senders.first() {
        let _ = first.send(step);
    }
    let next = senders.into_iter().cycle().skip(1);
    let turns: Vec<_> =
        receivers.into_iter().zip(next).map(|(mine, next)| Turn { mine, next }).collect();
    turns.into_iter()
}

/// What each thread does.
struct Runner<S, W, O> {
    source: Turn<S>,
    work: Turn<W>,
    output: Turn<O>,
}

/// What comes after a piece.
enum Then<S> {
    More,
    End(S),
    Failure(io::Error),
}

impl<S: Source, W: Work, O: Write> Runner<S, W, O> {
    /// Runs until the relay ends. Returns the output if it ends here.
    fn run(self) -> Option<(O, io::Result<S>)> {
        let mut piece = Piece::new();
        loop {
            let mut source = self.source.take()?;
            let mut then = match source.fill(&mut piece) {
                Ok(false) => {
                    self.source.pass(source);
                    Then::More
                }
                Ok(true) => Then::End(source),
                Err(error) => Then::Failure(error),
            };
            let mut work = self.work.take()?;
            match work.change(&mut piece, matches!(then, Then::End(_))) {
                Ok(()) => self.work.pass(work),
                Err(error) => then = Then::Failure(error),
            }
            let mut output = self.output.take()?;
            let written = output.write_all(piece.bytes());
            return Some(match (written, then) {
                (Ok(()), Then::More) => {
                    self.output.pass(output);
                    continue;
                }
                (Ok(()), Then::End(source)) => (output, Ok(source)),
                (Ok(()), Then::Failure(error)) | (Err(error), _) => (output, Err(error)),
            });
        }
    }
}

/// A piece of data on its way. It is wiped, because it may be secret.
pub(crate) struct Piece {
    /// The piece, and room for a chunk that begins in it.
    pub(crate) buffer: PageBuffer,
    /// The tags of its sealed chunks, if they are not in the buffer.
    pub(crate) tags: [[u8; Sealer::TAG_LEN]; CHUNKS],
    /// Where the full chunks end, or the data if it is not in chunks.
    pub(crate) filled: usize,
    /// How much there is of the last chunk, after the full ones.
    pub(crate) last: usize,
    /// How much is to be written.
    pub(crate) length: usize,
}

impl Piece {
    fn new() -> Self {
        Self {
            buffer: PageBuffer::zeroed(PIECE + Sealer::CHUNK_LEN + Sealer::TAG_LEN),
            tags: [[0; Sealer::TAG_LEN]; CHUNKS],
            filled: 0,
            last: 0,
            length: 0,
        }
    }

    fn bytes(&self) -> &[u8] {
        self.buffer.get(..self.length).unwrap_or_default()
    }
}

/// Reads until the room is full or the input ends; pipes return little at once. Returns whether it ended. `filled`
/// counts what was read, also before an error.
pub(crate) fn read_full(
    input: &mut impl Read,
    room: &mut [u8],
    filled: &mut usize,
) -> io::Result<bool> {
    while let Some(rest) = room.get_mut(*filled..).filter(|rest| !rest.is_empty()) {
        match input.read(rest) {
            Ok(0) => return Ok(true),
            Ok(length) => *filled += length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(false)
}
