//! Signs a directory or a file.

use std::{
    collections::BTreeMap,
    fmt, io,
    path::{Path, PathBuf},
};

use super::{
    bundle::Bundle,
    contents::{Contents, MAX_RESOURCES, Method, SHARD_SIZE},
    hash_files::{find, hash_all},
    ignored::Ignored,
    json::MAX_INTEGER,
    progress::{OnProgress, Progress},
    report::IgnoredBy,
    walk::{File, Found, Model, copy},
};
use crate::{
    error::{Error, ModelRefusal},
    sign::Sign,
};

/// How a model is signed: what is left out, and how files are hashed.
///
/// ```
/// use std::{fs, sync::atomic::{AtomicU64, Ordering::Relaxed}};
///
/// use twinseal::{SigningKey, model::{Method, Signing}};
///
/// # let directory = tempfile::tempdir()?;
/// # let model = directory.path().join("model");
/// # fs::create_dir_all(model.join("cache"))?;
/// # fs::write(model.join("weights"), [7; 100_000])?;
/// # fs::write(model.join("cache/tokens"), [7; 100])?;
/// let alice = SigningKey::generate()?;
/// let hashed = AtomicU64::new(0);
/// let progress = |progress: twinseal::model::Progress| {
///     hashed.fetch_max(progress.done, Relaxed);
/// };
/// let shards_of_64_mib = Method::Shards((64 << 20).try_into()?);
/// let bundle = Signing::new()
///     .ignore("cache")
///     .signature("model.sig") // where it will be written
///     .method(shards_of_64_mib)
///     .progress(&progress)
///     .sign(&alice, &model)?;
/// fs::write(model.join("model.sig"), bundle.as_bytes())?;
/// assert_eq!(hashed.into_inner(), 100_000);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
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

    /// Leaves out a path, relative to the model, with all that is under it. It need not exist. The bundle lists it, and
    /// verifiers leave it out, too.
    #[must_use]
    pub fn ignore(mut self, path: impl Into<PathBuf>) -> Self {
        self.ignored.push(path.into());
        self
    }

    /// Leaves out the bundle's own path, if it is in the model: a path relative to the model, or an absolute one, which
    /// may be elsewhere. Beside a single file nothing needs to be left out.
    #[must_use]
    pub fn signature(mut self, path: impl Into<PathBuf>) -> Self {
        self.signature = Some(path.into());
        self
    }

    /// How files are hashed. By default, by shards of 10^9 bytes if a file is larger than that and none is empty,
    /// otherwise whole: the format has one method for all files, and no shard for an empty one. So an empty file in the
    /// model means that each large file is hashed on one core, and that no part of it can be verified without the rest,
    /// as [`Manifest::method`](super::Manifest::method) shows; leave the empty file out, or ask for shards to get an error
    /// that names it. A smaller shard size lets more cores work on one file, and makes a longer bundle.
    #[must_use]
    pub fn method(mut self, method: Method) -> Self {
        self.method = Some(method);
        self
    }

    /// Calls this now and then while files are hashed, from several threads, and once at the end.
    #[must_use]
    pub fn progress(mut self, progress: &'a (dyn Fn(Progress) + Sync)) -> Self {
        self.progress = Some(progress);
        self
    }

    /// Signs a directory, or a single file. It reads each file once, on all cores (those of rayon's pool that it is
    /// called in), with 1 MiB of memory for each, and stops at the first error.
    ///
    /// # Errors
    ///
    /// Those of the file system, and these, which [`Error::inside`] returns. The text names the file:
    ///
    /// - [`Error::Model`] with [`Link`](ModelRefusal::Link), [`SpecialFile`](ModelRefusal::SpecialFile) or
    ///   [`NameOfFile`](ModelRefusal::NameOfFile) if the model has something that cannot be signed;
    ///   [`ChangedWhileRead`](ModelRefusal::ChangedWhileRead); [`EmptyFile`](ModelRefusal::EmptyFile) if there is an
    ///   empty file, and shards were asked for; [`Empty`](ModelRefusal::Empty) if there are no files;
    ///   [`TooLarge`](ModelRefusal::TooLarge) if there are more than 2^20 files or shards, or a file of more than 2^53
    ///   bytes. The holes of a sparse file are hashed as the zeros that they are read as.
    /// - [`Error::Model`] with [`IgnoredPaths`](ModelRefusal::IgnoredPaths) if a path to leave out is absolute, leaves
    ///   the model, is the whole model, is not UTF-8, or has one of `*?[`, which other tools take for a pattern.
    /// - [`Error::Misuse`] if the model is the root of a file system, which has no name; if the shard size is larger
    ///   than 2^53; or if the key is of another suite than ECDSA-P384 + ML-DSA-87.
    /// - The errors of the key.
    pub fn sign(&self, key: &(impl Sign + ?Sized), model: impl AsRef<Path>) -> io::Result<Bundle> {
        Bundle::check_key(key.verifying_key())?;
        Ok(Bundle::sign(key, &self.contents(model.as_ref())?)?)
    }

    fn contents(&self, model: &Path) -> io::Result<Contents> {
        let model = Model::at(model)?;
        let name = model.base_name()?.to_owned();
        let ignored = self.ignored(&model)?;
        let walked = find(&model, &ignored, self.method, |_| false, |_, _| true)?;
        let mut files = Vec::new();
        for (path, found) in &walked.found {
            match found {
                Found::File(file) => files.push(file),
                Found::Refused(refusal) => return Err(model.error(path, *refusal)),
                Found::Unreadable(error) => return Err(model.error_at(path, copy(error))),
                Found::Ignored(_) | Found::Unsigned => {}
            }
        }
        let method = self.method.unwrap_or_else(|| method_for(&files));
        check(&model, &files, method)?;
        let digests = hash_all(&model, &files, method, self.progress)?;
        if let Some(path) = walked.changed(&model, &ignored).first() {
            return Err(model.error(path, ModelRefusal::ChangedWhileRead));
        }
        let ignored = ignored.into_names()?;
        let names = files.into_iter().map(|file| file.name.clone());
        let files: BTreeMap<_, _> = names.zip(digests).collect();
        Ok(Contents { name, method, files, ignored })
    }

    fn ignored(&self, model: &Model<'_>) -> io::Result<Ignored> {
        let mut ignored = Ignored::git();
        if model.is_file() {
            ignored.remove(model.base_name()?);
        }
        for path in &self.ignored {
            ignored.add(path, IgnoredBy::Caller).map_err(|error| Error::at(path, error.into()))?;
        }
        match &self.signature {
            Some(path) if !model.is_file() => ignored
                .add_signature(path, model.directory())
                .map_err(|error| Error::at(path, error.into()))?,
            _ => {}
        }
        if model.is_file() && ignored.cover(model.base_name()?) {
            return Err(model.error(model.base_name()?, ModelRefusal::IgnoredPaths));
        }
        Ok(ignored)
    }
}

impl fmt::Debug for Signing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { ignored, signature, method, progress: _ } = self;
        f.debug_struct("Signing")
            .field("ignored", ignored)
            .field("signature", signature)
            .field("method", method)
            .finish_non_exhaustive()
    }
}

/// By shards if a file has several and none is empty.
fn method_for(files: &[&File]) -> Method {
    let is_large = |file: &&File| file.state.length > SHARD_SIZE.get();
    let is_empty = |file: &&File| file.state.length == 0;
    match files.iter().any(is_large) && !files.iter().any(is_empty) {
        true => Method::Shards(SHARD_SIZE),
        false => Method::Files,
    }
}

/// What can be refused before anything is read.
fn check(model: &Model<'_>, files: &[&File], method: Method) -> io::Result<()> {
    method.check()?;
    if let Some(endless) = files.iter().find(|file| file.state.length > MAX_INTEGER) {
        return Err(model.error(&endless.name, ModelRefusal::TooLarge));
    }
    if files.is_empty() {
        return Err(model.error("", ModelRefusal::Empty));
    }
    let resources = match method {
        Method::Files => files.len() as u64,
        Method::Shards(size) => {
            if let Some(empty) = files.iter().find(|file| file.state.length == 0) {
                return Err(model.error(&empty.name, ModelRefusal::EmptyFile));
            }
            let shards = files.iter().map(|file| file.state.length.div_ceil(size.get()));
            shards.fold(0, u64::saturating_add)
        }
    };
    if resources > MAX_RESOURCES as u64 {
        return Err(model.error("", ModelRefusal::TooLarge));
    }
    Ok(())
}
