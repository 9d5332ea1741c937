//! The `signature` crate's traits.

use super::{Sign, Signature, SigningKey, VerifyingKey, prehash::prehash};

/// A key with the empty context, for the `signature` crate's traits: see
/// [`SigningKey::without_context`] and [`VerifyingKey::without_context`].
#[derive(Clone, Copy, Debug)]
pub struct WithoutContext<'a, Key>(pub(super) &'a Key);

impl signature::Signer<Signature> for WithoutContext<'_, SigningKey> {
    fn try_sign(&self, message: &[u8]) -> Result<Signature, signature::Error> {
        self.0.sign_prehashed(b"", &prehash(message)).map_err(signature::Error::from_source)
    }
}

impl signature::Verifier<Signature> for WithoutContext<'_, VerifyingKey> {
    fn verify(&self, message: &[u8], signature: &Signature) -> Result<(), signature::Error> {
        self.0
            .verify_prehashed(b"", &prehash(message), signature)
            .map_err(signature::Error::from_source)
    }
}
