//! Sources that can be read at any position: files, bytes in memory, and others.

use std::{fs::File, io, rc::Rc, sync::Arc};

use crate::retry::uninterrupted;

/// Something that can be read at any position, by several threads at once.
///
/// Implemented for files, bytes in memory, [`RandomAccess`](crate::stream::RandomAccess), and references and
/// smart pointers to any of them, such as `Box<dyn ReadAt>`. A call that fails with
/// [`Interrupted`](io::ErrorKind::Interrupted) is repeated; other errors are returned unchanged.
///
/// ```
/// use std::{fs::File, path::Path, sync::Arc};
///
/// use twinseal::stream::ReadAt;
///
/// fn source(path: Option<&Path>, bytes: Arc<[u8]>) -> std::io::Result<Box<dyn ReadAt>> {
///     Ok(match path {
///         Some(path) => Box::new(File::open(path)?),
///         None => Box::new(bytes),
///     })
/// }
///
/// # let bob = twinseal::DecapsulationKey::generate()?;
/// # let sealed = bob.encapsulation_key().seal(b"example.com/notes", b"hello")?;
/// assert_eq!(bob.open_at(b"example.com/notes", source(None, sealed.into())?)?.len(), 5);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait ReadAt {
    /// Fills the whole buffer from this offset.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::UnexpectedEof`] if the source ends before; and the errors of the source.
    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()>;

    /// The length in bytes.
    ///
    /// # Errors
    ///
    /// The errors of the source.
    // Not `len`: where the trait is imported, that would hide the `len` of `Box<[u8]>` and `Arc<[u8]>`.
    fn size(&self) -> io::Result<u64>;
}

impl ReadAt for File {
    #[cfg(unix)]
    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        std::os::unix::fs::FileExt::read_exact_at(self, buffer, offset)
    }

    #[cfg(windows)]
    fn read_exact_at(&self, mut buffer: &mut [u8], mut offset: u64) -> io::Result<()> {
        while !buffer.is_empty() {
            match std::os::windows::fs::FileExt::seek_read(self, buffer, offset) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(length) => {
                    buffer = buffer.split_at_mut(length).1;
                    offset += length as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn size(&self) -> io::Result<u64> {
        let metadata = self.metadata()?;
        if metadata.is_file() {
            Ok(metadata.len())
        } else {
            Err(io::Error::new(io::ErrorKind::Unsupported, "only a file can be read at a position"))
        }
    }
}

impl ReadAt for [u8] {
    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        let part = usize::try_from(offset)
            .ok()
            .and_then(|start| self.get(start..start.checked_add(buffer.len())?))
            .ok_or(io::ErrorKind::UnexpectedEof)?;
        buffer.copy_from_slice(part);
        Ok(())
    }

    fn size(&self) -> io::Result<u64> {
        Ok(self.len() as u64)
    }
}

impl ReadAt for Vec<u8> {
    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        self.as_slice().read_exact_at(buffer, offset)
    }

    fn size(&self) -> io::Result<u64> {
        self.as_slice().size()
    }
}

/// A pointer to a source is a source.
macro_rules! pointers {
    ($($pointer:ty),+) => {$(
        impl<T: ReadAt + ?Sized> ReadAt for $pointer {
            fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
                T::read_exact_at(self, buffer, offset)
            }

            fn size(&self) -> io::Result<u64> {
                T::size(self)
            }
        }
    )+};
}

pointers!(&T, &mut T, Box<T>, Rc<T>, Arc<T>);

/// Reads, again if that was interrupted.
pub(crate) fn read_exact_at(
    source: &(impl ReadAt + ?Sized),
    buffer: &mut [u8],
    offset: u64,
) -> io::Result<()> {
    uninterrupted(|| source.read_exact_at(buffer, offset))
}

/// Asks for the length, again if that was interrupted.
pub(crate) fn size(source: &(impl ReadAt + ?Sized)) -> io::Result<u64> {
    uninterrupted(|| source.size())
}
