//! Whose keys are in all targets? Made once, and the same in every run.

use std::{fmt::Debug, sync::LazyLock};

use twinseal::{DecapsulationKey, KemSuite, SigningKey, VerifyingKey, provider::Provider};

pub(super) use crate::common::keys::{COMPOSITE, CTX, P384, X25519};
use crate::common::{
    keys::{kem_key, signing_key},
    providers::PROVIDERS,
};

/// Every provider whose primitives are not all those of others.
pub(super) static ALL: LazyLock<Vec<&'static Provider>> = LazyLock::new(|| {
    PROVIDERS.iter().copied().filter(|it| it.name != "graviola-libcrux").collect()
});

/// The result, which is the same on all providers.
pub(super) fn on_all<T: Debug + PartialEq>(mut run: impl FnMut(usize) -> T) -> T {
    let first = run(0);
    for (index, provider) in ALL.iter().enumerate().skip(1) {
        assert_eq!(run(index), first, "{} and {} differ", provider.name, ALL[0].name);
    }
    first
}

/// Bob's keys of both suites, on each provider.
static BOBS: LazyLock<[Vec<DecapsulationKey>; 2]> = LazyLock::new(|| {
    [X25519, P384]
        .map(|suite| ALL.iter().map(|provider| kem_key(suite, 2).on(provider).unwrap()).collect())
});

/// Bob's key of a suite on each provider.
pub(super) fn bob(suite: KemSuite) -> &'static [DecapsulationKey] {
    &BOBS[usize::from(suite == P384)]
}

/// Who signs, without randomness.
pub(super) static ALICE: LazyLock<SigningKey> = LazyLock::new(|| signing_key(1));

/// Alice's public key on each provider.
pub(super) static ALICES: LazyLock<Vec<VerifyingKey>> = LazyLock::new(|| {
    ALL.iter().map(|provider| ALICE.verifying_key().on(provider).unwrap()).collect()
});

pub(super) fn hkdf<const N: usize>(ikm: &[u8], info: &[&[u8]]) -> [u8; N] {
    let mut output = [0; N];
    twinseal::hazmat::hkdf_sha384(ikm, &info.concat(), &mut output);
    output
}
