//! Does the composite signature on a certificate verify?

use crate::{
    error::{CertificateRefusal, Error},
    sign::{Signature, SignatureSuite, VerifyingKey, prehash},
};

pub(super) const SUITE: SignatureSuite = SignatureSuite::ML_DSA_87_ECDSA_P384;

/// The content of its `AlgorithmIdentifier`: the object identifier 1.3.6.1.5.5.7.6.49, and no parameters, not
/// even NULL.
pub(super) const ALGORITHM: &[u8] = b"\x06\x08\x2b\x06\x01\x05\x05\x07\x06\x31";

/// Certificates are signed with the empty context.
pub(super) fn verify(key: &VerifyingKey, signed: &[u8], signature: &[u8]) -> Result<(), Error> {
    Signature::from_bytes(SUITE, signature)
        .and_then(|signature| key.verify_prehashed(b"", &prehash(signed), &signature))
        .map_err(|_| Error::Certificate(CertificateRefusal::Signature))
}
