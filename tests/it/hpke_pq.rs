//! Do suite 0x0051 and the key schedule of sessions agree with the HPKE working group's vector for
//! MLKEM1024-P384?

use twinseal::{
    DecapsulationKey, EncapsulationKey, KemSuite,
    hazmat::{self, KeySchedule},
    kem::Ciphertext,
    provider::{PORTABLE, Provider},
};

use crate::common::{providers::PROVIDERS, vectors};

const SUITE: KemSuite = KemSuite::ML_KEM_1024_P384;

fn vector(name: &str) -> Vec<u8> {
    vectors::value(include_str!("../vectors/kem-0051.txt"), name)
}

#[test]
fn seed_to_key_pair() {
    for provider in *PROVIDERS {
        let key = DecapsulationKey::from_seed(SUITE, &vector("seed")).unwrap();
        let key = key.on(provider).unwrap();
        assert_eq!(key.encapsulation_key().as_bytes(), vector("ek"));
    }
}

#[test]
fn decapsulate() {
    let ciphertext = Ciphertext::from_bytes(SUITE, &vector("ct")).unwrap();
    for provider in *PROVIDERS {
        let key = DecapsulationKey::from_seed(SUITE, &vector("seed")).unwrap();
        let secret = key.on(provider).unwrap().decapsulate(&ciphertext).unwrap();
        assert_eq!(secret.as_bytes(), vector("ss"));
    }
}

#[test]
fn encapsulate() {
    let key = EncapsulationKey::from_bytes(SUITE, &vector("ek")).unwrap().on(&PORTABLE).unwrap();
    let (ciphertext, secret) = hazmat::encapsulate(&key, &vector("randomness")).unwrap();
    assert_eq!(ciphertext.as_bytes(), vector("ct"));
    assert_eq!(secret.as_bytes(), vector("ss"));
}

/// The schedule that sessions use, from the vector's shared secret.
fn key_schedule(provider: &Provider) -> KeySchedule {
    KeySchedule::new(provider, SUITE, &vector("ss"), &vector("info")).unwrap()
}

#[test]
fn schedule() {
    for provider in *PROVIDERS {
        let schedule = key_schedule(provider);
        let key_and_nonce = [vector("key"), vector("base_nonce")].concat();
        assert_eq!(schedule.key_and_nonce(), key_and_nonce);
        assert_eq!(schedule.exporter_secret(), vector("exporter_secret"));
    }
}

#[test]
fn messages() {
    for provider in *PROVIDERS {
        let schedule = key_schedule(provider);
        for index in 0..10 {
            let [aad, plaintext, message] =
                ["aad", "plaintext", "message"].map(|name| vector(&format!("{name}_{index}")));
            let sealed = schedule.seal(index, &aad, &plaintext).unwrap();
            assert_eq!(sealed, message, "message {index}");
        }
    }
}

#[test]
fn exports() {
    for provider in *PROVIDERS {
        let schedule = key_schedule(provider);
        for index in 0..5 {
            let expected = vector(&format!("exported_{index}"));
            let mut exported = vec![0; 32];
            schedule.export(&vector(&format!("export_context_{index}")), &mut exported);
            assert_eq!(exported, expected);
        }
    }
}
