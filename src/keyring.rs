//! Several keys at once: a primary one and older ones, and the rotation between them.

use std::{fmt, sync::Arc};

use crate::{
    error::Error,
    kem::{Decapsulate, DecapsulationKey, EncapsulationKey, KemSuite},
    key_id::KeyId,
    policy::Policy,
};

mod distinct;
mod merge;
mod shared;
mod verifying;

use distinct::{Distinct, Handle};
pub use shared::{Ring, Shared};
pub use verifying::VerifyingKeyring;

/// Decapsulation keys: the primary one, to which others seal, and older ones, with which what was
/// sealed before still opens. Never empty.
///
/// Keys are found by the key ids that envelopes and hellos carry: there is no trial decryption. An
/// envelope that is addressed to several keys of the ring is opened with the first of them in the
/// order of [`keys`](Self::keys); only if that key cannot be reached ([`Error::External`]) or has no
/// randomness ([`Error::Randomness`]), the next one is asked, each at most once. For many threads
/// and a rotation now and then, see [`Shared`].
///
/// A key is in a ring once. Where one is added again, the new handle replaces the old one: that of
/// a token after another login, or of a key that was moved [`on`](DecapsulationKey::on) another
/// provider.
///
/// ```
/// use twinseal::{DecapsulationKey, Keyring};
///
/// let mut ring = Keyring::new(DecapsulationKey::generate()?);
/// let sealed = ring.primary().seal(b"example.com/notes", b"hello")?;
///
/// let old = ring.primary().key_id();
/// ring.rotate(DecapsulationKey::generate()?)?;
/// assert_eq!(&ring.open(b"example.com/notes", &sealed)?[..], b"hello");
///
/// ring.retire(&old)?;
/// assert!(ring.open(b"example.com/notes", &sealed).is_err());
/// # Ok::<(), twinseal::Error>(())
/// ```
#[derive(Clone)]
pub struct Keyring {
    primary: RingKey,
    /// The newest first.
    older: Distinct<RingKey>,
    policy: Policy,
}

/// A key of a [`Keyring`]: one in memory, or one that lives elsewhere. Made by `into()`.
#[derive(Clone)]
pub struct RingKey {
    place: Place,
    /// Asked of the key once: a ring compares keys while it holds a lock.
    public: EncapsulationKey,
}

#[derive(Clone)]
enum Place {
    Memory(Arc<DecapsulationKey>),
    Elsewhere(Arc<dyn Decapsulate>),
}

impl From<DecapsulationKey> for RingKey {
    fn from(key: DecapsulationKey) -> Self {
        Arc::new(key).into()
    }
}

impl From<Arc<DecapsulationKey>> for RingKey {
    fn from(key: Arc<DecapsulationKey>) -> Self {
        Self { public: key.encapsulation_key().clone(), place: Place::Memory(key) }
    }
}

impl From<Arc<dyn Decapsulate>> for RingKey {
    fn from(key: Arc<dyn Decapsulate>) -> Self {
        Self { public: key.encapsulation_key().clone(), place: Place::Elsewhere(key) }
    }
}

impl RingKey {
    fn as_dyn(&self) -> &dyn Decapsulate {
        match &self.place {
            Place::Memory(key) => &**key,
            Place::Elsewhere(key) => &**key,
        }
    }

    fn public(&self) -> &EncapsulationKey {
        &self.public
    }

    /// The key itself, to be written to a file.
    pub(crate) fn in_memory(&self) -> Result<&DecapsulationKey, Error> {
        match &self.place {
            Place::Memory(key) => Ok(key),
            Place::Elsewhere(_) => Err(Error::Unsupported("writing a key that lives elsewhere")),
        }
    }
}

impl Handle for RingKey {
    type Key = EncapsulationKey;

    fn key(&self) -> &EncapsulationKey {
        &self.public
    }
}

impl Keyring {
    /// A keyring of one key, with [`Policy::stable`].
    #[must_use]
    pub fn new(primary: impl Into<RingKey>) -> Self {
        Self { primary: primary.into(), older: Distinct::new(), policy: Policy::stable() }
    }

    /// The same keys under another policy.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] if it does not accept one of the keys.
    pub fn with_policy(self, policy: Policy) -> Result<Self, Error> {
        self.keys().try_for_each(|key| policy.check_kem(key.suite()))?;
        Ok(Self { policy, ..self })
    }

    /// The key to publish, and to seal to.
    #[must_use]
    pub fn primary(&self) -> &EncapsulationKey {
        self.primary.public()
    }

    /// All keys, the primary one first, then from the newest to the oldest.
    pub fn keys(&self) -> impl Iterator<Item = &EncapsulationKey> {
        self.ring_keys().map(RingKey::public)
    }

    /// Makes this key the primary one; the one before stays, to open what was sealed to it. A key
    /// that the ring has already is replaced by the new handle.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] if the policy does not accept the key's suite.
    pub fn rotate(&mut self, key: impl Into<RingKey>) -> Result<(), Error> {
        let key = key.into();
        self.policy.check_kem(key.public().suite())?;
        self.older.remove(key.public());
        let before = std::mem::replace(&mut self.primary, key);
        if before.public() != self.primary() {
            self.older.put_first(before);
        }
        Ok(())
    }

    /// Adds a key that is older than all others. A key that the ring has already keeps its place,
    /// the primary one too, and is replaced by the new handle.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] if the policy does not accept the key's suite.
    pub fn add_older(&mut self, key: impl Into<RingKey>) -> Result<(), Error> {
        let key = key.into();
        self.policy.check_kem(key.public().suite())?;
        if key.public() == self.primary() {
            self.primary = key;
        } else {
            self.older.put(key);
        }
        Ok(())
    }

    /// Removes an older key: what was sealed to it alone does not open any more.
    ///
    /// # Errors
    ///
    /// [`Error::Misuse`] if it is the primary key, which is replaced by [`rotate`](Self::rotate)
    /// first, or no key of this ring.
    pub fn retire(&mut self, key_id: &KeyId) -> Result<(), Error> {
        let invalid = |reason| Err(Error::Misuse { what: "key to retire", reason });
        if self.primary().key_id() == *key_id {
            return invalid("it is the primary key; rotate first");
        }
        match self.older.remove_id(key_id) {
            0 => invalid("the keyring does not have it"),
            _ => Ok(()),
        }
    }

    /// The key of this suite and id, if the policy accepts it.
    pub(crate) fn find(&self, suite: KemSuite, key_id: &KeyId) -> Result<&dyn Decapsulate, Error> {
        let is_wanted =
            |key: &&RingKey| (key.public().suite(), key.public().key_id()) == (suite, *key_id);
        let key = std::iter::once(&self.primary)
            .chain(self.older.with_id(key_id))
            .find(is_wanted)
            .ok_or(Error::NotARecipient)?;
        self.policy.check_kem(suite)?;
        Ok(key.as_dyn())
    }

    /// Uses the first of the wanted keys that can be used. One that is out of reach is passed over;
    /// every other error is a verdict about the data, after which no key is asked. If none has
    /// succeeded, the first error is returned.
    pub(crate) fn use_first<T>(
        &self,
        is_wanted: impl Fn(&EncapsulationKey) -> bool,
        mut use_key: impl FnMut(&dyn Decapsulate) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let mut first = None;
        for key in self.ring_keys().filter(|key| is_wanted(key.public())) {
            self.policy.check_kem(key.public().suite())?;
            match use_key(key.as_dyn()) {
                Err(error @ (Error::External(_) | Error::Randomness)) => {
                    first.get_or_insert(error);
                }
                Err(error) => return Err(first.unwrap_or(error)),
                used => return used,
            }
        }
        Err(first.unwrap_or(Error::NotARecipient))
    }

    pub(crate) fn ring_keys(&self) -> impl Iterator<Item = &RingKey> {
        std::iter::once(&self.primary).chain(self.older.iter())
    }

    pub(crate) fn contains(&self, key: &EncapsulationKey) -> bool {
        self.primary() == key || self.older.contains(key)
    }

    pub(crate) fn policy(&self) -> &Policy {
        &self.policy
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.keys()).finish()
    }
}

impl fmt::Debug for RingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RingKey({:?})", self.public())
    }
}
