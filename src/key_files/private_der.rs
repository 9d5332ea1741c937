//! A private key as DER: wiped when dropped, never printed.

use std::fmt;

use crate::secret::SecretBuffer;

/// The DER encoding of a private key. It is wiped when dropped and never printed: call
/// [`as_bytes`](PrivateDer::as_bytes) for the bytes.
///
/// ```
/// let key = twinseal::SigningKey::generate()?;
/// let der = key.to_pkcs8_der()?;
/// let same = twinseal::SigningKey::from_pkcs8_der(der.as_bytes())?;
/// assert_eq!(same.verifying_key(), key.verifying_key());
/// assert_eq!(format!("{der:?}"), "PrivateDer(..)");
/// # Ok::<(), twinseal::Error>(())
/// ```
pub struct PrivateDer(SecretBuffer);

impl PrivateDer {
    pub(super) fn new(bytes: Vec<u8>) -> Self {
        Self(bytes.into())
    }

    /// The bytes, which are as secret as the key.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for PrivateDer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrivateDer(..)")
    }
}
