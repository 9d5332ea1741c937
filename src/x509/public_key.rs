//! The public key in a certificate: of this crate's suites, in the forms that other software writes.

use p384::elliptic_curve::sec1::ToSec1Point;
use spki::{SubjectPublicKeyInfoRef, der::Decode};

use crate::{
    error::Error,
    kem::EncapsulationKey,
    sign::{SignatureSuite, VerifyingKey},
};

/// The key of a signer or authority.
pub(super) fn verifying_key(spki: &[u8]) -> Result<VerifyingKey, Error> {
    const WHAT: &str = "certificate's public key";
    let invalid = |reason| Error::Invalid { what: WHAT, reason };
    let info = SubjectPublicKeyInfoRef::from_der(spki)
        .map_err(|_| invalid("it is not DER of its type"))?;
    let oid = info.algorithm.oid.to_string();
    let suite = SignatureSuite::ALL.iter().find(|suite| suite.oid() == Some(&oid));
    let suite = *suite.ok_or(Error::Algorithm { what: WHAT, oid })?;
    if info.algorithm.parameters.is_some() {
        return Err(invalid("its algorithm has parameters"));
    }
    let bits = info.subject_public_key.as_bytes().ok_or(invalid("it has unused bits"))?;
    from_bits(suite, bits)
}

/// The key of a recipient.
pub(super) fn encapsulation_key(spki: &[u8]) -> Result<EncapsulationKey, Error> {
    EncapsulationKey::from_spki_der(spki)
}

/// The contents of the BIT STRING. Some implementations compress the point of the second half.
pub(super) fn from_bits(suite: SignatureSuite, bits: &[u8]) -> Result<VerifyingKey, Error> {
    match bits.split_at_checked(2592) {
        Some((ml_dsa, point @ [0x02 | 0x03, ..])) if point.len() == 49 => {
            let invalid = Error::Invalid { what: "P-384 point", reason: "it is not on the curve" };
            let point = p384::PublicKey::from_sec1_bytes(point).map_err(|_| invalid)?;
            VerifyingKey::from_bytes(
                suite,
                &[ml_dsa, point.to_sec1_point(false).as_bytes()].concat(),
            )
        }
        _ => VerifyingKey::from_bytes(suite, bits),
    }
}
