//! ML-DSA-87 with a context string.

use zeroize::Zeroizing;

use super::evp::Key;
use crate::{
    constants,
    error::Error,
    provider::{
        PORTABLE, Random, SchemeSigner, SchemeVerifier, SignatureKeyPair, SignatureLengths,
        SignatureScheme,
    },
    wire,
};

const VERIFYING_KEY: usize = constants::ML_DSA_87_LENGTHS.verifying_key;

#[derive(Debug)]
pub(super) struct MlDsa87;

struct MlDsaSigner(Key);

struct MlDsaVerifier(Key);

impl SignatureScheme for MlDsa87 {
    fn lengths(&self) -> SignatureLengths {
        constants::ML_DSA_87_LENGTHS
    }

    fn generate(&self, random: &mut Random<'_>) -> Result<Zeroizing<Vec<u8>>, Error> {
        PORTABLE.ml_dsa_87.generate(random)
    }

    fn key_pair(&self, signing_key: &[u8]) -> Result<SignatureKeyPair, Error> {
        let key = Key::ml_dsa_of_seed(wire::array_ref("ML-DSA seed", signing_key)?)?;
        let verifying_key = key.public_key::<VERIFYING_KEY>()?.to_vec();
        Ok(SignatureKeyPair {
            verifier: self.verifier(&verifying_key)?,
            signer: Box::new(MlDsaSigner(key)),
            verifying_key,
        })
    }

    fn verifier(&self, verifying_key: &[u8]) -> Result<Box<dyn SchemeVerifier>, Error> {
        let bytes = wire::array_ref("ML-DSA-87 verifying key", verifying_key)?;
        Ok(Box::new(MlDsaVerifier(Key::ml_dsa_of_verifying_key(bytes)?)))
    }
}

impl SchemeSigner for MlDsaSigner {
    fn sign(&self, context: &[u8], message: &[u8]) -> Result<Vec<u8>, Error> {
        self.0.sign(context, message)
    }
}

impl SchemeVerifier for MlDsaVerifier {
    fn verify(&self, context: &[u8], message: &[u8], signature: &[u8]) -> Result<(), Error> {
        self.0.verify(context, message, signature)
    }
}
