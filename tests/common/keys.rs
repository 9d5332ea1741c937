//! Which fixed keys do tests use?

use twinseal::{DecapsulationKey, KemSuite, SignatureSuite, SigningKey};

use super::der::ec_private_key;

pub(crate) const CTX: &[u8] = b"example.com/tests/v1";

pub(crate) const X25519: KemSuite = KemSuite::X25519_ML_KEM_1024;
pub(crate) const P384: KemSuite = KemSuite::ML_KEM_1024_P384;
pub(crate) const COMPOSITE: SignatureSuite = SignatureSuite::ML_DSA_87_ECDSA_P384;

/// A fixed key, a different one for each `number`.
pub(crate) fn kem_key(suite: KemSuite, number: u8) -> DecapsulationKey {
    DecapsulationKey::from_seed(suite, &[number; 32]).expect("32 bytes are a seed")
}

/// The 96 bytes of a fixed signing key: an ML-DSA seed and an RFC 5915 key with a small scalar.
pub(crate) fn signing_key_bytes(number: u8) -> Vec<u8> {
    [vec![number; 32], ec_private_key(&[number; 48])].concat()
}

pub(crate) fn signing_key(number: u8) -> SigningKey {
    SigningKey::from_bytes(COMPOSITE, &signing_key_bytes(number)).expect("the form is RFC 5915")
}
