//! Which providers does every shared test run on?

use std::sync::LazyLock;

#[cfg(feature = "aws-lc-rs")]
use twinseal::provider::AWS_LC;
#[cfg(feature = "graviola")]
use twinseal::provider::GRAVIOLA;
#[cfg(all(feature = "graviola", feature = "libcrux"))]
use twinseal::provider::GRAVIOLA_LIBCRUX;
#[cfg(feature = "libcrux")]
use twinseal::provider::LIBCRUX;
#[cfg(feature = "pqclean")]
use twinseal::provider::PQCLEAN;
use twinseal::provider::{PORTABLE, Provider};

const COUNT: usize = 1
    + cfg!(feature = "aws-lc-rs") as usize
    + cfg!(feature = "graviola") as usize
    + cfg!(all(feature = "graviola", feature = "libcrux")) as usize
    + cfg!(feature = "libcrux") as usize
    + cfg!(feature = "pqclean") as usize;

/// Every provider that is compiled in. All must accept and refuse the same. Tests with fixed
/// randomness run only on [`PORTABLE`].
pub(crate) static PROVIDERS: LazyLock<[&Provider; COUNT]> = LazyLock::new(|| {
    [
        &PORTABLE,
        #[cfg(feature = "aws-lc-rs")]
        &AWS_LC,
        #[cfg(feature = "graviola")]
        &GRAVIOLA,
        #[cfg(all(feature = "graviola", feature = "libcrux"))]
        &GRAVIOLA_LIBCRUX,
        #[cfg(feature = "libcrux")]
        &LIBCRUX,
        #[cfg(feature = "pqclean")]
        &PQCLEAN,
    ]
});
