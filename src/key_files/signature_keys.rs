//! Files of signature keys: PEM around PKCS#8 and SPKI, as other software has them.

use std::{fmt, io, path::Path, str::FromStr};

use super::{
    PemDocument, PrivateDer, PrivatePem,
    algorithm::{
        NOT_CANONICAL, PKCS8, SPKI, pkcs8_from_der, pkcs8_to_der, spki_from_der, spki_to_der,
    },
    experimental, files,
    import::or_other_form,
    pem,
};
use crate::{
    constants,
    error::Error,
    keyring::{ReadFrom, Reload},
    sign::{SigningKey, VerifyingKey},
};

impl VerifyingKey {
    /// The key as a DER `SubjectPublicKeyInfo` (RFC 5280), as certificates hold it.
    ///
    /// # Errors
    ///
    /// [`Error::Unsupported`] for an experimental suite: it has no object identifier.
    pub fn to_spki_der(&self) -> Result<Vec<u8>, Error> {
        spki_to_der(self.suite(), self.as_bytes())
    }

    /// Parses a key from a DER `SubjectPublicKeyInfo`, which must be encoded as
    /// [`to_spki_der`](Self::to_spki_der) encodes it. [`import_der`](Self::import_der) reads the other forms.
    ///
    /// # Errors
    ///
    /// Same as [`from_bytes`](Self::from_bytes); [`Error::Invalid`] if the bytes are not one;
    /// [`Error::Algorithm`] if the key is for another algorithm.
    pub fn from_spki_der(der: &[u8]) -> Result<Self, Error> {
        Self::from_canonical_spki(der)
            .map_err(|error| or_other_form(SPKI, error, &Self::import_der(der)))
    }

    fn from_canonical_spki(der: &[u8]) -> Result<Self, Error> {
        let (suite, bytes) = spki_from_der(der)?;
        let key = Self::from_bytes(suite, bytes)?;
        let invalid = Error::Invalid { what: SPKI, reason: NOT_CANONICAL };
        if key.to_spki_der()? == der { Ok(key) } else { Err(invalid) }
    }

    /// The key as PEM, labelled `PUBLIC KEY`. Keys of an experimental suite have a label of their
    /// own. `Display` writes the same text.
    #[must_use]
    pub fn to_pem(&self) -> String {
        match self.to_spki_der() {
            Ok(der) => pem::encode(constants::PEM_SPKI, &der),
            Err(_) => experimental::public_to_pem(self),
        }
        .to_string()
    }

    /// Parses a key from PEM.
    ///
    /// # Errors
    ///
    /// Same as [`PemDocument::split`], [`PemDocument::decode`] and [`from_spki_der`](Self::from_spki_der);
    /// [`Error::PemCount`] if there are several documents; [`Error::PemLabel`] if the document is
    /// something else.
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

/// Writes the PEM of [`to_pem`](VerifyingKey::to_pem).
impl fmt::Display for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_pem())
    }
}

/// Parses PEM, like [`from_pem`](VerifyingKey::from_pem).
impl FromStr for VerifyingKey {
    type Err = Error;

    fn from_str(pem: &str) -> Result<Self, Error> {
        Self::from_pem(pem)
    }
}

impl SigningKey {
    /// The key as DER PKCS#8 (RFC 5958, version 1: no attributes and no public key). It is not
    /// encrypted.
    ///
    /// # Errors
    ///
    /// [`Error::Unsupported`] for an experimental suite: it has no object identifier.
    pub fn to_pkcs8_der(&self) -> Result<PrivateDer, Error> {
        pkcs8_to_der(self.suite(), self.secret_bytes())
    }

    /// Parses a key from DER PKCS#8, which must be encoded as
    /// [`to_pkcs8_der`](Self::to_pkcs8_der) encodes it. [`import_der`](Self::import_der) reads the other forms.
    ///
    /// # Errors
    ///
    /// Same as [`from_bytes`](Self::from_bytes); [`Error::Invalid`] if the bytes are not PKCS#8;
    /// [`Error::Algorithm`] if the key is for another algorithm.
    pub fn from_pkcs8_der(der: &[u8]) -> Result<Self, Error> {
        Self::from_canonical_pkcs8(der)
            .map_err(|error| or_other_form(PKCS8, error, &Self::import_der(der)))
    }

    fn from_canonical_pkcs8(der: &[u8]) -> Result<Self, Error> {
        let (suite, bytes) = pkcs8_from_der(der)?;
        let key = Self::from_bytes(suite, bytes)?;
        // A difference from our encoding is public: attributes, a public key, or other lengths.
        let invalid = Error::Invalid { what: PKCS8, reason: NOT_CANONICAL };
        if key.to_pkcs8_der()?.as_bytes() == der { Ok(key) } else { Err(invalid) }
    }

    /// The key as PEM, labelled `PRIVATE KEY`. It is not encrypted. Keys of an experimental suite
    /// have a label of their own.
    #[must_use]
    pub fn to_pem(&self) -> PrivatePem {
        PrivatePem::new(match self.to_pkcs8_der() {
            Ok(der) => pem::encode(constants::PEM_PKCS8, der.as_bytes()),
            Err(_) => experimental::private_to_pem(self),
        })
    }

    /// Parses a key from PEM.
    ///
    /// # Errors
    ///
    /// Same as [`PemDocument::split`], [`PemDocument::decode`] and [`from_pkcs8_der`](Self::from_pkcs8_der);
    /// [`Error::PemCount`] if there are several documents; [`Error::PemLabel`] if the document is
    /// something else.
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

impl Reload for SigningKey {}

impl ReadFrom for SigningKey {
    /// Unlike [`read_pem_file`](Self::read_pem_file), it never waits for a pipe.
    fn read_from(path: &Path) -> io::Result<Self> {
        let text = files::read_regular(path)?;
        Self::from_pem(text.as_str()).map_err(|error| Error::at(path, error.into()))
    }
}

/// Reads the document as [`from_pem`](VerifyingKey::from_pem) does.
impl TryFrom<PemDocument<'_>> for VerifyingKey {
    type Error = Error;

    fn try_from(document: PemDocument<'_>) -> Result<Self, Error> {
        match document.label() {
            constants::PEM_EXPERIMENTAL_PUBLIC => {
                experimental::public_from_bytes(&document.decode()?)
            }
            _ => Self::from_spki_der(&document.content(constants::PEM_SPKI)?),
        }
    }
}

/// Reads the document as [`from_pem`](SigningKey::from_pem) does.
impl TryFrom<PemDocument<'_>> for SigningKey {
    type Error = Error;

    fn try_from(document: PemDocument<'_>) -> Result<Self, Error> {
        match document.label() {
            constants::PEM_EXPERIMENTAL_PRIVATE => {
                experimental::private_from_bytes(&document.decode()?)
            }
            _ => Self::from_pkcs8_der(&document.content(constants::PEM_PKCS8)?),
        }
    }
}
