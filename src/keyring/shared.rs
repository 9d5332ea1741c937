//! A keyring that many threads read while it changes now and then.

use std::{
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, RwLock},
};

use crate::{Keyring, VerifyingKeyring};

/// A [`Keyring`] or [`VerifyingKeyring`] that many threads use and one changes now and then.
///
/// A thread takes the ring as it is with [`load`](Self::load) and works with that, however long it
/// takes; nobody waits for a change. Once [`update`](Self::update) or [`reload`](Self::reload) has
/// returned, every later `load` has the new ring.
///
/// ```
/// use twinseal::{DecapsulationKey, Keyring, Shared};
///
/// let ring = Shared::new(Keyring::new(DecapsulationKey::generate()?));
/// let sealed = ring.load().primary().seal(b"example.com/notes", b"hello")?;
///
/// let new = DecapsulationKey::generate()?;
/// ring.update(|ring| ring.rotate(new))?;
/// assert_eq!(&ring.load().open(b"example.com/notes", &sealed)?[..], b"hello");
/// # Ok::<(), twinseal::Error>(())
/// ```
#[derive(Debug)]
pub struct Shared<Ring> {
    current: RwLock<Arc<Ring>>,
    /// Held while a new ring is made, so that no change is lost and nobody waits to read.
    changing: Mutex<()>,
    directory: Option<PathBuf>,
}

impl<Ring: Clone> Shared<Ring> {
    /// Shares a ring.
    #[must_use]
    pub fn new(ring: Ring) -> Self {
        Self { current: RwLock::new(Arc::new(ring)), changing: Mutex::new(()), directory: None }
    }

    /// The ring as it is now.
    #[must_use]
    pub fn load(&self) -> Arc<Ring> {
        // A poisoned lock still guards a whole ring: it is only ever replaced by another.
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Changes the ring: `change` works on a copy, which then takes its place.
    pub fn update<T>(&self, change: impl FnOnce(&mut Ring) -> T) -> T {
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut ring = Ring::clone(&self.load());
        let result = change(&mut ring);
        self.replace(ring);
        result
    }

    fn replace(&self, ring: Ring) {
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(ring);
    }
}

/// A ring that is kept as a directory of PEM files: [`Keyring`] and [`VerifyingKeyring`].
///
/// The directory is read as Kubernetes mounts a secret: every file whose name ends in `.pem` and
/// does not start with a dot is one key. Where the mount has a `..data` link, the files are read
/// behind it, so that a change half-way gives the old files or the new ones, never a mixture.
pub trait Directory: Clone + Sized + private::Sealed {
    /// Reads the directory.
    ///
    /// # Errors
    ///
    /// Those of the file system; [`io::ErrorKind::InvalidData`] for a file that is no key of this
    /// kind, with its name.
    fn read_dir(path: impl AsRef<Path>) -> io::Result<Self>;
}

mod private {
    /// Only the rings of this crate are directories, and only it compares them.
    pub trait Sealed {
        /// Whether the other ring has the same keys in the same order.
        fn has_keys_of(&self, other: &Self) -> bool;

        /// The other ring's keys under this ring's policy.
        fn with_keys_of(&self, other: Self) -> Result<Self, crate::Error>
        where
            Self: Sized;
    }
}

impl private::Sealed for Keyring {
    fn has_keys_of(&self, other: &Self) -> bool {
        self.keys().eq(other.keys())
    }

    fn with_keys_of(&self, other: Self) -> Result<Self, crate::Error> {
        other.under(self.policy.clone())
    }
}

impl private::Sealed for VerifyingKeyring {
    fn has_keys_of(&self, other: &Self) -> bool {
        self.keys().eq(other.keys())
    }

    fn with_keys_of(&self, other: Self) -> Result<Self, crate::Error> {
        other.under(self.policy.clone())
    }
}

impl<Ring: Directory> Shared<Ring> {
    /// Reads a ring from a directory of PEM files, and remembers where for
    /// [`reload`](Self::reload).
    ///
    /// # Errors
    ///
    /// Those of [`Directory::read_dir`].
    pub fn read_dir(path: impl AsRef<Path>) -> io::Result<Self> {
        let ring = Ring::read_dir(&path)?;
        Ok(Self { directory: Some(path.as_ref().to_path_buf()), ..Self::new(ring) })
    }

    /// Reads the directory again, and tells whether the keys changed. Call it when the files
    /// changed: on a signal, by a watcher, or now and then. The policy stays. If anything is wrong
    /// with the new files, the ring stays as it was.
    ///
    /// # Errors
    ///
    /// Those of [`Directory::read_dir`]; [`Error::Refused`](crate::Error::Refused) if the policy
    /// does not accept a new key; [`io::ErrorKind::Unsupported`] if the ring was not read from a
    /// directory.
    pub fn reload(&self) -> io::Result<bool> {
        let directory = self.directory.as_ref().ok_or_else(|| {
            io::Error::new(io::ErrorKind::Unsupported, "the ring was not read from a directory")
        })?;
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let current = self.load();
        let ring = current.with_keys_of(Ring::read_dir(directory)?)?;
        let changed = !current.has_keys_of(&ring);
        if changed {
            self.replace(ring);
        }
        Ok(changed)
    }
}
