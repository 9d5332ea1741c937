//! The key that a bundle says it is signed with.

use super::trusted_key::TrustedKey;
use crate::error::{Error, ModelRefusal};

/// What a bundle says about its key: at least one of the two, and nothing of it is verified.
#[derive(Clone, Debug)]
pub(super) struct ClaimedKey {
    pub(super) hint: Option<String>,
    /// The key itself, as releases before 1.1 wrote it.
    pub(super) key: Option<TrustedKey>,
    is_called_p384: bool,
}

/// The one value of `keyDetails` that names a key which verifies.
const P384: &str = "PKIX_ECDSA_P384_SHA_384";

impl ClaimedKey {
    /// The bytes of a raw key are PEM text or a DER `SubjectPublicKeyInfo`.
    pub(super) fn new(
        hint: Option<&str>,
        raw: Option<&[u8]>,
        details: Option<&str>,
    ) -> Result<Self, Error> {
        let is_called_p384 = match details {
            None => false,
            Some(P384) => true,
            Some(other) if other.starts_with("PKIX_ECDSA_P") => {
                return Err(Error::Model(ModelRefusal::KindOfKey));
            }
            Some(_) => return Err(Error::Model(ModelRefusal::AnotherAlgorithm)),
        };
        if hint.is_none() && raw.is_none() {
            return Err(Error::Model(ModelRefusal::NoKey));
        }
        let key = raw.map(parse).transpose()?;
        Ok(Self { hint: hint.map(str::to_owned), key, is_called_p384 })
    }

    /// The one of these keys that the bundle names.
    pub(super) fn among<'a>(&self, trusted: &'a [TrustedKey]) -> Result<&'a TrustedKey, Error> {
        let found = trusted.iter().find(|key| self.is(key));
        found.ok_or(Error::Model(match self.hint.as_deref().is_some_and(names_algorithm) {
            true => ModelRefusal::AnotherAlgorithm,
            false => ModelRefusal::AnotherKey,
        }))
    }

    fn is(&self, key: &TrustedKey) -> bool {
        self.key.as_ref().is_none_or(|claimed| claimed == key)
            && self.hint.as_ref().is_none_or(|hint| *hint == key.hint())
            && !(self.is_called_p384 && key.hybrid().is_some())
    }
}

fn parse(raw: &[u8]) -> Result<TrustedKey, Error> {
    let key = match str::from_utf8(raw) {
        Ok(pem) => TrustedKey::from_pem(pem),
        Err(_) => TrustedKey::from_spki_der(raw),
    };
    key.map_err(|error| match error {
        Error::Algorithm { .. } => Error::Model(ModelRefusal::AnotherAlgorithm),
        error => error,
    })
}

/// Whether a hint is `NAME:` and hexadecimal digits, as a proposed ML-DSA-65 has it.
fn names_algorithm(hint: &str) -> bool {
    hint.split_once(':').is_some_and(|(name, digits)| {
        !name.is_empty()
            && !digits.is_empty()
            && digits.bytes().all(|digit| digit.is_ascii_hexdigit())
    })
}
