//! Proves suite 0x0051, and the key schedule of sessions, with the HPKE working group's vector for
//! MLKEM1024-P384.

use serde_json::Value;
use twinseal::{
    Ciphertext, DecapsulationKey, EncapsulationKey, KemSuite,
    hazmat::{self, KeySchedule},
    provider::{PORTABLE, Provider},
};

#[path = "common/providers.rs"]
mod providers;

use providers::PROVIDERS;

const SUITE: KemSuite = KemSuite::ML_KEM_1024_P384;

fn json() -> Value {
    serde_json::from_str(include_str!("vectors/hpke-pq.json")).unwrap()
}

fn field(object: &Value, name: &str) -> Vec<u8> {
    hex::decode(object[name].as_str().unwrap()).unwrap()
}

/// A field of the vector.
fn vector(name: &str) -> Vec<u8> {
    field(&json(), name)
}

/// A list in the vector.
fn list(name: &str) -> Vec<Value> {
    json()[name].as_array().unwrap().clone()
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
    let key = EncapsulationKey::from_bytes(SUITE, &vector("pkRm")).unwrap().on(&PORTABLE).unwrap();
    let (ciphertext, secret) = hazmat::encapsulate(&key, &vector("ikmE")).unwrap();
    assert_eq!(ciphertext.as_bytes(), vector("enc"));
    assert_eq!(secret.as_bytes(), vector("shared_secret"));
}

/// The schedule that sessions use, from the vector's shared secret.
fn key_schedule(provider: &Provider) -> KeySchedule {
    KeySchedule::new(provider, SUITE, &vector("shared_secret"), &vector("info")).unwrap()
}

#[test]
fn schedule() {
    for provider in PROVIDERS {
        let schedule = key_schedule(provider);
        let key_and_nonce = [vector("key"), vector("base_nonce")].concat();
        assert_eq!(schedule.key_and_nonce(), key_and_nonce);
        assert_eq!(schedule.exporter_secret(), vector("exporter_secret"));
    }
}

#[test]
fn encryptions() {
    for provider in PROVIDERS {
        let schedule = key_schedule(provider);
        let encryptions = list("encryptions");
        assert_eq!(encryptions.len(), 10);
        for (index, encryption) in encryptions.iter().enumerate() {
            let [aad, plaintext, ciphertext] =
                ["aad", "pt", "ct"].map(|name| field(encryption, name));
            let sealed = schedule.seal(index as u64, &aad, &plaintext).unwrap();
            assert_eq!(sealed, ciphertext, "encryption {index}");
        }
    }
}

#[test]
fn exports() {
    for provider in PROVIDERS {
        let schedule = key_schedule(provider);
        let exports = list("exports");
        assert_eq!(exports.len(), 5);
        for export in exports {
            let expected = field(&export, "exported_value");
            assert_eq!(export["L"], expected.len());
            let mut exported = vec![0; expected.len()];
            schedule.export(&field(&export, "exporter_context"), &mut exported);
            assert_eq!(exported, expected);
        }
    }
}
