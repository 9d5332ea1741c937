//! A manifest that is built by whoever reads or writes the files.

use super::{
    bundle::Bundle,
    contents::{Contents, Method},
    file_digest::FileDigest,
};
use crate::{error::Error, sign::Sign};

/// A manifest in the making, fed by whoever reads or writes the files: so they are read once.
#[derive(Clone, Debug)]
pub struct ManifestBuilder {
    contents: Contents,
}

impl ManifestBuilder {
    /// A model of this name, of which each file is hashed whole unless [`by`](Self::by) says otherwise.
    pub fn new(name: &str) -> Result<Self, Error> {
        todo!()
    }

    /// Hashes by another method.
    #[must_use]
    pub fn by(mut self, method: Method) -> Self {
        self.contents.method = method;
        self
    }

    /// Adds a file: its name is a relative path with `/`.
    pub fn add(&mut self, name: &str, digest: FileDigest) -> Result<(), Error> {
        todo!()
    }

    /// Signs.
    pub fn sign(self, key: &(impl Sign + ?Sized)) -> Result<Bundle, Error> {
        todo!()
    }
}
