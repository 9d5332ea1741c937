//! A file sealed into another, in constant memory, through the system's cache.

use std::{
    fs::File,
    io::{Read, Write},
    iter,
    path::PathBuf,
};

use quantum_shield::{HybridCrypto, StreamSealer};
use tempfile::TempDir;
use twinseal::{DecapsulationKey, provider::Provider};

use super::{CONTEXT, case::Case, markdown::NONE, mode, providers::PROVIDERS};

const BUFFER: usize = 1 << 16;

fn length() -> usize {
    if mode::testing() { 1 << 20 } else { 256 << 20 }
}

/// A directory with a plain file, and the path of the sealed one.
struct Files {
    _directory: TempDir,
    plain: PathBuf,
    sealed: PathBuf,
}

impl Files {
    fn new() -> Self {
        let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let (plain, sealed) = (directory.path().join("plain"), directory.path().join("sealed"));
        let mut file = File::create(&plain).unwrap();
        let block = vec![7; 1 << 20];
        (0..length() >> 20).for_each(|_| file.write_all(&block).unwrap());
        Self { _directory: directory, plain, sealed }
    }

    fn target(&self) -> File {
        File::create(&self.sealed).unwrap()
    }

    /// Hands over the plain file in pieces.
    fn each(&self, mut take: impl FnMut(&[u8])) {
        let mut file = File::open(&self.plain).unwrap();
        let mut buffer = vec![0; BUFFER];
        loop {
            match file.read(&mut buffer).unwrap() {
                0 => return,
                length => take(&buffer[..length]),
            }
        }
    }
}

fn case<F: FnMut(&Files) + 'static>(
    name: &str,
    provider: &'static str,
    prepare: impl Fn() -> F + 'static,
) -> Case {
    let mut case = Case::new("file/seal", name, provider, move || {
        let (mut seal, directory) = (prepare(), Files::new());
        move || seal(&directory)
    });
    case.bytes = Some(length() as u64);
    case
}

fn twinseal(provider: &'static Provider) -> Case {
    case("twinseal (X25519, ML-KEM-1024, AES-256-GCM)", provider.name, move || {
        let key = DecapsulationKey::generate().unwrap().on(provider).unwrap();
        move |directory| {
            let target = directory.target();
            let mut writer = key.encapsulation_key().seal_writer(CONTEXT, target).unwrap();
            directory.each(|piece| writer.write_all(piece).unwrap());
            writer.finish().unwrap();
        }
    })
}

/// One frame for each piece that was read; the last one is empty.
fn quantum_shield() -> Case {
    case("quantum-shield (X25519, ML-KEM-1024, AES-256-GCM)", NONE, || {
        let key = HybridCrypto::generate().unwrap();
        move |directory| {
            let mut target = directory.target();
            let (mut sealer, header) = StreamSealer::new(key.public_keys()).unwrap();
            target.write_all(&header).unwrap();
            directory.each(|piece| {
                target.write_all(&sealer.seal_chunk(piece, false).unwrap()).unwrap();
            });
            target.write_all(&sealer.seal_chunk(b"", true).unwrap()).unwrap();
        }
    })
}

fn age() -> Case {
    case("age (X25519 only, ChaCha20-Poly1305)", NONE, || {
        let recipient = age::x25519::Identity::generate().to_public();
        move |directory| {
            let recipients = iter::once(&recipient as &dyn age::Recipient);
            let encryptor = age::Encryptor::with_recipients(recipients).unwrap();
            let mut writer = encryptor.wrap_output(directory.target()).unwrap();
            directory.each(|piece| writer.write_all(piece).unwrap());
            writer.finish().unwrap();
        }
    })
}

fn copied() -> Case {
    case("plain copy", NONE, || {
        |directory: &Files| {
            let mut target = directory.target();
            directory.each(|piece| target.write_all(piece).unwrap());
        }
    })
}

pub(crate) fn cases() -> Vec<Case> {
    let ours = PROVIDERS.into_iter().map(twinseal);
    ours.chain([quantum_shield(), age(), copied()]).collect()
}
