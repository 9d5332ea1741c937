//! Without the feature `tracing`, nobody is told that a key is used, and nothing is measured.

use crate::{error::Error, half::Half, kem::EncapsulationKey, sign::VerifyingKey};

/// What there is of the type of the same name in the other module of this name: the calls.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KeyUse;

impl KeyUse {
    #[inline(always)]
    pub(crate) fn decapsulate(_: &EncapsulationKey) -> Self {
        Self
    }

    #[inline(always)]
    pub(crate) fn sign(_: &VerifyingKey) -> Self {
        Self
    }

    #[inline(always)]
    pub(crate) fn check(self) -> Self {
        self
    }

    #[inline(always)]
    pub(crate) fn elsewhere(self) -> Self {
        self
    }

    #[inline(always)]
    pub(crate) fn report<T>(self, use_key: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
        use_key()
    }
}

#[inline(always)]
pub(crate) fn half<T>(_: Half, ask: impl FnOnce() -> T) -> T {
    ask()
}
