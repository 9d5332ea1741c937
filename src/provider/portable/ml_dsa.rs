//! ML-DSA-87, from ml-dsa.

use ml_dsa::{ExpandedSigningKey, MlDsa87};
use zeroize::{Zeroize, Zeroizing};

use crate::{
    constants, context,
    error::Error,
    provider::{
        Random, SchemeSigner, SchemeVerifier, SignatureKeyPair, SignatureLengths, SignatureScheme,
    },
    random, wire,
};

mod expanded;

use expanded::Expanded;

#[derive(Debug)]
pub(super) struct MlDsa87Scheme;

struct MlDsaSigner(Box<ExpandedSigningKey<MlDsa87>>);

struct MlDsaVerifier(Box<ml_dsa::VerifyingKey<MlDsa87>>);

impl SignatureScheme for MlDsa87Scheme {
    fn lengths(&self) -> SignatureLengths {
        constants::ML_DSA_87_LENGTHS
    }

    fn generate(&self, random: &mut Random<'_>) -> Result<Zeroizing<Vec<u8>>, Error> {
        let mut seed = Zeroizing::new(vec![0; 32]);
        random.fill(&mut seed)?;
        Ok(seed)
    }

    fn key_pair(&self, signing_key: &[u8]) -> Result<SignatureKeyPair, Error> {
        let seed = wire::array_ref::<32>("ML-DSA seed", signing_key)?;
        let signer = Box::new(ExpandedSigningKey::from_seed(seed.into()));
        let verifier = Box::new(signer.verifying_key());
        Ok(SignatureKeyPair {
            verifying_key: verifier.encode().to_vec(),
            verifier: Box::new(MlDsaVerifier(verifier)),
            signer: Box::new(MlDsaSigner(signer)),
        })
    }

    fn verifier(&self, verifying_key: &[u8]) -> Result<Box<dyn SchemeVerifier>, Error> {
        let bytes = wire::array_ref::<2592>("ML-DSA-87 verifying key", verifying_key)?;
        let key = ml_dsa::VerifyingKey::decode(bytes.into());
        Ok(Box::new(MlDsaVerifier(Box::new(key))))
    }
}

impl MlDsaSigner {
    /// FIPS 204 Algorithm 2, steps 10 and 11: pure ML-DSA of a message for a context.
    fn sign_with(&self, context: &[u8], message: &[u8], rnd: &[u8; 32]) -> Result<Vec<u8>, Error> {
        let formatted: [&[u8]; 3] = [&[0, context::length(context)?], context, message];
        Ok(self.0.sign_internal(&formatted, rnd.into()).encode().to_vec())
    }
}

/// The verifying key and FIPS 204's expanded signing key, for providers that cannot start from a
/// seed, and to compare with.
pub(crate) fn expand_ml_dsa_87(seed: &[u8]) -> Result<(Vec<u8>, Zeroizing<Vec<u8>>), Error> {
    let seed = wire::array_ref::<32>("ML-DSA seed", seed)?;
    let key = Box::new(ExpandedSigningKey::<MlDsa87>::from_seed(seed.into()));
    #[expect(deprecated, reason = "other implementations load nothing else")]
    let mut bytes = key.to_expanded();
    let expanded = Zeroizing::new(bytes.to_vec());
    bytes.zeroize();
    Ok((key.verifying_key().encode().to_vec(), expanded))
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
        let signature = ml_dsa::Signature::try_from(signature).map_err(|_| Error::Verify)?;
        if self.0.verify_with_context(message, context, &signature) {
            Ok(())
        } else {
            Err(Error::Verify)
        }
    }
}

/// The key pair of FIPS 204's expanded signing key. `ml-dsa` panics at some that are invalid, so everything
/// that is redundant in one is compared.
pub(crate) fn ml_dsa_87_of_expanded(expanded: &[u8]) -> Result<SignatureKeyPair, Error> {
    let parts = Expanded::read(expanded)?;
    let length = || Error::Length { what: "expanded key", expected: 4896, actual: expanded.len() };
    let bytes = expanded.try_into().map_err(|_| length())?;
    #[expect(deprecated, reason = "the seed is not there")]
    let signer = Box::new(ExpandedSigningKey::<MlDsa87>::from_expanded(bytes));
    let verifier = Box::new(signer.verifying_key());
    let verifying_key = verifier.encode().to_vec();
    parts.check(&verifying_key)?;
    Ok(SignatureKeyPair {
        verifying_key,
        verifier: Box::new(MlDsaVerifier(verifier)),
        signer: Box::new(MlDsaSigner(signer)),
    })
}
