//! Signs a directory or a file.

use std::{
    io,
    path::{Path, PathBuf},
};

use super::{
    bundle::Bundle,
    contents::Method,
    progress::{OnProgress, Progress},
};
use crate::sign::Sign;

/// How a model is signed: what is left out, and how files are hashed.
#[derive(Default)]
pub struct Signing<'a> {
    ignored: Vec<PathBuf>,
    signature: Option<PathBuf>,
    method: Option<Method>,
    progress: OnProgress<'a>,
}

impl<'a> Signing<'a> {
    /// Everything is signed but the four names of git at the root: `.git`, `.gitignore`, `.gitattributes`, `.github`.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Leaves out a path, relative to the model, with all that is under it.
    #[must_use]
    pub fn ignore(mut self, path: impl Into<PathBuf>) -> Self {
        self.ignored.push(path.into());
        self
    }

    /// Leaves out the bundle's own path, if it is in the model.
    #[must_use]
    pub fn signature(mut self, path: impl Into<PathBuf>) -> Self {
        self.signature = Some(path.into());
        self
    }

    /// How files are hashed. Unless it is said: by shards of 10^9 bytes if a file is larger and none is empty,
    /// otherwise whole.
    #[must_use]
    pub fn method(mut self, method: Method) -> Self {
        self.method = Some(method);
        self
    }

    /// Calls this now and then while files are hashed, from several threads.
    #[must_use]
    pub fn progress(mut self, progress: &'a (dyn Fn(Progress) + Sync)) -> Self {
        self.progress = Some(progress);
        self
    }

    /// Signs the model.
    pub fn sign(&self, key: &(impl Sign + ?Sized), model: impl AsRef<Path>) -> io::Result<Bundle> {
        todo!()
    }
}
