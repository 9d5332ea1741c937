//! Hashing the files of a model, which the page cache has: few large ones beside bare SHA-256 of the same bytes in
//! memory, and many small ones beside a walk that only reads them. If they are there, `openssl` and the reference
//! implementation are in the same table: its Python is what `TWINSEAL_MODEL_SIGNING` names, and its time has the start of
//! the interpreter in it.

use std::{
    fs::{self, File},
    hint::black_box,
    io::Read,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use rayon::prelude::*;
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use twinseal::{
    SigningKey,
    model::{Checking, Manifest, Method, Signing, TrustedKey},
};

use super::{case::Case, mode};

/// Small enough for a file to keep all cores busy.
const SHARD: u64 = 16 << 20;

/// Of the small files.
const SMALL: usize = 4096;

pub(crate) fn cases() -> impl Iterator<Item = Case> {
    large().chain(many())
}

fn large() -> impl Iterator<Item = Case> {
    let lengths = if mode::testing() { vec![1 << 20] } else { vec![64 << 20, 1 << 30] };
    lengths.into_iter().flat_map(|length| {
        LARGE.into_iter().filter(|(name, _)| is_there(name)).map(move |(name, operation)| {
            let group = format!("model/file of {} MiB", length >> 20);
            let mut case = Case::new(group, name, "cached", move || {
                let model = Large::new(length);
                move || operation(&model)
            });
            case.bytes = Some(length as u64);
            case
        })
    })
}

/// One file, the same bytes in several files, and the same in memory.
struct Large {
    key: SigningKey,
    bytes: Vec<u8>,
    one: PathBuf,
    several: PathBuf,
    _temporary: TempDir,
}

type OnLarge = fn(&Large);

const LARGE: [(&str, OnLarge); 9] = [
    ("SHA-256, one core", |model| {
        black_box(Sha256::digest(&model.bytes));
    }),
    ("SHA-256, all cores", Large::bare),
    ("read and hashed, one core", Large::read_and_hash),
    ("sign, whole", |model| model.sign(&model.one, Method::Files)),
    ("sign, shards, one core", |model| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        pool.install(|| model.sign(&model.one, shards()));
    }),
    ("sign, shards, all cores", |model| model.sign(&model.one, shards())),
    ("sign, a file for each core", |model| model.sign(&model.several, Method::Files)),
    (OPENSSL, |model| {
        run(Command::new("openssl").args(["dgst", "-sha256"]).arg(model.one.join("weights")));
    }),
    (REFERENCE, |model| reference(&model.one)),
];

const OPENSSL: &str = "openssl dgst -sha256";
const REFERENCE: &str = "model_signing, hash";

/// Whether another program can be measured, which is said if not.
fn is_there(name: &str) -> bool {
    let is_there = match name {
        OPENSSL => succeeds(Command::new("openssl").arg("version")),
        REFERENCE => std::env::var_os(PYTHON).is_some(),
        _ => true,
    };
    if !is_there {
        eprintln!("skipped: {name} (no openssl, or {PYTHON} is not set)");
    }
    is_there
}

/// The interpreter that has `model_signing`.
const PYTHON: &str = "TWINSEAL_MODEL_SIGNING";

fn reference(model: &Path) {
    const HASH: &str = "import sys, model_signing; model_signing.hashing.hash(sys.argv[1])";
    let python = std::env::var_os(PYTHON).unwrap();
    run(Command::new(python).args(["-c", HASH]).arg(model));
}

fn run(command: &mut Command) {
    assert!(succeeds(command), "{command:?}");
}

#[expect(clippy::disallowed_methods, reason = "it waits for nothing but its own work")]
fn succeeds(command: &mut Command) -> bool {
    command.stdout(Stdio::null()).status().is_ok_and(|status| status.success())
}

fn shards() -> Method {
    Method::Shards(SHARD.try_into().unwrap())
}

impl Large {
    fn new(length: usize) -> Self {
        let temporary = directory();
        let (one, several) = (temporary.path().join("one"), temporary.path().join("several"));
        let bytes: Vec<u8> = (0..length).map(|index| (index / 7) as u8).collect();
        write(&one.join("weights"), &bytes);
        for (index, part) in bytes.chunks(part(length)).enumerate() {
            write(&several.join(format!("weights-{index}")), part);
        }
        let key = SigningKey::generate().unwrap();
        Self { key, bytes, one, several, _temporary: temporary }
    }

    fn bare(&self) {
        self.bytes.par_chunks(part(self.bytes.len())).for_each(|part| {
            black_box(Sha256::digest(part));
        });
    }

    /// The least that a program does that hashes a file.
    fn read_and_hash(&self) {
        let mut file = File::open(self.one.join("weights")).unwrap();
        let mut hash = Sha256::new();
        let mut buffer = vec![0; 64 * 1024];
        loop {
            match file.read(&mut buffer).unwrap() {
                0 => break,
                read => hash.update(&buffer[..read]),
            }
        }
        black_box(hash.finalize());
    }

    fn sign(&self, model: &Path, method: Method) {
        black_box(Signing::new().method(method).sign(&self.key, model).unwrap());
    }
}

/// The share of a core.
fn part(length: usize) -> usize {
    length.div_ceil(rayon::current_num_threads())
}

fn many() -> impl Iterator<Item = Case> {
    let counts = if mode::testing() { vec![100] } else { vec![10_000, 100_000] };
    counts.into_iter().flat_map(|count| {
        MANY.into_iter().filter(|(name, _)| is_there(name)).map(move |(name, operation)| {
            let group = format!("model/{count} files of 4 KiB");
            let mut case = Case::new(group, name, "cached", move || {
                let model = Many::new(count);
                move || operation(&model)
            });
            case.bytes = Some((count * SMALL) as u64);
            case
        })
    })
}

/// Small files in directories of a thousand.
struct Many {
    key: SigningKey,
    manifest: Manifest,
    path: PathBuf,
    _temporary: TempDir,
}

type OnMany = fn(&Many);

const MANY: [(&str, OnMany); 4] = [
    ("walk and read, one core", |model| read_all(&model.path, &mut Vec::new())),
    ("sign", |model| {
        black_box(Signing::new().sign(&model.key, &model.path).unwrap());
    }),
    ("check", |model| {
        let report = Checking::new().check(&model.manifest, &model.path).unwrap();
        assert!(report.is_as_signed(), "{report}");
    }),
    (REFERENCE, |model| reference(&model.path)),
];

impl Many {
    fn new(count: usize) -> Self {
        let temporary = directory();
        let path = temporary.path().join("model");
        for index in 0..count {
            let name = format!("{}/file-{index}.bin", index / 1000);
            write(&path.join(name), &[index as u8; SMALL]);
        }
        let key = SigningKey::generate().unwrap();
        let bundle = Signing::new().sign(&key, &path).unwrap();
        let manifest = bundle.verify(&[TrustedKey::from(key.verifying_key())]).unwrap();
        Self { key, manifest, path, _temporary: temporary }
    }
}

/// The least that a program does that reads every file of a directory.
fn read_all(directory: &Path, buffer: &mut Vec<u8>) {
    for entry in fs::read_dir(directory).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            read_all(&entry.path(), buffer);
            continue;
        }
        buffer.clear();
        File::open(entry.path()).unwrap().read_to_end(buffer).unwrap();
        black_box(&buffer);
    }
}

fn directory() -> TempDir {
    tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap()
}

fn write(path: &Path, bytes: &[u8]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}
