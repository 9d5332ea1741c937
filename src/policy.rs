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
        Self { kem: KemSuite::ALL.to_vec(), signature: SignatureSuite::STABLE.to_vec() }
    }

    /// The same policy with exactly these KEM suites.
    #[must_use]
    pub fn with_kem_suites(self, suites: impl IntoIterator<Item = KemSuite>) -> Self {
        Self { kem: suites.into_iter().collect(), ..self }
    }

    /// The same policy with exactly these signature suites.
    #[must_use]
    pub fn with_signature_suites(self, suites: impl IntoIterator<Item = SignatureSuite>) -> Self {
        Self { signature: suites.into_iter().collect(), ..self }
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

fn check(listed: bool, what: &'static str, name: &'static str) -> Result<(), Error> {
    if listed { Ok(()) } else { Err(Error::Refused { what, name }) }
}
