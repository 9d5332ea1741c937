//! Files of signature keys: PEM around PKCS#8 and SPKI, as other software has them.

use std::{fmt, io, path::Path, str::FromStr};

use pkcs8::{
    PrivateKeyInfoRef, SubjectPublicKeyInfoRef,
    der::{
        Decode, Encode,
        asn1::{BitStringRef, OctetStringRef},
    },
};

use super::{
    PemDocument, PrivateDer, PrivatePem,
    algorithm::{algorithm, suite_of},
    experimental, files, pem,
};
use crate::{
    constants,
    error::Error,
    keyring::{ReadFrom, Reload},
    sign::{SigningKey, VerifyingKey},
};

const NOT_DER: &str = "it is not DER of this type";
const NOT_CANONICAL: &str = "it has attributes, extra fields or another encoding";

impl VerifyingKey {
    /// The key as a DER `SubjectPublicKeyInfo` (RFC 5280), as certificates hold it.
    ///
    /// # Errors
    ///
    /// [`Error::Unsupported`] for an experimental suite: it has no object identifier.
    pub fn to_spki_der(&self) -> Result<Vec<u8>, Error> {
        let spki = SubjectPublicKeyInfoRef {
            algorithm: algorithm(self.suite())?,
            subject_public_key: BitStringRef::from_bytes(self.as_bytes())
                .expect("2689 bytes fit a BIT STRING"),
        };
        Ok(spki.to_der().expect("2689 bytes fit DER"))
    }

    /// Parses a key from a DER `SubjectPublicKeyInfo`, which must be encoded as
    /// [`to_spki_der`](Self::to_spki_der) encodes it.
    ///
    /// # Errors
    ///
    /// Same as [`from_bytes`](Self::from_bytes); [`Error::Invalid`] if the bytes are not one;
    /// [`Error::Algorithm`] if the key is for another algorithm.
    pub fn from_spki_der(der: &[u8]) -> Result<Self, Error> {
        let invalid = |reason| Error::Invalid { what: "SubjectPublicKeyInfo", reason };
        let spki = SubjectPublicKeyInfoRef::from_der(der).map_err(|_| invalid(NOT_DER))?;
        let suite = suite_of("SubjectPublicKeyInfo", &spki.algorithm)?;
        let bytes = spki.subject_public_key.as_bytes().ok_or(invalid(NOT_DER))?;
        let key = Self::from_bytes(suite, bytes)?;
        if key.to_spki_der()? == der { Ok(key) } else { Err(invalid(NOT_CANONICAL)) }
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
        let info = PrivateKeyInfoRef::new(
            algorithm(self.suite())?,
            OctetStringRef::new(self.secret_bytes()).expect("96 bytes fit an OCTET STRING"),
        );
        Ok(PrivateDer::new(info.to_der().expect("96 bytes fit DER")))
    }

    /// Parses a key from DER PKCS#8, which must be encoded as
    /// [`to_pkcs8_der`](Self::to_pkcs8_der) encodes it.
    ///
    /// # Errors
    ///
    /// Same as [`from_bytes`](Self::from_bytes); [`Error::Invalid`] if the bytes are not PKCS#8;
    /// [`Error::Algorithm`] if the key is for another algorithm.
    pub fn from_pkcs8_der(der: &[u8]) -> Result<Self, Error> {
        let invalid = |reason| Error::Invalid { what: "PKCS#8 key", reason };
        let info = PrivateKeyInfoRef::from_der(der).map_err(|_| invalid(NOT_DER))?;
        let suite = suite_of("PKCS#8 key", &info.algorithm)?;
        let key = Self::from_bytes(suite, info.private_key.as_bytes())?;
        // A difference from our encoding is public: attributes, a public key, or other lengths.
        if key.to_pkcs8_der()?.as_bytes() == der { Ok(key) } else { Err(invalid(NOT_CANONICAL)) }
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
