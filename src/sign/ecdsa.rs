//! ECDSA as composite signatures carry it: an RFC 5915 private key, and signatures in DER.
//! Providers see only scalars, checked points and `r || s`.

use zeroize::Zeroizing;

use crate::{
    check, constants, ec_private_key,
    error::Error,
    provider::{
        Random, SchemeSigner, SchemeVerifier, SignatureKeyPair, SignatureLengths, SignatureScheme,
    },
};

/// A provider's ECDSA-P384 behind its encodings and checks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DerEcdsa(pub(crate) &'static dyn SignatureScheme);

struct DerSigner(Box<dyn SchemeSigner>);

struct DerVerifier(Box<dyn SchemeVerifier>);

impl SignatureScheme for DerEcdsa {
    fn lengths(&self) -> SignatureLengths {
        constants::ECDSA_P384_DER_LENGTHS
    }

    fn generate(&self, random: &mut Random<'_>) -> Result<Zeroizing<Vec<u8>>, Error> {
        let scalar = self.0.generate(random)?;
        Ok(Zeroizing::new(ec_private_key::encode(&scalar)))
    }

    fn key_pair(&self, signing_key: &[u8]) -> Result<SignatureKeyPair, Error> {
        let scalar = ec_private_key::scalar(signing_key)?;
        check::p384_scalar(scalar)?;
        let pair = self.0.key_pair(scalar)?;
        Ok(SignatureKeyPair {
            verifying_key: pair.verifying_key,
            verifier: Box::new(DerVerifier(pair.verifier)),
            signer: Box::new(DerSigner(pair.signer)),
        })
    }

    fn verifier(&self, verifying_key: &[u8]) -> Result<Box<dyn SchemeVerifier>, Error> {
        check::p384_point(verifying_key)?;
        Ok(Box::new(DerVerifier(self.0.verifier(verifying_key)?)))
    }
}

impl SchemeSigner for DerSigner {
    fn sign(&self, context: &[u8], message: &[u8]) -> Result<Vec<u8>, Error> {
        check::ecdsa_signature_to_der(&self.0.sign(context, message)?)
    }

    #[cfg(feature = "hazmat")]
    fn sign_deterministic(&self, context: &[u8], message: &[u8]) -> Result<Vec<u8>, Error> {
        check::ecdsa_signature_to_der(&self.0.sign_deterministic(context, message)?)
    }
}

impl SchemeVerifier for DerVerifier {
    fn verify(&self, context: &[u8], message: &[u8], signature: &[u8]) -> Result<(), Error> {
        let fixed = check::ecdsa_signature_from_der(signature).map_err(|_| Error::Verify)?;
        self.0.verify(context, message, &fixed)
    }
}
