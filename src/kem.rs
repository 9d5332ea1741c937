//! The hybrid KEM: encapsulation keys and decapsulation keys.

use std::{fmt, hash, sync::Arc};

use rand_core::TryCryptoRng;
use zeroize::Zeroizing;

use crate::{
    constants,
    error::Error,
    key_id::KeyId,
    provider::{self, Decapsulator, Encapsulator, Kem, KemKeyPair, Provider, Random},
    random, wire,
};

mod encapsulated;
mod external;
mod hybrid;
mod kem_suite;

pub use encapsulated::{Ciphertext, SharedSecret};
pub use external::Decapsulate;
pub use kem_suite::KemSuite;

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

    fn load(suite: KemSuite, bytes: &[u8], provider: &'static Provider) -> Result<Self, Error> {
        let encapsulator = suite.0.on(provider).encapsulator(bytes)?;
        Ok(Self::new(suite, bytes.to_vec(), provider, encapsulator))
    }

    fn new(
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
        self.encapsulate_from(None)
    }

    /// From given randomness for known answers, else from fresh one.
    pub(crate) fn encapsulate_from(
        &self,
        randomness: Option<&[u8]>,
    ) -> Result<(Ciphertext, SharedSecret), Error> {
        let suite = self.suite();
        let mut ciphertext = vec![0; suite.lengths().ciphertext];
        let mut secret = Zeroizing::new(vec![0; suite.lengths().shared_secret]);
        match randomness {
            None => self.0.encapsulator.encapsulate(&mut ciphertext, &mut secret)?,
            Some(randomness) => {
                // No other provider can; the result is the same for all.
                let portable = suite.0.on(&provider::PORTABLE).encapsulator(self.as_bytes())?;
                portable.encapsulate_deterministic(randomness, &mut ciphertext, &mut secret)?;
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

/// A private key to decapsulate and open with. It is a 32-byte seed, held together with its
/// expanded form: load it once and share it by [`Arc`]. It is wiped when dropped.
///
/// ```
/// use twinseal::DecapsulationKey;
///
/// let key = DecapsulationKey::generate()?;
/// let same = DecapsulationKey::from_seed(key.suite(), key.seed())?;
/// assert_eq!(key.encapsulation_key(), same.encapsulation_key());
/// # Ok::<(), twinseal::Error>(())
/// ```
pub struct DecapsulationKey {
    seed: Zeroizing<Vec<u8>>,
    decapsulator: Box<dyn Decapsulator>,
    encapsulation_key: EncapsulationKey,
}

impl DecapsulationKey {
    /// A new key of the default suite, from the operating system's randomness.
    ///
    /// # Errors
    ///
    /// [`Error::Randomness`] if the system has none.
    pub fn generate() -> Result<Self, Error> {
        Self::generate_for(KemSuite::X25519_ML_KEM_1024)
    }

    /// A new key of any suite, from the operating system's randomness.
    ///
    /// # Errors
    ///
    /// [`Error::Randomness`] if the system has none.
    pub fn generate_for(suite: KemSuite) -> Result<Self, Error> {
        Self::generate_with(suite, &mut Random::System)
    }

    /// A new key from a caller's generator, which is trusted to be a good one.
    ///
    /// # Errors
    ///
    /// [`Error::Randomness`] if the generator fails.
    pub fn generate_from_rng(suite: KemSuite, rng: &mut impl TryCryptoRng) -> Result<Self, Error> {
        Self::generate_with(suite, &mut Random::Given(&mut random::from_rng(rng)))
    }

    fn generate_with(suite: KemSuite, random: &mut Random<'_>) -> Result<Self, Error> {
        let mut seed = Zeroizing::new(vec![0; KemSuite::SEED_LENGTH]);
        random.fill(&mut seed)?;
        Self::load(suite, seed, provider::default())
    }

    /// The key that a 32-byte seed is. The seed must be uniformly random: it is not a password.
    ///
    /// # Errors
    ///
    /// [`Error::Length`] if it is not 32 bytes. For suite 0x0051, [`Error::Invalid`] if it expands
    /// to no scalar, which happens once in 2^192 seeds.
    pub fn from_seed(suite: KemSuite, seed: &[u8]) -> Result<Self, Error> {
        let seed = wire::exact("decapsulation key seed", seed, KemSuite::SEED_LENGTH)?;
        Self::load(suite, Zeroizing::new(seed.to_vec()), provider::default())
    }

    fn load(
        suite: KemSuite,
        seed: Zeroizing<Vec<u8>>,
        provider: &'static Provider,
    ) -> Result<Self, Error> {
        let KemKeyPair { encapsulation_key, encapsulator, decapsulator } =
            suite.0.on(provider).key_pair(&seed)?;
        Ok(Self {
            seed,
            decapsulator,
            encapsulation_key: EncapsulationKey::new(
                suite,
                encapsulation_key,
                provider,
                encapsulator,
            ),
        })
    }

    /// Moves the key to another provider.
    ///
    /// # Errors
    ///
    /// [`Error::Unsupported`] if the provider does not offer the suite.
    pub fn on(self, provider: &'static Provider) -> Result<Self, Error> {
        Self::load(self.suite(), self.seed, provider)
    }

    /// The provider that the key is on: AWS-LC if it is compiled in, unless the key was moved.
    ///
    /// ```
    /// use twinseal::{DecapsulationKey, provider::PORTABLE};
    ///
    /// let key = DecapsulationKey::generate()?.on(&PORTABLE)?;
    /// assert_eq!(key.provider().name, "portable");
    /// # Ok::<(), twinseal::Error>(())
    /// ```
    #[must_use]
    pub fn provider(&self) -> &'static Provider {
        self.encapsulation_key.provider()
    }

    /// The key's suite.
    #[must_use]
    pub fn suite(&self) -> KemSuite {
        self.encapsulation_key.suite()
    }

    /// The 32-byte seed, which is the whole secret. Keep it off logs and command lines; for files
    /// there is [`write_pem_file`](Self::write_pem_file).
    #[must_use]
    pub fn seed(&self) -> &[u8] {
        &self.seed
    }

    /// The public half, to be published.
    #[must_use]
    pub fn encapsulation_key(&self) -> &EncapsulationKey {
        &self.encapsulation_key
    }

    /// Recovers the shared secret that [`encapsulate`](EncapsulationKey::encapsulate) made.
    ///
    /// A ciphertext that was made for another key, or changed, gives *another secret*, not an
    /// error (FIPS 203's implicit rejection): it shows when what the secret protects fails to open.
    ///
    /// # Errors
    ///
    /// [`Error::SuiteMismatch`] if the ciphertext is of another suite, [`Error::Invalid`] if its
    /// X25519 or P-384 part leads to no shared secret.
    pub fn decapsulate(&self, ciphertext: &Ciphertext) -> Result<SharedSecret, Error> {
        let suite = self.suite();
        if ciphertext.suite != suite {
            return Err(Error::SuiteMismatch {
                what: "ciphertext",
                expected: suite.name(),
                actual: ciphertext.suite.name(),
            });
        }
        let mut secret = Zeroizing::new(vec![0; suite.lengths().shared_secret]);
        self.decapsulator.decapsulate(&ciphertext.bytes, &mut secret)?;
        Ok(SharedSecret { suite, bytes: secret })
    }
}

impl fmt::Debug for DecapsulationKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let public = &self.encapsulation_key;
        write!(f, "DecapsulationKey({}, {})", public.suite(), public.key_id())
    }
}
