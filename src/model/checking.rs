//! Holds a manifest against a directory or a file.

use std::{
    io,
    path::{Path, PathBuf},
};

use super::{
    manifest::Manifest,
    progress::{OnProgress, Progress},
    report::Report,
};

/// How a model is held against its manifest: what may be there that nobody signed.
#[derive(Default)]
pub struct Checking<'a> {
    ignored: Vec<PathBuf>,
    ignore_unsigned: bool,
    signature: Option<PathBuf>,
    progress: OnProgress<'a>,
}

impl<'a> Checking<'a> {
    /// Nothing may be there but what was signed, what the signer left out, and the four names of git at the root.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Leaves out a path, relative to the model, with all that is under it. It must not cover a signed file.
    #[must_use]
    pub fn ignore(mut self, path: impl Into<PathBuf>) -> Self {
        self.ignored.push(path.into());
        self
    }

    /// Lists regular files that nobody signed, and lets them pass.
    #[must_use]
    pub fn ignore_unsigned(mut self) -> Self {
        self.ignore_unsigned = true;
        self
    }

    /// Leaves out the bundle's own path, if it is in the model.
    #[must_use]
    pub fn signature(mut self, path: impl Into<PathBuf>) -> Self {
        self.signature = Some(path.into());
        self
    }

    /// Calls this now and then while files are hashed, from several threads.
    #[must_use]
    pub fn progress(mut self, progress: &'a (dyn Fn(Progress) + Sync)) -> Self {
        self.progress = Some(progress);
        self
    }

    /// Reads the model and says all that is not as signed.
    pub fn check(&self, manifest: &Manifest, model: impl AsRef<Path>) -> io::Result<Report> {
        todo!()
    }
}
