//! Buffers for secrets of any length, which are wiped when dropped.

use std::{
    fmt, mem,
    ops::{Deref, DerefMut},
};

mod page_buffer;

pub use page_buffer::PageBuffer;

/// Bytes that are wiped when dropped, as fast as memory is filled, and never printed. It derefs to
/// `[u8]`.
///
/// It is public for the buffers of a program that reads from this crate's readers or writes to its writers.
/// [`PageBuffer`] is for those that the system reads into or writes from.
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
    /// A buffer of `len` zeros.
    ///
    /// # Panics
    ///
    /// If there cannot be so many bytes, as for a [`Vec`]. The same is true of the functions that make room.
    #[must_use]
    pub fn zeroed(len: usize) -> Self {
        Self(vec![0; len])
    }

    /// An empty buffer with room for `capacity` bytes.
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        Self(Vec::with_capacity(capacity))
    }

    /// Appends bytes. If there is no room for them, the content moves to a larger buffer and the old
    /// one is wiped.
    pub fn extend_from_slice(&mut self, bytes: &[u8]) {
        self.reserve(bytes.len());
        self.0.extend_from_slice(bytes);
    }

    /// Makes room for so many more bytes.
    pub(crate) fn reserve(&mut self, additional: usize) {
        let len = self.0.len() + additional; // each is at most isize::MAX
        if len > self.0.capacity() {
            let mut larger = Vec::with_capacity(len.max(2 * self.0.capacity()));
            larger.extend_from_slice(&self.0);
            wipe(&mut mem::replace(&mut self.0, larger));
        }
    }

    /// The bytes as a vector, for functions that append to one: `read_to_end`, or
    /// [`Opener::update`](crate::envelope::Opener::update). It must not grow beyond its capacity,
    /// because nobody wipes the memory that it then leaves behind.
    pub fn as_mut_vec(&mut self) -> &mut Vec<u8> {
        &mut self.0
    }

    /// Wipes all of it now. Afterwards it is empty and still has its capacity.
    pub fn wipe(&mut self) {
        wipe(&mut self.0);
    }

    /// Returns the bytes without a copy. From then on, wiping them is up to the caller.
    #[must_use]
    pub fn into_vec(mut self) -> Vec<u8> {
        mem::take(&mut self.0)
    }
}

/// Overwrites the whole capacity, and empties the vector.
///
/// `zeroize` writes byte by byte, which takes more time than opening does. These writes are one
/// `memset`, and the barrier keeps the compiler from omitting it.
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
    /// Takes the vector over without a copy.
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
