//! A composite signature's bytes.

use std::fmt;

use super::SignatureSuite;
use crate::error::Error;

/// A composite signature: both halves, post-quantum half first, at most 4731 bytes.
///
/// A signature's bytes are not an identifier: anyone can turn ECDSA's half into another valid one
/// over the same message.
///
/// ```
/// use twinseal::{Signature, SigningKey};
///
/// let alice = SigningKey::generate()?;
/// let signature = alice.sign(b"example.com/releases", b"hello")?;
/// let sent = signature.as_bytes(); // at most 4731
///
/// // The receiver knows the suite from the signer's key.
/// let from_alice = alice.verifying_key();
/// let received = Signature::from_bytes(from_alice.suite(), sent)?;
/// from_alice.verify(b"example.com/releases", b"hello", &received)?;
/// # Ok::<(), twinseal::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Signature {
    pub(super) suite: SignatureSuite,
    pub(super) bytes: Vec<u8>,
}

impl Signature {
    /// Parses and checks a signature: `ML-DSA-87 (4627) || ECDSA in strict DER`.
    ///
    /// # Errors
    ///
    /// [`Error::Truncated`] or [`Error::Invalid`], saying which rule is broken.
    pub fn from_bytes(suite: SignatureSuite, bytes: &[u8]) -> Result<Self, Error> {
        suite.0.check_signature(bytes)?;
        Ok(Self { suite, bytes: bytes.to_vec() })
    }

    /// The suite.
    #[must_use]
    pub fn suite(&self) -> SignatureSuite {
        self.suite
    }

    /// The bytes, to be sent or stored.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signature({}, {} bytes)", self.suite, self.bytes.len())
    }
}
