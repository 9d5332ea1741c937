//! Which providers does every shared test run on?

#[cfg(feature = "aws-lc-rs")]
use twinseal::provider::AWS_LC;
#[cfg(feature = "pqclean")]
use twinseal::provider::PQCLEAN;
use twinseal::provider::{PORTABLE, Provider};

const COUNT: usize = 1 + cfg!(feature = "aws-lc-rs") as usize + cfg!(feature = "pqclean") as usize;

/// Every provider that is compiled in. All must accept and refuse the same. Tests with fixed
/// randomness run only on [`PORTABLE`].
pub(crate) static PROVIDERS: [&Provider; COUNT] = [
    &PORTABLE,
    #[cfg(feature = "aws-lc-rs")]
    &AWS_LC,
    #[cfg(feature = "pqclean")]
    &PQCLEAN,
];
