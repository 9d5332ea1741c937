//! The keys whose signatures a verifier accepts.

use std::{fmt, io, path::Path};

use pkcs8::{
    ObjectIdentifier, SubjectPublicKeyInfoRef,
    der::{Decode, asn1::AnyRef},
};
use sha2::{Digest, Sha256};

use crate::{
    constants,
    error::{Error, ModelRefusal},
    key_files::{PemDocument, directory, import, pem},
    provider::{self, SignatureScheme},
    sign::{DerEcdsa, Signature, SignatureSuite, VerifyingKey, prehash},
};

/// A key that is trusted to sign models: one of this crate's, or a P-384 key of another tool.
///
/// ```
/// use twinseal::{SigningKey, model::TrustedKey};
///
/// let alice = SigningKey::generate()?;
/// let key = TrustedKey::from_pem(&alice.verifying_key().to_pem())?;
/// assert_eq!(key, alice.verifying_key().into());
/// assert_eq!(key.to_string(), alice.verifying_key().key_id().to_string());
///
/// let p384 = "-----BEGIN PUBLIC KEY-----
/// MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEknHHKVPLp64Bn3Ar0uh70L/Y50Y6gTM7
/// 797mJtbfzTT3oYzKOV/p54Y1WH+FLKnJwPl20PtXCBX4mWjeKfuV9N2pJoimwsZ1
/// OB4uadLgAWma6za8ryUL9jrbU9JQiRfL
/// -----END PUBLIC KEY-----
/// ";
/// let key = TrustedKey::from_pem(p384)?;
/// assert!(key.hybrid().is_none());
/// assert_eq!(key.to_pem(), p384);
/// assert_eq!(key.hint(), "77bac231a44ac8c846a5ca510d5647f06fbd259b4bebeb384f50c91e711e853d");
/// # Ok::<(), twinseal::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct TrustedKey(Kind);

#[derive(Clone, PartialEq, Eq)]
enum Kind {
    Hybrid(VerifyingKey),
    /// An uncompressed point that was checked.
    P384([u8; 97]),
}

impl TrustedKey {
    /// Reads a public key from PEM, labelled `PUBLIC KEY`: a composite key, or a P-384 key in any form. Text around the
    /// document is skipped, as in every key file (see [`PemDocument::split`]).
    ///
    /// # Errors
    ///
    /// Same as [`VerifyingKey::from_pem`]; [`Error::Model`] with [`KindOfKey`](ModelRefusal::KindOfKey) for a key on
    /// another curve, such as P-256 or P-521.
    pub fn from_pem(pem: &str) -> Result<Self, Error> {
        PemDocument::only(pem)?.try_into()
    }

    /// Reads the keys of a directory, which may be empty: one of each file whose name ends in `.pem`. The rules are
    /// those of [`Keyring::read_dir`](crate::Keyring::read_dir), but no key is the primary one, and a key may be there
    /// under several names.
    ///
    /// ```
    /// use twinseal::{SigningKey, model::TrustedKey};
    ///
    /// # let directory = tempfile::tempdir()?;
    /// # let signers = directory.path();
    /// let alice = SigningKey::generate()?;
    /// std::fs::write(signers.join("alice.pem"), alice.verifying_key().to_pem())?;
    ///
    /// assert_eq!(TrustedKey::read_dir(signers)?, [alice.verifying_key().into()]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Same as [`from_pem`](Self::from_pem), wrapped in [`io::Error`] with the path of the file; and those of the file
    /// system.
    pub fn read_dir(path: impl AsRef<Path>) -> io::Result<Vec<Self>> {
        directory::read(path.as_ref())?.iter().map(|file| file.parse(Self::from_pem)).collect()
    }

    /// Reads a DER `SubjectPublicKeyInfo` (RFC 5280, RFC 5480).
    pub(super) fn from_spki_der(der: &[u8]) -> Result<Self, Error> {
        match elliptic_curve_key(der) {
            Some((SECP384R1, point)) => Ok(Self(Kind::P384(import::point::uncompressed(point)?))),
            Some(_) => Err(Error::Model(ModelRefusal::KindOfKey)),
            None => VerifyingKey::from_spki_der(der).map(Self::from),
        }
    }

    /// The key as PEM, in its one form: what a bundle's hint is the SHA-256 of.
    #[must_use]
    pub fn to_pem(&self) -> String {
        match &self.0 {
            Kind::Hybrid(key) => key.to_pem(),
            Kind::P384(point) => {
                pem::encode(constants::PEM_SPKI, &[P384_SPKI, point].concat()).to_string()
            }
        }
    }

    /// By what a bundle names the key: the SHA-256 of [`to_pem`](Self::to_pem), as 64 lower-case hexadecimal digits.
    #[must_use]
    pub fn hint(&self) -> String {
        base16ct::lower::encode_string(&Sha256::digest(self.to_pem()))
    }

    /// The hybrid key, unless it is a P-384 key of another tool.
    #[must_use]
    pub fn hybrid(&self) -> Option<&VerifyingKey> {
        match &self.0 {
            Kind::Hybrid(key) => Some(key),
            Kind::P384(_) => None,
        }
    }

    /// Verifies the signature on a text that separates itself from others: there is no context.
    pub(super) fn verify(&self, signed: &[u8], signature: &[u8]) -> Result<(), Error> {
        match &self.0 {
            Kind::Hybrid(key) if key.suite() != SignatureSuite::ML_DSA_87_ECDSA_P384 => {
                Err(Error::Model(ModelRefusal::KindOfKey))
            }
            Kind::Hybrid(key) => Signature::from_bytes(key.suite(), signature)
                .and_then(|signature| key.verify_prehashed(b"", &prehash(signed), &signature))
                .map_err(|_| Error::Verify),
            Kind::P384(point) => {
                let ecdsa = DerEcdsa(provider::default().ecdsa_p384);
                ecdsa.verifier(point)?.verify(b"", signed, signature)
            }
        }
    }
}

impl From<VerifyingKey> for TrustedKey {
    fn from(key: VerifyingKey) -> Self {
        Self(Kind::Hybrid(key))
    }
}

impl From<&VerifyingKey> for TrustedKey {
    fn from(key: &VerifyingKey) -> Self {
        key.clone().into()
    }
}

/// Parses one document of a file, like [`from_pem`](TrustedKey::from_pem).
impl TryFrom<PemDocument<'_>> for TrustedKey {
    type Error = Error;

    fn try_from(document: PemDocument<'_>) -> Result<Self, Error> {
        match document.label() {
            constants::PEM_SPKI => Self::from_spki_der(&document.content(constants::PEM_SPKI)?),
            _ => VerifyingKey::try_from(document).map(Self::from),
        }
    }
}

/// A short name for people: the key id of a hybrid key, the [`hint`](TrustedKey::hint) of a P-384 key.
impl fmt::Display for TrustedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Hybrid(key) => key.key_id().fmt(f),
            Kind::P384(_) => f.write_str(&self.hint()),
        }
    }
}

impl fmt::Debug for TrustedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Hybrid(key) => write!(f, "TrustedKey({}, {self})", key.suite()),
            Kind::P384(_) => write!(f, "TrustedKey(ECDSA-P384, {self})"),
        }
    }
}

const EC_PUBLIC_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const SECP384R1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");

/// A P-384 key's `SubjectPublicKeyInfo` up to its uncompressed point (RFC 5480 §2).
const P384_SPKI: &[u8] =
    b"\x30\x76\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x22\x03\x62\x00";

/// The curve and the point of an elliptic curve key.
fn elliptic_curve_key(der: &[u8]) -> Option<(ObjectIdentifier, &[u8])> {
    let spki = SubjectPublicKeyInfoRef::from_der(der).ok()?;
    if spki.algorithm.oid != EC_PUBLIC_KEY {
        return None;
    }
    let curve = spki.algorithm.parameters.and_then(|curve: AnyRef<'_>| curve.decode_as().ok())?;
    Some((curve, spki.subject_public_key.as_bytes()?))
}
