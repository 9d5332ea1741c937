//! Compares a manifest with a directory or a file.

use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
    fmt, io,
    path::{Path, PathBuf},
};

use super::{
    contents::Contents,
    file_digest::FileDigest,
    hash_files::{find, hash_each},
    ignored::{Ignored, name_of},
    json::MAX_INTEGER,
    manifest::Manifest,
    names,
    progress::{OnProgress, Progress},
    report::{Finding, IgnoredBy, Report},
    walk::{File, Found, Model, copy},
};
use crate::error::{Error, ModelRefusal};

/// How a model is compared with its manifest: what may be there that nobody signed.
///
/// ```
/// use std::{fs, path::Path};
///
/// use twinseal::{SigningKey, model::{Checking, Finding, Signing, TrustedKey}};
///
/// # let directory = tempfile::tempdir()?;
/// # let model = directory.path().join("model");
/// # fs::create_dir(&model)?;
/// # fs::write(model.join("weights"), [7; 100_000])?;
/// # let alice = SigningKey::generate()?;
/// # let bundle = Signing::new().sign(&alice, &model)?;
/// # let manifest = bundle.verify(&[TrustedKey::from(alice.verifying_key())])?;
/// assert!(Checking::new().check(&manifest, &model)?.is_as_signed());
///
/// fs::write(model.join("weights"), [8; 100_000])?;
/// fs::write(model.join("setup.py"), "import os")?;
/// let report = Checking::new().check(&manifest, &model)?;
/// assert!(report.entries().eq([
///     (Path::new("setup.py"), Finding::Additional),
///     (Path::new("weights"), Finding::Changed),
/// ]));
/// assert!(report.result().is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Default)]
pub struct Checking<'a> {
    ignored: Vec<PathBuf>,
    ignore_unsigned: bool,
    distrusts_ignored: bool,
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

    /// Lists regular files that nobody signed, and lets them pass. Links, special files and odd names still fail.
    #[must_use]
    pub fn ignore_unsigned(mut self) -> Self {
        self.ignore_unsigned = true;
        self
    }

    /// Does not leave out what the signer did, unless [`ignore`](Self::ignore) says so, too: it is as additional as
    /// everything else that nobody signed. The bundle's own path and the four names of git are still left out.
    ///
    /// A signer who left out a cache says nothing about what is in that path here, where anybody may have put something.
    #[must_use]
    pub fn distrust_ignored(mut self) -> Self {
        self.distrusts_ignored = true;
        self
    }

    /// Leaves out the bundle's own path, if it is in the model: a path relative to the model, or an absolute one, which
    /// may be elsewhere.
    #[must_use]
    pub fn signature(mut self, path: impl Into<PathBuf>) -> Self {
        self.signature = Some(path.into());
        self
    }

    /// Calls this now and then while files are hashed, from several threads, and once at the end.
    #[must_use]
    pub fn progress(mut self, progress: &'a (dyn Fn(Progress) + Sync)) -> Self {
        self.progress = Some(progress);
        self
    }

    /// Reads the model and says all that is not as signed. It reads each signed file once, on all cores (those of
    /// rayon's pool that it is called in), with 1 MiB of memory for each. Files that were not signed, and those that
    /// have another length now, are not read.
    ///
    /// What was signed is always checked, also where something is left out. A file or directory that cannot be read is
    /// an entry of the report, and so is a file that changes before all of the model is read, or is new then.
    ///
    /// A model that is a single file may have any name; see [`Report::signed_as`].
    ///
    /// The model may change as soon as this returns. To use exactly the bytes that were verified, read with
    /// [`SignedFile::read_range`](super::SignedFile::read_range).
    ///
    /// # Errors
    ///
    /// - The errors of the file system if the model itself cannot be found or read.
    /// - Those of the system if the process has too many open files or too little memory: they say nothing about the
    ///   model. Less than a hundred files are open at once.
    /// - [`Error::Model`] with [`IgnoredPaths`](ModelRefusal::IgnoredPaths) if a path to leave out is absolute, leaves
    ///   the model, is the whole model, or covers a signed file. The text names it.
    pub fn check(&self, manifest: &Manifest, model: impl AsRef<Path>) -> io::Result<Report> {
        let contents = &manifest.contents;
        let model = Model::at(model.as_ref())?;
        let (signed, signed_as) = signed_files(contents, &model)?;
        let ignored = self.ignored(contents, &signed, &model)?;
        let walked = find(
            &model,
            &ignored,
            Some(contents.method),
            |path| has_in(&signed, path),
            |name, length| signed.get(name).is_some_and(|digest| fits(digest, length)),
        )?;

        let mut missing = signed.clone();
        let mut findings = BTreeMap::new();
        let mut files = Vec::new();
        let mut expected = Vec::new();
        for (path, found) in &walked.found {
            let finding = match found {
                Found::File(file) => match missing.remove(&*file.name) {
                    Some(digest) if fits(digest, Some(file.state.length)) => {
                        files.push(file);
                        expected.push(digest);
                        continue;
                    }
                    _ => Finding::Changed,
                },
                Found::Unsigned => Finding::Additional,
                Found::Refused(refusal) => Finding::Refused(*refusal),
                Found::Ignored(by) => Finding::Ignored(*by),
                // It has gone since its directory was read.
                Found::Unreadable(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Found::Unreadable(error) => unreadable(&model, path, error)?,
            };
            findings.insert(path.clone().into_os_string(), finding);
        }
        let under = unreadable_names(&missing, &findings);
        for name in missing.into_keys() {
            let finding = match (under.get(name), findings.get(OsStr::new(name))) {
                (Some(unreadable), _) => *unreadable,
                // What took the place of the file says more.
                (None, Some(refused @ Finding::Refused(_))) => *refused,
                _ => Finding::Missing,
            };
            findings.insert(name.into(), finding);
        }

        let (mut as_signed, mut bytes_as_signed) = (0, 0);
        let digests = hash_each(&model, &files, contents.method, self.progress);
        let changed = walked.changed(&model, &ignored);
        for ((file, expected), digest) in files.into_iter().zip(expected).zip(digests) {
            let finding = match digest {
                Ok(digest) if digest != *expected => Finding::Changed,
                Ok(_) if changed.contains(Path::new(&file.name)) => {
                    Finding::Refused(ModelRefusal::ChangedWhileRead)
                }
                Ok(_) => {
                    as_signed += 1;
                    bytes_as_signed += file.state.length;
                    continue;
                }
                Err(error) => finding_of(&model, file, &error)?,
            };
            findings.insert(OsString::from(&file.name), finding);
        }
        for path in changed {
            // What was found out about it before is as true.
            let finding = Finding::Refused(ModelRefusal::ChangedWhileRead);
            findings.entry(path.into_os_string()).or_insert(finding);
        }
        let entries = findings.into_iter().map(|(path, finding)| (path.into(), finding)).collect();
        Ok(Report {
            entries,
            ignore_unsigned: self.ignore_unsigned,
            files: as_signed,
            bytes: bytes_as_signed,
            signed_as,
        })
    }

    fn ignored(
        &self,
        contents: &Contents,
        signed: &SignedFiles<'_>,
        model: &Model<'_>,
    ) -> io::Result<Ignored> {
        let mut ignored = Ignored::git();
        for path in &self.ignored {
            let added =
                ignored.add(path, IgnoredBy::Caller).and_then(|path| match has_in(signed, &path) {
                    true => Err(Error::Model(ModelRefusal::IgnoredPaths)),
                    false => Ok(()),
                });
            added.map_err(|error| Error::at(path, error.into()))?;
        }
        if let Some(path) = &self.signature {
            ignored
                .add_signature(path, model.directory())
                .map_err(|error| Error::at(path, error.into()))?;
        }
        if !self.distrusts_ignored {
            for name in &contents.ignored {
                ignored.add(Path::new(name), IgnoredBy::Signer)?;
            }
        }
        Ok(ignored)
    }
}

impl fmt::Debug for Checking<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { ignored, ignore_unsigned, distrusts_ignored, signature, progress: _ } = self;
        f.debug_struct("Checking")
            .field("ignored", ignored)
            .field("ignore_unsigned", ignore_unsigned)
            .field("distrusts_ignored", distrusts_ignored)
            .field("signature", signature)
            .finish_non_exhaustive()
    }
}

/// By the names that they must have now.
type SignedFiles<'a> = BTreeMap<&'a str, &'a FileDigest>;

/// The signed files; and if a single one has another name now, the name that it was signed under.
fn signed_files<'a>(
    contents: &'a Contents,
    model: &'a Model<'_>,
) -> io::Result<(SignedFiles<'a>, Option<String>)> {
    let mut files = contents.files.iter();
    if model.is_file()
        && let (Some((signed_as, digest)), None) = (files.next(), files.next())
    {
        let name = model.base_name()?;
        let signed_as = (signed_as != name).then(|| signed_as.clone());
        return Ok((BTreeMap::from([(name, digest)]), signed_as));
    }
    let files = contents.files.iter();
    Ok((files.map(|(name, digest)| (name.as_str(), digest)).collect(), None))
}

/// Whether a path is that of a signed file, or of a directory that has one.
fn has_in(signed: &SignedFiles<'_>, path: &Path) -> bool {
    let Some(name) = name_of(path) else { return false };
    names::covers_any(&name, signed)
}

/// Whether a file of this length, if it is known, can be the signed one. No longer one than this was signed.
fn fits(digest: &FileDigest, length: Option<u64>) -> bool {
    match (digest.len(), length) {
        (Some(signed), Some(length)) => signed == length,
        (None, Some(length)) => length <= MAX_INTEGER,
        _ => true,
    }
}

/// The signed files that are missing where a directory cannot be read, with that finding.
fn unreadable_names<'a>(
    missing: &SignedFiles<'a>,
    findings: &BTreeMap<OsString, Finding>,
) -> BTreeMap<&'a str, Finding> {
    // By the directories: a name may have a million of them above it.
    let mut names = BTreeMap::new();
    for (path, finding) in findings {
        if let Finding::Unreadable(_) = finding
            && let Some(name) = name_of(Path::new(path))
        {
            let under = names::covered(&name, missing).map(|name| (*name, *finding));
            names.extend(under);
        }
    }
    names
}

/// What an error of one file means for the model.
fn finding_of(model: &Model<'_>, file: &File, error: &io::Error) -> io::Result<Finding> {
    match (Error::inside(error), error.kind()) {
        (Some(Error::Model(refusal)), _) => Ok(Finding::Refused(*refusal)),
        // It was there.
        (_, io::ErrorKind::NotFound) => Ok(Finding::Refused(ModelRefusal::ChangedWhileRead)),
        _ => unreadable(model, Path::new(&file.name), error),
    }
}

/// The finding about what cannot be read.
///
/// # Errors
///
/// If the process or the system has run out of something, which says nothing about the model.
fn unreadable(model: &Model<'_>, path: &Path, error: &io::Error) -> io::Result<Finding> {
    #[cfg(unix)]
    let is_exhausted = matches!(error.raw_os_error(), Some(libc::EMFILE | libc::ENFILE));
    #[cfg(not(unix))]
    let is_exhausted = false;
    if is_exhausted || error.kind() == io::ErrorKind::OutOfMemory {
        return Err(model.error_at(path, copy(error)));
    }
    Ok(Finding::Unreadable(error.into()))
}
