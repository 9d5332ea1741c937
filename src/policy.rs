//! The suites that a keyring accepts.

use crate::{error::Error, kem::KemSuite, sign::SignatureSuite};

/// The suites that a [`Keyring`](crate::Keyring) or [`VerifyingKeyring`](crate::VerifyingKeyring)
/// accepts when it loads keys, opens and verifies. Every other suite is refused with
/// [`Error::Refused`], and nothing falls back to another suite.
///
/// ```
/// use twinseal::{Error, KemSuite, Policy, SignatureSuite};
///
/// let policy = Policy::stable().with_kem_suites([KemSuite::X25519_ML_KEM_1024]);
/// policy.check_kem(KemSuite::X25519_ML_KEM_1024)?;
/// let refused = policy.check_kem(KemSuite::ML_KEM_1024_P384);
/// assert!(matches!(refused, Err(Error::Refused { .. })));
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    kem: Vec<KemSuite>,
    signature: Vec<SignatureSuite>,
}

impl Policy {
    /// Every suite of the stability promise and no experimental one. Keyrings start with this policy.
    #[must_use]
    pub fn stable() -> Self {
        Self { kem: Vec::new(), signature: Vec::new() }
            .with_kem_suites(KemSuite::ALL.iter().copied())
            .with_signature_suites(SignatureSuite::STABLE.iter().copied())
    }

    /// The same policy with exactly these KEM suites.
    #[must_use]
    pub fn with_kem_suites(self, suites: impl IntoIterator<Item = KemSuite>) -> Self {
        Self { kem: as_set(suites, |suite| suite.id()), ..self }
    }

    /// The same policy with exactly these signature suites.
    #[must_use]
    pub fn with_signature_suites(self, suites: impl IntoIterator<Item = SignatureSuite>) -> Self {
        Self { signature: as_set(suites, |suite| suite.id()), ..self }
    }

    /// Checks that the policy accepts a KEM suite.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] if it does not.
    pub fn check_kem(&self, suite: KemSuite) -> Result<(), Error> {
        check(self.kem.contains(&suite), "KEM suite", suite.name())
    }

    /// Checks that the policy accepts a signature suite.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] if it does not.
    pub fn check_signature(&self, suite: SignatureSuite) -> Result<(), Error> {
        check(self.signature.contains(&suite), "signature suite", suite.name())
    }
}

/// Each suite once, in one order, so that policies that accept the same are equal.
fn as_set<S>(suites: impl IntoIterator<Item = S>, id: impl Fn(&S) -> u16) -> Vec<S> {
    let mut suites: Vec<S> = suites.into_iter().collect();
    suites.sort_by_key(&id);
    suites.dedup_by_key(|suite| id(suite));
    suites
}

fn check(listed: bool, what: &'static str, name: &'static str) -> Result<(), Error> {
    if listed { Ok(()) } else { Err(Error::Refused { what, name }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policies_that_accept_the_same_are_equal() {
        let [first, second] = [KemSuite::X25519_ML_KEM_1024, KemSuite::ML_KEM_1024_P384];
        let both = Policy::stable();
        assert_eq!(both, both.clone().with_kem_suites([first, second]));
        assert_eq!(both, both.clone().with_kem_suites([second, first, second]));
        assert_ne!(both, both.clone().with_kem_suites([second]));

        let signature = SignatureSuite::ML_DSA_87_ECDSA_P384;
        assert_eq!(both, both.clone().with_signature_suites([signature, signature]));
        assert_ne!(both, both.clone().with_signature_suites([]));
    }
}
