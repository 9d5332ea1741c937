//! The public key of a hybrid KEM.

use std::{fmt, hash, sync::Arc};

use zeroize::Zeroizing;

use super::{Ciphertext, KemSuite, SharedSecret};
use crate::{
    check::CheckedKem,
    constants,
    error::Error,
    half::Halves,
    key_id::KeyId,
    provider::{self, Encapsulator, Kem, Provider, Random},
};

/// A public key to encapsulate and seal to.
///
/// It holds its parsed and expanded form; a clone shares it. Equality is that of suite and bytes.
///
/// ```
/// use twinseal::{DecapsulationKey, EncapsulationKey, KemSuite};
///
/// let bob = DecapsulationKey::generate()?;
/// let sent = bob.encapsulation_key().as_bytes();
///
/// let to_bob = EncapsulationKey::from_bytes(KemSuite::X25519_ML_KEM_1024, sent)?;
/// let (ciphertext, secret) = to_bob.encapsulate()?;
/// assert_eq!(bob.decapsulate(&ciphertext)?.as_bytes(), secret.as_bytes());
/// # Ok::<(), twinseal::Error>(())
/// ```
#[derive(Clone)]
pub struct EncapsulationKey(Arc<PublicHalf>);

struct PublicHalf {
    suite: KemSuite,
    bytes: Vec<u8>,
    key_id: KeyId,
    provider: &'static Provider,
    encapsulator: Box<dyn Encapsulator>,
}

impl EncapsulationKey {
    /// Parses and checks a key: its length, ML-KEM's modulus check (FIPS 203 §7.2), a canonical
    /// X25519 key that is not of low order, or a P-384 point on the curve.
    ///
    /// # Errors
    ///
    /// [`Error::Length`] or [`Error::Invalid`], saying which rule is broken.
    pub fn from_bytes(suite: KemSuite, bytes: &[u8]) -> Result<Self, Error> {
        Self::load(suite, bytes, provider::default())
    }

    /// The key of two public halves, which were made in different tokens: 1568 bytes for ML-KEM-1024, and 32 for
    /// X25519 or `0x04 || X || Y` (97) for P-384. Each must be a key of its own, used for nothing else: see
    /// [`split`](crate::split).
    ///
    /// # Errors
    ///
    /// As [`from_bytes`](Self::from_bytes).
    pub fn from_halves(
        suite: KemSuite,
        post_quantum: &[u8],
        traditional: &[u8],
    ) -> Result<Self, Error> {
        let kems = suite.0.on(provider::default()).kems();
        kems.post_quantum.check_encapsulation_key(post_quantum)?;
        kems.traditional.check_encapsulation_key(traditional)?;
        Self::from_bytes(suite, &[post_quantum, traditional].concat())
    }

    fn load(suite: KemSuite, bytes: &[u8], provider: &'static Provider) -> Result<Self, Error> {
        let encapsulator = suite.0.on(provider).encapsulator(bytes)?;
        Ok(Self::new(suite, bytes.to_vec(), provider, encapsulator))
    }

    pub(super) fn new(
        suite: KemSuite,
        bytes: Vec<u8>,
        provider: &'static Provider,
        encapsulator: Box<dyn Encapsulator>,
    ) -> Self {
        let key_id = KeyId::derive(constants::KEY_ID_KEM, suite.id(), &bytes);
        Self(Arc::new(PublicHalf { suite, bytes, key_id, provider, encapsulator }))
    }

    /// The same key on another provider.
    ///
    /// # Errors
    ///
    /// [`Error::Unsupported`] if the provider does not offer the suite.
    pub fn on(&self, provider: &'static Provider) -> Result<Self, Error> {
        Self::load(self.suite(), self.as_bytes(), provider)
    }

    /// The provider that the key is on.
    #[must_use]
    pub fn provider(&self) -> &'static Provider {
        self.0.provider
    }

    /// The key's suite.
    #[must_use]
    pub fn suite(&self) -> KemSuite {
        self.0.suite
    }

    /// The key's bytes, post-quantum half first: 1600 for the default suite, 1665 for 0x0051.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0.bytes
    }

    /// The key's public halves, as [`from_halves`](Self::from_halves) takes them.
    #[must_use]
    pub fn halves(&self) -> Halves<&[u8]> {
        let (post_quantum, traditional) =
            self.suite().0.split_key(self.as_bytes()).expect("its length was checked");
        Halves { post_quantum, traditional }
    }

    /// The primitives of the halves, on the key's provider.
    pub(crate) fn kems(&self) -> Halves<CheckedKem> {
        self.suite().0.on(self.provider()).kems()
    }

    /// The name by which envelopes, sessions and keyrings find the key.
    #[must_use]
    pub fn key_id(&self) -> KeyId {
        self.0.key_id
    }

    /// Makes a fresh shared secret and the ciphertext that carries it to the key's owner.
    ///
    /// This is the bare KEM; to protect data, use [`seal`](Self::seal).
    ///
    /// # Errors
    ///
    /// [`Error::Randomness`] if the system has none.
    pub fn encapsulate(&self) -> Result<(Ciphertext, SharedSecret), Error> {
        self.encapsulate_with(&mut Random::System)
    }

    /// [`encapsulate`](Self::encapsulate) with any source of randomness.
    pub(crate) fn encapsulate_with(
        &self,
        random: &mut Random<'_>,
    ) -> Result<(Ciphertext, SharedSecret), Error> {
        let suite = self.suite();
        let mut ciphertext = vec![0; suite.lengths().ciphertext];
        let mut secret = Zeroizing::new(vec![0; suite.lengths().shared_secret]);
        match random {
            Random::System => {
                self.0.encapsulator.encapsulate(random, &mut ciphertext, &mut secret)?;
            }
            Random::Given(_) => {
                // Not every provider can; the result is the same for all.
                let portable = suite.0.on(&provider::PORTABLE).encapsulator(self.as_bytes())?;
                portable.encapsulate(random, &mut ciphertext, &mut secret)?;
            }
        }
        Ok((Ciphertext { suite, bytes: ciphertext }, SharedSecret { suite, bytes: secret }))
    }
}

impl PartialEq for EncapsulationKey {
    fn eq(&self, other: &Self) -> bool {
        self.suite() == other.suite() && self.as_bytes() == other.as_bytes()
    }
}

impl Eq for EncapsulationKey {}

impl hash::Hash for EncapsulationKey {
    fn hash<H: hash::Hasher>(&self, state: &mut H) {
        self.key_id().hash(state);
    }
}

impl fmt::Debug for EncapsulationKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EncapsulationKey({}, {})", self.suite(), self.key_id())
    }
}
