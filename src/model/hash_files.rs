//! Hashes many files on all cores, each byte once, in constant memory.

use std::{
    cmp::Reverse,
    fs::{self, OpenOptions},
    io::{self, Seek, SeekFrom},
    mem,
    ops::Range,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
};

use super::{
    contents::Method,
    file_digest::{Digests, FileDigest},
    hasher::FileHasher,
    ignored::Ignored,
    progress::{OnProgress, Progress},
    walk::{File, Found, Model, State},
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

/// So many of them are one piece of work.
const BATCH: usize = 256;

/// Finds what is in a model, as [`Model::walk`] does, and hashes short files meanwhile if `is_signed` says so of them.
/// The method is none if it depends on what is found: then it is one that has short files whole.
pub(super) fn find(
    model: &Model<'_>,
    ignored: &Ignored,
    method: Option<Method>,
    is_wanted: impl Fn(&Path) -> bool,
    is_signed: impl Fn(&File) -> bool,
) -> io::Result<Vec<(PathBuf, Found)>> {
    let whole = match method {
        Some(Method::Shards(size)) => 1..=size.get().min(SHORT),
        _ => 0..=SHORT,
    };
    let buffers = Mutex::new(Vec::new());
    rayon::in_place_scope(|scope| {
        let mut batch = Vec::new();
        // The last batch is hashed with longer files.
        model.walk(ignored, is_wanted, |file| {
            if whole.contains(&file.state.length) && is_signed(file) {
                batch.push(Arc::clone(file));
            }
            if batch.len() == BATCH {
                let batch = mem::take(&mut batch);
                scope.spawn(|_| hash_early(model, batch, &buffers));
            }
        })
    })
}

/// Hashes short files. One with an error is hashed again later, and has that error, or another one, then.
fn hash_early(model: &Model<'_>, batch: Vec<Arc<File>>, buffers: &Mutex<Vec<PageBuffer>>) {
    let lock = || buffers.lock().unwrap_or_else(PoisonError::into_inner);
    let spare = lock().pop();
    // Longer than the files, to see that they end.
    let mut buffer = spare.unwrap_or_else(|| PageBuffer::zeroed(2 * SHORT as usize));
    for file in batch {
        let range = 0..file.state.length;
        let hashed = hash(model, &file, &range, Method::Files, &mut buffer, |_| true);
        if let Ok(Some(FileDigest(Digests::Whole(sha256)))) = hashed {
            let _ = file.early.set(sha256); // nobody else does
        }
    }
    lock().push(buffer);
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
    let early = file.early.get();
    FileDigest(match method {
        Method::Files => Digests::Whole(early.copied().unwrap_or_default()),
        Method::Shards(size) => {
            let digests = early.copied().into_iter().collect();
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
        let is_left = |(_, file): &(usize, &&File)| file.early.get().is_none();
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
        let early = files.iter().filter(|file| file.early.get().is_some());
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
            let part = hash(self.model, file, &run.range, self.method, &mut buffer, goes_on);
            if part.is_err() && self.stops_at_errors {
                self.is_stopped.store(true, Relaxed);
            }
            parts.push((index, part));
        }
        parts
    }
}

/// Hashes a run of a file. Calls `goes_on` with the length of each piece that it has read; none if that is false.
fn hash(
    model: &Model<'_>,
    file: &File,
    range: &Range<u64>,
    method: Method,
    buffer: &mut [u8],
    goes_on: impl Fn(u64) -> bool,
) -> Part {
    let path = model.path(&file.name);
    let changed = || Error::Model(ModelRefusal::ChangedWhileRead).into();
    let mut opened = open(&path, &file.state)?;
    if range.start > 0 {
        opened.seek(SeekFrom::Start(range.start))?;
    }
    let is_last = range.end == file.state.length;
    let mut hasher = FileHasher::new(method);
    let mut left = range.end - range.start;
    loop {
        // One byte more than is left shows a file that has more than it said.
        let wanted = left.saturating_add(u64::from(is_last));
        let wanted = usize::try_from(wanted).unwrap_or(usize::MAX).min(buffer.len());
        let read = read_some(&mut opened, &mut buffer[..wanted])?;
        let length = read.len() as u64;
        if length > left || (length == 0 && left > 0) {
            return Err(changed());
        }
        hasher.update(read)?;
        left -= length;
        let goes_on = goes_on(length);
        if left == 0 {
            break;
        }
        if !goes_on {
            return Ok(None);
        }
    }
    // Not of the open file: another one may have taken its name.
    match fs::symlink_metadata(&path) {
        Ok(metadata) if State::of(&metadata) == file.state => Ok(Some(hasher.finish()?)),
        _ => Err(changed()),
    }
}

/// Opens a regular file that is in the state in which it was found.
fn open(path: &Path, state: &State) -> io::Result<fs::File> {
    let mut options = OpenOptions::new();
    options.read(true);
    // A link or FIFO may have taken the place of the file.
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(
        &mut options,
        libc::O_NOFOLLOW | libc::O_NONBLOCK | libc::O_NOCTTY,
    );
    let file = options.open(path).map_err(|error| match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_symlink() => Error::Model(ModelRefusal::Link).into(),
        Ok(metadata) if !metadata.is_file() => Error::Model(ModelRefusal::SpecialFile).into(),
        _ => error,
    })?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(Error::Model(ModelRefusal::SpecialFile).into());
    }
    if State::of(&metadata) != *state {
        return Err(Error::Model(ModelRefusal::ChangedWhileRead).into());
    }
    Ok(file)
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
