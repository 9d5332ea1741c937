//! Buffers that hold secrets: wiped when dropped, never printed, never compared with `==`.

use std::{fmt, mem, ops::Deref};

use zeroize::Zeroizing;

mod buffer;

pub use buffer::SecretBuffer;

/// Opened data. It derefs to `[u8]`, is wiped when dropped, and never printed.
///
/// ```
/// # let key = twinseal::DecapsulationKey::generate()?;
/// # let sealed = key.encapsulation_key().seal(b"example.com/notes", b"hello")?;
/// let plaintext = key.open(b"example.com/notes", &sealed)?;
/// assert_eq!(&plaintext[..], b"hello");
/// assert_eq!(format!("{plaintext:?}"), "Plaintext(5 bytes)");
/// # Ok::<(), twinseal::Error>(())
/// ```
pub struct Plaintext(SecretBuffer);

impl Plaintext {
    /// The buffer is filled before it is wrapped, or at least has its final capacity: a vector
    /// that grows leaves copies behind that nobody wipes.
    pub(crate) fn new(bytes: SecretBuffer) -> Self {
        Self(bytes)
    }

    /// Gives the bytes away without a copy. From here on wiping them is up to the caller.
    #[must_use]
    pub fn into_vec(self) -> Vec<u8> {
        self.0.into_vec()
    }
}

impl Deref for Plaintext {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl AsRef<[u8]> for Plaintext {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl fmt::Debug for Plaintext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Plaintext({} bytes)", self.len())
    }
}

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
