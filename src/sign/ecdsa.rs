//! ECDSA as composite signatures carry it: an RFC 5915 private key, and signatures in DER.
//! Providers see only scalars, checked points and `r || s`.

use zeroize::Zeroizing;

use crate::{
    check, constants,
    error::Error,
    provider::{
        Random, SchemeSigner, SchemeVerifier, SignatureKeyPair, SignatureLengths, SignatureScheme,
    },
    wire,
};

/// A provider's ECDSA-P384 behind its encodings and checks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DerEcdsa(pub(crate) &'static dyn SignatureScheme);

struct DerSigner(Box<dyn SchemeSigner>);

struct DerVerifier(Box<dyn SchemeVerifier>);

/// RFC 5915 `ECPrivateKey` in DER, up to the scalar: a SEQUENCE of 62 bytes, version 1, an OCTET
/// STRING of 48. With the named curve and without the public key, the structure has one length.
const EC_PRIVATE_KEY_START: &[u8; 7] = b"\x30\x3e\x02\x01\x01\x04\x30";

/// The rest, after the scalar: `[0]` with the object identifier of secp384r1, 1.3.132.0.34.
const EC_PRIVATE_KEY_END: &[u8; 9] = b"\xa0\x07\x06\x05\x2b\x81\x04\x00\x22";

fn scalar(ec_private_key: &[u8]) -> Result<&[u8], Error> {
    let expected = constants::ECDSA_P384_DER_LENGTHS.signing_key;
    wire::exact("ECPrivateKey", ec_private_key, expected)?
        .strip_prefix(EC_PRIVATE_KEY_START)
        .and_then(|rest| rest.strip_suffix(EC_PRIVATE_KEY_END))
        .ok_or(Error::Invalid {
            what: "ECPrivateKey",
            reason: "it is not the RFC 5915 form with the curve secp384r1 and no public key",
        })
}

impl SignatureScheme for DerEcdsa {
    fn lengths(&self) -> SignatureLengths {
        constants::ECDSA_P384_DER_LENGTHS
    }

    fn generate(&self, random: &mut Random<'_>) -> Result<Zeroizing<Vec<u8>>, Error> {
        let scalar = self.0.generate(random)?;
        let mut key = Zeroizing::new(Vec::with_capacity(self.lengths().signing_key));
        key.extend_from_slice(EC_PRIVATE_KEY_START);
        key.extend_from_slice(&scalar);
        key.extend_from_slice(EC_PRIVATE_KEY_END);
        Ok(key)
    }

    fn key_pair(&self, signing_key: &[u8]) -> Result<SignatureKeyPair, Error> {
        let scalar = scalar(signing_key)?;
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
