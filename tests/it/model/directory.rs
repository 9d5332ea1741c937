//! Which directories do tests sign, and what do they find in them?

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use tempfile::TempDir;
use twinseal::{
    Error, ModelRefusal,
    model::{Bundle, Checking, Finding, Manifest, Report, Signing, TrustedKey},
};

use crate::common::keys::signing_key;

/// A model in a temporary directory.
pub(super) struct Directory {
    _temporary: TempDir,
    path: PathBuf,
}

impl Directory {
    /// An empty one.
    pub(super) fn new() -> Self {
        let temporary = tempfile::tempdir().unwrap();
        let path = temporary.path().join("model");
        fs::create_dir(&path).unwrap();
        Self { _temporary: temporary, path }
    }

    pub(super) fn with<N: AsRef<Path>, B: AsRef<[u8]>>(
        files: impl IntoIterator<Item = (N, B)>,
    ) -> Self {
        let directory = Self::new();
        files.into_iter().for_each(|(name, content)| directory.write(name, content));
        directory
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn of(&self, name: impl AsRef<Path>) -> PathBuf {
        self.path.join(name)
    }

    /// Writes a file, and makes its directories.
    pub(super) fn write(&self, name: impl AsRef<Path>, content: impl AsRef<[u8]>) {
        let path = self.of(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    pub(super) fn remove(&self, name: impl AsRef<Path>) {
        fs::remove_file(self.of(name)).unwrap();
    }

    /// Signs, with nothing said, and verifies the bundle.
    pub(super) fn signed(&self) -> Manifest {
        verified(&self.sign(&Signing::new()).unwrap())
    }

    pub(super) fn sign(&self, signing: &Signing<'_>) -> io::Result<Bundle> {
        signing.sign(&signing_key(1), &self.path)
    }

    /// Why signing is refused, and the last component of the path that the error names.
    #[track_caller]
    pub(super) fn refused(&self, signing: &Signing<'_>) -> (String, ModelRefusal) {
        let error = self.sign(signing).unwrap_err();
        let inner = Error::inside(&error).unwrap();
        let Error::Model(refusal) = inner else { panic!("{error:?}") };
        let text = error.to_string();
        let path = text.strip_suffix(&format!(": {inner}")).unwrap();
        let name = Path::new(path).file_name().unwrap();
        (name.to_str().unwrap().to_owned(), *refusal)
    }

    /// Holds a manifest against it, with nothing said.
    pub(super) fn findings(&self, manifest: &Manifest) -> Vec<(String, Finding)> {
        findings(&self.report(&Checking::new(), manifest))
    }

    pub(super) fn report(&self, checking: &Checking<'_>, manifest: &Manifest) -> Report {
        checking.check(manifest, &self.path).unwrap()
    }
}

/// What a bundle of these tests says.
pub(super) fn verified(bundle: &Bundle) -> Manifest {
    // As from a file.
    let bundle = Bundle::from_bytes(bundle.as_bytes()).unwrap();
    bundle.verify(&[TrustedKey::from(signing_key(1).verifying_key())]).unwrap()
}

/// All entries; and the report agrees with itself.
#[track_caller]
pub(super) fn findings(report: &Report) -> Vec<(String, Finding)> {
    let paths: Vec<_> = report.entries().map(|(path, _)| path).collect();
    let is_sorted = |pair: &[&Path]| {
        pair[0].as_os_str().as_encoded_bytes() < pair[1].as_os_str().as_encoded_bytes()
    };
    assert!(paths.windows(2).all(is_sorted), "{paths:?}");
    assert_eq!(report.is_as_signed(), report.failures().count() == 0);
    assert_eq!(report.is_as_signed(), report.result().is_ok());
    let text = report.to_string();
    assert!(!text.chars().any(|character| character.is_control() && character != '\n'), "{text}");
    let lines = paths.len() + usize::from(report.signed_as().is_some()) + 1;
    assert_eq!(text.lines().count(), lines, "{text}");
    let entry = |(path, finding): (&Path, _)| (path.to_string_lossy().into_owned(), finding);
    report.entries().map(entry).collect()
}

/// For comparisons.
pub(super) fn entries<const N: usize>(entries: [(&str, Finding); N]) -> Vec<(String, Finding)> {
    entries.map(|(name, finding)| (name.to_owned(), finding)).to_vec()
}

pub(super) fn names(manifest: &Manifest) -> Vec<&str> {
    manifest.files().map(|file| file.name()).collect()
}
