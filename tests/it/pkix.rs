//! Do keys, certificates, ciphertexts and messages of other implementations work here?
//!
//! Their files are no part of this project: the environment variable `TWINSEAL_PKIX_VECTORS` names the directory
//! that holds them, and CONTRIBUTING.md says where they come from. Without it, each test here prints a line and is
//! skipped. The forms themselves are tested elsewhere, with keys that tests make.

mod cms;
mod kem;
mod sign;

use std::{
    env, fs,
    io::{Write, stderr},
    path::PathBuf,
};

const VARIABLE: &str = "TWINSEAL_PKIX_VECTORS";

/// The directory with the files of others.
struct Vectors(PathBuf);

impl Vectors {
    /// `None` if nobody said where it is.
    fn given() -> Option<Self> {
        let directory = env::var_os(VARIABLE);
        if directory.is_none() {
            // The test harness keeps to itself what `eprintln` prints. One write stays one line.
            let line = format!("skipped, since {VARIABLE} is not set (CONTRIBUTING.md)\n");
            let _ = stderr().write_all(line.as_bytes());
        }
        Some(Self(directory?.into()))
    }

    /// A file, which must be there.
    fn read(&self, name: &str) -> Vec<u8> {
        let path = self.0.join(name);
        fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }
}

/// Each value with one bit changed, a bit of each byte.
fn changed(bytes: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    (0..bytes.len()).map(|index| {
        let mut changed = bytes.to_vec();
        changed[index] ^= 1 << (index % 8);
        changed
    })
}
