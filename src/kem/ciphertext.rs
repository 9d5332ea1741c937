//! The ciphertext that an encapsulation makes: it is sent to the key's owner.

use std::fmt;

use super::KemSuite;
use crate::{error::Error, half::Halves, provider};

/// A ciphertext, made by [`encapsulate`](crate::EncapsulationKey::encapsulate) to be sent.
///
/// ```
/// use twinseal::{DecapsulationKey, Error, KemSuite, kem::Ciphertext};
///
/// let bob = DecapsulationKey::generate()?;
/// let (ciphertext, _) = bob.encapsulation_key().encapsulate()?;
/// assert_eq!(ciphertext.as_bytes().len(), 1600);
///
/// let suite = KemSuite::X25519_ML_KEM_1024;
/// assert_eq!(Ciphertext::from_bytes(suite, ciphertext.as_bytes())?, ciphertext);
/// let cut_off = Ciphertext::from_bytes(suite, &ciphertext.as_bytes()[..1599]);
/// assert!(matches!(cut_off, Err(Error::Length { .. })));
/// # Ok::<(), Error>(())
/// ```
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

    /// Its halves, for keys whose halves are in different places: 1568 bytes for ML-KEM-1024, then 32 for X25519
    /// or 97 for P-384 (`0x04 || X || Y`).
    #[must_use]
    pub fn halves(&self) -> Halves<&[u8]> {
        let (post_quantum, traditional) =
            self.suite.0.split_ciphertext(&self.bytes).expect("its length was checked");
        Halves { post_quantum, traditional }
    }

    pub(super) fn check_suite(&self, key: KemSuite) -> Result<(), Error> {
        if self.suite == key {
            return Ok(());
        }
        Err(Error::SuiteMismatch {
            what: "ciphertext",
            expected: key.name(),
            actual: self.suite.name(),
        })
    }
}

impl fmt::Debug for Ciphertext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ciphertext({}, {} bytes)", self.suite, self.bytes.len())
    }
}
