//! Are keys, shared secrets and the secrets in a signature wiped?

use twinseal::{
    DecapsulationKey, EncapsulationKey, SigningKey, hazmat,
    kem::{Ciphertext, SharedSecret},
};

use crate::{
    cases::{Fixed, SignCase, kem_cases},
    common::{
        keys::{COMPOSITE, CTX},
        providers::PROVIDERS,
    },
};

#[test]
fn kem_keys() {
    for (case, provider) in kem_cases() {
        let (suite, seed) = (case.suite, case.seed);
        case.secrets.assert_not_leaked_by(|| {
            drop(case.key());
            drop(DecapsulationKey::generate_from_rng(suite, &mut Fixed(seed)).unwrap());
            let key = case.key().on(provider).unwrap();
            let public = key.encapsulation_key().clone();
            drop(key);
            drop(EncapsulationKey::from_bytes(suite, public.as_bytes()).unwrap());
            drop(public.on(provider).unwrap());
            drop(format!("{:?}", case.key()));
            let _ = DecapsulationKey::from_seed(suite, &seed[1..]);
        });
    }
}

#[test]
fn encapsulation_and_decapsulation() {
    for (case, provider) in kem_cases() {
        case.secrets.assert_not_leaked_by(|| {
            let key = case.key().on(provider).unwrap();
            let public = key.encapsulation_key();
            let (_, sent) = hazmat::encapsulate(public, case.randomness).unwrap();
            let received = key.decapsulate(&case.ciphertext).unwrap();
            assert_eq!(sent.as_bytes(), received.as_bytes());
            drop(SharedSecret::from_bytes(case.suite, sent.as_bytes()).unwrap());
            drop(format!("{received:?}"));
            let mut other = case.ciphertext.as_bytes().to_vec();
            other[0] ^= 1;
            let other = Ciphertext::from_bytes(case.suite, &other).unwrap();
            drop(key.decapsulate(&other).unwrap());
        });
    }
}

#[test]
fn signing_keys_and_signatures() {
    let case = SignCase::new();
    for provider in *PROVIDERS {
        case.secrets.assert_not_leaked_by(|| {
            drop(case.key());
            drop(SigningKey::generate_from_rng(COMPOSITE, &mut Fixed(case.halves)).unwrap());
            let key = case.key().on(provider).unwrap();
            drop(format!("{key:?}"));
            let public = key.verifying_key().clone();
            let signatures = [
                key.sign(CTX, b"message").unwrap(),
                key.sign_reader(CTX, &b"message"[..]).unwrap(),
                hazmat::sign(&key, CTX, b"message").unwrap(),
            ];
            drop(key);
            for signature in signatures {
                public.verify(CTX, b"message", &signature).unwrap();
            }
            assert!(SigningKey::from_bytes(COMPOSITE, &case.bytes[1..]).is_err());
        });
    }
}
