//! Key files: PEM (RFC 7468) around the crate's own form for KEM keys, and around PKCS#8 and SPKI
//! for signature keys.

use std::{io, path::Path};

use pem_rfc7468::LineEnding;
use pkcs8::{
    AlgorithmIdentifierRef, ObjectIdentifier, PrivateKeyInfoRef, SubjectPublicKeyInfoRef,
    der::{
        Decode, Encode,
        asn1::{BitStringRef, OctetStringRef},
    },
};
use zeroize::Zeroizing;

use crate::{
    DecapsulationKey, EncapsulationKey, Error, KemSuite, PrivatePem, SignatureSuite, SigningKey,
    VerifyingKey, suite, wire,
};

mod bundle;
mod experimental;
mod files;

impl EncapsulationKey {
    /// The key as PEM, labelled `TWINSEAL KEM PUBLIC KEY`: `suite (2) || encapsulation key`.
    #[must_use]
    pub fn to_pem(&self) -> String {
        let bytes = [&self.suite().id().to_be_bytes(), self.as_bytes()].concat();
        to_pem(suite::PEM_KEM_PUBLIC, &bytes).to_string()
    }

    /// Parses a key from PEM.
    ///
    /// # Errors
    ///
    /// [`Error::PemLabel`] if it is something else, [`Error::Invalid`] if it is not PEM,
    /// [`Error::Unknown`] for an unknown suite, and those of [`from_bytes`](Self::from_bytes).
    pub fn from_pem(pem: &str) -> Result<Self, Error> {
        let bytes = from_pem(suite::PEM_KEM_PUBLIC, pem)?;
        let (suite, key) = kem_suite(&bytes)?;
        Self::from_bytes(suite, key)
    }
}

impl DecapsulationKey {
    /// The key as PEM, labelled `TWINSEAL KEM PRIVATE KEY`: `suite (2) || seed (32)`. It is not
    /// encrypted.
    #[must_use]
    pub fn to_pem(&self) -> PrivatePem {
        let mut bytes = Zeroizing::new(Vec::with_capacity(2 + KemSuite::SEED_LENGTH));
        bytes.extend_from_slice(&self.suite().id().to_be_bytes());
        bytes.extend_from_slice(self.seed());
        PrivatePem::new(to_pem(suite::PEM_KEM_PRIVATE, &bytes))
    }

    /// Parses a key from PEM.
    ///
    /// # Errors
    ///
    /// [`Error::PemLabel`] if it is something else, [`Error::Invalid`] if it is not PEM,
    /// [`Error::Unknown`] for an unknown suite, and those of [`from_seed`](Self::from_seed).
    pub fn from_pem(pem: &str) -> Result<Self, Error> {
        let bytes = from_pem(suite::PEM_KEM_PRIVATE, pem)?;
        let (suite, seed) = kem_suite(&bytes)?;
        Self::from_seed(suite, seed)
    }

    /// Writes the key as PEM to a new file that only its owner can read (mode 0600 on Unix; on
    /// other systems the folder's permissions decide). An existing file is not overwritten.
    ///
    /// # Errors
    ///
    /// Those of the file system. A file that could not be written whole is removed.
    pub fn write_pem_file(&self, path: impl AsRef<Path>) -> io::Result<()> {
        files::write_private(path.as_ref(), &self.to_pem())
    }

    /// Reads a key from a PEM file.
    ///
    /// # Errors
    ///
    /// Those of the file system, and those of [`from_pem`](Self::from_pem) inside an [`io::Error`].
    pub fn read_pem_file(path: impl AsRef<Path>) -> io::Result<Self> {
        Ok(Self::from_pem(files::read_private(path.as_ref())?.as_str())?)
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
    /// [`Error::Invalid`] if it is not one, or is for another algorithm; and those of
    /// [`from_bytes`](Self::from_bytes).
    pub fn from_spki_der(der: &[u8]) -> Result<Self, Error> {
        let invalid = |reason| Error::Invalid { what: "SubjectPublicKeyInfo", reason };
        let spki = SubjectPublicKeyInfoRef::from_der(der).map_err(|_| invalid(NOT_DER))?;
        let suite = suite_of(&spki.algorithm).ok_or(invalid(OTHER_ALGORITHM))?;
        let bytes = spki.subject_public_key.as_bytes().ok_or(invalid(NOT_DER))?;
        let key = Self::from_bytes(suite, bytes)?;
        if key.to_spki_der()? == der { Ok(key) } else { Err(invalid(NOT_CANONICAL)) }
    }

    /// The key as PEM, labelled `PUBLIC KEY`. Keys of an experimental suite have a label of their
    /// own.
    #[must_use]
    pub fn to_pem(&self) -> String {
        match self.to_spki_der() {
            Ok(der) => to_pem(suite::PEM_SPKI, &der),
            Err(_) => experimental::public_to_pem(self),
        }
        .to_string()
    }

    /// Parses a key from PEM.
    ///
    /// # Errors
    ///
    /// [`Error::PemLabel`] if it is something else, [`Error::Invalid`] if it is not PEM, and those
    /// of [`from_spki_der`](Self::from_spki_der).
    pub fn from_pem(pem: &str) -> Result<Self, Error> {
        match from_pem(suite::PEM_SPKI, pem) {
            Ok(der) => Self::from_spki_der(&der),
            Err(error) => experimental::public_from_pem(pem, error),
        }
    }
}

impl SigningKey {
    /// The key as DER PKCS#8 (RFC 5958, version 1: no attributes and no public key). It is not
    /// encrypted; the buffer is wiped when dropped.
    ///
    /// # Errors
    ///
    /// [`Error::Unsupported`] for an experimental suite, which has no object identifier.
    pub fn to_pkcs8_der(&self) -> Result<Zeroizing<Vec<u8>>, Error> {
        let info = PrivateKeyInfoRef::new(
            algorithm(self.suite())?,
            OctetStringRef::new(self.secret_bytes()).expect("96 bytes fit an OCTET STRING"),
        );
        Ok(Zeroizing::new(info.to_der().expect("96 bytes fit DER")))
    }

    /// Parses a key from DER PKCS#8, which must have the one encoding that
    /// [`to_pkcs8_der`](Self::to_pkcs8_der) gives.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] if it is not PKCS#8, or is for another algorithm; and those of
    /// [`from_bytes`](Self::from_bytes).
    pub fn from_pkcs8_der(der: &[u8]) -> Result<Self, Error> {
        let invalid = |reason| Error::Invalid { what: "PKCS#8 key", reason };
        let info = PrivateKeyInfoRef::from_der(der).map_err(|_| invalid(NOT_DER))?;
        let suite = suite_of(&info.algorithm).ok_or(invalid(OTHER_ALGORITHM))?;
        let key = Self::from_bytes(suite, info.private_key.as_bytes())?;
        // What differs from our encoding is public: attributes, a public key, or other lengths.
        if **key.to_pkcs8_der()? == *der { Ok(key) } else { Err(invalid(NOT_CANONICAL)) }
    }

    /// The key as PEM, labelled `PRIVATE KEY`. It is not encrypted. Keys of an experimental suite
    /// have a label of their own.
    #[must_use]
    pub fn to_pem(&self) -> PrivatePem {
        PrivatePem::new(match self.to_pkcs8_der() {
            Ok(der) => to_pem(suite::PEM_PKCS8, &der),
            Err(_) => experimental::private_to_pem(self),
        })
    }

    /// Parses a key from PEM.
    ///
    /// # Errors
    ///
    /// [`Error::PemLabel`] if it is something else, [`Error::Invalid`] if it is not PEM, and those
    /// of [`from_pkcs8_der`](Self::from_pkcs8_der).
    pub fn from_pem(pem: &str) -> Result<Self, Error> {
        match from_pem(suite::PEM_PKCS8, pem) {
            Ok(der) => Self::from_pkcs8_der(&der),
            Err(error) => experimental::private_from_pem(pem, error),
        }
    }

    /// Writes the key as PEM to a new file that only its owner can read (mode 0600 on Unix; on
    /// other systems the folder's permissions decide). An existing file is not overwritten.
    ///
    /// # Errors
    ///
    /// Those of the file system. A file that could not be written whole is removed.
    pub fn write_pem_file(&self, path: impl AsRef<Path>) -> io::Result<()> {
        files::write_private(path.as_ref(), &self.to_pem())
    }

    /// Reads a key from a PEM file.
    ///
    /// # Errors
    ///
    /// Those of the file system, and those of [`from_pem`](Self::from_pem) inside an [`io::Error`].
    pub fn read_pem_file(path: impl AsRef<Path>) -> io::Result<Self> {
        Ok(Self::from_pem(files::read_private(path.as_ref())?.as_str())?)
    }
}

const NOT_DER: &str = "it is not DER of this type";
const OTHER_ALGORITHM: &str = "it is for another algorithm, or has parameters";
const NOT_CANONICAL: &str = "it has attributes, extra fields or another encoding";

fn oid(suite: SignatureSuite) -> Result<ObjectIdentifier, Error> {
    let oid = suite.oid().ok_or(Error::Unsupported("a suite without object identifier"))?;
    Ok(ObjectIdentifier::new(oid).expect("the table's identifiers are well formed"))
}

/// Composite algorithms have no parameters, not even NULL.
fn algorithm(suite: SignatureSuite) -> Result<AlgorithmIdentifierRef<'static>, Error> {
    Ok(AlgorithmIdentifierRef { oid: oid(suite)?, parameters: None })
}

fn suite_of(algorithm: &AlgorithmIdentifierRef<'_>) -> Option<SignatureSuite> {
    let is_named = |suite: &SignatureSuite| oid(*suite).is_ok_and(|oid| oid == algorithm.oid);
    let suite = SignatureSuite::ALL.iter().copied().find(is_named)?;
    algorithm.parameters.is_none().then_some(suite)
}

/// The suite and the rest of a KEM key file.
fn kem_suite(bytes: &[u8]) -> Result<(KemSuite, &[u8]), Error> {
    let mut reader = wire::Reader::new("KEM key file", bytes);
    let suite = KemSuite::from_id(reader.u16()?)?;
    Ok((suite, reader.rest()))
}

/// Encodes in one buffer of the final length: a growing one would leave copies behind.
fn to_pem(label: &'static str, bytes: &[u8]) -> Zeroizing<String> {
    let invariant = "a label of ours and a few kilobytes are PEM";
    let length = pem_rfc7468::encoded_len(label, LineEnding::LF, bytes).expect(invariant);
    let mut buffer = Zeroizing::new(vec![0; length]);
    pem_rfc7468::encode(label, LineEnding::LF, bytes, &mut buffer).expect(invariant);
    Zeroizing::new(String::from_utf8(std::mem::take(&mut *buffer)).expect("PEM is ASCII"))
}

/// Decodes one PEM document with the given label. ASCII white space around it is accepted.
fn from_pem(label: &'static str, pem: &str) -> Result<Zeroizing<Vec<u8>>, Error> {
    let invalid = |_| Error::Invalid { what: "PEM document", reason: "it is not PEM (RFC 7468)" };
    let pem = pem.as_bytes().trim_ascii();
    let found = pem_rfc7468::decode_label(pem).map_err(invalid)?;
    if found != label {
        return Err(Error::PemLabel { expected: label, found: found.into() });
    }
    let mut buffer = Zeroizing::new(vec![0; pem.len()]);
    let length = pem_rfc7468::decode(pem, &mut buffer).map_err(invalid)?.1.len();
    buffer.truncate(length);
    Ok(buffer)
}
