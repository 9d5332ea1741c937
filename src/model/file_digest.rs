//! The digests of one file, and of its shards.

use std::{num::NonZeroU64, ops::Range};

use crate::error::Error;

/// The SHA-256 of a file, or of each of its shards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileDigest(pub(super) Digests);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Digests {
    Whole([u8; 32]),
    /// `digests` has one for each `size` bytes of `length`, rounded up; the last shard may be shorter.
    Shards {
        size: NonZeroU64,
        length: u64,
        digests: Vec<[u8; 32]>,
    },
}

/// One shard of a file, with its signed digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shard {
    pub(super) range: Range<u64>,
    pub(super) sha256: [u8; 32],
}

impl Shard {
    /// Where in the file the shard is, in bytes.
    #[must_use]
    pub fn range(&self) -> Range<u64> {
        self.range.clone()
    }

    /// The SHA-256 of its bytes.
    #[must_use]
    pub fn sha256(&self) -> &[u8; 32] {
        &self.sha256
    }

    /// Whether these are the shard's bytes, all of them.
    ///
    /// # Errors
    ///
    /// [`Error::Model`] with [`NotAsSigned`](crate::ModelRefusal::NotAsSigned) if they are not.
    pub fn verify(&self, bytes: &[u8]) -> Result<(), Error> {
        todo!()
    }
}
