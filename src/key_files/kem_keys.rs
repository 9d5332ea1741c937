//! Files of KEM keys: PEM around a form of the crate's own.

use std::{fmt, io, path::Path, str::FromStr};

use zeroize::Zeroizing;

use super::{PemDocument, PrivatePem, files, pem};
use crate::{
    constants,
    error::Error,
    kem::{DecapsulationKey, EncapsulationKey, KemSuite},
    wire,
};

impl EncapsulationKey {
    /// The key as PEM, labelled `TWINSEAL KEM PUBLIC KEY`: the suite in 2 bytes, then the key.
    /// `Display` writes the same text.
    ///
    /// ```
    /// use twinseal::{DecapsulationKey, EncapsulationKey};
    ///
    /// let bob = DecapsulationKey::generate()?;
    /// let published = bob.encapsulation_key().to_pem();
    /// let to_bob: EncapsulationKey = published.parse()?;
    /// assert_eq!(&to_bob, bob.encapsulation_key());
    /// # Ok::<(), twinseal::Error>(())
    /// ```
    #[must_use]
    pub fn to_pem(&self) -> String {
        let bytes = [&self.suite().id().to_be_bytes(), self.as_bytes()].concat();
        pem::encode(constants::PEM_KEM_PUBLIC, &bytes).to_string()
    }

    /// Parses a key from PEM.
    ///
    /// # Errors
    ///
    /// Same as [`PemDocument::split`], [`PemDocument::decode`] and [`from_bytes`](Self::from_bytes);
    /// [`Error::PemCount`] if there are several documents; [`Error::PemLabel`] if the document is
    /// something else; [`Error::Unknown`] for an unknown suite.
    pub fn from_pem(pem: &str) -> Result<Self, Error> {
        PemDocument::only(pem)?.try_into()
    }

    /// Reads a key from a PEM file of at most 4 MiB. A pipe is read to its end.
    ///
    /// # Errors
    ///
    /// Same as [`from_pem`](Self::from_pem), wrapped in [`io::Error`] (see [`Error::inside`]); and
    /// those of the file system. The text starts with the path.
    pub fn read_pem_file(path: impl AsRef<Path>) -> io::Result<Self> {
        files::read_key(path.as_ref(), Self::from_pem)
    }
}

/// Writes the PEM of [`to_pem`](EncapsulationKey::to_pem).
impl fmt::Display for EncapsulationKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_pem())
    }
}

/// Parses PEM, like [`from_pem`](EncapsulationKey::from_pem).
impl FromStr for EncapsulationKey {
    type Err = Error;

    fn from_str(pem: &str) -> Result<Self, Error> {
        Self::from_pem(pem)
    }
}

impl DecapsulationKey {
    /// The key as PEM, labelled `TWINSEAL KEM PRIVATE KEY`: the suite in 2 bytes, then the seed. It
    /// is not encrypted.
    #[must_use]
    pub fn to_pem(&self) -> PrivatePem {
        let mut bytes = Zeroizing::new(Vec::with_capacity(2 + KemSuite::SEED_LEN));
        bytes.extend_from_slice(&self.suite().id().to_be_bytes());
        bytes.extend_from_slice(self.seed());
        PrivatePem::new(pem::encode(constants::PEM_KEM_PRIVATE, &bytes))
    }

    /// Parses a key from PEM.
    ///
    /// # Errors
    ///
    /// Same as [`PemDocument::split`], [`PemDocument::decode`] and [`from_seed`](Self::from_seed);
    /// [`Error::PemCount`] if there are several documents; [`Error::PemLabel`] if the document is
    /// something else; [`Error::Unknown`] for an unknown suite.
    pub fn from_pem(pem: &str) -> Result<Self, Error> {
        PemDocument::only(pem)?.try_into()
    }

    /// Writes the key as PEM to a new file that only its owner can read (mode 0600 on Unix; on
    /// other systems the directory's permissions decide). An existing file is not overwritten.
    ///
    /// The file appears whole or not at all: it is written to `.twinseal-*.partial` in the same
    /// directory, synced, and then given its name. A process that is killed before that may leave
    /// the partial file, with the key in it. On a file system without hard links, the file is visible
    /// while it is written.
    ///
    /// # Errors
    ///
    /// Those of the file system; the text starts with the path. A file that could not be written
    /// whole is removed.
    pub fn write_pem_file(&self, path: impl AsRef<Path>) -> io::Result<()> {
        files::write_private(path.as_ref(), &self.to_pem())
    }

    /// Reads a key from a PEM file of at most 4 MiB. A pipe is read to its end.
    ///
    /// # Errors
    ///
    /// Same as [`from_pem`](Self::from_pem), wrapped in [`io::Error`] (see [`Error::inside`]); and
    /// those of the file system. The text starts with the path.
    pub fn read_pem_file(path: impl AsRef<Path>) -> io::Result<Self> {
        files::read_key(path.as_ref(), Self::from_pem)
    }
}

/// Reads the document as [`from_pem`](EncapsulationKey::from_pem) does.
impl TryFrom<PemDocument<'_>> for EncapsulationKey {
    type Error = Error;

    fn try_from(document: PemDocument<'_>) -> Result<Self, Error> {
        let bytes = document.content(constants::PEM_KEM_PUBLIC)?;
        let (suite, key) = kem_suite(&bytes)?;
        Self::from_bytes(suite, key)
    }
}

/// Reads the document as [`from_pem`](DecapsulationKey::from_pem) does.
impl TryFrom<PemDocument<'_>> for DecapsulationKey {
    type Error = Error;

    fn try_from(document: PemDocument<'_>) -> Result<Self, Error> {
        let bytes = document.content(constants::PEM_KEM_PRIVATE)?;
        let (suite, seed) = kem_suite(&bytes)?;
        Self::from_seed(suite, seed)
    }
}

/// The suite and the rest of a KEM key file.
fn kem_suite(bytes: &[u8]) -> Result<(KemSuite, &[u8]), Error> {
    let mut reader = wire::Reader::new("KEM key file", bytes);
    let suite = KemSuite::from_id(reader.u16()?)?;
    Ok((suite, reader.rest()))
}
