//! A private key as PEM text: wiped when dropped, never printed.

use std::{fmt, mem};

use zeroize::Zeroizing;

use crate::secret::SecretBuffer;

/// The PEM text of a private key. It is wiped when dropped and never printed: call
/// [`as_str`](PrivatePem::as_str) to get at the text, or write the key with `write_pem_file`.
pub struct PrivatePem(String);

impl PrivatePem {
    pub(crate) fn new(mut text: Zeroizing<String>) -> Self {
        Self(mem::take(&mut text))
    }

    /// The PEM document, secret as the key itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Drop for PrivatePem {
    fn drop(&mut self) {
        drop(SecretBuffer::from(mem::take(&mut self.0).into_bytes()));
    }
}

impl fmt::Debug for PrivatePem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrivatePem(..)")
    }
}
