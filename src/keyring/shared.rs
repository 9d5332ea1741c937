//! A ring that many threads use while it changes.

use std::{
    fmt, io, mem,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock},
    thread::{self, ThreadId},
};

use super::Ring;
#[cfg(doc)]
use super::{Keyring, VerifyingKeyring};
use crate::error::Error;

/// A [`Keyring`] or [`VerifyingKeyring`] that many threads use while it changes.
///
/// A thread takes the current ring with [`load`](Self::load) and works with it for as long as it
/// needs; it never waits for a change. Once [`update`](Self::update) or [`reload`](Self::reload) has
/// returned, every later `load` returns the new ring.
///
/// ```
/// use twinseal::{DecapsulationKey, Keyring, keyring::Shared};
///
/// let ring = Shared::new(Keyring::new(DecapsulationKey::generate()?));
/// let sealed = ring.load().primary().seal(b"example.com/notes", b"hello")?;
///
/// let new = DecapsulationKey::generate()?;
/// ring.update(|ring| ring.rotate(new))?;
/// assert_eq!(&ring.load().open(b"example.com/notes", &sealed)?[..], b"hello");
/// # Ok::<(), twinseal::Error>(())
/// ```
///
/// # Two sources of keys
///
/// The keys of a ring that was [read from a directory](Self::read_dir) come from two sources, and
/// neither overrules the other. [`reload`](Self::reload) applies what changed *in the directory*
/// since it was last read: a key whose file is new is added, a key whose file is gone is dropped,
/// and another `primary.pem` becomes the primary key. Everything else stays as
/// [`update`](Self::update) left it: a key that it added is kept, and so is its place as the primary
/// key; a key that it removed stays removed. A new process knows only the directory, so a change
/// that must outlast this process belongs there, too.
///
/// # Locks
///
/// `load` waits at most for a pointer to be replaced, and may be called from anywhere. While
/// `update` runs its closure, or `reload` reads the directory, other calls of `update` and `reload`
/// wait. A call from within the closure would wait for itself, so it panics. The closure must not
/// wait for a thread that changes the same ring.
pub struct Shared<R> {
    current: RwLock<Arc<R>>,
    directory: Mutex<Option<Source<R>>>,
    /// The thread that holds the lock on `directory`. That lock is held while a new ring is made,
    /// so that no change is lost and no reader waits.
    changer: Mutex<Option<ThreadId>>,
}

/// A directory, and the ring that was last read from it.
struct Source<R> {
    path: PathBuf,
    last: R,
}

/// The right to change a ring, until it is dropped.
struct Changing<'a, R> {
    source: MutexGuard<'a, Option<Source<R>>>,
    changer: &'a Mutex<Option<ThreadId>>,
}

impl<R> Drop for Changing<'_, R> {
    fn drop(&mut self) {
        *lock(self.changer) = None;
    }
}

/// The value is valid even if the lock is poisoned, because it is only ever replaced as a whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<R: Clone> Shared<R> {
    /// Shares a ring.
    #[must_use]
    pub fn new(ring: R) -> Self {
        Self::with_source(ring, None)
    }

    fn with_source(ring: R, source: Option<Source<R>>) -> Self {
        Self {
            current: RwLock::new(Arc::new(ring)),
            directory: Mutex::new(source),
            changer: Mutex::new(None),
        }
    }

    /// The ring as it is now.
    #[must_use]
    pub fn load(&self) -> Arc<R> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Changes the ring: `change` works on a copy, which then replaces it. If `change` panics, the
    /// ring stays as it was. `change` may call [`load`](Self::load), which returns the ring from
    /// before the change.
    ///
    /// # Panics
    ///
    /// If it is called from within an `update` of the same ring.
    pub fn update<T>(&self, change: impl FnOnce(&mut R) -> T) -> T {
        // Dropping callers' keys runs callers' code, so no lock is held by then: neither for the
        // new ring, which is dropped if `change` panics, nor for the old one.
        let mut new = None;
        let result;
        let before = {
            let _changing = self.changing();
            result = change(new.insert(R::clone(&self.load())));
            new.take().map(|ring| self.replace(ring))
        };
        drop(before);
        result
    }

    fn changing(&self) -> Changing<'_, R> {
        let this_thread = thread::current().id();
        let is_within = *lock(&self.changer) == Some(this_thread);
        assert!(!is_within, "a shared ring was changed from within a change of the same ring");
        let source = lock(&self.directory);
        *lock(&self.changer) = Some(this_thread);
        Changing { source, changer: &self.changer }
    }

    /// Returns the previous ring, to be dropped when no lock is held.
    fn replace(&self, ring: R) -> Arc<R> {
        let ring = Arc::new(ring);
        mem::replace(&mut *self.current.write().unwrap_or_else(PoisonError::into_inner), ring)
    }
}

impl<R: fmt::Debug> fmt::Debug for Shared<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ring = Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner));
        f.debug_tuple("Shared").field(&ring).finish()
    }
}

impl<R: Ring> Shared<R> {
    /// Reads a ring from a directory of PEM files, which [`reload`](Self::reload) reads again.
    ///
    /// # Errors
    ///
    /// Same as [`Keyring::read_dir`] or [`VerifyingKeyring::read_dir`].
    pub fn read_dir(path: impl AsRef<Path>) -> io::Result<Self> {
        let path = path.as_ref();
        let ring = R::from_dir(path)?;
        let source = Source { path: path.to_path_buf(), last: ring.clone() };
        Ok(Self::with_source(ring, Some(source)))
    }

    /// Reads the directory again, applies what changed in it (see
    /// [Two sources of keys](#two-sources-of-keys)), and returns whether the ring changed. Call it
    /// when the files have changed: on a signal, by a watcher, or now and then. The policy stays. If
    /// anything is wrong with the new files, the ring stays as it was.
    ///
    /// # Errors
    ///
    /// Same as [`read_dir`](Self::read_dir); [`Error::Refused`], wrapped in [`io::Error`], if the
    /// policy does not accept a new key; [`io::ErrorKind::Unsupported`] if the ring was not read
    /// from a directory.
    ///
    /// # Panics
    ///
    /// If it is called from within an [`update`](Self::update) of the same ring.
    pub fn reload(&self) -> io::Result<bool> {
        let (_last, _before); // dropped when no lock is held
        let mut changing = self.changing();
        let source = changing.source.as_mut().ok_or_else(|| {
            io::Error::new(io::ErrorKind::Unsupported, "the ring was not read from a directory")
        })?;
        let now = R::from_dir(&source.path)?;
        let current = self.load();
        let merged = current
            .with_changes(&source.last, &now)
            .map_err(|error| Error::at(&source.path, error.into()))?;
        let changed = !current.is_same(&merged);
        _last = mem::replace(&mut source.last, now);
        if changed {
            _before = self.replace(merged);
        }
        Ok(changed)
    }
}
