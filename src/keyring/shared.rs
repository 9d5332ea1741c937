//! A keyring that many threads read while it changes now and then.

use std::{
    fmt, io, mem,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock},
    thread::{self, ThreadId},
};

use super::merge::Merge;
use crate::error::Error;
#[cfg(doc)]
use crate::keyring::{Keyring, VerifyingKeyring};

/// A [`Keyring`] or [`VerifyingKeyring`] that many threads use and one changes now and then.
///
/// A thread takes the ring as it is with [`load`](Self::load) and works with that, however long it
/// takes; nobody waits for a change. Once [`update`](Self::update) or [`reload`](Self::reload) has
/// returned, every later `load` has the new ring.
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
/// since it was read last: a key whose file is new is added, a key whose file is gone is dropped,
/// and another `primary.pem` becomes the primary key. Everything else stays as
/// [`update`](Self::update) left it: a key that it added, as a rotation or an HSM does, is kept,
/// and so is its place as the primary key; a key that it removed stays away. A new process knows
/// only the directory, so whatever must outlast this one belongs there, too.
///
/// # Locks
///
/// `load` never waits for longer than it takes to replace a pointer, and may be called from
/// anywhere. While `update` runs its closure, or `reload` reads the directory, other calls of
/// `update` and `reload` wait. Calling either from within the closure would wait for itself: it
/// panics. Do not let the closure wait for a thread that changes the same ring.
pub struct Shared<R> {
    current: RwLock<Arc<R>>,
    directory: Mutex<Option<Source<R>>>,
    /// Who holds the lock on `directory`, which is held while a new ring is made, so that no
    /// change is lost and nobody waits to read.
    changer: Mutex<Option<ThreadId>>,
}

/// A directory, and the ring that it held when it was read last.
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

/// A poisoned lock still guards something whole, which is only ever replaced as a whole.
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

    /// Changes the ring: `change` works on a copy, which then takes its place. If `change` panics,
    /// the ring stays as it was. It may call [`load`](Self::load), which returns the ring from
    /// before the change.
    ///
    /// # Panics
    ///
    /// If it is called from within an `update` of the same ring.
    pub fn update<T>(&self, change: impl FnOnce(&mut R) -> T) -> T {
        // Callers' keys are dropped when no lock is held, because that runs callers' code: the new
        // ring if `change` panics, the old one if not.
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

    /// Returns the ring that is replaced, to be dropped without a lock.
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

/// A ring that is kept as a directory of PEM files: [`Keyring`] and [`VerifyingKeyring`].
///
/// Every file whose name ends in `.pem` and does not start with a dot is one key; in a [`Keyring`],
/// `primary.pem` is the primary key, and the others follow in the order of their names. Files may be links. At most 1000 are read, with at most 4 MiB each and
/// 16 MiB together. A key that is there under several names counts once, so `primary.pem` may be a link to
/// `2026-01.pem`. A FIFO, socket or device with such a name is an error, at once.
///
/// The directory is read as Kubernetes mounts a secret: where there is a `..data` link, the files
/// are those behind it. If anything changes while it is read, it is read again, so that the ring is
/// that of one moment, never a mixture.
///
/// # Rotation
///
/// In a plain directory, these steps have no moment in which the directory is wrong, or lacks a key
/// that it had. Each is one atomic call of the file system:
///
/// ```sh
/// ln keys/primary.pem keys/2026-01.pem    # the old key gets a name of its own
/// mv new.pem keys/primary.pem             # from the same file system
/// rm keys/2026-01.pem                     # later, when nothing is sealed to it any more
/// ```
///
/// With `primary.pem` as a link: `mv 2026-02.pem keys/`, then `ln -s 2026-02.pem keys/new` and
/// `mv keys/new keys/primary.pem`. `cp` onto a file that is read meanwhile is no such step; copy to
/// a name that does not end in `.pem`, then `mv`.
pub trait Ring: Clone + Sized + Merge {
    /// Reads the directory.
    ///
    /// # Errors
    ///
    /// Those of the file system; [`io::ErrorKind::InvalidData`] for a file that is not a key of
    /// this kind; [`io::ErrorKind::ResourceBusy`] if the directory does not stop changing. The text
    /// names the file, or else the directory.
    fn read_dir(path: impl AsRef<Path>) -> io::Result<Self>;
}

impl<R: Ring> Shared<R> {
    /// Reads a ring from a directory of PEM files, and remembers where for
    /// [`reload`](Self::reload).
    ///
    /// # Errors
    ///
    /// Those of [`Ring::read_dir`].
    pub fn read_dir(path: impl AsRef<Path>) -> io::Result<Self> {
        let ring = R::read_dir(&path)?;
        let source = Source { path: path.as_ref().to_path_buf(), last: ring.clone() };
        Ok(Self::with_source(ring, Some(source)))
    }

    /// Reads the directory again, applies what changed in it (see
    /// [Two sources of keys](#two-sources-of-keys)), and returns whether the ring changed. Call it
    /// when the files changed: on a signal, by a watcher, or now and then. The policy stays. If
    /// anything is wrong with the new files, the ring stays as it was.
    ///
    /// # Errors
    ///
    /// Those of [`Ring::read_dir`]; [`Error::Refused`] if the policy does not accept a new
    /// key; [`Error::Invalid`] if no key would be left; [`io::ErrorKind::Unsupported`] if the ring
    /// was not read from a directory.
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
        let now = R::read_dir(&source.path)?;
        let current = self.load();
        let merged = current
            .with_changes(&source.last, &now)
            .map_err(|error| Error::at(&source.path, error.into()))?;
        let changed = !current.has_keys_of(&merged);
        _last = mem::replace(&mut source.last, now);
        if changed {
            _before = self.replace(merged);
        }
        Ok(changed)
    }
}
