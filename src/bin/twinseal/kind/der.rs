//! Recognises keys, certificates and containers in DER.

use std::{cmp::Ordering, fmt};

use pkcs8::{
    ObjectIdentifier,
    der::{Decode, Header, Length, Reader, SliceReader, Tag, Tagged, asn1::AnyRef},
};

mod algorithm;

use algorithm::Algorithm;
pub(crate) use algorithm::Suite;

/// A DER structure that holds a key, a certificate or the like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Object {
    pub(crate) form: Form,
    /// `None` if the form implies it or hides it.
    algorithm: Option<Algorithm>,
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

impl Object {
    /// `None` if it is not DER, has trailing bytes, or is something else.
    pub(crate) fn of(bytes: &[u8]) -> Option<Self> {
        let whole = AnyRef::from_der(bytes).ok()?;
        if whole.tag() == Tag::ObjectIdentifier {
            let curve = whole.decode_as().ok()?;
            let algorithm = Algorithm::elliptic(Some(curve));
            return algorithm.name().map(|_| Self::new(Form::Parameters, Some(algorithm)));
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
            // A curve given by its numbers (SEC 1 §C.2), not by name.
            [Integer, Sequence, Sequence, OctetString, Integer, ..] => {
                Some(Self::new(Form::Parameters, Some(Algorithm::elliptic(None))))
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

    /// Whether it is a public key that only verifies the signatures of models.
    pub(crate) fn is_p384_public_key(&self) -> bool {
        self.form == Form::Spki && self.algorithm.and_then(Algorithm::name) == Some("P-384")
    }

    /// The suite of twinseal that its key is of.
    pub(crate) fn suite(&self) -> Option<Suite> {
        self.algorithm.and_then(Algorithm::suite)
    }
}

/// With its article: "an RSA private key (PKCS#8)".
impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, form) = match self.form {
            Form::Pkcs8 => ("private key", " (PKCS#8)"),
            Form::Spki => ("public key", " (SPKI)"),
            Form::Sec1 => ("private key", " (SEC1)"),
            Form::Certificate => ("certificate", ""),
            Form::CertificateRequest => ("certificate request", ""),
            Form::Parameters => return write!(f, "{} parameters", self.of_algorithm()),
            Form::EncryptedPkcs8 => return f.write_str("an encrypted private key (PKCS#8)"),
            Form::Pkcs1Private => return f.write_str("an RSA private key (PKCS#1)"),
            Form::Pkcs1Public => return f.write_str("an RSA public key (PKCS#1)"),
            Form::DsaPrivate => return f.write_str("a DSA private key"),
            Form::RevocationList => return f.write_str("a certificate revocation list"),
            Form::Pkcs12 => return f.write_str("a PKCS#12 file"),
            Form::Cms => return f.write_str("a CMS (PKCS#7) structure"),
        };
        match self.algorithm.and_then(Algorithm::name) {
            Some(name) => {
                // Depends on how the first letter is pronounced.
                let is_vowel = name.starts_with(|first| "AEFHILMNORSXi".contains(first));
                write!(f, "{} {name} {what}{form}", if is_vowel { "an" } else { "a" })
            }
            None => write!(f, "a {what} of {}{form}", self.of_algorithm()),
        }
    }
}

impl Object {
    fn of_algorithm(&self) -> String {
        match self.algorithm {
            Some(algorithm) => algorithm.to_string(),
            None => "an unnamed algorithm".into(),
        }
    }
}

/// The elements of a SEQUENCE, or of another constructed value. Refuses more than 16, which no key has.
pub(crate) fn parts(whole: AnyRef<'_>) -> Option<Vec<AnyRef<'_>>> {
    let mut reader = SliceReader::new(whole.value()).ok()?;
    let mut parts = Vec::new();
    while !reader.is_finished() && parts.len() < 16 {
        parts.push(AnyRef::decode(&mut reader).ok()?);
    }
    (whole.tag().is_constructed() && reader.is_finished()).then_some(parts)
}

/// What is wrong with something that starts like a key or a certificate in DER, but is none as a whole. `None` if it
/// starts like anything else.
pub(crate) fn damage(bytes: &[u8]) -> Option<String> {
    let mut reader = SliceReader::new(bytes).ok()?;
    let header = Header::decode(&mut reader).ok()?;
    let first = bytes.get(usize::try_from(reader.position()).ok()?);
    // Text may start like a short SEQUENCE: "0x0".
    let is_likely = match first {
        Some(0x02) => true,
        Some(0x30) => header.length() >= Length::new(128),
        _ => false,
    };
    if header.tag() != Tag::Sequence || !is_likely {
        return None;
    }
    let there = bytes.len() as u64;
    let said = u64::from(u32::from(header.length())) + u64::from(u32::from(reader.position()));
    Some(match said.cmp(&there) {
        Ordering::Greater => format!("cut off: only {there} of {said} bytes of DER are there"),
        Ordering::Less if there - said == 1 => "with 1 more byte after the DER".into(),
        Ordering::Less => format!("with {} more bytes after the DER", there - said),
        Ordering::Equal if Object::of(bytes).is_some() => return None,
        Ordering::Equal => "not the DER of a key or a certificate".into(),
    })
}

/// A modulus of at least 512 bits and a shorter exponent. In an ECDSA signature both numbers have the same
/// length.
fn is_rsa(modulus: AnyRef<'_>, exponent: AnyRef<'_>) -> bool {
    modulus.value().len() >= 64 && exponent.value().len() <= 32
}

/// The curve that an `ECPrivateKey` may name in its element \[0\].
fn curve_of(parts: &[AnyRef<'_>]) -> Algorithm {
    let parameters = parts.iter().skip(2).find(|part| part.tag().is_context_specific());
    let curve = parameters.and_then(|curve| ObjectIdentifier::from_der(curve.value()).ok());
    Algorithm::elliptic(curve)
}

/// The content of a signed structure: certificate, request or revocation list.
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
