//! What sealing adds to files: the bytes of a checkpoint, the time to write it, and how fast a file is
//! copied, sealed and opened.

use std::{
    fs::File,
    hint::black_box,
    io::{self, Read, Write},
    time::{Duration, Instant},
};

use tempfile::TempDir;
use twinseal::DecapsulationKey;

use super::{
    measure::{Effort, Progress, median},
    network::PROVIDERS,
};

const CONTEXT: &[u8] = b"example.com/checkpoints/v1";
const BUFFER: usize = 1 << 20;

/// Longer checkpoints are not written to a file but to nowhere.
fn longest_file(effort: Effort) -> u64 {
    effort.pick(1 << 20, 100 << 20, 1 << 30)
}

/// Longer ones are not timed: their sizes are computed.
fn longest(effort: Effort) -> u64 {
    effort.pick(1 << 20, 1 << 30, 10 << 30)
}

const LENGTHS: [u64; 5] = [1 << 20, 10 << 20, 100 << 20, 1 << 30, 10 << 30];

/// So many bytes of what does not compress to nothing, without reading a disk.
struct Source {
    block: Vec<u8>,
    left: u64,
}

impl Source {
    fn new(length: u64) -> Self {
        let block = (0..BUFFER).map(|index| (index as u32).wrapping_mul(2_654_435_761) as u8);
        Self { block: block.collect(), left: length }
    }
}

impl Read for Source {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.left.min(buffer.len().min(self.block.len()) as u64) as usize;
        buffer[..length].copy_from_slice(&self.block[..length]);
        self.left -= length as u64;
        Ok(length)
    }
}

/// Takes everything, and the compiler does not know that it is dropped.
struct Nowhere;

impl Write for Nowhere {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(black_box(bytes).len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Where a checkpoint goes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target {
    File,
    /// It is streamed from memory, and the result dropped.
    Nowhere,
    /// Not at all: its size is computed.
    NotTimed,
}

/// A checkpoint, plain and sealed.
pub(crate) struct Checkpoint {
    pub(crate) length: u64,
    pub(crate) sealed: u64,
    pub(crate) target: Target,
    /// Into a file without sealing, in seconds.
    pub(crate) plain: Option<f64>,
    /// For each of [`PROVIDERS`].
    pub(crate) times: Vec<f64>,
}

fn copy(mut from: impl Read, mut to: impl Write) {
    let mut buffer = vec![0; BUFFER];
    loop {
        let length = from.read(&mut buffer).unwrap();
        if length == 0 {
            return to.flush().unwrap();
        }
        to.write_all(&buffer[..length]).unwrap();
    }
}

fn seal(key: &DecapsulationKey, from: impl Read, to: impl Write) {
    let mut writer = key.encapsulation_key().seal_writer(CONTEXT, to).unwrap();
    copy(from, &mut writer);
    writer.finish().unwrap().flush().unwrap();
}

fn timed(run: impl FnOnce()) -> Duration {
    let started = Instant::now();
    run();
    started.elapsed()
}

/// Beside the build, where there is room for a file.
fn directory() -> TempDir {
    tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap()
}

fn keys() -> [DecapsulationKey; 2] {
    PROVIDERS.map(|provider| DecapsulationKey::generate().unwrap().on(provider).unwrap())
}

/// How many measurements [`checkpoints`] and [`files`] announce.
pub(crate) const STEPS: usize = LENGTHS.len() + 1;

pub(crate) fn checkpoints(effort: Effort, progress: &mut Progress) -> Vec<Checkpoint> {
    let (directory, keys) = (directory(), keys());
    let path = directory.path().join("checkpoint");
    let checkpoint = |length: u64| {
        progress.step(&format!("checkpoint of {} MiB, with and without sealing", length >> 20));
        let sealed = keys[0].encapsulation_key().sealed_len(length).unwrap();
        let target = match length {
            _ if length <= longest_file(effort) => Target::File,
            _ if length <= longest(effort) => Target::Nowhere,
            _ => Target::NotTimed,
        };
        let file = || File::create(&path).unwrap();
        let source = || Source::new(length);
        let time = |key| {
            median(effort, || match target {
                Target::File => timed(|| seal(key, source(), file())),
                Target::Nowhere => timed(|| seal(key, source(), Nowhere)),
                Target::NotTimed => Duration::ZERO,
            })
        };
        let plain =
            (target == Target::File).then(|| median(effort, || timed(|| copy(source(), file()))));
        let times = keys.iter().map(time).collect();
        if target == Target::File {
            assert_eq!(path.metadata().unwrap().len(), sealed, "what was computed is written");
        }
        Checkpoint { length, sealed, target, plain, times }
    };
    LENGTHS.map(checkpoint).into()
}

/// How fast one file is made from another, in bytes a second.
pub(crate) struct Files {
    pub(crate) length: u64,
    pub(crate) copied: f64,
    /// For each of [`PROVIDERS`]: sealed, sealed on all cores, opened, opened on all cores.
    pub(crate) sealed: Vec<[f64; 4]>,
}

pub(crate) fn files(effort: Effort, progress: &mut Progress) -> Files {
    progress.step("files copied, sealed and opened");
    let length: u64 = effort.pick(1 << 20, 256 << 20, 1 << 30);
    let directory = directory();
    let [from, to, back] = ["plain", "sealed", "opened"].map(|name| directory.path().join(name));
    copy(Source::new(length), File::create(&from).unwrap());
    let source = || File::open(&from).unwrap();
    let target = || File::create(&to).unwrap();
    let speed = |run: &dyn Fn()| length as f64 / median(effort, || timed(run));

    let copied = speed(&|| copy(source(), target()));
    let sealed = keys().map(|key| {
        let to_key = key.encapsulation_key();
        let opened = || File::create(&back).unwrap();
        let sealed = || File::open(&to).unwrap();
        let one = speed(&|| seal(&key, source(), target()));
        let all = speed(&|| {
            let mut writer = to_key.seal_writer(CONTEXT, target()).unwrap().parallel();
            copy(source(), &mut writer);
            writer.finish().unwrap();
        });
        let open_one = speed(&|| copy(key.open_reader(CONTEXT, sealed()).unwrap(), opened()));
        let open_all =
            speed(&|| copy(key.open_reader(CONTEXT, sealed()).unwrap().parallel(), opened()));
        [one, all, open_one, open_all]
    });
    Files { length, copied, sealed: sealed.into() }
}
