//! Where random bytes come from.

use rand_core::TryCryptoRng;
use zeroize::Zeroizing;

use crate::Error;

/// Fills a buffer with random bytes, or fails. Used as `&mut Random<'_>`.
pub type Random<'a> = dyn FnMut(&mut [u8]) -> Result<(), Error> + 'a;

/// The operating system's randomness.
pub(crate) fn system(buffer: &mut [u8]) -> Result<(), Error> {
    getrandom::fill(buffer).map_err(|_| Error::Randomness)
}

/// A caller's generator.
pub(crate) fn from_rng(rng: &mut impl TryCryptoRng) -> impl FnMut(&mut [u8]) -> Result<(), Error> {
    |buffer| rng.try_fill_bytes(buffer).map_err(|_| Error::Randomness)
}

/// `N` fresh bytes of the operating system, wiped when dropped.
pub(crate) fn array<const N: usize>() -> Result<Zeroizing<[u8; N]>, Error> {
    let mut bytes = Zeroizing::new([0; N]);
    system(&mut *bytes)?;
    Ok(bytes)
}
