//! Which key, certificate or container a DER structure is, and of which algorithm.

use std::fmt;

use pkcs8::{
    ObjectIdentifier,
    der::{Decode, Reader, SliceReader, Tag, Tagged, asn1::AnyRef},
};

use twinseal::SignatureSuite;

/// A DER structure that keys and certificates are kept in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Object {
    pub(crate) form: Form,
    /// Its object identifier; `None` where the form says it, or hides it.
    pub(crate) algorithm: Option<Algorithm>,
}

/// The standard structures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// A private key of any algorithm (RFC 5958).
    Pkcs8,
    EncryptedPkcs8,
    /// A public key of any algorithm (RFC 5280).
    Spki,
    /// A private key of RSA (RFC 8017).
    Pkcs1Private,
    Pkcs1Public,
    /// A private key of an elliptic curve (RFC 5915).
    Sec1,
    DsaPrivate,
    Parameters,
    Certificate,
    CertificateRequest,
    RevocationList,
    Pkcs12,
    Cms,
}

/// An object identifier, with that of its parameters (a curve) if it has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Algorithm {
    oid: ObjectIdentifier,
    curve: Option<ObjectIdentifier>,
}

impl Object {
    /// `None` if it is not DER, has bytes behind its end, or is something else.
    pub(crate) fn of(bytes: &[u8]) -> Option<Self> {
        let whole = AnyRef::from_der(bytes).ok()?;
        if whole.tag() == Tag::ObjectIdentifier {
            let curve = whole.decode_as().ok()?;
            return named(curve).map(|_| Self::new(Form::Parameters, Algorithm::of_curve(curve)));
        }
        let parts = parts(whole)?;
        let tags: Vec<Tag> = parts.iter().map(Tagged::tag).collect();
        let part = |index: usize| parts.get(index).copied();
        use Tag::{BitString, Integer, OctetString, Sequence};
        match tags.as_slice() {
            [Integer, Sequence, OctetString, ..] => {
                Some(Self::new(Form::Pkcs8, Some(Algorithm::read(part(1)?)?)))
            }
            [Sequence, BitString] => Some(Self::new(Form::Spki, Some(Algorithm::read(part(0)?)?))),
            // The algorithm is that of the encryption.
            [Sequence, OctetString] => {
                Algorithm::read(part(0)?)?;
                Some(Self::new(Form::EncryptedPkcs8, None))
            }
            [Sequence, Sequence, BitString] => signed(part(0)?),
            [Integer, OctetString, ..] => Some(Self::new(Form::Sec1, Some(curve_of(&parts)))),
            // A curve by its numbers (SEC 1 §C.2), not by its name.
            [Integer, Sequence, Sequence, OctetString, Integer, ..] => {
                Some(Self::new(Form::Parameters, Some(Algorithm { oid: EC, curve: None })))
            }
            [Integer, Sequence] | [Integer, Sequence, Sequence] if part(0)?.value() == [3] => {
                Some(Self::new(Form::Pkcs12, None))
            }
            [Integer, Integer] if is_rsa(part(0)?, part(1)?) => {
                Some(Self::new(Form::Pkcs1Public, None))
            }
            [Tag::ObjectIdentifier, Tag::ContextSpecific { .. }] => {
                Some(Self::new(Form::Cms, None))
            }
            all if all.iter().all(|tag| *tag == Integer) => match all.len() {
                6 => Some(Self::new(Form::DsaPrivate, None)),
                9 => Some(Self::new(Form::Pkcs1Private, None)),
                _ => None,
            },
            _ => None,
        }
    }

    fn new(form: Form, algorithm: Option<Algorithm>) -> Self {
        Self { form, algorithm }
    }

    /// Whether it is of a suite of twinseal.
    pub(crate) fn is_of_a_suite(&self) -> bool {
        let oid = self.algorithm.map(|algorithm| algorithm.oid.to_string());
        SignatureSuite::ALL
            .iter()
            .any(|suite| suite.oid().is_some() && suite.oid() == oid.as_deref())
    }
}

/// With its article: "an RSA private key (PKCS#8)".
impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, form) = match self.form {
            Form::Pkcs8 => ("private key", " (PKCS#8)"),
            Form::Spki => ("public key", " (SPKI)"),
            Form::Sec1 => ("private key", " (SEC1)"),
            Form::Parameters => return write!(f, "parameters of {}", self.of_algorithm()),
            Form::EncryptedPkcs8 => return f.write_str("an encrypted private key (PKCS#8)"),
            Form::Pkcs1Private => return f.write_str("an RSA private key (PKCS#1)"),
            Form::Pkcs1Public => return f.write_str("an RSA public key (PKCS#1)"),
            Form::DsaPrivate => return f.write_str("a DSA private key"),
            Form::Certificate => return write!(f, "a certificate of {}", self.of_algorithm()),
            Form::CertificateRequest => {
                return write!(f, "a certificate request of {}", self.of_algorithm());
            }
            Form::RevocationList => return f.write_str("a certificate revocation list"),
            Form::Pkcs12 => return f.write_str("a PKCS#12 file"),
            Form::Cms => return f.write_str("a CMS (PKCS#7) structure"),
        };
        match self.algorithm.and_then(Algorithm::name) {
            Some(name) => {
                // As the first letter is spoken.
                let is_vowel = name.starts_with(|first| "AEFHILMNORSX".contains(first));
                write!(f, "{} {name} {what}{form}", if is_vowel { "an" } else { "a" })
            }
            None => write!(f, "a {what} of {}{form}", self.of_algorithm()),
        }
    }
}

impl Object {
    fn of_algorithm(&self) -> String {
        match self.algorithm {
            Some(algorithm) => match algorithm.name() {
                Some(name) => name.into(),
                None => format!("algorithm {}", algorithm.curve.unwrap_or(algorithm.oid)),
            },
            None => "an unnamed algorithm".into(),
        }
    }
}

impl Algorithm {
    /// An `AlgorithmIdentifier`, whatever its parameters are.
    fn read(identifier: AnyRef<'_>) -> Option<Self> {
        let parts = parts(identifier)?;
        let oid = parts.first()?.decode_as().ok()?;
        Some(Self { oid, curve: parts.get(1).and_then(|curve| curve.decode_as().ok()) })
    }

    fn of_spki(spki: AnyRef<'_>) -> Option<Self> {
        Self::read(*parts(spki)?.first()?)
    }

    fn of_curve(curve: ObjectIdentifier) -> Option<Self> {
        Some(Self { oid: EC, curve: Some(curve) })
    }

    /// Its usual name: for an elliptic curve that of the curve.
    pub(crate) fn name(self) -> Option<&'static str> {
        match self.curve {
            Some(curve) if self.oid == EC => named(curve),
            _ => named(self.oid),
        }
    }
}

const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");

fn named(oid: ObjectIdentifier) -> Option<&'static str> {
    let oid = oid.to_string();
    let known = NAMES.iter().find(|(known, _)| *known == oid).map(|(_, name)| *name);
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
    ("1.3.6.1.5.5.7.6.49", "id-MLDSA87-ECDSA-P384-SHA512"),
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

/// The elements of a SEQUENCE, or of another constructed value. More than any key has are not read.
fn parts(whole: AnyRef<'_>) -> Option<Vec<AnyRef<'_>>> {
    let mut reader = SliceReader::new(whole.value()).ok()?;
    let mut parts = Vec::new();
    while !reader.is_finished() && parts.len() < 16 {
        parts.push(AnyRef::decode(&mut reader).ok()?);
    }
    (whole.tag().is_constructed() && reader.is_finished()).then_some(parts)
}

/// A modulus of at least 512 bits and a short exponent: an ECDSA signature has two equal numbers.
fn is_rsa(modulus: AnyRef<'_>, exponent: AnyRef<'_>) -> bool {
    modulus.value().len() >= 64 && exponent.value().len() <= 32
}

/// The curve that an `ECPrivateKey` names in its element \[0\], if it does.
fn curve_of(parts: &[AnyRef<'_>]) -> Algorithm {
    let parameters = parts.iter().skip(2).find(|part| part.tag().is_context_specific());
    let curve = parameters.and_then(|curve| ObjectIdentifier::from_der(curve.value()).ok());
    Algorithm { oid: EC, curve }
}

/// What stands in a structure that somebody signed: certificate, request or revocation list.
fn signed(content: AnyRef<'_>) -> Option<Object> {
    let parts = parts(content)?;
    let tags: Vec<Tag> = parts.iter().map(Tagged::tag).collect();
    let key_at = |index: usize| Algorithm::of_spki(*parts.get(index)?);
    use Tag::{Integer, Sequence};
    match tags.as_slice() {
        [
            Tag::ContextSpecific { .. },
            Integer,
            Sequence,
            Sequence,
            Sequence,
            Sequence,
            Sequence,
            ..,
        ] => Some(Object::new(Form::Certificate, key_at(6))),
        // Version 1 has no version field.
        [Integer, Sequence, Sequence, Sequence, Sequence, Sequence, ..] => {
            Some(Object::new(Form::Certificate, key_at(5)))
        }
        [Integer, Sequence, Sequence, ..] => Some(Object::new(Form::CertificateRequest, key_at(2))),
        [Integer, Sequence, ..] | [Sequence, ..] => Some(Object::new(Form::RevocationList, None)),
        _ => None,
    }
}
