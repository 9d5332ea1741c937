//! Suites as algorithm identifiers (RFC 5280), and the public structure around them.

use pkcs8::{
    AlgorithmIdentifierRef, ObjectIdentifier, PrivateKeyInfoRef, SubjectPublicKeyInfoRef,
    der::{
        Decode, Encode,
        asn1::{BitStringRef, OctetStringRef},
    },
};

use super::PrivateDer;
use crate::{error::Error, kem::KemSuite, sign::SignatureSuite};

pub(super) const SPKI: &str = "SubjectPublicKeyInfo";
pub(super) const PKCS8: &str = "PKCS#8 key";

pub(super) const NOT_DER: &str = "it is not DER of this type";
pub(super) const NOT_CANONICAL: &str =
    "it has attributes, extra fields or another encoding; import it to get the canonical one";

/// A suite that may be registered as an algorithm.
pub(super) trait Registered: Copy + 'static {
    const ALL: &'static [Self];

    fn oid(self) -> Option<&'static str>;
}

impl Registered for KemSuite {
    const ALL: &'static [Self] = KemSuite::ALL;

    fn oid(self) -> Option<&'static str> {
        self.oid()
    }
}

impl Registered for SignatureSuite {
    const ALL: &'static [Self] = SignatureSuite::ALL;

    fn oid(self) -> Option<&'static str> {
        self.oid()
    }
}

fn oid<Suite: Registered>(suite: Suite) -> Result<ObjectIdentifier, Error> {
    let oid = suite.oid().ok_or(Error::Unsupported("a suite without object identifier"))?;
    Ok(ObjectIdentifier::new(oid).expect("the table's identifiers are well formed"))
}

/// Composite algorithms have no parameters, not even NULL.
pub(super) fn algorithm<Suite: Registered>(
    suite: Suite,
) -> Result<AlgorithmIdentifierRef<'static>, Error> {
    Ok(AlgorithmIdentifierRef { oid: oid(suite)?, parameters: None })
}

pub(super) fn suite_of<Suite: Registered>(
    what: &'static str,
    algorithm: &AlgorithmIdentifierRef<'_>,
) -> Result<Suite, Error> {
    let is_named = |suite: &Suite| oid(*suite).is_ok_and(|oid| oid == algorithm.oid);
    let suite = Suite::ALL.iter().copied().find(is_named);
    let suite = suite.ok_or_else(|| Error::Algorithm { what, oid: algorithm.oid.to_string() })?;
    match algorithm.parameters {
        None => Ok(suite),
        Some(_) => Err(Error::Invalid { what, reason: "its algorithm has parameters" }),
    }
}

/// A `SubjectPublicKeyInfo` (RFC 5280 §4.1) with this key as its BIT STRING.
pub(super) fn spki_to_der<Suite: Registered>(suite: Suite, key: &[u8]) -> Result<Vec<u8>, Error> {
    let spki = SubjectPublicKeyInfoRef {
        algorithm: algorithm(suite)?,
        subject_public_key: BitStringRef::from_bytes(key).expect("a key fits a BIT STRING"),
    };
    Ok(spki.to_der().expect("a key fits DER"))
}

/// The suite and the key's bytes. Whether this is the canonical encoding the caller finds out by
/// encoding the key again.
pub(super) fn spki_from_der<Suite: Registered>(der: &[u8]) -> Result<(Suite, &[u8]), Error> {
    let invalid = Error::Invalid { what: SPKI, reason: NOT_DER };
    let spki = SubjectPublicKeyInfoRef::from_der(der).map_err(|_| invalid.clone())?;
    let suite = suite_of(SPKI, &spki.algorithm)?;
    Ok((suite, spki.subject_public_key.as_bytes().ok_or(invalid)?))
}

/// PKCS#8 (RFC 5958, version 1: no attributes and no public key) with this key as its OCTET STRING.
pub(super) fn pkcs8_to_der<Suite: Registered>(
    suite: Suite,
    key: &[u8],
) -> Result<PrivateDer, Error> {
    let info = PrivateKeyInfoRef::new(
        algorithm(suite)?,
        OctetStringRef::new(key).expect("a key fits an OCTET STRING"),
    );
    Ok(PrivateDer::new(info.to_der().expect("a key fits DER")))
}

/// As [`spki_from_der`].
pub(super) fn pkcs8_from_der<Suite: Registered>(der: &[u8]) -> Result<(Suite, &[u8]), Error> {
    let info = PrivateKeyInfoRef::from_der(der)
        .map_err(|_| Error::Invalid { what: PKCS8, reason: NOT_DER })?;
    Ok((suite_of(PKCS8, &info.algorithm)?, info.private_key.as_bytes()))
}
