//! Are the halves of keys wiped, and what they answer, also when one of them fails?

use std::panic::resume_unwind;

use twinseal::{
    Decapsulate, DecapsulationKey, Error, Sign, Unlock,
    kem::{Ciphertext, SharedSecret},
    provider::Decapsulator,
    split::{SplitDecapsulationKey, SplitSigningKey},
};
use zeroize::Zeroizing;

use crate::{
    cases::{KemCase, SignCase, kem_cases},
    common::{
        errors::outcome,
        keys::{CTX, P384, X25519},
        providers::PROVIDERS,
    },
};

fn split(key: DecapsulationKey) -> SplitDecapsulationKey {
    let public = key.encapsulation_key().clone();
    let halves = key.into_halves().unwrap();
    SplitDecapsulationKey::new(public, halves.post_quantum.into(), halves.traditional.into())
}

#[test]
fn kem_keys() {
    for (case, provider) in kem_cases() {
        let file = case.key();
        let file: Option<&'static [u8]> =
            (case.suite == P384).then(|| &*file.to_pkcs8_der().unwrap().as_bytes().to_vec().leak());
        case.secrets.assert_not_leaked_by(|| {
            drop(case.key().on(provider).unwrap().into_halves().unwrap());
            if let Some(file) = file {
                let key = DecapsulationKey::from_pkcs8_der(file).unwrap().on(provider).unwrap();
                drop(split(key).decapsulate(&case.ciphertext).unwrap());
            }
            let key = split(case.key().on(provider).unwrap());
            drop(format!("{key:?}"));
            key.check().unwrap();
            let received = key.decapsulate(&case.ciphertext).unwrap();
            drop(format!("{received:?}"));
            drop(received);
            let opened = key.open(CTX, &case.sealed).unwrap();
            assert!(opened[..] == case.plaintext[..]);
            drop(opened);
            let mut other = case.ciphertext.as_bytes().to_vec();
            other[0] ^= 1;
            drop(key.decapsulate(&Ciphertext::from_bytes(case.suite, &other).unwrap()).unwrap());
        });
    }
}

/// A half that answers, and then does something else.
struct Answers(Box<dyn Decapsulator>, fn() -> Result<(), Error>);

impl Decapsulator for Answers {
    fn decapsulate(&self, ciphertext: &[u8], shared_secret: &mut [u8]) -> Result<(), Error> {
        self.0.decapsulate(ciphertext, shared_secret)?;
        self.1()
    }
}

const THEN: [fn() -> Result<(), Error>; 3] = [
    || Err(Error::external("the line is cut")),
    || Err(Error::Invalid { what: "ciphertext", reason: "disliked" }),
    || resume_unwind(Box::new("a panic, which the hook does not print")),
];

#[test]
fn answers_of_halves_that_fail() {
    for (case, provider) in kem_cases() {
        case.secrets.assert_not_leaked_by(|| {
            for (first, then) in
                [true, false].into_iter().flat_map(|first| THEN.map(|then| (first, then)))
            {
                let key = case.key().on(provider).unwrap();
                let public = key.encapsulation_key().clone();
                let halves = key.into_halves().unwrap();
                let (mut pq, mut t): (Box<dyn Decapsulator>, Box<dyn Decapsulator>) =
                    (halves.post_quantum.into(), halves.traditional.into());
                if first {
                    pq = Box::new(Answers(pq, then));
                } else {
                    t = Box::new(Answers(t, then));
                }
                let key = SplitDecapsulationKey::new(public, pq, t);
                drop(key.decapsulate(&case.ciphertext));
                assert_ne!(outcome(key.open(CTX, &case.sealed)), "Ok");
            }
        });
    }
}

#[test]
fn two_steps() {
    for (case, provider) in kem_cases() {
        case.secrets.assert_not_leaked_by(|| {
            let key = case.key();
            let public = key.encapsulation_key().clone();
            let halves = key.into_halves().unwrap();
            let traditional = if case.suite == X25519 { provider.x25519 } else { provider.p384 };
            let pairs = [
                provider.ml_kem_1024.key_pair(halves.post_quantum.secret_bytes()).unwrap(),
                traditional.key_pair(halves.traditional.secret_bytes()).unwrap(),
            ];
            let ask = |half: usize| {
                let sent = case.ciphertext.halves();
                let sent = [sent.post_quantum, sent.traditional][half];
                let length = if half == 1 && case.suite == P384 { 48 } else { 32 };
                let mut secret = Zeroizing::new(vec![0; length]);
                pairs[half].decapsulator.decapsulate(sent, &mut secret).map(|()| secret)
            };
            let combine =
                |first, second| SharedSecret::combine(&public, &case.ciphertext, first, second);
            drop(combine(ask(0), ask(1)).unwrap());
            let failed = || Err(Error::external("the line is cut"));
            assert!(combine(ask(0), failed()).is_err());
            assert!(combine(failed(), ask(1)).is_err());
            let disliked = || Err(Error::Invalid { what: "ciphertext", reason: "disliked" });
            drop(combine(ask(0), disliked()).unwrap());
            drop(combine(disliked(), ask(1)).unwrap());
        });
    }
}

#[test]
fn signing_keys() {
    let case = SignCase::new();
    for provider in *PROVIDERS {
        case.secrets.assert_not_leaked_by(|| {
            drop(case.key().on(provider).unwrap().into_halves().unwrap());
            let key = case.key().on(provider).unwrap();
            let public = key.verifying_key().clone();
            let halves = key.into_halves().unwrap();
            drop(format!("{halves:?}"));
            let (pq, t) = (halves.post_quantum.into(), halves.traditional.into());
            let key = SplitSigningKey::new(public.clone(), pq, t);
            key.check().unwrap();
            let signature = key.sign(CTX, b"message").unwrap();
            drop(key);
            public.verify(CTX, b"message", &signature).unwrap();
        });
    }
}

/// The work above does handle the halves: where a caller takes them over, they are found.
#[test]
fn what_callers_take_over_is_found() {
    let found = |case: &KemCase, work: &dyn Fn()| -> Vec<String> {
        case.secrets.leaked_by(work).into_iter().collect()
    };
    let case = KemCase::new(P384);
    let halves = case.key().into_halves().unwrap();
    let names = found(&case, &|| drop(halves.post_quantum.secret_bytes().to_vec()));
    assert_eq!(names, ["ML-KEM seed"]);
    let names = found(&case, &|| drop(halves.traditional.secret_bytes().to_vec()));
    assert_eq!(names, ["traditional private key"]);
    let names = found(&case, &|| {
        let mut secret = vec![0; 32];
        let half: Box<dyn Decapsulator> = case.key().into_halves().unwrap().post_quantum.into();
        half.decapsulate(case.ciphertext.halves().post_quantum, &mut secret).unwrap();
        let other = case.key().into_halves().unwrap().traditional;
        let mut second = vec![0; 48];
        let other: Box<dyn Decapsulator> = other.into();
        other.decapsulate(case.ciphertext.halves().traditional, &mut second).unwrap();
        let public = case.key().encapsulation_key().clone();
        drop(SharedSecret::combine(&public, &case.ciphertext, Ok(secret), Ok(second)).unwrap());
    });
    assert_eq!(names, ["shared secret of ML-KEM", "shared secret of the traditional half"]);
}
