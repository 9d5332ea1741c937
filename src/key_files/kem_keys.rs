//! Files of KEM keys: PEM around PKCS#8 and SPKI, as other software has them, for suite 0x0051, and
//! around a form of the crate's own for the default suite, which has no object identifier.

use std::{fmt, io, path::Path, str::FromStr};

use zeroize::Zeroizing;

use super::{
    PemDocument, PrivateDer, PrivatePem,
    algorithm::{
        NOT_CANONICAL, PKCS8, SPKI, pkcs8_from_der, pkcs8_to_der, spki_from_der, spki_to_der,
    },
    files,
    import::or_other_form,
    pem,
};
use crate::{
    constants, ec_private_key,
    error::Error,
    kem::{DecapsulationKey, EncapsulationKey, KemSuite},
    wire,
};

impl EncapsulationKey {
    /// The key as a DER `SubjectPublicKeyInfo` (RFC 5280), as certificates hold it: 1686 bytes with the
    /// algorithm id-MLKEM1024-ECDH-P384-SHA3-256 (draft-ietf-lamps-pq-composite-kem).
    ///
    /// # Errors
    ///
    /// [`Error::Unsupported`] for the default suite: it has no object identifier.
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

    /// The key as PEM. A key of the default suite is labelled `TWINSEAL KEM PUBLIC KEY`: the suite in
    /// 2 bytes, then the key. A key of suite 0x0051 is labelled `PUBLIC KEY`, around
    /// [`to_spki_der`](Self::to_spki_der). `Display` writes the same text.
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
        match self.to_spki_der() {
            Ok(der) => pem::encode(constants::PEM_SPKI, &der),
            Err(_) => {
                let bytes = [&self.suite().id().to_be_bytes(), self.as_bytes()].concat();
                pem::encode(constants::PEM_KEM_PUBLIC, &bytes)
            }
        }
        .to_string()
    }

    /// Parses a key from PEM, in the form that [`to_pem`](Self::to_pem) writes.
    ///
    /// # Errors
    ///
    /// Same as [`PemDocument::split`], [`PemDocument::decode`], [`from_bytes`](Self::from_bytes) and
    /// [`from_spki_der`](Self::from_spki_der); [`Error::PemCount`] if there are several documents;
    /// [`Error::PemLabel`] if the document is something else; [`Error::Unknown`] for an unknown suite.
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
    /// The key as DER PKCS#8 (RFC 5958, version 1: no attributes and no public key), 149 bytes with the
    /// algorithm id-MLKEM1024-ECDH-P384-SHA3-256 (draft-ietf-lamps-pq-composite-kem). It is not
    /// encrypted.
    ///
    /// # Errors
    ///
    /// [`Error::Unsupported`] for the default suite: it has no object identifier.
    pub fn to_pkcs8_der(&self) -> Result<PrivateDer, Error> {
        let halves = self.halves();
        let (ml_kem, scalar) = halves.split_at(ML_KEM_SEED);
        let ec_private_key = Zeroizing::new(ec_private_key::encode(scalar));
        let key = Zeroizing::new([ml_kem, &ec_private_key].concat());
        pkcs8_to_der(self.suite(), &key)
    }

    /// Parses a key from DER PKCS#8, which must be encoded as
    /// [`to_pkcs8_der`](Self::to_pkcs8_der) encodes it. [`import_der`](Self::import_der) reads the other forms.
    /// The key has no [`seed`](Self::seed).
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] if the bytes are not PKCS#8, or the scalar is not from 1 to n - 1;
    /// [`Error::Length`] if the key is not 128 bytes; [`Error::Algorithm`] if it is for another
    /// algorithm.
    pub fn from_pkcs8_der(der: &[u8]) -> Result<Self, Error> {
        Self::from_canonical_pkcs8(der)
            .map_err(|error| or_other_form(PKCS8, error, &Self::import_der(der)))
    }

    fn from_canonical_pkcs8(der: &[u8]) -> Result<Self, Error> {
        let (suite, key) = pkcs8_from_der::<KemSuite>(der)?;
        let key = wire::exact("decapsulation key", key, ML_KEM_SEED + ec_private_key::LENGTH)?;
        let (ml_kem, ec_private_key) = key.split_at(ML_KEM_SEED);
        let scalar = ec_private_key::scalar(ec_private_key)?;
        let key = Self::from_halves(suite, Zeroizing::new([ml_kem, scalar].concat()))?;
        // A difference from our encoding is public: attributes, a public key, or other lengths.
        let invalid = Error::Invalid { what: PKCS8, reason: NOT_CANONICAL };
        if key.to_pkcs8_der()?.as_bytes() == der { Ok(key) } else { Err(invalid) }
    }

    /// The key as PEM, not encrypted. A key of the default suite is labelled `TWINSEAL KEM PRIVATE KEY`:
    /// the suite in 2 bytes, then the seed. A key of suite 0x0051 is labelled `PRIVATE KEY`, around
    /// [`to_pkcs8_der`](Self::to_pkcs8_der).
    #[must_use]
    pub fn to_pem(&self) -> PrivatePem {
        PrivatePem::new(match self.seed() {
            Some(seed) if self.suite().oid().is_none() => {
                let mut bytes = Zeroizing::new(Vec::with_capacity(2 + KemSuite::SEED_LEN));
                bytes.extend_from_slice(&self.suite().id().to_be_bytes());
                bytes.extend_from_slice(seed);
                pem::encode(constants::PEM_KEM_PRIVATE, &bytes)
            }
            _ => {
                let der =
                    self.to_pkcs8_der().expect("only a suite with a standard form has no seed");
                pem::encode(constants::PEM_PKCS8, der.as_bytes())
            }
        })
    }

    /// Parses a key from PEM, in the form that [`to_pem`](Self::to_pem) writes.
    ///
    /// # Errors
    ///
    /// Same as [`PemDocument::split`], [`PemDocument::decode`], [`from_seed`](Self::from_seed) and
    /// [`from_pkcs8_der`](Self::from_pkcs8_der); [`Error::PemCount`] if there are several documents;
    /// [`Error::PemLabel`] if the document is something else; [`Error::Unknown`] for an unknown suite.
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
        match document.label() {
            constants::PEM_SPKI => Self::from_spki_der(&document.decode()?),
            _ => {
                let bytes = document.content(constants::PEM_KEM_PUBLIC)?;
                let (suite, key) = kem_suite(&bytes)?;
                Self::from_bytes(suite, key)
            }
        }
    }
}

/// Reads the document as [`from_pem`](DecapsulationKey::from_pem) does.
impl TryFrom<PemDocument<'_>> for DecapsulationKey {
    type Error = Error;

    fn try_from(document: PemDocument<'_>) -> Result<Self, Error> {
        match document.label() {
            constants::PEM_PKCS8 => Self::from_pkcs8_der(&document.decode()?),
            _ => {
                let bytes = document.content(constants::PEM_KEM_PRIVATE)?;
                let (suite, seed) = kem_suite(&bytes)?;
                Self::from_seed(suite, seed)
            }
        }
    }
}

/// d || z of FIPS 203.
const ML_KEM_SEED: usize = constants::ML_KEM_1024_LENGTHS.seed;

/// The suite and the rest of a key file of the crate's own form. A key of a suite that has a standard form
/// is refused in this one.
fn kem_suite(bytes: &[u8]) -> Result<(KemSuite, &[u8]), Error> {
    let (suite, key) = suite_and_key(bytes)?;
    if suite.oid().is_some() {
        let reason = "keys of its suite are PKCS#8 and SPKI; import it to get that form";
        return Err(Error::Invalid { what: "KEM key file", reason });
    }
    Ok((suite, key))
}

/// The suite and the rest of a key file of the crate's own form, of any suite.
pub(super) fn suite_and_key(bytes: &[u8]) -> Result<(KemSuite, &[u8]), Error> {
    let mut reader = wire::Reader::new("KEM key file", bytes);
    Ok((KemSuite::from_id(reader.u16()?)?, reader.rest()))
}
