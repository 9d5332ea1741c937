//! A buffer for secrets that starts on a page, to read into and to write from.

use std::{
    fmt,
    ops::{Deref, DerefMut},
};

use super::SecretBuffer;

/// The size of a page in bytes. Where pages are larger, it is still a multiple of a cache line.
const PAGE: usize = 4096;

/// Bytes that start on a page: a buffer to read into and to write from. It keeps its length and its
/// place in memory, is wiped when dropped, and never printed. It derefs to `[u8]`.
///
/// How fast a system copies between a file and a buffer depends on where in its page the buffer starts: AMD Zen 4 copies
/// at a third to two thirds of its speed to a place 16 bytes further in its page than the source is in its own. `malloc`
/// puts large buffers 16 bytes behind the start of a page, and files are read from whole pages.
///
/// ```
/// # use std::io::Read;
/// # use twinseal::secret::PageBuffer;
/// # let bob = twinseal::DecapsulationKey::generate()?;
/// # let sealed = bob.encapsulation_key().seal(b"example.com/notes", b"hello")?;
/// let mut reader = bob.open_reader(b"example.com/notes", &sealed[..])?;
/// let mut buffer = PageBuffer::zeroed(64 * 1024);
/// let length = reader.read(&mut buffer)?;
/// assert_eq!(&buffer[..length], b"hello");
/// assert!(buffer.as_ptr().addr().is_multiple_of(4096));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct PageBuffer {
    /// Padding, then the bytes.
    padded: SecretBuffer,
    padding: usize,
}

impl PageBuffer {
    /// A buffer of `len` zeros.
    ///
    /// # Panics
    ///
    /// If there cannot be so many bytes, as for a [`Vec`].
    #[must_use]
    pub fn zeroed(len: usize) -> Self {
        Self::zeroed_at(0, len)
    }

    /// A buffer that starts so many bytes behind the start of a page.
    pub(crate) fn zeroed_at(offset: usize, len: usize) -> Self {
        // A sum that wraps would make a buffer that is too short.
        let padded = len.checked_add(offset + (PAGE - 1)).expect("the capacity overflows");
        let mut padded = SecretBuffer::zeroed(padded);
        let padding = padded.as_ptr().addr().wrapping_neg() % PAGE + offset;
        padded.as_mut_vec().truncate(padding + len);
        Self { padded, padding }
    }

    /// Wipes all of it now. Afterwards it consists of zeros.
    pub fn wipe(&mut self) {
        self.fill(0);
        zeroize::optimization_barrier(&**self);
    }
}

impl Deref for PageBuffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.padded[self.padding..]
    }
}

impl DerefMut for PageBuffer {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.padded[self.padding..]
    }
}

impl AsRef<[u8]> for PageBuffer {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl AsMut<[u8]> for PageBuffer {
    fn as_mut(&mut self) -> &mut [u8] {
        self
    }
}

impl fmt::Debug for PageBuffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PageBuffer({} bytes)", self.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// With optimisations, sums wrap: the longest lengths must not make short buffers.
    #[test]
    #[should_panic(expected = "the capacity overflows")]
    fn a_length_that_wraps_is_refused() {
        let _ = PageBuffer::zeroed(usize::MAX - 1);
    }
}
