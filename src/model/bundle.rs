//! A bundle: a Sigstore bundle v0.3 with a DSSE envelope around an in-toto statement.

use super::{contents::Contents, manifest::Manifest, trusted_key::TrustedKey};
use crate::{error::Error, sign::Sign};

/// The signature of a model, as the file beside it has it.
#[derive(Clone, Debug)]
pub struct Bundle {
    bytes: Vec<u8>,
    contents: Contents,
    // and: the payload's range or bytes, the signature, the claimed key
}

/// What a bundle says about its signer before anything is verified.
#[derive(Clone, Debug)]
pub struct Claim {}

impl Bundle {
    /// Parses a bundle.
    pub fn from_bytes(bytes: impl Into<Vec<u8>>) -> Result<Self, Error> {
        todo!()
    }

    /// The file's bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Verifies the signature with the key that the bundle names, which must be one of these.
    pub fn verify(&self, trusted: &[TrustedKey]) -> Result<Manifest, Error> {
        todo!()
    }

    /// What it claims, for people to look at: nothing of it is verified.
    #[must_use]
    pub fn claim(&self) -> Claim {
        todo!()
    }

    /// Signs contents.
    pub(super) fn sign(key: &(impl Sign + ?Sized), contents: Contents) -> Result<Self, Error> {
        todo!()
    }
}
