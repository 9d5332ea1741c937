//! Falcon-1024 of round 3, through pqcrypto-falcon: the experimental half of one suite. There is one
//! implementation, so it belongs to no provider.
//!
//! The signing key is `sk (2305) || pk (1793)`, because the crate cannot tell the one from the
//! other; on load a signature is made and verified. A signature is
//! `header (1) || nonce (40) || compressed`, of varying length.

use std::hint;

use pqcrypto_falcon::falcon1024;
use pqcrypto_traits::sign::{DetachedSignature as _, PublicKey as _, SecretKey as _};
use zeroize::Zeroizing;

use super::{
    Random, SchemeSigner, SchemeVerifier, SignatureKeyPair, SignatureLengths, SignatureScheme,
    no_context,
};
use crate::{Error, suite, wire};

#[derive(Debug)]
pub(crate) struct Falcon1024;

/// Boxed, so that there is one place to wipe.
struct FalconSigner(Box<falcon1024::SecretKey>);

struct FalconVerifier(Box<falcon1024::PublicKey>);

const PUBLIC_KEY: usize = suite::FALCON_1024_LENGTHS.verifying_key;
const SECRET_KEY: usize = suite::FALCON_1024_LENGTHS.signing_key - PUBLIC_KEY;

fn invalid(reason: &'static str) -> Error {
    Error::Invalid { what: "Falcon-1024 key", reason }
}

impl SignatureScheme for Falcon1024 {
    fn lengths(&self) -> SignatureLengths {
        suite::FALCON_1024_LENGTHS
    }

    /// The crate draws from the operating system itself; a caller's generator cannot be used.
    fn generate(&self, _random: &mut Random<'_>) -> Result<Zeroizing<Vec<u8>>, Error> {
        let (public, secret) = falcon1024::keypair();
        let signer = FalconSigner(Box::new(secret));
        let mut key = Zeroizing::new(Vec::with_capacity(self.lengths().signing_key));
        key.extend_from_slice(signer.0.as_bytes());
        key.extend_from_slice(public.as_bytes());
        Ok(key)
    }

    fn key_pair(&self, signing_key: &[u8]) -> Result<SignatureKeyPair, Error> {
        let (secret, public) = wire::halves("Falcon-1024 key", signing_key, SECRET_KEY)?;
        let secret = falcon1024::SecretKey::from_bytes(secret)
            .map_err(|_| invalid("its length is wrong"))?;
        let signer = FalconSigner(Box::new(secret));
        let verifier = self.verifier(public)?;
        let probe = b"twinseal/falcon-key-check/v1";
        signer
            .sign(b"", probe)
            .and_then(|signature| verifier.verify(b"", probe, &signature))
            .map_err(|_| invalid("its private and its public half do not belong together"))?;
        Ok(SignatureKeyPair { verifying_key: public.to_vec(), verifier, signer: Box::new(signer) })
    }

    fn verifier(&self, verifying_key: &[u8]) -> Result<Box<dyn SchemeVerifier>, Error> {
        let key = falcon1024::PublicKey::from_bytes(verifying_key)
            .map_err(|_| invalid("its length is wrong"))?;
        Ok(Box::new(FalconVerifier(Box::new(key))))
    }
}

impl Drop for FalconSigner {
    fn drop(&mut self) {
        if let Ok(zeros) = falcon1024::SecretKey::from_bytes(&[0; SECRET_KEY]) {
            *self.0 = zeros;
            hint::black_box(&mut self.0); // the overwriting is not optimised away
        }
    }
}

impl SchemeSigner for FalconSigner {
    fn sign(&self, context: &[u8], message: &[u8]) -> Result<Vec<u8>, Error> {
        no_context(context)?;
        Ok(falcon1024::detached_sign(message, &self.0).as_bytes().to_vec())
    }
}

impl SchemeVerifier for FalconVerifier {
    fn verify(&self, context: &[u8], message: &[u8], signature: &[u8]) -> Result<(), Error> {
        no_context(context)?;
        let signature =
            falcon1024::DetachedSignature::from_bytes(signature).map_err(|_| Error::Verify)?;
        falcon1024::verify_detached_signature(&signature, message, &self.0)
            .map_err(|_| Error::Verify)
    }
}
