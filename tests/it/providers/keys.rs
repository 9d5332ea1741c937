//! Is a key the same on all providers, does `on` move it, and is the default the right provider?

use twinseal::{
    DecapsulationKey, EncapsulationKey, Error, KemSuite, SignatureSuite, SigningKey, VerifyingKey,
    hazmat,
    kem::Ciphertext,
    provider::{self, Kem, PORTABLE, Provider, Random},
};

use super::{PROVIDERS, pairs, same_on_all};
use crate::common::keys::{COMPOSITE, CTX, P384, X25519, kem_key, signing_key};

#[test]
fn one_seed_gives_one_key() {
    for &suite in KemSuite::ALL {
        for number in 1..20 {
            let (ciphertext, secret) = {
                let randomness = vec![number; if suite == X25519 { 64 } else { 80 }];
                hazmat::encapsulate(kem_key(suite, number).encapsulation_key(), &randomness)
                    .unwrap()
            };
            let mut other = ciphertext.as_bytes().to_vec();
            other[usize::from(number)] ^= 1;
            let other = Ciphertext::from_bytes(suite, &other).unwrap();

            let decapsulated = same_on_all("a seed", |provider| {
                let key = kem_key(suite, number).on(provider).unwrap();
                let public = key.encapsulation_key();
                let secrets = [&ciphertext, &other]
                    .map(|ct| key.decapsulate(ct).unwrap().as_bytes().to_vec());
                (public.as_bytes().to_vec(), public.key_id(), key.seed().unwrap().to_vec(), secrets)
            });
            let [right, rejected] = decapsulated.3;
            assert_eq!(right, secret.as_bytes());
            assert_ne!(right, rejected);
        }
    }
    for number in 1..20 {
        same_on_all("a signing key", |provider| {
            let key = signing_key(number).on(provider).unwrap();
            let public = key.verifying_key();
            (public.as_bytes().to_vec(), public.key_id(), key.secret_bytes().to_vec())
        });
    }
}

/// A key file of suite 0x0051 has no seed, and holds the same key.
#[test]
fn the_seed_and_what_it_expands_to_are_one_key() {
    for number in 1..10 {
        let of_seed = kem_key(P384, number);
        let file = of_seed.to_pkcs8_der().unwrap();
        let (ciphertext, secret) = of_seed.encapsulation_key().encapsulate().unwrap();
        let mut other = ciphertext.as_bytes().to_vec();
        other[usize::from(number)] ^= 1;
        let other = Ciphertext::from_bytes(P384, &other).unwrap();
        let rejected = of_seed.decapsulate(&other).unwrap();
        for (a, b) in pairs() {
            let read = DecapsulationKey::from_pkcs8_der(file.as_bytes()).unwrap();
            let read = read.on(a).unwrap().on(b).unwrap();
            assert_eq!((read.suite(), read.seed()), (P384, None));
            assert_eq!(read.encapsulation_key(), of_seed.encapsulation_key());
            assert_eq!(read.to_pem().as_str(), of_seed.to_pem().as_str());
            assert_eq!(read.decapsulate(&ciphertext).unwrap().as_bytes(), secret.as_bytes());
            assert_eq!(read.decapsulate(&other).unwrap().as_bytes(), rejected.as_bytes());
        }
    }
}

/// Key files do not depend on the provider.
#[test]
fn one_key_file() {
    same_on_all("key files", |provider| {
        let kem = KemSuite::ALL.iter().map(|suite| {
            let key = kem_key(*suite, 3).on(provider).unwrap();
            (key.to_pem().as_str().to_string(), key.encapsulation_key().to_pem())
        });
        let kem: Vec<_> = kem.collect();
        let sign = signing_key(3).on(provider).unwrap();
        (kem, sign.to_pem().as_str().to_string(), sign.verifying_key().to_pem())
    });
}

fn is(left: &Provider, right: &Provider) -> bool {
    left.name == right.name
}

#[test]
fn on_moves_a_key_and_back() {
    for (a, b) in pairs() {
        for &suite in KemSuite::ALL {
            let key = kem_key(suite, 4);
            let public = key.encapsulation_key().clone();
            for provider in [a, b, a] {
                let moved = public.on(provider).unwrap();
                assert!(is(moved.provider(), provider));
                assert_eq!((&moved, moved.key_id()), (&public, public.key_id()));
            }
            let key = key.on(a).unwrap().on(b).unwrap().on(a).unwrap();
            assert!(is(key.provider(), a) && is(key.encapsulation_key().provider(), a));
            let (ciphertext, secret) = public.on(b).unwrap().encapsulate().unwrap();
            assert_eq!(key.decapsulate(&ciphertext).unwrap().as_bytes(), secret.as_bytes());
        }
        let key = signing_key(4);
        let public = key.verifying_key().clone();
        for provider in [a, b, a] {
            let moved = public.on(provider).unwrap();
            assert!(is(moved.provider(), provider));
            assert_eq!((&moved, moved.key_id()), (&public, public.key_id()));
        }
        let key = key.on(a).unwrap().on(b).unwrap().on(a).unwrap();
        assert!(is(key.provider(), a) && is(key.verifying_key().provider(), a));
        let signature = key.sign(CTX, b"message").unwrap();
        public.on(b).unwrap().verify(CTX, b"message", &signature).unwrap();
    }
}

/// Where a provider takes randomness from its caller, it makes of it what the portable one makes.
#[test]
fn given_randomness_gives_one_ciphertext() {
    let kems = |provider: &Provider| [provider.x25519, provider.p384, provider.ml_kem_1024];
    for provider in *PROVIDERS {
        for (kem, portable) in kems(provider).into_iter().zip(kems(&PORTABLE)) {
            let encapsulate = |kem: &dyn Kem| {
                let lengths = kem.lengths();
                let pair = kem.key_pair(&vec![7; lengths.seed]).unwrap();
                let mut ciphertext = vec![0; lengths.ciphertext];
                let mut secret = vec![0; lengths.shared_secret];
                let mut nines = |buffer: &mut [u8]| {
                    buffer.fill(9);
                    Ok(())
                };
                let mut random = Random::Given(&mut nines);
                pair.encapsulator.encapsulate(&mut random, &mut ciphertext, &mut secret)?;
                Ok((ciphertext, secret))
            };
            match encapsulate(kem) {
                Err(Error::Unsupported(_)) => {}
                given => assert_eq!(given, encapsulate(portable), "{}, {kem:?}", provider.name),
            }
        }
    }
}

#[test]
fn names_differ() {
    let names = PROVIDERS.map(|provider| provider.name);
    assert_eq!(names[0], "portable");
    for (index, name) in names.iter().enumerate() {
        assert!(!names[..index].contains(name), "{name}");
    }
    assert_eq!(names.contains(&"aws-lc"), cfg!(feature = "aws-lc-rs"));
    let graviola = names.iter().any(|name| name.contains("graviola"));
    assert_eq!(graviola, cfg!(feature = "graviola"));
    assert_eq!(names.contains(&"libcrux"), cfg!(feature = "libcrux"));
    assert_eq!(names.contains(&"pqclean"), cfg!(feature = "pqclean"));
}

/// AWS-LC if it is compiled in, else graviola, with libcrux if both are, else the portable provider.
#[test]
fn the_default() {
    #[cfg(feature = "aws-lc-rs")]
    let expected = &provider::AWS_LC;
    #[cfg(all(not(feature = "aws-lc-rs"), feature = "graviola", feature = "libcrux"))]
    let expected: &Provider = &provider::GRAVIOLA_LIBCRUX;
    #[cfg(all(not(feature = "aws-lc-rs"), feature = "graviola", not(feature = "libcrux")))]
    let expected: &Provider = &provider::GRAVIOLA;
    #[cfg(not(any(feature = "aws-lc-rs", feature = "graviola")))]
    let expected = &PORTABLE;
    let mut all: Vec<&Provider> = Vec::new();
    for &suite in KemSuite::ALL {
        let key = DecapsulationKey::generate_for(suite).unwrap();
        let public = key.encapsulation_key();
        let from_bytes = EncapsulationKey::from_bytes(suite, public.as_bytes()).unwrap();
        let from_pem = EncapsulationKey::from_pem(&public.to_pem()).unwrap();
        all.extend([public.provider(), from_bytes.provider(), from_pem.provider()]);
        let from_seed = DecapsulationKey::from_seed(suite, key.seed().unwrap()).unwrap();
        let from_pem = DecapsulationKey::from_pem(key.to_pem().as_str()).unwrap();
        all.extend([key.provider(), from_seed.provider(), from_pem.provider()]);
        // A key does not remember the provider of the key that it was copied from.
        for provider in *PROVIDERS {
            let moved = from_seed.encapsulation_key().on(provider).unwrap();
            all.push(EncapsulationKey::from_pem(&moved.to_pem()).unwrap().provider());
        }
    }
    for suite in SignatureSuite::ALL.iter().copied() {
        let key = SigningKey::generate_for(suite).unwrap();
        let public = key.verifying_key();
        let from_bytes = VerifyingKey::from_bytes(suite, public.as_bytes()).unwrap();
        let from_pem = VerifyingKey::from_pem(&public.to_pem()).unwrap();
        all.extend([public.provider(), from_bytes.provider(), from_pem.provider()]);
        let from_bytes = SigningKey::from_bytes(suite, key.secret_bytes()).unwrap();
        let from_pem = SigningKey::from_pem(key.to_pem().as_str()).unwrap();
        all.extend([key.provider(), from_bytes.provider(), from_pem.provider()]);
    }
    all.push(DecapsulationKey::generate().unwrap().provider());
    all.push(SigningKey::generate().unwrap().provider());
    for provider in all {
        assert_eq!(provider.name, expected.name);
    }
}

/// A provider of the user's own keeps its name.
#[test]
fn a_users_own_provider() {
    static MINE: Provider = Provider { name: "mine", ..PORTABLE };
    let key = kem_key(KemSuite::X25519_ML_KEM_1024, 5).on(&MINE).unwrap();
    assert_eq!(key.provider().name, "mine");
    let key = signing_key(5).on(&MINE).unwrap();
    assert_eq!(key.verifying_key().provider().name, "mine");
    assert_eq!(format!("{:?}", key.provider()), "Provider(mine)");
    assert_eq!(key.on(&PORTABLE).unwrap().provider().name, "portable");
    assert_eq!(COMPOSITE, signing_key(5).suite());
}
