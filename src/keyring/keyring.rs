//! The keys that one party opens with, and the rotation between them.

use std::fmt;

#[cfg(doc)]
use super::Shared;
use super::{distinct::Distinct, halves, ring_key::RingKey};
use crate::{
    error::Error,
    kem::{Decapsulate, EncapsulationKey, KemSuite},
    key_id::KeyId,
    policy::Policy,
};

/// Decapsulation keys: the primary one, to which others seal, and older ones, which still open what
/// was sealed to them. Never empty.
///
/// Keys are found by the key ids that envelopes and hellos carry: there is no trial decryption. An
/// envelope that is addressed to several keys of the ring is opened with the first of them in the
/// order of [`keys`](Self::keys). Only if that key cannot be reached ([`Error::External`]) or has no
/// randomness ([`Error::Randomness`]), the next one is asked, each at most once. For many threads
/// and keys that change, see [`Shared`].
///
/// A key is in a ring once. If it is added again, the new handle replaces the old one: that of a
/// token after another login, or that of a key that was moved to another provider.
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
/// ring.retire(old)?;
/// assert!(ring.open(b"example.com/notes", &sealed).is_err());
/// # Ok::<(), twinseal::Error>(())
/// ```
///
/// # Shared halves
///
/// A ring refuses two different keys that have a half in common, [`Error::Keyring`]: the same ML-KEM-1024,
/// X25519 or P-384 key, in whichever suites. Each of two such keys looks as strong as any other, but they
/// fall together: whoever learns the private half that they share has half of both, and has to break only
/// the other half of one to read what was sealed to it. A half is also a key that other software may use in
/// other ways, which is why each has to be made for one key and used in nothing else.
///
/// This is seen only within one ring. Two services with a ring each cannot see that their keys share a half.
#[derive(Clone)]
pub struct Keyring {
    pub(super) primary: RingKey,
    /// The newest first.
    pub(super) older: Distinct<RingKey>,
    pub(super) policy: Policy,
}

impl Keyring {
    /// A keyring of one key, with [`Policy::stable`]. The key is in memory, as a
    /// [`DecapsulationKey`](crate::DecapsulationKey), or an [`Arc`](std::sync::Arc) or [`Box`] of
    /// one, or it is external, as any other type that implements [`Decapsulate`].
    ///
    /// ```
    /// # use twinseal::{Decapsulate, DecapsulationKey, EncapsulationKey, Error, Keyring};
    /// # use twinseal::kem::{Ciphertext, SharedSecret};
    /// # struct Hsm(DecapsulationKey);
    /// # impl Decapsulate for Hsm {
    /// #     fn encapsulation_key(&self) -> &EncapsulationKey { self.0.encapsulation_key() }
    /// #     fn decapsulate(&self, c: &Ciphertext) -> Result<SharedSecret, Error> { self.0.decapsulate(c) }
    /// # }
    /// use std::sync::Arc;
    ///
    /// # let hsm = Hsm(DecapsulationKey::generate()?);
    /// let hsm = Arc::new(hsm); // it implements `Decapsulate`
    /// let mut ring = Keyring::new(Arc::clone(&hsm));
    /// ring.add_older(DecapsulationKey::generate()?)?;
    /// # Ok::<(), Error>(())
    /// ```
    #[must_use]
    pub fn new(primary: impl Decapsulate + 'static) -> Self {
        let primary = RingKey::new(primary);
        Self { primary, older: Distinct::new(), policy: Policy::stable() }
    }

    /// The same keys with another policy.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] if the policy does not accept one of the keys.
    pub fn with_policy(self, policy: Policy) -> Result<Self, Error> {
        self.keys().try_for_each(|key| policy.check_kem(key.suite()))?;
        Ok(Self { policy, ..self })
    }

    /// The key to publish and to seal to.
    #[must_use]
    pub fn primary(&self) -> &EncapsulationKey {
        self.primary.public()
    }

    /// All keys: the primary one, then the others from the newest to the oldest. Those of a directory
    /// are in the order of their files' names instead.
    pub fn keys(&self) -> impl Iterator<Item = &EncapsulationKey> {
        self.ring_keys().map(RingKey::public)
    }

    /// Makes this key the primary one. The previous one stays, to open what was sealed to it. If the
    /// ring has the key already, the new handle replaces the old one.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] if the policy does not accept the key's suite; [`Error::Keyring`] if
    /// another key of the ring [has a half of it](#shared-halves). The ring stays as it was.
    pub fn rotate(&mut self, key: impl Decapsulate + 'static) -> Result<(), Error> {
        self.rotate_to(RingKey::new(key))
    }

    pub(super) fn rotate_to(&mut self, key: RingKey) -> Result<(), Error> {
        self.check(key.public())?;
        self.older.remove(key.public());
        let before = std::mem::replace(&mut self.primary, key);
        if before.public() != self.primary() {
            self.older.put_first(before);
        }
        Ok(())
    }

    /// Adds a key that is older than all others. If the ring has the key already, it keeps its place,
    /// as the primary key too, and the new handle replaces the old one.
    ///
    /// # Errors
    ///
    /// Same as [`rotate`](Self::rotate).
    pub fn add_older(&mut self, key: impl Decapsulate + 'static) -> Result<(), Error> {
        self.put_older(RingKey::new(key))
    }

    pub(super) fn put_older(&mut self, key: RingKey) -> Result<(), Error> {
        self.check(key.public())?;
        if key.public() == self.primary() {
            self.primary = key;
        } else {
            self.older.put(key);
        }
        Ok(())
    }

    /// Whether the key may be in this ring: its suite is accepted, and no other key has a half of it.
    fn check(&self, key: &EncapsulationKey) -> Result<(), Error> {
        self.policy.check_kem(key.suite())?;
        halves::check(self.primary(), key)?;
        self.older.check(key)
    }

    /// The other key of the ring that has a half of this one.
    pub(crate) fn half_sibling(&self, key: &EncapsulationKey) -> Option<&EncapsulationKey> {
        if halves::check(self.primary(), key).is_err() {
            return Some(self.primary());
        }
        self.older.half_sibling(key).map(RingKey::public)
    }

    /// Removes an older key: what was sealed only to it does not open from then on.
    ///
    /// # Errors
    ///
    /// [`Error::Misuse`] if it is the primary key, which [`rotate`](Self::rotate) replaces first,
    /// or if the ring does not have it.
    pub fn retire(&mut self, key_id: KeyId) -> Result<(), Error> {
        let misuse = |reason| Err(Error::Misuse { what: "key to retire", reason });
        if self.primary().key_id() == key_id {
            return misuse("it is the primary key; rotate first");
        }
        match self.older.remove_id(key_id) {
            0 => misuse("the keyring does not have it"),
            _ => Ok(()),
        }
    }

    /// The key of this suite and id, with its public half, if the policy accepts it.
    pub(crate) fn find(
        &self,
        suite: KemSuite,
        key_id: KeyId,
    ) -> Result<(&EncapsulationKey, &dyn Decapsulate), Error> {
        let is_wanted =
            |key: &&RingKey| (key.public().suite(), key.public().key_id()) == (suite, key_id);
        let key = std::iter::once(&self.primary)
            .chain(self.older.with_id(key_id))
            .find(is_wanted)
            .ok_or(Error::NotARecipient)?;
        self.policy.check_kem(suite)?;
        Ok((key.public(), key.as_dyn()))
    }

    /// Uses the first of the wanted keys that can be reached. Every other error is a verdict about
    /// the data, after which no other key is asked. If none succeeds, the first error is returned.
    pub(crate) fn use_first<T>(
        &self,
        is_wanted: impl Fn(&EncapsulationKey) -> bool,
        mut use_key: impl FnMut(&EncapsulationKey, &dyn Decapsulate) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let mut first = None;
        for key in self.ring_keys().filter(|key| is_wanted(key.public())) {
            self.policy.check_kem(key.public().suite())?;
            match use_key(key.public(), key.as_dyn()) {
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
