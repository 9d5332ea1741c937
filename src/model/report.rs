//! What a model has that is not as signed.

use std::{
    fmt, io,
    path::{Path, PathBuf},
};

use crate::error::{Error, ModelRefusal, Shown};

/// Everything about a model that is not as signed, and what was left out.
///
/// [`Display`](fmt::Display) writes a line for each entry, with odd names escaped, and one that sums up.
///
/// ```
/// # use std::fs;
/// # use twinseal::{SigningKey, model::{Checking, Signing, TrustedKey}};
/// # let directory = tempfile::tempdir()?;
/// # let model = directory.path().join("model");
/// # fs::create_dir(&model)?;
/// # fs::write(model.join("config.json"), "{}")?;
/// # fs::write(model.join("weights"), [7; 100_000])?;
/// # let alice = SigningKey::generate()?;
/// # let bundle = Signing::new().sign(&alice, &model)?;
/// # let manifest = bundle.verify(&[TrustedKey::from(alice.verifying_key())])?;
/// fs::remove_file(model.join("config.json"))?;
/// let report = Checking::new().check(&manifest, &model)?;
/// assert_eq!(report.to_string(), "config.json: missing\nnot as signed (failures: 1, files as signed: 1)");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Report {
    pub(super) entries: Vec<(PathBuf, Finding)>,
    pub(super) ignore_unsigned: bool,
    pub(super) files: usize,
    pub(super) bytes: u64,
    pub(super) signed_as: Option<String>,
}

/// What was found at one path of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Finding {
    /// It was signed and is not there.
    Missing,
    /// It is not what was signed.
    Changed,
    /// It is there, and nobody signed it.
    Additional,
    /// It is a symbolic link, neither a file nor a directory, has a name that the format does not allow, or changed
    /// while the model was read ([`ChangedWhileRead`](ModelRefusal::ChangedWhileRead)).
    Refused(ModelRefusal),
    /// It cannot be read, for this reason. So are the signed files in a directory that cannot be read.
    Unreadable(Unreadable),
    /// It was left out: nobody signed it, or looked at it. What is under it has no entries, unless it was signed.
    Ignored(IgnoredBy),
}

/// Who said that a path is to be left out. If several did, it is the first of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum IgnoredBy {
    /// The caller, by [`Checking::ignore`](super::Checking::ignore).
    Caller,
    /// Nobody: it is the bundle itself, by [`Checking::signature`](super::Checking::signature).
    Signature,
    /// Nobody: it is one of the four names of git, which are left out of every model.
    Git,
    /// The signer: the bundle lists it.
    Signer,
}

/// Why something cannot be read. [`Display`](fmt::Display) has the system's own words, such as "Input/output error".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Unreadable {
    kind: io::ErrorKind,
    code: Option<i32>,
}

impl Unreadable {
    /// What kind of error it was.
    #[must_use]
    pub fn kind(&self) -> io::ErrorKind {
        self.kind
    }

    /// The number of the error, if it is one of the system: on Unix that of `errno`.
    #[must_use]
    pub fn raw_os_error(&self) -> Option<i32> {
        self.code
    }
}

impl From<&io::Error> for Unreadable {
    fn from(error: &io::Error) -> Self {
        Self { kind: error.kind(), code: error.raw_os_error() }
    }
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(code) = self.code else { return self.kind.fmt(f) };
        let text = io::Error::from_raw_os_error(code).to_string();
        f.write_str(text.strip_suffix(&format!(" (os error {code})")).unwrap_or(&text))
    }
}

impl Report {
    /// All entries, sorted by the bytes of their paths, which are relative to the model. A path has at most one. Files
    /// that are as signed have none.
    pub fn entries(&self) -> impl ExactSizeIterator<Item = (&Path, Finding)> {
        self.entries.iter().map(|(path, finding)| (path.as_path(), *finding))
    }

    /// The entries for which the model is not as signed: all but those that were ignored, and additional files if
    /// [`ignore_unsigned`](super::Checking::ignore_unsigned) lets them pass.
    pub fn failures(&self) -> impl Iterator<Item = (&Path, Finding)> {
        self.entries().filter(|(_, finding)| self.is_failure(*finding))
    }

    fn is_failure(&self, finding: Finding) -> bool {
        match finding {
            Finding::Ignored(_) => false,
            Finding::Additional => !self.ignore_unsigned,
            Finding::Missing | Finding::Changed | Finding::Refused(_) | Finding::Unreadable(_) => {
                true
            }
        }
    }

    /// How many files are as signed.
    #[must_use]
    pub fn files(&self) -> usize {
        self.files
    }

    /// How many bytes these files have.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The name that a single file was signed under, if it has another one now. The new name is not signed.
    #[must_use]
    pub fn signed_as(&self) -> Option<&str> {
        self.signed_as.as_deref()
    }

    /// Whether the model is as signed.
    #[must_use]
    pub fn is_as_signed(&self) -> bool {
        self.failures().next().is_none()
    }

    /// # Errors
    ///
    /// [`Error::Model`] with [`NotAsSigned`](ModelRefusal::NotAsSigned) unless the model is as signed.
    pub fn result(&self) -> Result<(), Error> {
        if self.is_as_signed() { Ok(()) } else { Err(Error::Model(ModelRefusal::NotAsSigned)) }
    }
}

/// For people, without a line end at the end.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (path, finding) in self.entries() {
            writeln!(f, "{}: {finding}", Shown(path))?;
        }
        if let Some(name) = self.signed_as() {
            writeln!(f, "the file was signed as {}", Shown(Path::new(name)))?;
        }
        let failures = self.failures().count();
        match failures {
            0 => write!(f, "as signed (files: {}, bytes: {})", self.files, self.bytes),
            _ => write!(f, "not as signed (failures: {failures}, files as signed: {})", self.files),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("missing"),
            Self::Changed => f.write_str("changed"),
            Self::Additional => f.write_str("nobody signed it"),
            Self::Refused(refusal) => refusal.fmt(f),
            Self::Unreadable(reason) => write!(f, "cannot be read: {reason}"),
            Self::Ignored(IgnoredBy::Caller | IgnoredBy::Signature) => f.write_str("ignored"),
            Self::Ignored(IgnoredBy::Git) => f.write_str("ignored: it belongs to git"),
            Self::Ignored(IgnoredBy::Signer) => f.write_str("ignored by the signer"),
        }
    }
}
