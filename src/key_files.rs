//! Key files: PEM (RFC 7468) around the crate's own form for KEM keys, and around PKCS#8 and SPKI
//! for signature keys.

use std::{io, path::Path};

use pkcs8::{
    AlgorithmIdentifierRef, ObjectIdentifier, PrivateKeyInfoRef, SubjectPublicKeyInfoRef,
    der::{
        Decode, Encode,
        asn1::{BitStringRef, OctetStringRef},
    },
};
use zeroize::Zeroizing;

use crate::{
    constants,
    error::Error,
    kem::{DecapsulationKey, EncapsulationKey, KemSuite},
    secret::SecretBuffer,
    sign::{SignatureSuite, SigningKey, VerifyingKey},
    wire,
};

mod bundle;
mod directory;
mod experimental;
mod files;
mod pem;
mod private_der;
mod private_pem;

pub use pem::PemDocument;
pub use private_der::PrivateDer;
pub use private_pem::PrivatePem;

impl EncapsulationKey {
    /// The key as PEM, labelled `TWINSEAL KEM PUBLIC KEY`: `suite (2) || encapsulation key`.
    #[must_use]
    pub fn to_pem(&self) -> String {
        let bytes = [&self.suite().id().to_be_bytes(), self.as_bytes()].concat();
        pem::encode(constants::PEM_KEM_PUBLIC, &bytes).to_string()
    }

    /// Parses a key from PEM.
    ///
    /// # Errors
    ///
    /// Those of [`PemDocument::split`] and [`PemDocument::decode`], [`Error::PemCount`] if there are
    /// several documents, [`Error::PemLabel`] if it is something else, [`Error::Unknown`] for an
    /// unknown suite, and those of [`from_bytes`](Self::from_bytes).
    pub fn from_pem(pem: &str) -> Result<Self, Error> {
        PemDocument::only(pem)?.try_into()
    }
}

impl DecapsulationKey {
    /// The key as PEM, labelled `TWINSEAL KEM PRIVATE KEY`: `suite (2) || seed (32)`. It is not
    /// encrypted.
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
    /// Those of [`PemDocument::split`] and [`PemDocument::decode`], [`Error::PemCount`] if there are
    /// several documents, [`Error::PemLabel`] if it is something else, [`Error::Unknown`] for an
    /// unknown suite, and those of [`from_seed`](Self::from_seed).
    pub fn from_pem(pem: &str) -> Result<Self, Error> {
        PemDocument::only(pem)?.try_into()
    }

    /// Writes the key as PEM to a new file that only its owner can read (mode 0600 on Unix; on
    /// other systems the directory's permissions decide). An existing file is not overwritten.
    ///
    /// The file appears whole or not at all: it is written beside its place, as
    /// `.twinseal-*.partial`, synced, and then given its name. A process that is killed before may
    /// leave that file, with the key in it. A file system without hard links shows the file while
    /// it is written.
    ///
    /// # Errors
    ///
    /// Those of the file system, with the path. A file that could not be written whole is removed.
    pub fn write_pem_file(&self, path: impl AsRef<Path>) -> io::Result<()> {
        files::write_private(path.as_ref(), &self.to_pem())
    }

    /// Reads a key from a PEM file of at most 4 MiB. A pipe is read to its end.
    ///
    /// # Errors
    ///
    /// Those of the file system, and those of [`from_pem`](Self::from_pem) inside an
    /// [`io::Error`] ([`Error::inside`]). The text starts with the path.
    pub fn read_pem_file(path: impl AsRef<Path>) -> io::Result<Self> {
        files::read_key(path.as_ref(), Self::from_pem)
    }
}

impl VerifyingKey {
    /// The key as a DER `SubjectPublicKeyInfo` (RFC 5280), as certificates hold it.
    ///
    /// # Errors
    ///
    /// [`Error::Unsupported`] for an experimental suite, which has no object identifier.
    pub fn to_spki_der(&self) -> Result<Vec<u8>, Error> {
        let spki = SubjectPublicKeyInfoRef {
            algorithm: algorithm(self.suite())?,
            subject_public_key: BitStringRef::from_bytes(self.as_bytes())
                .expect("2689 bytes fit a BIT STRING"),
        };
        Ok(spki.to_der().expect("2689 bytes fit DER"))
    }

    /// Parses a key from a DER `SubjectPublicKeyInfo`, which must have its one encoding.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] if it is not one, [`Error::Algorithm`] if it is for another algorithm, and
    /// those of [`from_bytes`](Self::from_bytes).
    pub fn from_spki_der(der: &[u8]) -> Result<Self, Error> {
        let invalid = |reason| Error::Invalid { what: "SubjectPublicKeyInfo", reason };
        let spki = SubjectPublicKeyInfoRef::from_der(der).map_err(|_| invalid(NOT_DER))?;
        let suite = suite_of("SubjectPublicKeyInfo", &spki.algorithm)?;
        let bytes = spki.subject_public_key.as_bytes().ok_or(invalid(NOT_DER))?;
        let key = Self::from_bytes(suite, bytes)?;
        if key.to_spki_der()? == der { Ok(key) } else { Err(invalid(NOT_CANONICAL)) }
    }

    /// The key as PEM, labelled `PUBLIC KEY`. Keys of an experimental suite have a label of their
    /// own.
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
    /// Those of [`PemDocument::split`] and [`PemDocument::decode`], [`Error::PemCount`] if there are
    /// several documents, [`Error::PemLabel`] if it is something else, and those
    /// of [`from_spki_der`](Self::from_spki_der).
    pub fn from_pem(pem: &str) -> Result<Self, Error> {
        PemDocument::only(pem)?.try_into()
    }
}

impl SigningKey {
    /// The key as DER PKCS#8 (RFC 5958, version 1: no attributes and no public key). It is not
    /// encrypted.
    ///
    /// # Errors
    ///
    /// [`Error::Unsupported`] for an experimental suite, which has no object identifier.
    pub fn to_pkcs8_der(&self) -> Result<PrivateDer, Error> {
        let info = PrivateKeyInfoRef::new(
            algorithm(self.suite())?,
            OctetStringRef::new(self.secret_bytes()).expect("96 bytes fit an OCTET STRING"),
        );
        Ok(PrivateDer::new(info.to_der().expect("96 bytes fit DER")))
    }

    /// Parses a key from DER PKCS#8, which must have the one encoding that
    /// [`to_pkcs8_der`](Self::to_pkcs8_der) gives.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] if it is not PKCS#8, [`Error::Algorithm`] if it is for another algorithm,
    /// and those of [`from_bytes`](Self::from_bytes).
    pub fn from_pkcs8_der(der: &[u8]) -> Result<Self, Error> {
        let invalid = |reason| Error::Invalid { what: "PKCS#8 key", reason };
        let info = PrivateKeyInfoRef::from_der(der).map_err(|_| invalid(NOT_DER))?;
        let suite = suite_of("PKCS#8 key", &info.algorithm)?;
        let key = Self::from_bytes(suite, info.private_key.as_bytes())?;
        // What differs from our encoding is public: attributes, a public key, or other lengths.
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
    /// Those of [`PemDocument::split`] and [`PemDocument::decode`], [`Error::PemCount`] if there are
    /// several documents, [`Error::PemLabel`] if it is something else, and those
    /// of [`from_pkcs8_der`](Self::from_pkcs8_der).
    pub fn from_pem(pem: &str) -> Result<Self, Error> {
        PemDocument::only(pem)?.try_into()
    }

    /// Writes the key as PEM to a new file that only its owner can read (mode 0600 on Unix; on
    /// other systems the directory's permissions decide). An existing file is not overwritten.
    ///
    /// The file appears whole or not at all: it is written beside its place, as
    /// `.twinseal-*.partial`, synced, and then given its name. A process that is killed before may
    /// leave that file, with the key in it. A file system without hard links shows the file while
    /// it is written.
    ///
    /// # Errors
    ///
    /// Those of the file system, with the path. A file that could not be written whole is removed.
    pub fn write_pem_file(&self, path: impl AsRef<Path>) -> io::Result<()> {
        files::write_private(path.as_ref(), &self.to_pem())
    }

    /// Reads a key from a PEM file of at most 4 MiB. A pipe is read to its end.
    ///
    /// # Errors
    ///
    /// Those of the file system, and those of [`from_pem`](Self::from_pem) inside an
    /// [`io::Error`] ([`Error::inside`]). The text starts with the path.
    pub fn read_pem_file(path: impl AsRef<Path>) -> io::Result<Self> {
        files::read_key(path.as_ref(), Self::from_pem)
    }
}

/// Reads the document as [`from_pem`](EncapsulationKey::from_pem) does.
impl TryFrom<PemDocument<'_>> for EncapsulationKey {
    type Error = Error;

    fn try_from(document: PemDocument<'_>) -> Result<Self, Error> {
        let bytes = labelled(constants::PEM_KEM_PUBLIC, document)?;
        let (suite, key) = kem_suite(&bytes)?;
        Self::from_bytes(suite, key)
    }
}

/// Reads the document as [`from_pem`](DecapsulationKey::from_pem) does.
impl TryFrom<PemDocument<'_>> for DecapsulationKey {
    type Error = Error;

    fn try_from(document: PemDocument<'_>) -> Result<Self, Error> {
        let bytes = labelled(constants::PEM_KEM_PRIVATE, document)?;
        let (suite, seed) = kem_suite(&bytes)?;
        Self::from_seed(suite, seed)
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
            _ => Self::from_spki_der(&labelled(constants::PEM_SPKI, document)?),
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
            _ => Self::from_pkcs8_der(&labelled(constants::PEM_PKCS8, document)?),
        }
    }
}

/// More of a label is in no error: a label may be as long as the file that it is in.
const MOST_OF_A_LABEL: usize = 64;

/// The content of a document that must have this label.
fn labelled(label: &'static str, document: PemDocument<'_>) -> Result<SecretBuffer, Error> {
    let found = document.label();
    if found != label {
        let found = found.get(..MOST_OF_A_LABEL).unwrap_or(found).into(); // labels are ASCII
        return Err(Error::PemLabel { expected: label, found });
    }
    document.decode()
}

const NOT_DER: &str = "it is not DER of this type";
const PARAMETERS: &str = "its algorithm has parameters";
const NOT_CANONICAL: &str = "it has attributes, extra fields or another encoding";

fn oid(suite: SignatureSuite) -> Result<ObjectIdentifier, Error> {
    let oid = suite.oid().ok_or(Error::Unsupported("a suite without object identifier"))?;
    Ok(ObjectIdentifier::new(oid).expect("the table's identifiers are well formed"))
}

/// Composite algorithms have no parameters, not even NULL.
fn algorithm(suite: SignatureSuite) -> Result<AlgorithmIdentifierRef<'static>, Error> {
    Ok(AlgorithmIdentifierRef { oid: oid(suite)?, parameters: None })
}

fn suite_of(
    what: &'static str,
    algorithm: &AlgorithmIdentifierRef<'_>,
) -> Result<SignatureSuite, Error> {
    let is_named = |suite: &SignatureSuite| oid(*suite).is_ok_and(|oid| oid == algorithm.oid);
    let suite = SignatureSuite::ALL.iter().copied().find(is_named);
    let suite = suite.ok_or_else(|| Error::Algorithm { what, oid: algorithm.oid.to_string() })?;
    match algorithm.parameters {
        None => Ok(suite),
        Some(_) => Err(Error::Invalid { what, reason: PARAMETERS }),
    }
}

/// The suite and the rest of a KEM key file.
fn kem_suite(bytes: &[u8]) -> Result<(KemSuite, &[u8]), Error> {
    let mut reader = wire::Reader::new("KEM key file", bytes);
    let suite = KemSuite::from_id(reader.u16()?)?;
    Ok((suite, reader.rest()))
}
