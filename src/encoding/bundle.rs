//! Keyrings as files: several PEM documents in one file, or one file each in a directory.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use zeroize::Zeroizing;

use super::files;
use crate::{
    DecapsulationKey, Directory, Error, Keyring, PemDocument, PrivatePem, VerifyingKey,
    VerifyingKeyring,
};

impl Keyring {
    /// All keys as PEM documents one after the other, the primary one first. They are not
    /// encrypted.
    ///
    /// # Errors
    ///
    /// [`Error::Unsupported`] if a key lives elsewhere.
    pub fn to_pem(&self) -> Result<PrivatePem, Error> {
        let documents = self
            .ring_keys()
            .map(|key| key.in_memory().map(DecapsulationKey::to_pem))
            .collect::<Result<Vec<_>, _>>()?;
        let length = documents.iter().map(|pem| pem.as_str().len()).sum();
        let mut bundle = Zeroizing::new(String::with_capacity(length));
        documents.iter().for_each(|pem| bundle.push_str(pem.as_str()));
        Ok(PrivatePem::new(bundle))
    }

    /// Parses what [`to_pem`](Self::to_pem) gives: the first key is the primary one.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] if a key is there twice, and those of [`DecapsulationKey::from_pem`].
    pub fn from_pem(bundle: &str) -> Result<Self, Error> {
        let keys = PemDocument::split(bundle)?.into_iter().map(DecapsulationKey::try_from);
        Self::from_keys(keys.collect::<Result<_, _>>()?)
    }

    /// Writes the keys to a new file; see [`DecapsulationKey::write_pem_file`].
    ///
    /// # Errors
    ///
    /// Those of the file system, and those of [`to_pem`](Self::to_pem) inside an [`io::Error`].
    pub fn write_pem_file(&self, path: impl AsRef<Path>) -> io::Result<()> {
        files::write_private(path.as_ref(), &self.to_pem()?)
    }

    /// Reads the keys from a file; see [`from_pem`](Self::from_pem).
    ///
    /// # Errors
    ///
    /// Those of the file system, and those of [`from_pem`](Self::from_pem) inside an [`io::Error`].
    pub fn read_pem_file(path: impl AsRef<Path>) -> io::Result<Self> {
        Ok(Self::from_pem(files::read_private(path.as_ref())?.as_str())?)
    }
}

/// `primary.pem` is the primary key, all other files are older ones.
impl Directory for Keyring {
    fn read_dir(path: impl AsRef<Path>) -> io::Result<Self> {
        let mut files = pem_files(path.as_ref())?;
        files.sort_by_key(|file| !is_primary(file));
        if !files.first().is_some_and(|first| is_primary(first)) {
            let reason = "a directory needs a primary.pem";
            return Err(Error::Invalid { what: "keyring", reason }.into());
        }
        let keys = read_each(&files, DecapsulationKey::from_pem)?;
        Ok(Self::from_keys(keys)?)
    }
}

impl VerifyingKeyring {
    /// All keys as PEM documents one after the other.
    #[must_use]
    pub fn to_pem(&self) -> String {
        self.keys().map(VerifyingKey::to_pem).collect()
    }

    /// Parses what [`to_pem`](Self::to_pem) gives.
    ///
    /// # Errors
    ///
    /// Those of [`VerifyingKey::from_pem`].
    pub fn from_pem(bundle: &str) -> Result<Self, Error> {
        let keys = PemDocument::split(bundle)?.into_iter().map(VerifyingKey::try_from);
        Self::new(&keys.collect::<Result<Vec<_>, _>>()?)
    }
}

impl Directory for VerifyingKeyring {
    fn read_dir(path: impl AsRef<Path>) -> io::Result<Self> {
        let keys = read_each(&pem_files(path.as_ref())?, VerifyingKey::from_pem)?;
        Ok(Self::new(&keys)?)
    }
}

fn is_primary(file: &Path) -> bool {
    file.file_name().is_some_and(|name| name == "primary.pem")
}

/// The PEM files of a directory in the order of their names, behind Kubernetes' `..data` link if
/// there is one: that link is what changes when a mounted secret changes. If it leads nowhere at
/// the moment, what stands beside it is not read instead.
fn pem_files(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let link = directory.join("..data");
    let snapshot = match fs::symlink_metadata(&link) {
        Ok(_) => fs::canonicalize(link)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => directory.to_path_buf(),
        Err(error) => return Err(error),
    };
    let mut files = Vec::new();
    for entry in fs::read_dir(snapshot)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().as_encoded_bytes();
        if name.ends_with(b".pem") && !name.starts_with(b".") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// Reads every file, and names the one that is wrong.
fn read_each<Key>(
    files: &[PathBuf],
    parse: impl Fn(&str) -> Result<Key, Error>,
) -> io::Result<Vec<Key>> {
    let read = |file: &Path| Ok(parse(files::read_private(file)?.as_str())?);
    files
        .iter()
        .map(|file| {
            read(file).map_err(|error: io::Error| {
                io::Error::new(error.kind(), format!("{}: {error}", file.display()))
            })
        })
        .collect()
}
