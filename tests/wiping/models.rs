//! Is a plaintext wiped that was hashed or verified beside its reader or writer?

use std::{
    hint::black_box,
    io::{self, Write, sink},
    num::NonZeroU64,
};

use twinseal::{
    SigningKey,
    model::{FileHasher, Hashing, Manifest, ManifestBuilder, Method},
};

use crate::allocator::{NEEDLE, Secrets};

/// The byte of which the files here consist. No other block is full of it.
const SECRET: u8 = 0xa7;

/// More than all buffers hold, and not a multiple of one.
const LENGTH: usize = 6_000_000;

/// Any piece of it.
fn secrets() -> Secrets {
    let mut secrets = Secrets::default();
    secrets.add_whole("file", &[SECRET; NEEDLE]);
    secrets
}

fn methods() -> [Method; 2] {
    [Method::Files, Method::Shards(NonZeroU64::new(100_000).unwrap())]
}

/// The buffers come back from the thread, so that the allocator sees them here.
#[test]
fn hashed_beside_a_writer() {
    let file = vec![SECRET; LENGTH].leak();
    for method in methods() {
        for length in [1000, 262_144, LENGTH] {
            secrets().assert_not_leaked_by(|| {
                let mut hashing = Hashing::new(sink(), method).unwrap();
                hashing.write_all(&file[..length]).unwrap();
                black_box(hashing.finish().unwrap());

                let mut given_up = Hashing::new(sink(), method).unwrap();
                given_up.write_all(&file[..length]).unwrap();
                drop(black_box(given_up));
            });
        }
    }
}

fn manifest(file: &[u8], method: Method) -> Manifest {
    let signer = SigningKey::generate().unwrap();
    let mut hasher = FileHasher::new(method);
    hasher.write_all(file).unwrap();
    let mut model = ManifestBuilder::new("model").unwrap().with_method(method);
    model.add("file", hasher.finish().unwrap()).unwrap();
    model.sign(&signer).unwrap().verify(&[signer.verifying_key().into()]).unwrap()
}

/// What is not returned, and what turned out to be changed.
#[test]
fn verified() {
    let file = &*vec![SECRET; LENGTH].leak();
    let mut changed = file.to_vec();
    changed[LENGTH - 1] ^= 1;
    let changed = &*changed.leak();
    for method in methods() {
        let manifest = manifest(file, method);
        let signed = manifest.file("file").unwrap();
        secrets().assert_not_leaked_by(|| {
            signed.verify_reader(file).unwrap();
            assert!(signed.verify_reader(changed).is_err());
            let read = signed.read_range(&file, 1_000_000..2_000_000).unwrap();
            read.leak();
            let refused = signed.read_range(&changed, 1_000_000..LENGTH as u64);
            assert_eq!(refused.unwrap_err().kind(), io::ErrorKind::InvalidData);
        });
    }
}
