//! The keys whose signatures a verifier accepts.

use crate::{error::Error, key_id::KeyId, sign::VerifyingKey};

/// A key that is trusted to sign models: one of this crate's, or a P-384 key of another tool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustedKey(Kind);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    Hybrid(VerifyingKey),
    /// An uncompressed point that was checked.
    P384([u8; 97]),
}

impl TrustedKey {
    /// Reads a public key from PEM: a composite key, or a P-384 key, labelled `PUBLIC KEY`.
    pub fn from_pem(pem: &str) -> Result<Self, Error> {
        todo!()
    }

    /// The key as PEM, in its one form: what a bundle's hint is the SHA-256 of.
    pub fn to_pem(&self) -> String {
        todo!()
    }

    /// The hybrid key, unless it is a P-384 key of another tool.
    #[must_use]
    pub fn hybrid(&self) -> Option<&VerifyingKey> {
        todo!()
    }
}

impl From<VerifyingKey> for TrustedKey {
    fn from(key: VerifyingKey) -> Self {
        Self(Kind::Hybrid(key))
    }
}

impl From<&VerifyingKey> for TrustedKey {
    fn from(key: &VerifyingKey) -> Self {
        Self(Kind::Hybrid(key.clone()))
    }
}
