//! What the signer of a model said.

use std::{io, ops::Range, path::Path};

use super::{
    contents::{Contents, Method},
    file_digest::{FileDigest, Shard},
    trusted_key::TrustedKey,
};
use crate::{error::Error, stream::ReadAt};

/// What the signer of a model said: the files, their digests, and what was left out.
/// [`Bundle::verify`](super::Bundle::verify) returns it.
///
/// Hold it against a directory with [`Checking`](super::Checking), or against one file when it is used.
#[derive(Clone, Debug)]
pub struct Manifest {
    pub(super) contents: Contents,
    pub(super) signer: TrustedKey,
}

/// One file of a [`Manifest`].
#[derive(Clone, Copy, Debug)]
pub struct SignedFile<'a> {
    name: &'a str,
    digest: &'a FileDigest,
}

impl Manifest {
    /// The key that signed.
    #[must_use]
    pub fn signer(&self) -> &TrustedKey {
        &self.signer
    }

    /// The base name of the directory or file that was signed. It may be called otherwise now.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.contents.name
    }

    /// How the files were hashed.
    #[must_use]
    pub fn method(&self) -> Method {
        self.contents.method
    }

    /// The signed files, sorted by the bytes of their names.
    pub fn files(&self) -> impl ExactSizeIterator<Item = SignedFile<'_>> {
        self.contents.files.iter().map(|(name, digest)| SignedFile { name, digest })
    }

    /// The file of this name: a relative path with `/`.
    #[must_use]
    pub fn file(&self, name: &str) -> Option<SignedFile<'_>> {
        let (name, digest) = self.contents.files.get_key_value(name)?;
        Some(SignedFile { name, digest })
    }

    /// Paths that the signer left out, with all that is under them.
    pub fn ignored(&self) -> impl ExactSizeIterator<Item = &str> {
        self.contents.ignored.iter().map(String::as_str)
    }
}

impl<'a> SignedFile<'a> {
    /// Its name: a relative path with `/`.
    #[must_use]
    pub fn name(&self) -> &'a str {
        self.name
    }

    /// Its digests.
    #[must_use]
    pub fn digest(&self) -> &'a FileDigest {
        self.digest
    }

    /// Its shards in the order of their ranges; none if it was signed whole.
    pub fn shards(&self) -> impl ExactSizeIterator<Item = Shard> + use<'a> {
        std::iter::empty() // TODO
    }

    /// Reads a file to its end and verifies it.
    pub fn verify_reader(&self, reader: impl io::Read) -> io::Result<()> {
        todo!()
    }

    /// Reads the shards that cover a range, verifies them, and returns the range. Nothing that is not verified is
    /// returned, and nothing is read twice: what is used is what was verified.
    pub fn read_range(&self, source: &impl ReadAt, range: Range<u64>) -> io::Result<Vec<u8>> {
        todo!()
    }
}
