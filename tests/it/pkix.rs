//! Do keys, certificates, ciphertexts and messages of other implementations work here?
//!
//! Their files are no part of this project: the environment variable `TWINSEAL_PKIX_VECTORS` names the directory
//! that holds them, and CONTRIBUTING.md says where they come from. Without it, each test here prints a line and is
//! skipped. The forms themselves are tested elsewhere, with keys that tests make.

mod cms;
mod kem;
mod sign;

use crate::common::others_files::OthersFiles;

fn vectors() -> Option<OthersFiles> {
    OthersFiles::given("TWINSEAL_PKIX_VECTORS")
}

/// Each value with one bit changed, a bit of each byte.
fn changed(bytes: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    (0..bytes.len()).map(|index| {
        let mut changed = bytes.to_vec();
        changed[index] ^= 1 << (index % 8);
        changed
    })
}
