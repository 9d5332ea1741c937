//! Proves suite 0x0051 with the HPKE working group's vector for MLKEM1024-P384.

use serde_json::Value;
use twinseal::{Ciphertext, DecapsulationKey, EncapsulationKey, KemSuite, hazmat};

#[path = "common/providers.rs"]
mod providers;

use providers::PROVIDERS;

const SUITE: KemSuite = KemSuite::ML_KEM_1024_P384;

/// A field of the vector.
fn vector(field: &str) -> Vec<u8> {
    let json: Value = serde_json::from_str(include_str!("vectors/hpke-pq.json")).unwrap();
    hex::decode(json[field].as_str().unwrap()).unwrap()
}

#[test]
fn seed_to_key_pair() {
    for provider in PROVIDERS {
        let key = DecapsulationKey::from_seed(SUITE, &vector("skRm")).unwrap();
        let key = key.on(provider).unwrap();
        assert_eq!(key.encapsulation_key().as_bytes(), vector("pkRm"));
    }
}

#[test]
fn decapsulate() {
    let ciphertext = Ciphertext::from_bytes(SUITE, &vector("enc")).unwrap();
    for provider in PROVIDERS {
        let key = DecapsulationKey::from_seed(SUITE, &vector("skRm")).unwrap();
        let secret = key.on(provider).unwrap().decapsulate(&ciphertext).unwrap();
        assert_eq!(secret.as_bytes(), vector("shared_secret"));
    }
}

#[test]
fn encapsulate() {
    let key = EncapsulationKey::from_bytes(SUITE, &vector("pkRm")).unwrap();
    let (ciphertext, secret) = hazmat::encapsulate(&key, &vector("ikmE")).unwrap();
    assert_eq!(ciphertext.as_bytes(), vector("enc"));
    assert_eq!(secret.as_bytes(), vector("shared_secret"));
}
