//! Which algorithm a key is for, by its object identifier.

use std::fmt;

use pkcs8::{ObjectIdentifier, der::asn1::AnyRef};

use twinseal::{KemSuite, SignatureSuite};

use super::parts;

/// A suite of twinseal that has an object identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Suite {
    Kem(KemSuite),
    Signature(SignatureSuite),
}

impl Suite {
    fn of(oid: &str) -> Option<Self> {
        let kem = KemSuite::ALL.iter().find(|suite| suite.oid() == Some(oid));
        let signature = || SignatureSuite::ALL.iter().find(|suite| suite.oid() == Some(oid));
        kem.map(|suite| Self::Kem(*suite))
            .or_else(|| signature().map(|suite| Self::Signature(*suite)))
    }

    fn name(self) -> &'static str {
        match self {
            Self::Kem(suite) => suite.name(),
            Self::Signature(suite) => suite.name(),
        }
    }
}

/// An object identifier, with that of its parameters (a curve) if it has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Algorithm {
    oid: ObjectIdentifier,
    curve: Option<ObjectIdentifier>,
}

impl Algorithm {
    /// An `AlgorithmIdentifier`, whatever its parameters are.
    pub(super) fn read(identifier: AnyRef<'_>) -> Option<Self> {
        let parts = parts(identifier)?;
        let oid = parts.first()?.decode_as().ok()?;
        Some(Self { oid, curve: parts.get(1).and_then(|curve| curve.decode_as().ok()) })
    }

    pub(super) fn of_spki(spki: AnyRef<'_>) -> Option<Self> {
        Self::read(*parts(spki)?.first()?)
    }

    /// An elliptic curve; `None` if the key does not name it.
    pub(super) fn elliptic(curve: Option<ObjectIdentifier>) -> Self {
        Self { oid: EC, curve }
    }

    pub(super) fn suite(self) -> Option<Suite> {
        Suite::of(&self.oid.to_string())
    }

    /// Its usual name: for an elliptic curve that of the curve.
    pub(super) fn name(self) -> Option<&'static str> {
        match self.curve {
            Some(curve) if self.oid == EC => named(curve),
            _ => named(self.oid),
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "algorithm {}", self.curve.unwrap_or(self.oid)),
        }
    }
}

const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");

fn named(oid: ObjectIdentifier) -> Option<&'static str> {
    let oid = oid.to_string();
    let known = NAMES.iter().find(|(known, _)| *known == oid).map(|(_, name)| *name);
    let known = known.or_else(|| Suite::of(&oid).map(Suite::name));
    // draft-ietf-lamps-pq-composite-sigs and -kem number their combinations.
    known.or_else(|| match oid.strip_prefix("1.3.6.1.5.5.7.6.")?.parse() {
        Ok(37_u32..=54) => Some("composite ML-DSA"),
        Ok(55..=66) => Some("composite ML-KEM"),
        _ => None,
    })
}

const NAMES: &[(&str, &str)] = &[
    ("1.2.840.113549.1.1.1", "RSA"),
    ("1.2.840.113549.1.1.7", "RSA-OAEP"),
    ("1.2.840.113549.1.1.10", "RSA-PSS"),
    ("1.2.840.10040.4.1", "DSA"),
    ("1.2.840.113549.1.3.1", "Diffie-Hellman"),
    ("1.2.840.10046.2.1", "Diffie-Hellman"),
    ("1.2.840.10045.2.1", "EC"),
    ("1.2.840.10045.3.1.1", "P-192"),
    ("1.2.840.10045.3.1.7", "P-256"),
    ("1.3.132.0.33", "P-224"),
    ("1.3.132.0.34", "P-384"),
    ("1.3.132.0.35", "P-521"),
    ("1.3.132.0.10", "secp256k1"),
    ("1.3.36.3.3.2.8.1.1.7", "brainpoolP256r1"),
    ("1.3.36.3.3.2.8.1.1.11", "brainpoolP384r1"),
    ("1.3.36.3.3.2.8.1.1.13", "brainpoolP512r1"),
    ("1.2.156.10197.1.301", "SM2"),
    ("1.3.101.110", "X25519"),
    ("1.3.101.111", "X448"),
    ("1.3.101.112", "Ed25519"),
    ("1.3.101.113", "Ed448"),
    ("2.16.840.1.101.3.4.3.17", "ML-DSA-44"),
    ("2.16.840.1.101.3.4.3.18", "ML-DSA-65"),
    ("2.16.840.1.101.3.4.3.19", "ML-DSA-87"),
    ("2.16.840.1.101.3.4.3.20", "SLH-DSA-SHA2-128s"),
    ("2.16.840.1.101.3.4.3.21", "SLH-DSA-SHA2-128f"),
    ("2.16.840.1.101.3.4.3.22", "SLH-DSA-SHA2-192s"),
    ("2.16.840.1.101.3.4.3.23", "SLH-DSA-SHA2-192f"),
    ("2.16.840.1.101.3.4.3.24", "SLH-DSA-SHA2-256s"),
    ("2.16.840.1.101.3.4.3.25", "SLH-DSA-SHA2-256f"),
    ("2.16.840.1.101.3.4.3.26", "SLH-DSA-SHAKE-128s"),
    ("2.16.840.1.101.3.4.3.27", "SLH-DSA-SHAKE-128f"),
    ("2.16.840.1.101.3.4.3.28", "SLH-DSA-SHAKE-192s"),
    ("2.16.840.1.101.3.4.3.29", "SLH-DSA-SHAKE-192f"),
    ("2.16.840.1.101.3.4.3.30", "SLH-DSA-SHAKE-256s"),
    ("2.16.840.1.101.3.4.3.31", "SLH-DSA-SHAKE-256f"),
    ("2.16.840.1.101.3.4.3.32", "HashML-DSA-44"),
    ("2.16.840.1.101.3.4.3.33", "HashML-DSA-65"),
    ("2.16.840.1.101.3.4.3.34", "HashML-DSA-87"),
    ("2.16.840.1.101.3.4.4.1", "ML-KEM-512"),
    ("2.16.840.1.101.3.4.4.2", "ML-KEM-768"),
    ("2.16.840.1.101.3.4.4.3", "ML-KEM-1024"),
];
