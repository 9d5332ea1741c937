//! ML-DSA-87, from libcrux-ml-dsa. It asks the processor itself which code to run.

use libcrux_ml_dsa::ml_dsa_87::{
    self, MLDSA87KeyPair, MLDSA87Signature, MLDSA87SigningKey, MLDSA87VerificationKey,
};
use zeroize::{Zeroize, Zeroizing};

use crate::{
    constants, context,
    error::Error,
    provider::{
        PORTABLE, Random, SchemeSigner, SchemeVerifier, SignatureKeyPair, SignatureLengths,
        SignatureScheme, wiped::Wiped,
    },
    random, wire,
};

#[derive(Debug)]
pub(super) struct MlDsa87;

/// FIPS 204's expanded key. libcrux has no other form: each signature expands the matrix again.
pub(super) struct MlDsaSigner(Wiped<MLDSA87SigningKey>);

struct MlDsaVerifier(Box<MLDSA87VerificationKey>);

impl SignatureScheme for MlDsa87 {
    fn lengths(&self) -> SignatureLengths {
        constants::ML_DSA_87_LENGTHS
    }

    fn generate(&self, random: &mut Random<'_>) -> Result<Zeroizing<Vec<u8>>, Error> {
        PORTABLE.ml_dsa_87.generate(random)
    }

    fn key_pair(&self, signing_key: &[u8]) -> Result<SignatureKeyPair, Error> {
        let seed = wire::array_ref::<32>("ML-DSA seed", signing_key)?;
        let (verifying_key, signer) = expand(seed);
        Ok(SignatureKeyPair {
            verifying_key: verifying_key.as_slice().to_vec(),
            verifier: Box::new(MlDsaVerifier(Box::new(verifying_key))),
            signer: Box::new(signer),
        })
    }

    fn verifier(&self, verifying_key: &[u8]) -> Result<Box<dyn SchemeVerifier>, Error> {
        let bytes = wire::array::<2592>("ML-DSA-87 verifying key", verifying_key)?;
        Ok(Box::new(MlDsaVerifier(Box::new(MLDSA87VerificationKey::new(bytes)))))
    }
}

pub(super) fn expand(seed: &[u8; 32]) -> (MLDSA87VerificationKey, MlDsaSigner) {
    let MLDSA87KeyPair { mut signing_key, verification_key } = ml_dsa_87::generate_key_pair(*seed);
    let mut signer = Wiped::zeros(MLDSA87SigningKey::zero);
    signer.as_ref_mut().copy_from_slice(signing_key.as_ref());
    signing_key.as_mut_slice().zeroize();
    (verification_key, MlDsaSigner(signer))
}

impl MlDsaSigner {
    pub(super) fn sign_with(
        &self,
        context: &[u8],
        message: &[u8],
        rnd: &[u8; 32],
    ) -> Result<Vec<u8>, Error> {
        context::length(context)?;
        // It gives up after 814 attempts, which FIPS 204, appendix C, allows: with probability 2^-256.
        ml_dsa_87::sign(&self.0, message, context, *rnd)
            .map(|signature| signature.as_slice().to_vec())
            .map_err(|_| Error::Unsupported("a signature that libcrux does not make"))
    }
}

impl SchemeSigner for MlDsaSigner {
    fn sign(&self, context: &[u8], message: &[u8]) -> Result<Vec<u8>, Error> {
        self.sign_with(context, message, &*random::array()?)
    }

    #[cfg(feature = "hazmat")]
    fn sign_deterministic(&self, context: &[u8], message: &[u8]) -> Result<Vec<u8>, Error> {
        self.sign_with(context, message, &[0; 32])
    }
}

impl SchemeVerifier for MlDsaVerifier {
    fn verify(&self, context: &[u8], message: &[u8], signature: &[u8]) -> Result<(), Error> {
        let signature = signature.try_into().map_err(|_| Error::Verify)?;
        ml_dsa_87::verify(&self.0, message, context, &MLDSA87Signature::new(signature))
            .map_err(|_| Error::Verify)
    }
}

#[cfg(all(test, feature = "hazmat"))]
mod tests {
    use super::*;

    #[test]
    fn deterministic_signatures_are_the_portable_ones() -> Result<(), Error> {
        for n in 0..20 {
            let expected = PORTABLE.ml_dsa_87.key_pair(&[n; 32])?;
            let pair = MlDsa87.key_pair(&[n; 32])?;
            assert_eq!(pair.verifying_key, expected.verifying_key);
            let (context, message) = (vec![n; usize::from(n)], vec![1; 100 * usize::from(n)]);
            assert_eq!(
                pair.signer.sign_deterministic(&context, &message)?,
                expected.signer.sign_deterministic(&context, &message)?
            );
        }
        Ok(())
    }

    #[test]
    fn a_dropped_key_is_wiped() {
        let mut signer = Wiped::zeros(MLDSA87SigningKey::zero);
        signer.as_ref_mut().fill(7);
        signer.wipe(); // all that `drop` does
        assert_eq!(signer.as_ref(), &[0; 4896]);
    }
}
