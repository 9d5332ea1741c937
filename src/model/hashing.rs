//! Hashes a file while it is written to another writer.

use std::{
    fmt,
    io::{self, Write},
    mem,
    panic::AssertUnwindSafe,
    sync::{
        Mutex, PoisonError,
        mpsc::{Receiver, Sender, channel},
    },
    thread::{self, JoinHandle},
};

use super::{contents::Method, file_digest::FileDigest, hasher::FileHasher};
use crate::{error::Error, secret::PageBuffer};

/// How many buffers there are at most, and how long each is: the thread hashes one while the next is filled. The rest
/// make up for a writer that is not steady, and on a busy machine for the moments in which only one of the two runs.
const BUFFERS: usize = 8;
const BUFFER: usize = 256 * 1024;

/// How many buffers the thread gives back at once, unless it has nothing else to do. To wake the other thread takes
/// more than 10 us on a virtual machine, and for each buffer that would be a tenth of the time. The rest keep this
/// thread busy until the first of these is full again.
const GIVEN_BACK: usize = 6;

/// How much the inner writer is offered at once. It works while the thread hashes, so nothing is gained by more than
/// fits into the buffers.
const OFFERED: usize = BUFFERS * BUFFER / 4;

/// Writes to another writer, such as one that seals, and hashes the same bytes on a thread of its own.
///
/// Where there are two cores, both take as long as the slower of them. It needs 2 MiB at most, which are wiped,
/// however long the file is.
///
/// ```
/// use std::{fs::File, io};
///
/// use twinseal::model::{Bundle, Hashing, ManifestBuilder, TrustedKey};
///
/// # let bob = twinseal::DecapsulationKey::generate()?;
/// # let alice = twinseal::SigningKey::generate()?;
/// # let directory = tempfile::tempdir()?;
/// # std::fs::write(directory.path().join("weights"), [7; 100_000])?;
/// # let path = |name| directory.path().join(name);
/// let mut model = ManifestBuilder::new("run-7")?;
///
/// let sealed = File::create(path("weights.sealed"))?;
/// let sealed = bob.encapsulation_key().seal_writer(b"example.com/models", sealed)?;
/// let mut writer = Hashing::new(sealed, model.method())?;
/// io::copy(&mut File::open(path("weights"))?, &mut writer)?;
/// let (sealed, digest) = writer.finish()?;
/// sealed.finish()?;
///
/// model.add("weights", digest)?;
/// let bundle = model.sign(&alice)?;
/// # let manifest = bundle.verify(&[TrustedKey::from(alice.verifying_key())])?;
/// # let weights = bob.open_reader(b"example.com/models", File::open(path("weights.sealed"))?)?;
/// # manifest.file("weights").unwrap().verify_reader(weights)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors of the inner writer
///
/// They are returned, and what it did not take is not hashed, so a call that failed can be repeated as it could without
/// this. After a panic of the inner writer, or when it claims more bytes than it was offered, every later call fails.
/// The thread ends with this value, whatever happened before.
#[must_use = "without finish() there is no digest"]
pub struct Hashing<W> {
    writer: W,
    thread: HashingThread,
    /// Set while the bytes that are written may not be those that are hashed.
    failed: bool,
}

impl<W: Write> Hashing<W> {
    /// Starts the thread.
    ///
    /// # Errors
    ///
    /// Those of the system if there can be no other thread.
    pub fn new(writer: W, method: Method) -> io::Result<Self> {
        Ok(Self { writer, thread: HashingThread::new(method)?, failed: false })
    }

    /// Returns the writer, which is neither flushed nor finished by this, and the digests of all that was written.
    ///
    /// # Errors
    ///
    /// [`Error::Model`] with [`EmptyFile`](crate::ModelRefusal::EmptyFile) if nothing was written and the method is
    /// [`Shards`](Method::Shards). If an earlier call lost bytes, that.
    pub fn finish(self) -> io::Result<(W, FileDigest)> {
        self.check()?;
        Ok((self.writer, self.thread.finish()?))
    }

    /// The inner writer.
    #[must_use]
    pub fn get_ref(&self) -> &W {
        &self.writer
    }

    fn check(&self) -> io::Result<()> {
        if self.failed {
            return Err(io::Error::other(
                "the writer failed before, and it is unclear what it wrote",
            ));
        }
        Ok(())
    }
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.check()?;
        self.failed = true;
        let bytes = &bytes[..bytes.len().min(OFFERED)];
        let written = self.writer.write(bytes);
        let Ok(written) = written else {
            self.failed = false; // it took nothing
            return written;
        };
        let claim = || io::Error::other("the inner writer claims too many bytes");
        self.thread.hash(bytes.get(..written).ok_or_else(claim)?)?;
        self.failed = false;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.check()?;
        self.failed = true;
        let flushed = self.writer.flush();
        self.failed = false;
        flushed
    }
}

impl<W> fmt::Debug for Hashing<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hashing")
    }
}

/// A buffer, and how much of it is full.
type Filled = (PageBuffer, usize);

/// A thread that hashes, and the buffers that go there and back.
struct HashingThread {
    /// The buffer that is being filled, and how much of it is. None before the first byte and after an error.
    filling: Option<Filled>,
    /// How many buffers were not needed yet.
    unused: usize,
    full: Option<Sender<Filled>>,
    empty: Vec<PageBuffer>,
    /// The mutex is never locked: with it, this is `Sync`.
    given_back: Mutex<Receiver<Vec<PageBuffer>>>,
    /// Only joined, which a panic of the inner writer does not touch.
    handle: Option<AssertUnwindSafe<JoinHandle<Result<FileDigest, Error>>>>,
}

impl HashingThread {
    fn new(method: Method) -> io::Result<Self> {
        let (full, to_hash) = channel::<Filled>();
        let (give_back, given_back) = channel();
        let work = move || {
            let _ = give_back.send(Vec::new()); // it has started
            let mut hasher = FileHasher::new(method);
            let mut hashed = Vec::new();
            while let Some((buffer, length)) = next(&to_hash, &mut hashed, &give_back) {
                hasher.update(&buffer[..length])?;
                hashed.push(buffer);
                if hashed.len() == GIVEN_BACK {
                    give(&mut hashed, &give_back);
                }
            }
            hasher.finish()
        };
        let handle = thread::Builder::new().name("twinseal-hash".into()).spawn(work)?;
        // A new thread can be put on the core of this one, and then starts when this one waits: without this, the
        // first time that all buffers are full.
        #[expect(clippy::disallowed_methods, reason = "the thread has been spawned")]
        let _ = given_back.recv();
        Ok(Self {
            filling: None,
            unused: BUFFERS,
            full: Some(full),
            empty: Vec::new(),
            given_back: Mutex::new(given_back),
            handle: Some(AssertUnwindSafe(handle)),
        })
    }

    /// Copies the bytes, and waits for a buffer if there is none.
    fn hash(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut rest = bytes;
        while !rest.is_empty() {
            let (mut buffer, filled) = match self.filling.take() {
                Some(filling) => filling,
                None => (self.empty_buffer()?, 0),
            };
            let (now, later) = rest.split_at(rest.len().min(BUFFER - filled));
            buffer[filled..][..now.len()].copy_from_slice(now);
            rest = later;
            self.filling = Some((buffer, filled + now.len()));
            if filled + now.len() == BUFFER {
                self.send()?;
            }
        }
        Ok(())
    }

    fn empty_buffer(&mut self) -> io::Result<PageBuffer> {
        if let Some(left) = self.unused.checked_sub(1) {
            self.unused = left;
            return Ok(PageBuffer::zeroed(BUFFER));
        }
        loop {
            if let Some(buffer) = self.empty.pop() {
                return Ok(buffer);
            }
            let given_back = self.given_back.get_mut().unwrap_or_else(PoisonError::into_inner);
            #[expect(clippy::disallowed_methods, reason = "the thread hashes, which ends")]
            let given_back = given_back.recv();
            self.empty = given_back.map_err(|_| self.ended())?;
        }
    }

    /// Sends what the buffer has.
    fn send(&mut self) -> io::Result<()> {
        if let (Some(filled), Some(full)) = (self.filling.take(), &self.full)
            && full.send(filled).is_err()
        {
            return Err(self.ended());
        }
        Ok(())
    }

    /// Why the thread ended too early.
    fn ended(&mut self) -> io::Error {
        match self.join() {
            Err(error) => error,
            Ok(_) => io::Error::other("the thread that hashes has ended"),
        }
    }

    fn finish(mut self) -> io::Result<FileDigest> {
        self.send()?;
        self.join()
    }

    fn join(&mut self) -> io::Result<FileDigest> {
        self.full = None;
        // Buffers are wiped here while the thread hashes the last ones.
        self.empty.clear();
        self.given_back.get_mut().unwrap_or_else(PoisonError::into_inner).iter().for_each(drop);
        let ended = self.handle.take().and_then(|handle| handle.0.join().ok());
        Ok(ended.ok_or_else(|| io::Error::other("the thread that hashes panicked"))??)
    }
}

/// The next buffer to hash. Before it waits for one, it gives back those that it has hashed.
fn next(
    to_hash: &Receiver<Filled>,
    hashed: &mut Vec<PageBuffer>,
    give_back: &Sender<Vec<PageBuffer>>,
) -> Option<Filled> {
    if let Ok(filled) = to_hash.try_recv() {
        return Some(filled);
    }
    give(hashed, give_back);
    #[expect(clippy::disallowed_methods, reason = "whoever writes ends it by dropping the sender")]
    to_hash.recv().ok()
}

fn give(hashed: &mut Vec<PageBuffer>, give_back: &Sender<Vec<PageBuffer>>) {
    if !hashed.is_empty() {
        // Whoever gave up needs no buffers. They are wiped here then.
        let _ = give_back.send(mem::take(hashed));
    }
}

impl Drop for HashingThread {
    fn drop(&mut self) {
        // What it has found is of no use any more.
        let _ = self.join();
    }
}
