//! Sealing with a manifest in one pass, beside bare sealing and bare SHA-256 of the same bytes.

use std::{
    hint::black_box,
    io::{self, Write},
};

use sha2::{Digest, Sha256};
use twinseal::{
    DecapsulationKey,
    model::{FileHasher, Hashing, Method},
    provider::Provider,
};

use super::{case::Case, mode, providers::PROVIDERS};

const CONTEXT: &[u8] = b"example.com/bench";

/// The bytes of one write.
const PART: usize = 1 << 20;

pub(crate) fn cases() -> impl Iterator<Item = Case> {
    PROVIDERS.into_iter().flat_map(|provider| {
        OPERATIONS.map(|(name, operation)| {
            let mut case = Case::new("model/one pass, 64 MiB", name, provider.name, move || {
                let mut pass = Pass::new(provider);
                move || operation(&mut pass)
            });
            case.bytes = Some(length() as u64);
            case
        })
    })
}

type Operation = fn(&mut Pass);

const OPERATIONS: [(&str, Operation); 5] = [
    ("SHA-256", |pass| {
        black_box(Sha256::digest(&pass.plaintext));
    }),
    ("SealWriter", Pass::seal),
    ("SealWriter, hashing", Pass::seal_and_hash),
    // Both one after the other, on one thread.
    ("SealWriter and FileHasher", Pass::seal_then_hash),
    ("hashing, nothing sealed", Pass::hash),
];

/// Less if nothing is measured.
fn length() -> usize {
    if mode::testing() { 1 << 20 } else { 64 << 20 }
}

struct Pass {
    bob: DecapsulationKey,
    plaintext: Vec<u8>,
    output: Vec<u8>,
}

impl Pass {
    fn new(provider: &'static Provider) -> Self {
        let bob = DecapsulationKey::generate().unwrap().on(provider).unwrap();
        let plaintext = vec![7; length()];
        let output = bob.encapsulation_key().seal(CONTEXT, &plaintext).unwrap();
        Self { bob, plaintext, output }
    }

    fn seal(&mut self) {
        let to_bob = self.bob.encapsulation_key();
        let mut writer = to_bob.seal_writer(CONTEXT, &mut self.output[..]).unwrap();
        self.plaintext.chunks(PART).for_each(|part| writer.write_all(part).unwrap());
        writer.finish().unwrap();
    }

    fn seal_and_hash(&mut self) {
        let to_bob = self.bob.encapsulation_key();
        let writer = to_bob.seal_writer(CONTEXT, &mut self.output[..]).unwrap();
        let mut writer = Hashing::new(writer, Method::Files).unwrap();
        self.plaintext.chunks(PART).for_each(|part| writer.write_all(part).unwrap());
        let (writer, digest) = writer.finish().unwrap();
        writer.finish().unwrap();
        black_box(digest);
    }

    fn seal_then_hash(&mut self) {
        let to_bob = self.bob.encapsulation_key();
        let mut writer = to_bob.seal_writer(CONTEXT, &mut self.output[..]).unwrap();
        let mut hasher = FileHasher::new(Method::Files);
        for part in self.plaintext.chunks(PART) {
            writer.write_all(part).unwrap();
            hasher.write_all(part).unwrap();
        }
        writer.finish().unwrap();
        black_box(hasher.finish().unwrap());
    }

    fn hash(&mut self) {
        let mut writer = Hashing::new(io::sink(), Method::Files).unwrap();
        self.plaintext.chunks(PART).for_each(|part| writer.write_all(part).unwrap());
        black_box(writer.finish().unwrap());
    }
}
