//! The sources of random bytes.

use std::fmt;

use rand_core::TryCryptoRng;
use zeroize::Zeroizing;

use crate::error::Error;

/// A source of random bytes, for keys and encapsulations.
pub enum Random<'a> {
    /// The operating system.
    System,
    /// A caller's generator.
    Given(&'a mut dyn FnMut(&mut [u8]) -> Result<(), Error>),
}

impl Random<'_> {
    /// Fills a buffer with random bytes.
    ///
    /// # Errors
    ///
    /// [`Error::Randomness`] if there are none.
    pub fn fill(&mut self, buffer: &mut [u8]) -> Result<(), Error> {
        match self {
            Self::System => system(buffer),
            Self::Given(generator) => generator(buffer),
        }
    }

    /// `N` random bytes, wiped when dropped.
    pub(crate) fn array<const N: usize>(&mut self) -> Result<Zeroizing<[u8; N]>, Error> {
        let mut bytes = Zeroizing::new([0; N]);
        self.fill(&mut *bytes)?;
        Ok(bytes)
    }

    /// For primitives that draw from the operating system themselves.
    #[cfg(any(feature = "aws-lc-rs", feature = "experimental-falcon", feature = "pqclean"))]
    pub(crate) fn only_system(&self, what: &'static str) -> Result<(), Error> {
        match self {
            Self::System => Ok(()),
            Self::Given(_) => Err(Error::Unsupported(what)),
        }
    }
}

impl fmt::Debug for Random<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::System => "Random::System",
            Self::Given(_) => "Random::Given(..)",
        })
    }
}

/// The operating system's randomness.
fn system(buffer: &mut [u8]) -> Result<(), Error> {
    getrandom::fill(buffer).map_err(|_| Error::Randomness)
}

/// A caller's generator.
pub(crate) fn from_rng(rng: &mut impl TryCryptoRng) -> impl FnMut(&mut [u8]) -> Result<(), Error> {
    |buffer| rng.try_fill_bytes(buffer).map_err(|_| Error::Randomness)
}

/// `N` fresh bytes of the operating system, wiped when dropped.
pub(crate) fn array<const N: usize>() -> Result<Zeroizing<[u8; N]>, Error> {
    Random::System.array()
}
