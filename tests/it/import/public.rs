//! Public keys.

use twinseal::{EncapsulationKey, Error, KemSuite, SigningKey, VerifyingKey};

use super::fixture::Pieces;
use crate::common::{
    der::{pem, spki, tlv},
    errors::{invalid, outcome},
    keys::{COMPOSITE, CTX, P384, kem_key},
};

/// What is the same for both kinds of keys.
struct Kind {
    pieces: Pieces,
    /// Each returns the canonical bytes of the key, or its error.
    pem: fn(&str) -> Result<Vec<u8>, Error>,
    der: fn(&[u8]) -> Result<Vec<u8>, Error>,
    bytes: fn(&[u8]) -> Result<Vec<u8>, Error>,
    from_der: fn(&[u8]) -> Result<Vec<u8>, Error>,
}

fn kinds() -> [Kind; 2] {
    let kem = |key: EncapsulationKey| key.as_bytes().to_vec();
    let sign = |key: VerifyingKey| key.as_bytes().to_vec();
    let _ = (kem, sign);
    [
        Kind {
            pieces: Pieces::of_decapsulation_key(31).0,
            pem: |text| EncapsulationKey::import_pem(text).map(|key| key.as_bytes().to_vec()),
            der: |der| EncapsulationKey::import_der(der).map(|key| key.as_bytes().to_vec()),
            bytes: |bytes| {
                EncapsulationKey::import_bytes(P384, bytes).map(|key| key.as_bytes().to_vec())
            },
            from_der: |der| EncapsulationKey::from_spki_der(der).map(|key| key.as_bytes().to_vec()),
        },
        Kind {
            pieces: Pieces::of_signing_key(31).0,
            pem: |text| VerifyingKey::import_pem(text).map(|key| key.as_bytes().to_vec()),
            der: |der| VerifyingKey::import_der(der).map(|key| key.as_bytes().to_vec()),
            bytes: |bytes| {
                VerifyingKey::import_bytes(COMPOSITE, bytes).map(|key| key.as_bytes().to_vec())
            },
            from_der: |der| VerifyingKey::from_spki_der(der).map(|key| key.as_bytes().to_vec()),
        },
    ]
}
