//! Does the allocator find a secret that was not wiped?

use std::{collections::BTreeSet, hint::black_box};

use twinseal::KemSuite;
use zeroize::Zeroize;

use crate::{
    allocator::Secrets,
    cases::{KemCase, SignCase},
    common::keys::CTX,
};

#[test]
fn a_secret_that_is_not_wiped_is_found() {
    let cases: Vec<_> = KemSuite::ALL.iter().copied().map(KemCase::new).collect();
    let sign = SignCase::new();
    for secrets in [&cases[0].secrets, &cases[1].secrets, &sign.secrets] {
        for needle in &secrets.0 {
            let single = Secrets(vec![needle.clone()]);
            let found = BTreeSet::from([needle.name.clone()]);
            let dropped = single.leaked_by(|| drop(black_box(needle.bytes.clone())));
            assert_eq!(dropped, found);
            // A vector that grows, and is wiped only then.
            let grown = single.leaked_by(|| {
                let mut vector = black_box(needle.bytes.clone());
                vector.reserve_exact(4096);
                black_box(&mut vector).zeroize();
            });
            assert_eq!(grown, found);
            single.assert_not_leaked_by(|| black_box(&mut needle.bytes.clone()).zeroize());
        }
    }
}

/// The work below does handle the secrets: where a caller takes one over, it is found.
#[test]
fn what_callers_take_over_is_found() {
    for case in KemSuite::ALL.iter().copied().map(KemCase::new) {
        let names = |names: &[&str]| names.iter().map(ToString::to_string).collect();
        let key = case.key();
        let found = case.secrets.leaked_by(|| drop(black_box(key.seed().unwrap().to_vec())));
        assert_eq!(found, names(&["seed"]));
        let found = case.secrets.leaked_by(|| drop(black_box(key.to_pem().as_str().to_string())));
        assert_eq!(found, names(&["key in PEM"]));
        let found = case.secrets.leaked_by(|| {
            let secret = key.decapsulate(&case.ciphertext).unwrap();
            drop(black_box(secret.as_bytes().to_vec()));
        });
        assert_eq!(found, names(&["shared secret"]));
        let found = case.secrets.leaked_by(|| {
            drop(black_box(key.open(CTX, &case.sealed).unwrap().into_vec()));
        });
        assert_eq!(found, names(&["plaintext"]));
    }
}
