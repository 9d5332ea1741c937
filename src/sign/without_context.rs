//! The traits of the crates `signature` and `spki`.

use super::{Sign, Signature, VerifyingKey, prehash::prehash, sign_checked};

/// A key with the empty context, for the `signature` crate's traits: see
/// [`SigningKey::without_context`](crate::SigningKey::without_context) and [`VerifyingKey::without_context`].
///
/// With the feature `x509`, it also has the traits of the crate `spki`, so the builders of `x509-cert` make
/// certificates and requests with it. For a key in an HSM or KMS, use [`of`](Self::of).
#[derive(Clone, Copy, Debug)]
pub struct WithoutContext<'a, Key: ?Sized>(pub(super) &'a Key);

impl<'a, Key: Sign + ?Sized> WithoutContext<'a, Key> {
    /// Any signing key, also one in an HSM or KMS, with the empty context.
    #[must_use]
    pub fn of(key: &'a Key) -> Self {
        Self(key)
    }
}

impl<Key: Sign + ?Sized> signature::Signer<Signature> for WithoutContext<'_, Key> {
    fn try_sign(&self, message: &[u8]) -> Result<Signature, signature::Error> {
        sign_checked(self.0, self.0.verifying_key(), b"", &prehash(message))
            .map_err(signature::Error::from_source)
    }
}

impl signature::Verifier<Signature> for WithoutContext<'_, VerifyingKey> {
    fn verify(&self, message: &[u8], signature: &Signature) -> Result<(), signature::Error> {
        self.0
            .verify_prehashed(b"", &prehash(message), signature)
            .map_err(signature::Error::from_source)
    }
}

impl<'a, Key: Sign + ?Sized> signature::Keypair for WithoutContext<'a, Key> {
    type VerifyingKey = WithoutContext<'a, VerifyingKey>;

    fn verifying_key(&self) -> Self::VerifyingKey {
        WithoutContext(self.0.verifying_key())
    }
}

#[cfg(feature = "x509")]
mod x509 {
    use spki::{
        AlgorithmIdentifierOwned, Document, DynSignatureAlgorithmIdentifier, EncodePublicKey,
        ObjectIdentifier, SignatureBitStringEncoding, der::asn1::BitString,
    };

    use super::{Sign, Signature, VerifyingKey, WithoutContext};
    use crate::sign::SignatureSuite;

    /// Composite algorithms have no parameters, not even NULL.
    fn algorithm(suite: SignatureSuite) -> spki::Result<AlgorithmIdentifierOwned> {
        let oid = suite.oid().ok_or(spki::Error::KeyMalformed)?;
        let oid = ObjectIdentifier::new(oid).expect("the table's identifiers are well formed");
        Ok(AlgorithmIdentifierOwned { oid, parameters: None })
    }

    impl<Key: Sign + ?Sized> DynSignatureAlgorithmIdentifier for WithoutContext<'_, Key> {
        fn signature_algorithm_identifier(&self) -> spki::Result<AlgorithmIdentifierOwned> {
            algorithm(self.0.verifying_key().suite())
        }
    }

    impl DynSignatureAlgorithmIdentifier for WithoutContext<'_, VerifyingKey> {
        fn signature_algorithm_identifier(&self) -> spki::Result<AlgorithmIdentifierOwned> {
            algorithm(self.0.suite())
        }
    }

    impl EncodePublicKey for WithoutContext<'_, VerifyingKey> {
        fn to_public_key_der(&self) -> spki::Result<Document> {
            let der = self.0.to_spki_der().map_err(|_| spki::Error::KeyMalformed)?;
            Ok(Document::try_from(der)?)
        }
    }

    impl SignatureBitStringEncoding for Signature {
        fn to_bitstring(&self) -> spki::der::Result<BitString> {
            BitString::from_bytes(self.as_bytes())
        }
    }
}
