//! The secret that an encapsulation makes: both sides keep it.

use std::fmt;

use zeroize::Zeroizing;

use super::KemSuite;
use crate::{error::Error, wire};

/// A secret that both sides of a KEM share. Wiped when dropped, never printed.
///
/// Use it as input to a key derivation, not as several keys at once. It is as strong as the
/// stronger half, and at most as strong as the suite's hash: the 64 bytes of suite 0x0001 are not
/// 512 bits of security.
///
/// ```
/// use twinseal::DecapsulationKey;
///
/// let bob = DecapsulationKey::generate()?;
/// let (ciphertext, secret) = bob.encapsulation_key().encapsulate()?;
/// assert_eq!(secret.as_bytes().len(), 64);
/// assert_eq!(bob.decapsulate(&ciphertext)?.as_bytes(), secret.as_bytes());
/// assert_eq!(format!("{secret:?}"), "SharedSecret(X25519-ML-KEM-1024, ..)");
/// # Ok::<(), twinseal::Error>(())
/// ```
pub struct SharedSecret {
    pub(super) suite: KemSuite,
    pub(super) bytes: Zeroizing<Vec<u8>>,
}

impl SharedSecret {
    /// Wraps a secret that an external key computed, for implementations of
    /// [`Decapsulate`](crate::Decapsulate).
    ///
    /// # Errors
    ///
    /// [`Error::Length`] if it does not have the length of the suite's shared secrets.
    pub fn from_bytes(suite: KemSuite, bytes: &[u8]) -> Result<Self, Error> {
        let bytes = wire::exact("shared secret", bytes, suite.lengths().shared_secret)?;
        Ok(Self { suite, bytes: Zeroizing::new(bytes.to_vec()) })
    }

    /// A secret from elsewhere must at least be of the suite of the key that it is used for.
    pub(crate) fn check_suite(&self, suite: KemSuite) -> Result<(), Error> {
        if self.suite == suite {
            return Ok(());
        }
        let (expected, actual) = (suite.name(), self.suite.name());
        Err(Error::SuiteMismatch { what: "shared secret", expected, actual })
    }

    /// The suite.
    #[must_use]
    pub fn suite(&self) -> KemSuite {
        self.suite
    }

    /// The bytes: 64 for the default suite, 32 for 0x0051.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl fmt::Debug for SharedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SharedSecret({}, ..)", self.suite)
    }
}
