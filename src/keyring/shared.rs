//! Keys that many threads use while they change.

use std::{
    fmt, io, mem,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock},
    thread::{self, ThreadId},
};

#[cfg(doc)]
use super::{Keyring, VerifyingKeyring};
use super::{Reload, Ring};
use crate::{error::Error, sign::SigningKey};

/// A [`Keyring`], a [`VerifyingKeyring`] or a signing key that many threads use while it changes.
///
/// A thread takes the current keys with [`load`](Self::load) and works with them for as long as it
/// needs; it never waits for a change. Once [`update`](Self::update), [`replace`](Self::replace) or
/// [`reload`](Self::reload) has returned, every later `load` returns the new ones.
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
/// # Keys in an HSM or KMS
///
/// A ring takes decapsulation keys of any kind: external ones, and [split](crate::split) ones. A signing key
/// that does not stay of one kind is shared as a `Box<dyn Sign>`. It has no file to be reloaded from, so
/// [`replace`](Self::replace) changes it.
///
/// ```
/// use twinseal::{
///     DecapsulationKey, Keyring, Sign, SigningKey,
///     keyring::Shared,
///     split::{SplitDecapsulationKey, SplitSigningKey},
/// };
///
/// let ring = Shared::new(Keyring::new(DecapsulationKey::generate()?));
/// let signing: Shared<Box<dyn Sign>> = Shared::new(Box::new(SigningKey::generate()?));
///
/// // From keys in memory to new keys, whose halves are in two tokens.
/// # let (whole, whole_signing) = (DecapsulationKey::generate()?, SigningKey::generate()?);
/// # let (public, signer) = (whole.encapsulation_key().clone(), whole_signing.verifying_key().clone());
/// # let (halves, signing_halves) = (whole.into_halves()?, whole_signing.into_halves()?);
/// # let (ml_kem, x25519) = (halves.post_quantum.into(), halves.traditional.into());
/// # let (ml_dsa, ecdsa) = (signing_halves.post_quantum.into(), signing_halves.traditional.into());
/// let key = SplitDecapsulationKey::new(public, ml_kem, x25519);
/// let signing_key = SplitSigningKey::new(signer, ml_dsa, ecdsa);
/// key.check()?;
/// signing_key.check()?;
/// ring.update(|ring| ring.rotate(key))?;
/// signing.replace(Box::new(signing_key));
///
/// let current = signing.load();
/// let signature = current.sign(b"example.com/releases", b"hello")?;
/// current.verifying_key().verify(b"example.com/releases", b"hello", &signature)?;
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
/// that must outlast this process belongs there, too. In the same way a signing key that
/// [`replace`](Self::replace) set stays until its file holds another one.
///
/// If a new file holds a key that [has a half](Keyring#shared-halves) of one that `update` added, the reload
/// fails.
///
/// # Locks
///
/// `load` waits at most for a pointer to be replaced, and may be called from anywhere. While
/// `update` runs its closure, or `reload` reads files, other calls of `update`, `replace` and `reload`
/// wait. A call from within the closure would wait for itself, so it panics. The closure must not
/// wait for a thread that changes the same ring.
pub struct Shared<R> {
    current: RwLock<Arc<R>>,
    source: Mutex<Option<Source<R>>>,
    /// The thread that holds the lock on `source`. That lock is held while a new ring is made,
    /// so that no change is lost and no reader waits.
    changer: Mutex<Option<ThreadId>>,
}

/// A directory or file, and what was last read from it.
struct Source<R> {
    path: PathBuf,
    last: Arc<R>,
}

/// The right to change what is shared, until it is dropped.
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

impl<R> Shared<R> {
    /// Shares a ring or a key. It has no files, so [`reload`](Self::reload) is an error.
    #[must_use]
    pub fn new(keys: R) -> Self {
        Self::with_source(Arc::new(keys), None)
    }

    fn with_source(keys: Arc<R>, source: Option<Source<R>>) -> Self {
        Self { current: RwLock::new(keys), source: Mutex::new(source), changer: Mutex::new(None) }
    }

    /// The ring or key as it is now.
    #[must_use]
    pub fn load(&self) -> Arc<R> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts another ring or key in its place, and returns the one that was there.
    ///
    /// # Panics
    ///
    /// If it is called from within an [`update`](Self::update) of the same ring.
    pub fn replace(&self, keys: R) -> Arc<R> {
        let keys = Arc::new(keys);
        let _changing = self.changing();
        self.swap(keys)
    }

    fn changing(&self) -> Changing<'_, R> {
        let this_thread = thread::current().id();
        let is_within = *lock(&self.changer) == Some(this_thread);
        assert!(!is_within, "a shared ring was changed from within a change of the same ring");
        let source = lock(&self.source);
        *lock(&self.changer) = Some(this_thread);
        Changing { source, changer: &self.changer }
    }

    /// Returns what was there, to be dropped when no lock is held.
    fn swap(&self, keys: Arc<R>) -> Arc<R> {
        mem::replace(&mut *self.current.write().unwrap_or_else(PoisonError::into_inner), keys)
    }
}

impl<R: Clone> Shared<R> {
    /// Changes the ring: `change` works on a copy, which then replaces it. If `change` panics, the
    /// ring stays as it was. `change` may call [`load`](Self::load), which returns the ring from
    /// before the change. A signing key has no copies: see [`replace`](Self::replace).
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
            new.take().map(|ring| self.swap(Arc::new(ring)))
        };
        drop(before);
        result
    }
}

impl<R: fmt::Debug> fmt::Debug for Shared<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Shared").field(&self.load()).finish()
    }
}

impl<R: Ring> Shared<R> {
    /// Reads a ring from a directory of PEM files, which [`reload`](Self::reload) reads again.
    ///
    /// # Errors
    ///
    /// Same as [`Keyring::read_dir`] or [`VerifyingKeyring::read_dir`].
    pub fn read_dir(path: impl AsRef<Path>) -> io::Result<Self> {
        Self::read_from(path.as_ref())
    }
}

impl Shared<SigningKey> {
    /// Reads a key from a PEM file, which [`reload`](Self::reload) reads again. It must be a regular
    /// file or a link to one, so that reading it never waits.
    ///
    /// To change the key, put another file in its place with one `mv`, or change a link, as Kubernetes
    /// does with a mounted secret. A file that is being copied there is refused until it is whole.
    ///
    /// # Errors
    ///
    /// Same as [`SigningKey::read_pem_file`].
    ///
    /// ```
    /// use twinseal::{SigningKey, keyring::Shared};
    ///
    /// # let directory = tempfile::tempdir()?;
    /// # let path = directory.path().join("sign.pem");
    /// # let next = directory.path().join("next.pem");
    /// SigningKey::generate()?.write_pem_file(&path)?;
    /// let key: Shared<SigningKey> = Shared::read_pem_file(&path)?;
    ///
    /// SigningKey::generate()?.write_pem_file(&next)?;
    /// std::fs::rename(&next, &path)?;
    /// assert!(key.reload()?);
    /// let signature = key.load().sign(b"example.com/releases", b"hello")?; // with the new key
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn read_pem_file(path: impl AsRef<Path>) -> io::Result<Self> {
        Self::read_from(path.as_ref())
    }
}

impl<R: Reload> Shared<R> {
    fn read_from(path: &Path) -> io::Result<Self> {
        let last = Arc::new(R::read_from(path)?);
        let source = Source { path: path.to_path_buf(), last: Arc::clone(&last) };
        Ok(Self::with_source(last, Some(source)))
    }

    /// Reads the directory or file again, applies what changed in it (see
    /// [Two sources of keys](#two-sources-of-keys)), and returns whether the ring or key changed. Call
    /// it when the files have changed: on a signal, by a watcher, or now and then. The policy stays. If
    /// anything is wrong with the new files, the keys stay as they were.
    ///
    /// This is blocking I/O, and takes about a millisecond for each key. Asynchronous code calls it on
    /// a thread that may block, as tokio's `spawn_blocking` does, or uses `twinseal::tokio::watch`.
    ///
    /// # Errors
    ///
    /// Same as [`read_dir`](Self::read_dir) or [`read_pem_file`](Self::read_pem_file);
    /// [`Error::Refused`], wrapped in [`io::Error`], if the policy does not accept a new key;
    /// [`io::ErrorKind::Unsupported`] if the keys were not read from files.
    ///
    /// # Panics
    ///
    /// If it is called from within an [`update`](Self::update) of the same ring.
    pub fn reload(&self) -> io::Result<bool> {
        let (_last, _before); // dropped when no lock is held
        let mut changing = self.changing();
        let source = changing.source.as_mut().ok_or_else(|| {
            io::Error::new(io::ErrorKind::Unsupported, "the keys were not read from files")
        })?;
        let now = Arc::new(R::read_from(&source.path)?);
        let current = self.load();
        let merged = current
            .with_changes(&source.last, &now)
            .map_err(|error| Error::at(&source.path, error.into()))?;
        let changed = !current.is_same(&merged);
        _last = mem::replace(&mut source.last, now);
        if changed {
            _before = self.swap(merged);
        }
        Ok(changed)
    }
}
