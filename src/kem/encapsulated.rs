//! What an encapsulation makes: a ciphertext to be sent, and a shared secret to be kept.

use std::fmt;

use zeroize::Zeroizing;

use super::KemSuite;
use crate::{error::Error, provider, wire};

/// What [`encapsulate`](crate::EncapsulationKey::encapsulate) sends.
#[derive(Clone, PartialEq, Eq)]
pub struct Ciphertext {
    pub(super) suite: KemSuite,
    pub(super) bytes: Vec<u8>,
}

impl Ciphertext {
    /// Parses and checks a ciphertext: its length, and that its second half is a canonical X25519
    /// key not of low order, or a P-384 point on the curve.
    ///
    /// # Errors
    ///
    /// [`Error::Length`] or [`Error::Invalid`], saying which rule is broken.
    pub fn from_bytes(suite: KemSuite, bytes: &[u8]) -> Result<Self, Error> {
        suite.0.on(provider::default()).check_ciphertext(bytes)?;
        Ok(Self { suite, bytes: bytes.to_vec() })
    }

    /// The suite.
    #[must_use]
    pub fn suite(&self) -> KemSuite {
        self.suite
    }

    /// The bytes, post-quantum half first: 1600 for the default suite, 1665 for 0x0051.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl fmt::Debug for Ciphertext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ciphertext({}, {} bytes)", self.suite, self.bytes.len())
    }
}

/// A secret that both sides of a KEM share. Wiped when dropped, never printed.
///
/// Use it as input to a key derivation, not as several keys at once. Its strength is that of the
/// stronger half, and at most that of the suite's hash: 64 bytes of suite 0x0001 are not 512 bits.
pub struct SharedSecret {
    pub(super) suite: KemSuite,
    pub(super) bytes: Zeroizing<Vec<u8>>,
}

impl SharedSecret {
    /// Wraps what an external key computed, for authors of [`Decapsulate`](crate::Decapsulate).
    ///
    /// # Errors
    ///
    /// [`Error::Length`] if it is not as long as the suite's shared secrets.
    pub fn from_bytes(suite: KemSuite, bytes: &[u8]) -> Result<Self, Error> {
        let bytes = wire::exact("shared secret", bytes, suite.lengths().shared_secret)?;
        Ok(Self { suite, bytes: Zeroizing::new(bytes.to_vec()) })
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
