//! The one buffer for secrets of any length: how it is filled, and how it is wiped.

use std::{
    fmt, mem,
    ops::{Deref, DerefMut},
};

/// Bytes that are wiped when dropped, as fast as memory is filled, and never printed. It derefs to
/// `[u8]`.
///
/// Readers and writers of the crate keep what they hold in it; it is here for buffers that stand
/// before and behind them.
///
/// ```
/// # use std::io::Read;
/// # use twinseal::secret::SecretBuffer;
/// # let bob = twinseal::DecapsulationKey::generate()?;
/// # let sealed = bob.encapsulation_key().seal(b"example.com/notes", b"hello")?;
/// let mut reader = bob.open_reader(b"example.com/notes", &sealed[..])?;
/// let mut buffer = SecretBuffer::zeroed(64 * 1024);
/// let length = reader.read(&mut buffer)?;
/// assert_eq!(&buffer[..length], b"hello");
/// assert_eq!(format!("{buffer:?}"), "SecretBuffer(65536 bytes)");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct SecretBuffer(Vec<u8>);

impl SecretBuffer {
    /// `length` zeros.
    #[must_use]
    pub fn zeroed(length: usize) -> Self {
        Self(vec![0; length])
    }

    /// An empty buffer with room for `capacity` bytes.
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        Self(Vec::with_capacity(capacity))
    }

    /// Appends bytes. If there is no room for them, what is there moves to a larger buffer, and the
    /// old one is wiped.
    pub fn extend_from_slice(&mut self, bytes: &[u8]) {
        let length = self.0.len().saturating_add(bytes.len());
        if length > self.0.capacity() {
            let mut larger = Vec::with_capacity(length.max(self.0.capacity().saturating_mul(2)));
            larger.extend_from_slice(&self.0);
            wipe(&mut mem::replace(&mut self.0, larger));
        }
        self.0.extend_from_slice(bytes);
    }

    /// The bytes as a vector, for what appends to one: `read_to_end`, or
    /// [`Opener::update`](crate::envelope::Opener::update). It must not grow beyond its capacity, since what
    /// it then leaves behind is wiped by nobody.
    pub fn as_mut_vec(&mut self) -> &mut Vec<u8> {
        &mut self.0
    }

    /// Wipes all of it now. Afterwards it is empty, and has its capacity still.
    pub fn wipe(&mut self) {
        wipe(&mut self.0);
    }

    /// Gives the bytes away without a copy. From here on wiping them is up to the caller.
    #[must_use]
    pub fn into_vec(mut self) -> Vec<u8> {
        mem::take(&mut self.0)
    }
}

/// Overwrites the whole capacity, and empties the vector.
///
/// `zeroize` writes byte by byte, which takes more time than opening does. These writes are one
/// `memset`, and its barrier keeps the compiler from leaving them out.
fn wipe(bytes: &mut Vec<u8>) {
    bytes.clear();
    bytes.resize(bytes.capacity(), 0);
    zeroize::optimization_barrier(bytes.as_slice());
    bytes.clear();
}

impl Drop for SecretBuffer {
    fn drop(&mut self) {
        wipe(&mut self.0);
    }
}

impl From<Vec<u8>> for SecretBuffer {
    /// Takes the vector over, without a copy.
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl Deref for SecretBuffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl DerefMut for SecretBuffer {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.0
    }
}

impl AsRef<[u8]> for SecretBuffer {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl AsMut<[u8]> for SecretBuffer {
    fn as_mut(&mut self) -> &mut [u8] {
        self
    }
}

impl fmt::Debug for SecretBuffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretBuffer({} bytes)", self.len())
    }
}
