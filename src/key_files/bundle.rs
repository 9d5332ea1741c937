//! Keyrings as files: several PEM documents in one file, or one file each in a directory.

use std::{io, path::Path};

use zeroize::Zeroizing;

use super::{directory, files};
use crate::{
    error::Error,
    kem::DecapsulationKey,
    key_files::{PemDocument, PrivatePem},
    keyring::{Keyring, Ring, VerifyingKeyring},
    sign::VerifyingKey,
};

/// How many keys a file or directory may have: as many as an envelope has recipients. Each is
/// expanded, which takes a hundred thousand times as long as reading it.
pub(super) const MAX_KEYS: usize = 1000;

const TOO_MANY: Error =
    Error::Invalid { what: "keyring", reason: "a file may have at most 1000 keys" };

const TWICE: Error = Error::Invalid { what: "keyring", reason: "a key is listed twice" };

const NO_KEY: Error = Error::Invalid { what: "keyring", reason: "it must have at least one key" };

impl Keyring {
    /// All keys as PEM documents one after the other, the primary one first. They are not
    /// encrypted.
    ///
    /// # Errors
    ///
    /// [`Error::Unsupported`] if a key lives elsewhere; [`Error::Invalid`] if there are more than
    /// 1000, which [`from_pem`](Self::from_pem) would refuse.
    pub fn to_pem(&self) -> Result<PrivatePem, Error> {
        let documents = self
            .ring_keys()
            .map(|key| key.in_memory().map(DecapsulationKey::to_pem))
            .collect::<Result<Vec<_>, _>>()?;
        if documents.len() > MAX_KEYS {
            return Err(TOO_MANY);
        }
        let length = documents.iter().map(|pem| pem.as_str().len()).sum();
        let mut bundle = Zeroizing::new(String::with_capacity(length));
        documents.iter().for_each(|pem| bundle.push_str(pem.as_str()));
        Ok(PrivatePem::new(bundle))
    }

    /// Parses what [`to_pem`](Self::to_pem) gives: the first key is the primary one.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] if a key is there twice, or there are more than 1000; and those of
    /// [`DecapsulationKey::from_pem`].
    pub fn from_pem(bundle: &str) -> Result<Self, Error> {
        let keys = documents(bundle)?.into_iter().map(DecapsulationKey::try_from);
        let mut keys = keys.collect::<Result<Vec<_>, _>>()?.into_iter();
        let mut ring = Self::new(keys.next().ok_or(NO_KEY)?);
        for key in keys {
            if ring.contains(key.encapsulation_key()) {
                return Err(TWICE);
            }
            ring.add_older(key)?;
        }
        Ok(ring)
    }

    /// Writes the keys to a new file; see [`DecapsulationKey::write_pem_file`].
    ///
    /// # Errors
    ///
    /// Those of the file system, and those of [`to_pem`](Self::to_pem) inside an [`io::Error`].
    pub fn write_pem_file(&self, path: impl AsRef<Path>) -> io::Result<()> {
        let pem = self.to_pem().map_err(|error| Error::at(path.as_ref(), error.into()))?;
        files::write_private(path.as_ref(), &pem)
    }

    /// Reads the keys from a file; see [`from_pem`](Self::from_pem).
    ///
    /// # Errors
    ///
    /// Those of the file system, and those of [`from_pem`](Self::from_pem) inside an [`io::Error`].
    pub fn read_pem_file(path: impl AsRef<Path>) -> io::Result<Self> {
        files::read_key(path.as_ref(), Self::from_pem)
    }
}

/// `primary.pem` is the primary key, all other files are older ones.
impl Ring for Keyring {
    fn read_dir(path: impl AsRef<Path>) -> io::Result<Self> {
        let files = directory::read(path.as_ref())?;
        let primary = files.iter().find(|file| file.is_primary()).ok_or_else(|| {
            let reason = "a directory needs a primary.pem";
            Error::at(path.as_ref(), Error::Invalid { what: "keyring", reason }.into())
        })?;
        let mut ring = Self::new(primary.parse(DecapsulationKey::from_pem)?);
        for file in files.iter().filter(|file| !file.is_primary()) {
            let key = file.parse(DecapsulationKey::from_pem)?;
            if !ring.contains(key.encapsulation_key()) {
                ring.add_older(key).map_err(|error| Error::at(path.as_ref(), error.into()))?;
            }
        }
        Ok(ring)
    }
}

impl VerifyingKeyring {
    /// All keys as PEM documents one after the other. [`from_pem`](Self::from_pem) reads at most
    /// 1000.
    #[must_use]
    pub fn to_pem(&self) -> String {
        self.keys().map(VerifyingKey::to_pem).collect()
    }

    /// Parses what [`to_pem`](Self::to_pem) gives.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] if there are more than 1000; and those of [`VerifyingKey::from_pem`].
    pub fn from_pem(bundle: &str) -> Result<Self, Error> {
        let keys = documents(bundle)?.into_iter().map(VerifyingKey::try_from);
        Self::new(&keys.collect::<Result<Vec<_>, _>>()?)
    }
}

impl Ring for VerifyingKeyring {
    fn read_dir(path: impl AsRef<Path>) -> io::Result<Self> {
        let files = directory::read(path.as_ref())?;
        let keys = files.iter().map(|file| file.parse(VerifyingKey::from_pem));
        let keys = keys.collect::<io::Result<Vec<_>>>()?;
        Self::new(&keys).map_err(|error| Error::at(path.as_ref(), error.into()))
    }
}

/// The documents of a file that may have several keys. No key is expanded before all were counted.
fn documents(bundle: &str) -> Result<Vec<PemDocument<'_>>, Error> {
    let documents = PemDocument::split(bundle)?;
    if documents.len() > MAX_KEYS { Err(TOO_MANY) } else { Ok(documents) }
}
