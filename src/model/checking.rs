//! Compares a manifest with a directory or a file.

use std::{
    collections::BTreeMap,
    fmt, io,
    path::{Path, PathBuf},
};

use super::{
    contents::Contents,
    file_digest::{Digests, FileDigest},
    hash_files::{find, hash_each},
    ignored::{Ignored, name_of},
    manifest::Manifest,
    names,
    progress::{OnProgress, Progress},
    report::{Finding, Report},
    walk::{File, Found, Model, bytes},
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
    /// an entry of the report, and so is a file that changes meanwhile.
    ///
    /// A model that is a single file may have any name; see [`Report::signed_as`].
    ///
    /// The model may change as soon as this returns. To use exactly the bytes that were verified, read with
    /// [`SignedFile::read_range`](super::SignedFile::read_range).
    ///
    /// # Errors
    ///
    /// - The errors of the file system if the model itself cannot be found or read.
    /// - [`Error::Model`] with [`IgnoredPaths`](ModelRefusal::IgnoredPaths) if a path to leave out is absolute, leaves
    ///   the model, is the whole model, or covers a signed file. The text names it.
    pub fn check(&self, manifest: &Manifest, model: impl AsRef<Path>) -> io::Result<Report> {
        let contents = &manifest.contents;
        let model = Model::at(model.as_ref())?;
        let (signed, signed_as) = signed_files(contents, &model)?;
        let ignored = self.ignored(contents, &signed, &model)?;
        let found = find(
            &model,
            &ignored,
            Some(contents.method),
            |path| has_in(&signed, path),
            |file| signed.get(&*file.name).is_some_and(|digest| fits(digest, file)),
        )?;

        let mut missing = signed.clone();
        let mut findings = BTreeMap::new();
        let mut files = Vec::new();
        let mut expected = Vec::new();
        for (path, found) in &found {
            let finding = match found {
                Found::File(file) => match missing.remove(&*file.name) {
                    Some(digest) if fits(digest, file) => {
                        files.push(&**file);
                        expected.push(digest);
                        continue;
                    }
                    Some(_) => Finding::Changed,
                    None => Finding::Additional,
                },
                Found::Refused(refusal) => Finding::Refused(*refusal),
                Found::Ignored => Finding::Ignored,
                // It has gone since its directory was read.
                Found::Unreadable(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Found::Unreadable(error) => Finding::Unreadable(error.kind()),
            };
            findings.insert(path.clone(), finding);
        }
        let is_unreadable = |finding: &Finding| matches!(finding, Finding::Unreadable(_));
        let has_unreadable = findings.values().any(is_unreadable);
        for name in missing.into_keys() {
            let path = Path::new(name);
            // A name may have a million components: directories are looked for only if one cannot be read.
            let nearest = match findings.get(path) {
                None if has_unreadable => path.ancestors().find_map(|path| findings.get(path)),
                own => own,
            };
            let finding = match nearest {
                Some(unreadable @ Finding::Unreadable(_)) => *unreadable,
                // What took the place of the file says more.
                Some(refused @ Finding::Refused(_)) if findings.contains_key(path) => *refused,
                _ => Finding::Missing,
            };
            findings.insert(path.to_owned(), finding);
        }

        let (mut as_signed, mut bytes_as_signed) = (0, 0);
        let digests = hash_each(&model, &files, contents.method, self.progress);
        for ((file, expected), digest) in files.into_iter().zip(expected).zip(digests) {
            match digest {
                Ok(digest) if digest == *expected => {
                    as_signed += 1;
                    bytes_as_signed += file.state.length;
                    continue;
                }
                Ok(_) => findings.insert(PathBuf::from(&file.name), Finding::Changed),
                Err(error) => findings.insert(PathBuf::from(&file.name), finding_of(&error)),
            };
        }
        let mut entries: Vec<_> = findings.into_iter().collect();
        entries.sort_unstable_by(|(a, _), (b, _)| bytes(a).cmp(bytes(b)));
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
            let added = ignored.add(path).and_then(|path| match has_in(signed, &path) {
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
        for name in &contents.ignored {
            ignored.add(Path::new(name))?;
        }
        Ok(ignored)
    }
}

impl fmt::Debug for Checking<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { ignored, ignore_unsigned, signature, progress: _ } = self;
        f.debug_struct("Checking")
            .field("ignored", ignored)
            .field("ignore_unsigned", ignore_unsigned)
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

/// Whether a file of this length can be the signed one.
fn fits(digest: &FileDigest, file: &File) -> bool {
    match digest.0 {
        Digests::Whole(_) => true,
        Digests::Shards { length, .. } => length == file.state.length,
    }
}

/// What an error of one file means for the model.
fn finding_of(error: &io::Error) -> Finding {
    match (Error::inside(error), error.kind()) {
        (Some(Error::Model(refusal)), _) => Finding::Refused(*refusal),
        (_, io::ErrorKind::NotFound) => Finding::Missing,
        (_, kind) => Finding::Unreadable(kind),
    }
}
