//! Falcon-1024 of round 3, through pqcrypto-falcon: the experimental half of one suite. There is one
//! implementation, so it belongs to no provider.
//!
//! The signing key is `sk (2305) || pk (1793)`, because the crate cannot derive the second from
//! the first; on load a signature is made and verified. A signature is
//! `header (1) || nonce (40) || compressed`, of varying length.

use pqcrypto_falcon::falcon1024;
use pqcrypto_traits::sign::{DetachedSignature as _, PublicKey as _, SecretKey as _};
use zeroize::Zeroizing;

use super::{
    Random, SchemeSigner, SchemeVerifier, SignatureKeyPair, SignatureLengths, SignatureScheme,
    no_context, wiped::Wiped,
};
use crate::{constants, error::Error, wire};

#[derive(Debug)]
pub(crate) struct Falcon1024;

struct FalconSigner(Wiped<falcon1024::SecretKey>);

struct FalconVerifier(Box<falcon1024::PublicKey>);

const PUBLIC_KEY: usize = constants::FALCON_1024_LENGTHS.verifying_key;
const SECRET_KEY: usize = constants::FALCON_1024_LENGTHS.signing_key - PUBLIC_KEY;

fn invalid(reason: &'static str) -> Error {
    Error::Invalid { what: "Falcon-1024 key", reason }
}

impl SignatureScheme for Falcon1024 {
    fn lengths(&self) -> SignatureLengths {
        constants::FALCON_1024_LENGTHS
    }

    /// The crate draws from the operating system itself, and panics if that has no randomness.
    fn generate(&self, random: &mut Random<'_>) -> Result<Zeroizing<Vec<u8>>, Error> {
        random.only_system("Falcon keys from a generator")?;
        let (public, secret) = falcon1024::keypair();
        let secret = Wiped::new(secret, zeros);
        let mut key = Zeroizing::new(Vec::with_capacity(self.lengths().signing_key));
        key.extend_from_slice(secret.as_bytes());
        key.extend_from_slice(public.as_bytes());
        Ok(key)
    }

    fn key_pair(&self, signing_key: &[u8]) -> Result<SignatureKeyPair, Error> {
        let (secret, public) =
            wire::exact("Falcon-1024 key", signing_key, self.lengths().signing_key)?
                .split_at(SECRET_KEY);
        let secret = falcon1024::SecretKey::from_bytes(secret)
            .map_err(|_| invalid("its length is wrong"))?;
        let signer = FalconSigner(Wiped::new(secret, zeros));
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
        check_public(verifying_key)?;
        Ok(Box::new(FalconVerifier(Box::new(key))))
    }
}

fn zeros() -> falcon1024::SecretKey {
    falcon1024::SecretKey::from_bytes(&[0; SECRET_KEY]).expect("the zeros are as long as a key")
}

/// A header byte, then 1024 coefficients of 14 bits, big-endian, below q = 12289.
fn check_public(key: &[u8]) -> Result<(), Error> {
    let coefficients = key.strip_prefix(&[0x0a]).ok_or(invalid("its header is wrong"))?;
    let (fours, _) = coefficients.as_chunks::<7>();
    let reduced = fours.iter().all(|&[a, b, c, d, e, f, g]| {
        let bits = u64::from_be_bytes([0, a, b, c, d, e, f, g]);
        [42, 28, 14, 0].iter().all(|shift| bits >> shift & 0x3fff < 12289)
    });
    if reduced { Ok(()) } else { Err(invalid("a coefficient is not below 12289")) }
}

impl SchemeSigner for FalconSigner {
    fn sign(&self, context: &[u8], message: &[u8]) -> Result<Vec<u8>, Error> {
        no_context(context)?;
        let signature = falcon1024::detached_sign(message, &self.0);
        // The crate does not report a failure of the C code, which leaves the signature empty.
        match signature.as_bytes() {
            [] => Err(Error::Unsupported("this Falcon-1024 key")),
            bytes => Ok(bytes.to_vec()),
        }
    }
}

impl SchemeVerifier for FalconVerifier {
    fn verify(&self, context: &[u8], message: &[u8], signature: &[u8]) -> Result<(), Error> {
        no_context(context)?;
        // A compressed value ends with a bit of 1. PQClean also takes zeros behind it, up to the
        // length of the padded variant, which would give a signature a second form.
        if signature.last() == Some(&0) {
            return Err(Error::Verify);
        }
        let signature =
            falcon1024::DetachedSignature::from_bytes(signature).map_err(|_| Error::Verify)?;
        falcon1024::verify_detached_signature(&signature, message, &self.0)
            .map_err(|_| Error::Verify)
    }
}
