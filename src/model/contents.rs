//! What is signed of a model: its name, and the digests of its files.

use std::{collections::BTreeMap, num::NonZeroU64};

use super::{file_digest::FileDigest, json::MAX_INTEGER};
use crate::error::Error;

/// The shard size unless another one is asked for, in bytes: that of the reference implementation.
pub(super) const SHARD_SIZE: NonZeroU64 = NonZeroU64::new(1_000_000_000).expect("it is not zero");

/// The most resources that a bundle may have.
pub(super) const MAX_RESOURCES: usize = 1 << 20;

/// How the files of a model become resources, each with a digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Method {
    /// Each file is a resource.
    Files,
    /// Each run of so many bytes of a file is one, and the rest of it another. The parts of a large file are hashed
    /// on all cores, and one part can be verified without the others. There cannot be empty files.
    Shards(NonZeroU64),
}

impl Method {
    /// Whether a statement can say so.
    pub(super) fn check(self) -> Result<(), Error> {
        match self {
            Self::Shards(size) if size.get() > MAX_INTEGER => {
                Err(Error::Misuse { what: "shard size", reason: "it is larger than 2^53" })
            }
            _ => Ok(()),
        }
    }
}

/// The files of a model, and how they were signed. Every way of making one has checked names and shards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Contents {
    /// The base name of the model's directory or file. It is not compared with anything.
    pub(super) name: String,
    pub(super) method: Method,
    /// By name: a relative path with `/`. All digests are of the method's kind.
    pub(super) files: BTreeMap<String, FileDigest>,
    /// Relative paths that were left out with all that is under them: sorted, none twice.
    pub(super) ignored: Vec<String>,
}
