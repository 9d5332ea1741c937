//! Several keys at once: a primary one and older ones, and the rotation between them.

use std::{fmt, sync::Arc};

use crate::{
    Decapsulate, DecapsulationKey, EncapsulationKey, Error, KeyId, Policy, Signature, VerifyingKey,
};

mod shared;

pub use shared::{Directory, Shared};

/// Decapsulation keys: the primary one, to which others seal, and older ones, with which what was
/// sealed before still opens. Never empty.
///
/// Keys are found by the key ids that envelopes and hellos carry: there is at most one
/// decapsulation, and no trial decryption. For many threads and a rotation now and then, see
/// [`Shared`].
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
    older: Vec<RingKey>,
    policy: Policy,
}

/// A key of a [`Keyring`]: one in memory, or one that lives elsewhere. Made by `into()`.
#[derive(Clone)]
pub struct RingKey(Place);

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
        Self(Place::Memory(key))
    }
}

impl From<Arc<dyn Decapsulate>> for RingKey {
    fn from(key: Arc<dyn Decapsulate>) -> Self {
        Self(Place::Elsewhere(key))
    }
}

impl RingKey {
    fn as_dyn(&self) -> &dyn Decapsulate {
        match &self.0 {
            Place::Memory(key) => &**key,
            Place::Elsewhere(key) => &**key,
        }
    }

    fn public(&self) -> &EncapsulationKey {
        self.as_dyn().encapsulation_key()
    }

    /// The key itself, to be written to a file.
    pub(crate) fn in_memory(&self) -> Result<&DecapsulationKey, Error> {
        match &self.0 {
            Place::Memory(key) => Ok(key),
            Place::Elsewhere(_) => Err(Error::Unsupported("writing a key that lives elsewhere")),
        }
    }
}

impl Keyring {
    /// A keyring of one key, with [`Policy::stable`].
    #[must_use]
    pub fn new(primary: impl Into<RingKey>) -> Self {
        Self { primary: primary.into(), older: Vec::new(), policy: Policy::stable() }
    }

    /// The same keys under another policy.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] if it does not accept one of the keys.
    pub fn under(self, policy: Policy) -> Result<Self, Error> {
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

    /// Makes this key the primary one; the one before stays, to open what was sealed to it.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] if the policy does not accept the key's suite.
    pub fn rotate(&mut self, key: impl Into<RingKey>) -> Result<(), Error> {
        let key = key.into();
        self.policy.check_kem(key.public().suite())?;
        if key.public() == self.primary() {
            return Ok(());
        }
        self.older.retain(|older| older.public() != key.public());
        self.older.insert(0, std::mem::replace(&mut self.primary, key));
        Ok(())
    }

    /// Adds a key that is older than all others. Adding one again changes nothing.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] if the policy does not accept the key's suite.
    pub fn add_older(&mut self, key: impl Into<RingKey>) -> Result<(), Error> {
        let key = key.into();
        self.policy.check_kem(key.public().suite())?;
        if self.keys().all(|known| known != key.public()) {
            self.older.push(key);
        }
        Ok(())
    }

    /// Removes an older key: what was sealed to it alone does not open any more.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] if it is the primary key, which is replaced by [`rotate`](Self::rotate)
    /// first, or no key of this ring.
    pub fn retire(&mut self, key_id: &KeyId) -> Result<(), Error> {
        let invalid = |reason| Err(Error::Invalid { what: "key to retire", reason });
        if self.primary().key_id() == *key_id {
            return invalid("it is the primary key; rotate first");
        }
        let count = self.older.len();
        self.older.retain(|key| key.public().key_id() != *key_id);
        if self.older.len() == count { invalid("the keyring does not have it") } else { Ok(()) }
    }

    /// The key of this id, if the policy accepts it.
    pub(crate) fn find(
        &self,
        is_wanted: impl Fn(&EncapsulationKey) -> bool,
    ) -> Result<&dyn Decapsulate, Error> {
        let key =
            self.ring_keys().find(|key| is_wanted(key.public())).ok_or(Error::NotARecipient)?;
        self.policy.check_kem(key.public().suite())?;
        Ok(key.as_dyn())
    }

    pub(crate) fn ring_keys(&self) -> impl Iterator<Item = &RingKey> {
        std::iter::once(&self.primary).chain(&self.older)
    }

    /// From keys that were read, the primary one first; each is there once.
    pub(crate) fn from_keys(keys: Vec<DecapsulationKey>) -> Result<Self, Error> {
        let mut keys = keys.into_iter();
        let primary = keys
            .next()
            .ok_or(Error::Invalid { what: "keyring", reason: "it must have at least one key" })?;
        let mut ring = Self::new(primary);
        for key in keys {
            if ring.keys().any(|known| known == key.encapsulation_key()) {
                return Err(Error::Invalid { what: "keyring", reason: "a key is listed twice" });
            }
            ring.add_older(key)?;
        }
        Ok(ring)
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

/// Verifying keys of several signers: a signature of any of them is accepted, and it is told whose
/// it is. Never empty.
///
/// A signature does not name its signer, so they are tried one after the other; a session's hello
/// does, so there is one verification.
///
/// ```
/// use twinseal::{SigningKey, VerifyingKeyring};
///
/// let (alice, bob) = (SigningKey::generate()?, SigningKey::generate()?);
/// let ring = VerifyingKeyring::new([alice.verifying_key(), bob.verifying_key()])?;
/// let signature = bob.sign(b"example.com/releases", b"hello")?;
/// let signer = ring.verify(b"example.com/releases", b"hello", &signature)?;
/// assert_eq!(signer, bob.verifying_key());
/// # Ok::<(), twinseal::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct VerifyingKeyring {
    keys: Vec<VerifyingKey>,
    policy: Policy,
}

impl VerifyingKeyring {
    /// A keyring with [`Policy::stable`].
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] if there is no key; [`Error::Refused`] if one is not acceptable.
    pub fn new<'a>(keys: impl IntoIterator<Item = &'a VerifyingKey>) -> Result<Self, Error> {
        Self::with_policy(keys, Policy::stable())
    }

    /// A keyring with a policy of its own, which may accept experimental suites.
    ///
    /// # Errors
    ///
    /// Those of [`new`](Self::new).
    pub fn with_policy<'a>(
        keys: impl IntoIterator<Item = &'a VerifyingKey>,
        policy: Policy,
    ) -> Result<Self, Error> {
        let mut ring = Self { keys: Vec::new(), policy };
        keys.into_iter().try_for_each(|key| ring.add(key))?;
        if ring.keys.is_empty() {
            let reason = "it must have at least one key";
            return Err(Error::Invalid { what: "keyring", reason });
        }
        Ok(ring)
    }

    /// The same keys under another policy.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] if it does not accept one of the keys.
    pub fn under(self, policy: Policy) -> Result<Self, Error> {
        self.keys().try_for_each(|key| policy.check_signature(key.suite()))?;
        Ok(Self { policy, ..self })
    }

    /// All keys, in the order in which they were added.
    pub fn keys(&self) -> impl Iterator<Item = &VerifyingKey> {
        self.keys.iter()
    }

    /// Accepts another signer. Adding one again changes nothing.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] if the policy does not accept the key's suite.
    pub fn add(&mut self, key: &VerifyingKey) -> Result<(), Error> {
        self.policy.check_signature(key.suite())?;
        if !self.keys.contains(key) {
            self.keys.push(key.clone());
        }
        Ok(())
    }

    /// Accepts a signer no longer.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] if the ring does not have the key, or it is the last one.
    pub fn remove(&mut self, key_id: &KeyId) -> Result<(), Error> {
        let invalid = |reason| Err(Error::Invalid { what: "key to remove", reason });
        let remaining: Vec<_> =
            self.keys().filter(|key| key.key_id() != *key_id).cloned().collect();
        if remaining.len() == self.keys.len() {
            return invalid("the keyring does not have it");
        }
        if remaining.is_empty() {
            return invalid("it is the last one");
        }
        self.keys = remaining;
        Ok(())
    }

    /// The signer of this id.
    #[must_use]
    pub fn find(&self, key_id: &KeyId) -> Option<&VerifyingKey> {
        self.keys().find(|key| key.key_id() == *key_id)
    }

    /// Verifies a signature of any of the signers, and tells whose it is; see
    /// [`VerifyingKey::verify`].
    ///
    /// # Errors
    ///
    /// [`Error::Verify`] if it is nobody's; [`Error::Context`]; [`Error::Refused`] if the policy
    /// does not accept the signature's suite.
    pub fn verify(
        &self,
        context: &[u8],
        message: &[u8],
        signature: &Signature,
    ) -> Result<&VerifyingKey, Error> {
        crate::context::check(context)?;
        self.verify_prehashed(context, &crate::sign::prehash(message), signature)
    }

    /// [`verify`](Self::verify) for a message of any length, read to its end in constant memory.
    ///
    /// # Errors
    ///
    /// The reader's errors, and those of [`verify`](Self::verify) inside an
    /// [`io::Error`](std::io::Error).
    pub fn verify_reader(
        &self,
        context: &[u8],
        message: impl std::io::Read,
        signature: &Signature,
    ) -> std::io::Result<&VerifyingKey> {
        crate::context::check(context)?;
        let sha512 = crate::sign::hash_reader(message)?;
        Ok(self.verify_prehashed(context, &sha512, signature)?)
    }

    fn verify_prehashed(
        &self,
        context: &[u8],
        sha512: &[u8; 64],
        signature: &Signature,
    ) -> Result<&VerifyingKey, Error> {
        self.policy.check_signature(signature.suite())?;
        self.keys()
            .filter(|key| key.suite() == signature.suite())
            .find(|key| key.verify_prehashed(context, sha512, signature).is_ok())
            .ok_or(Error::Verify)
    }
}
