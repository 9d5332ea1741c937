//! The key that is verified against when a signer is unknown, so that looking for one costs the same.

use std::sync::OnceLock;

use crate::{
    error::Error,
    policy::Policy,
    sign::{SignatureSuite, SigningKey, VerifyingKey},
};

/// One for each suite, made once in a process. Its private half is gone, so nobody can sign for it:
/// even if a verdict on it were taken for that of a signer, nothing would be accepted. A key of the
/// ring would not do: its owner could tell from the time whether it was the one.
static DECOYS: [OnceLock<VerifyingKey>; SignatureSuite::ALL.len()] =
    [const { OnceLock::new() }; SignatureSuite::ALL.len()];

/// Makes the decoys of a policy's suites, so that the first stranger is as fast as the next one.
pub(super) fn prepare(policy: &Policy) -> Result<(), Error> {
    let suites = SignatureSuite::ALL.iter().copied();
    suites
        .filter(|suite| policy.check_signature(*suite).is_ok())
        .try_for_each(|suite| decoy(suite).map(drop))
}

/// The decoy of a suite, on the default provider. Only the first call can fail, without randomness.
pub(crate) fn decoy(suite: SignatureSuite) -> Result<&'static VerifyingKey, Error> {
    let mut decoys = SignatureSuite::ALL.iter().zip(&DECOYS);
    let (_, decoy) = decoys
        .find(|(other, _)| **other == suite)
        .ok_or(Error::Unknown { what: "signature suite", id: suite.id() })?;
    match decoy.get() {
        Some(key) => Ok(key),
        None => {
            let key = SigningKey::generate_for(suite)?.verifying_key().clone();
            Ok(decoy.get_or_init(|| key))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_one_for_each_suite() -> Result<(), Error> {
        for suite in SignatureSuite::ALL {
            assert_eq!(decoy(*suite)?.suite(), *suite);
            assert!(std::ptr::eq(decoy(*suite)?, decoy(*suite)?));
        }
        Ok(())
    }
}
