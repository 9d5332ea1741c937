//! Hashes many files on all cores, each byte once, in constant memory.

use std::{
    cmp::Reverse,
    fs,
    io::{self, Seek, SeekFrom},
    ops::Range,
    path::Path,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
};

use super::{
    contents::Method,
    directory::State,
    file_digest::{Digests, FileDigest},
    hasher::FileHasher,
    ignored::Ignored,
    progress::{OnProgress, Progress},
    walk::{Batch, File, Model, Walked, unchanged},
};
use crate::{
    error::{Error, ModelRefusal},
    retry::read_some,
    secret::PageBuffer,
};

/// How much is read at once: a thread's buffer. On AMD Zen 4 (1 MiB of L2; ext4), hashing what is read into it is as fast
/// as into larger ones, and two to five percent faster than by 256 or 64 KiB: longer copies are faster copies.
const BUFFER: usize = 1 << 20;

/// Shards that are shorter are hashed by one thread in a row.
const RUN: u64 = 16 << 20;

/// A callback is called once in so many bytes, and at the end.
const STEP: u64 = 4 << 20;

/// Files that are not longer are hashed while the directory is still being read: finding such a file takes a third of
/// the time that it takes to hash it.
const SHORT: u64 = 64 * 1024;

/// Batches that are waited for keep a directory open each. If there are more, the thread that finds them hashes, too.
const BATCHES: usize = 32;

/// Finds what is in a model, as [`Model::walk`] does, and hashes short files meanwhile if `is_signed` says so of their
/// names, and of their lengths as far as they are known. The method is none if it depends on what is found: then it is
/// one that has short files whole.
pub(super) fn find(
    model: &Model<'_>,
    ignored: &Ignored,
    method: Option<Method>,
    is_wanted: impl Fn(&Path) -> bool,
    is_signed: impl Fn(&str, Option<u64>) -> bool + Sync,
) -> io::Result<Walked> {
    let whole = match method {
        Some(Method::Shards(size)) => 1..=size.get().min(SHORT),
        _ => 0..=SHORT,
    };
    let found = Mutex::new(Vec::new());
    let buffers = Mutex::new(Vec::new());
    let waiting = AtomicUsize::new(0);
    let examine = |batch: Batch| {
        let spare = lock(&buffers).pop();
        // Longer than the files, to see that they end.
        let mut buffer = spare.unwrap_or_else(|| PageBuffer::zeroed(2 * SHORT as usize));
        let examined = batch.examine(|file, name, state| {
            if !whole.contains(&state.length) || !is_signed(name, Some(state.length)) {
                return Ok(None);
            }
            let range = 0..state.length;
            let digest = hash(file, state, &range, Method::Files, &mut buffer, |_| true)?;
            Ok(digest.and_then(|digest| digest.whole().copied()))
        });
        lock(&buffers).push(buffer);
        lock(&found).extend(examined);
    };
    let (examine, waiting) = (&examine, &waiting);
    let mut walked = rayon::in_place_scope(|scope| {
        model.walk(
            ignored,
            is_wanted,
            |name| is_signed(name, None),
            |batch| {
                if waiting.load(Relaxed) >= BATCHES {
                    return examine(batch);
                }
                waiting.fetch_add(1, Relaxed);
                scope.spawn(|_| {
                    examine(batch);
                    waiting.fetch_sub(1, Relaxed);
                });
            },
        )
    })?;
    walked.complete(found.into_inner().unwrap_or_else(PoisonError::into_inner));
    Ok(walked)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Hashes all files. An error is that of its file only.
pub(super) fn hash_each(
    model: &Model<'_>,
    files: &[&File],
    method: Method,
    progress: OnProgress<'_>,
) -> Vec<io::Result<FileDigest>> {
    let mut hashed: Vec<_> = files.iter().map(|file| Ok(begun(file, method))).collect();
    for (file, part) in Work::new(model, files, method, progress, false).run() {
        if let Ok(digest) = &mut hashed[file] {
            match part {
                Ok(part) => append(digest, part),
                Err(error) => hashed[file] = Err(error),
            }
        }
    }
    hashed
}

/// Hashes all files, and stops at the first error, which names its file.
pub(super) fn hash_all(
    model: &Model<'_>,
    files: &[&File],
    method: Method,
    progress: OnProgress<'_>,
) -> io::Result<Vec<FileDigest>> {
    let mut hashed: Vec<_> = files.iter().map(|file| begun(file, method)).collect();
    for (file, part) in Work::new(model, files, method, progress, true).run() {
        let part = part.map_err(|error| model.error_at(&files[file].name, error))?;
        append(&mut hashed[file], part);
    }
    Ok(hashed)
}

/// The digest of a file before those of its runs are appended. One that was hashed early has no runs.
fn begun(file: &File, method: Method) -> FileDigest {
    let early = file.early;
    FileDigest(match method {
        Method::Files => Digests::Whole(early.unwrap_or_default()),
        Method::Shards(size) => {
            let digests = early.into_iter().collect();
            Digests::Shards { size, length: file.state.length, digests }
        }
    })
}

/// Appends the digests of the next run. A whole file has one.
fn append(digest: &mut FileDigest, run: Option<FileDigest>) {
    match (&mut digest.0, run) {
        (
            Digests::Shards { digests, .. },
            Some(FileDigest(Digests::Shards { digests: next, .. })),
        ) => {
            digests.extend(next);
        }
        (whole, Some(FileDigest(run))) => *whole = run,
        (_, None) => {}
    }
}

/// The parts of a file that are hashed by one thread each: the whole of it, or whole shards. An empty file has one part.
fn runs(length: u64, method: Method) -> impl Iterator<Item = Range<u64>> {
    let run = match method {
        Method::Files => u64::MAX,
        Method::Shards(size) => size.get().saturating_mul((RUN / size).max(1)),
    };
    let count = length.div_ceil(run).max(1);
    (0..count).map(move |index| {
        let start = index * run;
        start..start.saturating_add(run).min(length)
    })
}

/// A part of a file that one thread hashes.
struct Run {
    file: usize,
    range: Range<u64>,
}

/// The work of all threads.
struct Work<'a> {
    model: &'a Model<'a>,
    files: &'a [&'a File],
    method: Method,
    /// By file, then by position.
    runs: Vec<Run>,
    /// The longest first: if it came last, one thread would work while the others have nothing left.
    order: Vec<usize>,
    next: AtomicUsize,
    stops_at_errors: bool,
    is_stopped: AtomicBool,
    tally: Tally<'a>,
}

/// The digests of a run; none if another run's error stopped it.
type Part = io::Result<Option<FileDigest>>;

impl<'a> Work<'a> {
    fn new(
        model: &'a Model<'a>,
        files: &'a [&'a File],
        method: Method,
        progress: OnProgress<'a>,
        stops_at_errors: bool,
    ) -> Self {
        let is_left = |(_, file): &(usize, &&File)| file.early.is_none();
        let of_file = |(file, of): (usize, &&File)| {
            runs(of.state.length, method).map(move |range| Run { file, range })
        };
        let runs: Vec<Run> = files.iter().enumerate().filter(is_left).flat_map(of_file).collect();
        let mut order: Vec<usize> = (0..runs.len()).collect();
        // Files of about one length stay in the order of the directories, which disks like.
        order.sort_by_key(|index| {
            let range = &runs[*index].range;
            Reverse((range.end - range.start) / RUN)
        });
        // Sparse files can have any length.
        let total = files.iter().fold(0, |sum: u64, file| sum.saturating_add(file.state.length));
        let early = files.iter().filter(|file| file.early.is_some());
        let done = AtomicU64::new(early.map(|file| file.state.length).sum());
        Self {
            model,
            files,
            method,
            runs,
            order,
            next: AtomicUsize::new(0),
            stops_at_errors,
            is_stopped: AtomicBool::new(false),
            tally: Tally { progress, total, done },
        }
    }

    /// The digests of each run with the number of its file, in the order of `runs`. If it stops at an error, there are
    /// only some.
    fn run(self) -> Vec<(usize, Part)> {
        let parts = Mutex::new(Vec::new());
        let threads = rayon::current_num_threads().min(self.runs.len());
        // Not waited for until there is no more work: one that finds the pool busy is late and finds nothing left.
        rayon::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|_| {
                    let mine = self.take_turns();
                    parts.lock().unwrap_or_else(PoisonError::into_inner).extend(mine);
                });
            }
        });
        self.tally.finish();
        let mut parts = parts.into_inner().unwrap_or_else(PoisonError::into_inner);
        parts.sort_unstable_by_key(|(index, _)| *index);
        parts.into_iter().map(|(index, part)| (self.runs[index].file, part)).collect()
    }

    /// What one thread does.
    fn take_turns(&self) -> Vec<(usize, Part)> {
        let mut buffer = PageBuffer::zeroed(BUFFER);
        let mut parts = Vec::new();
        while !self.is_stopped.load(Relaxed)
            && let Some(&index) = self.order.get(self.next.fetch_add(1, Relaxed))
        {
            let run = &self.runs[index];
            let goes_on = |bytes| {
                self.tally.add(bytes);
                !self.is_stopped.load(Relaxed)
            };
            let file = self.files[run.file];
            let part = self.model.open(file).and_then(|mut opened| {
                let range = &run.range;
                let part =
                    hash(&mut opened, &file.state, range, self.method, &mut buffer, goes_on)?;
                unchanged(&opened, &file.state)?;
                Ok(part)
            });
            if part.is_err() && self.stops_at_errors {
                self.is_stopped.store(true, Relaxed);
            }
            parts.push((index, part));
        }
        parts
    }
}

/// Hashes a run of an open file in this state. Calls `goes_on` with the length of each piece that it has read; none if
/// that is false.
fn hash(
    file: &mut fs::File,
    state: &State,
    range: &Range<u64>,
    method: Method,
    buffer: &mut [u8],
    goes_on: impl Fn(u64) -> bool,
) -> Part {
    if range.start > 0 {
        file.seek(SeekFrom::Start(range.start))?;
    }
    let is_last = range.end == state.length;
    let mut hasher = FileHasher::new(method);
    let mut left = range.end - range.start;
    loop {
        // One byte more than is left shows a file that has more than it said.
        let wanted = left.saturating_add(u64::from(is_last));
        let wanted = usize::try_from(wanted).unwrap_or(usize::MAX).min(buffer.len());
        let read = read_some(file, &mut buffer[..wanted])?;
        let length = read.len() as u64;
        if length > left || (length == 0 && left > 0) {
            return Err(Error::Model(ModelRefusal::ChangedWhileRead).into());
        }
        hasher.update(read)?;
        left -= length;
        let goes_on = goes_on(length);
        if left == 0 {
            return Ok(Some(hasher.finish()?));
        }
        if !goes_on {
            return Ok(None);
        }
    }
}

/// Counts bytes, and says so now and then.
struct Tally<'a> {
    progress: OnProgress<'a>,
    total: u64,
    done: AtomicU64,
}

impl Tally<'_> {
    fn add(&self, bytes: u64) {
        let Some(progress) = self.progress else { return };
        let before = self.done.fetch_add(bytes, Relaxed);
        let done = before + bytes;
        // The end is said once, when it is.
        if before / STEP != done / STEP && done < self.total {
            progress(Progress { done, total: self.total });
        }
    }

    fn finish(&self) {
        if let Some(progress) = self.progress {
            progress(Progress { done: self.done.load(Relaxed), total: self.total });
        }
    }
}
