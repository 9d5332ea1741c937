//! Opened data: wiped when dropped, never printed.

use std::{fmt, ops::Deref};

use crate::secret::SecretBuffer;

/// Opened data. It derefs to `[u8]`, is wiped when dropped, and never printed. Read text from it with
/// [`str::from_utf8`], without a copy that nobody wipes.
///
/// ```
/// # let key = twinseal::DecapsulationKey::generate()?;
/// # let sealed = key.encapsulation_key().seal(b"example.com/notes", b"hello")?;
/// let plaintext = key.open(b"example.com/notes", &sealed)?;
/// assert_eq!(&plaintext[..], b"hello");
/// assert_eq!(str::from_utf8(&plaintext)?, "hello");
/// assert_eq!(format!("{plaintext:?}"), "Plaintext(5 bytes)");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Plaintext(SecretBuffer);

impl Plaintext {
    /// The buffer must not grow any further: a vector that grows leaves copies behind that nobody
    /// wipes.
    pub(crate) fn new(bytes: SecretBuffer) -> Self {
        Self(bytes)
    }

    /// Returns the bytes without a copy. From then on, wiping them is up to the caller.
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
