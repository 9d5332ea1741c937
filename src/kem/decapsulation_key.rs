//! The private key of a hybrid KEM.

use std::fmt;

use rand_core::TryCryptoRng;
use zeroize::Zeroizing;

use super::{Ciphertext, Decapsulate, EncapsulationKey, KemSuite, SharedSecret};
use crate::{
    error::Error,
    provider::{self, Decapsulator, Kem, KemKeyPair, Provider, Random},
    random,
    tracing::KeyUse,
    wire,
};

/// A private key to decapsulate and open with, and its expanded form. Load it once and share it in an
/// [`Arc`](std::sync::Arc). It is wiped when dropped.
///
/// ```
/// use twinseal::DecapsulationKey;
///
/// let key = DecapsulationKey::generate()?;
/// let seed = key.seed().expect("a generated key has a seed");
/// let same = DecapsulationKey::from_seed(key.suite(), seed)?;
/// assert_eq!(key.encapsulation_key(), same.encapsulation_key());
/// # Ok::<(), twinseal::Error>(())
/// ```
pub struct DecapsulationKey {
    secret: Secret,
    decapsulator: Box<dyn Decapsulator>,
    encapsulation_key: EncapsulationKey,
}

/// The whole secret of a key.
enum Secret {
    /// 32 bytes, which expand to the halves.
    Seed(Zeroizing<Vec<u8>>),
    /// The seeds of the two halves, post-quantum half first. They cannot be turned back into a seed.
    Halves(Zeroizing<Vec<u8>>),
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
        let mut seed = Zeroizing::new(vec![0; KemSuite::SEED_LEN]);
        random.fill(&mut seed)?;
        Self::load(suite, Secret::Seed(seed), provider::default())
    }

    /// The key of a 32-byte seed. The seed must be uniformly random: a password is not a seed.
    ///
    /// # Errors
    ///
    /// [`Error::Length`] if it is not 32 bytes. For suite 0x0051, [`Error::Invalid`] if it does not
    /// expand to a scalar, which happens for one seed in 2^192.
    pub fn from_seed(suite: KemSuite, seed: &[u8]) -> Result<Self, Error> {
        let seed = wire::exact("decapsulation key seed", seed, KemSuite::SEED_LEN)?;
        Self::load(suite, Secret::Seed(Zeroizing::new(seed.to_vec())), provider::default())
    }

    /// The key of the seeds of its halves: `ML-KEM d || z (64)`, then the P-384 scalar (48) or the
    /// X25519 key (32).
    pub(crate) fn from_halves(suite: KemSuite, halves: Zeroizing<Vec<u8>>) -> Result<Self, Error> {
        Self::load(suite, Secret::Halves(halves), provider::default())
    }

    /// The seeds of the key's halves, as [`from_halves`](Self::from_halves) takes them.
    pub(crate) fn halves(&self) -> Zeroizing<Vec<u8>> {
        match &self.secret {
            Secret::Seed(seed) => self.suite().0.expand(seed).expect("the seed was loaded before"),
            Secret::Halves(halves) => halves.clone(),
        }
    }

    fn load(suite: KemSuite, secret: Secret, provider: &'static Provider) -> Result<Self, Error> {
        let hybrid = suite.0.on(provider);
        let pair = match &secret {
            Secret::Seed(seed) => hybrid.key_pair(seed)?,
            Secret::Halves(halves) => hybrid.key_pair_of_halves(halves)?,
        };
        let KemKeyPair { encapsulation_key, encapsulator, decapsulator } = pair;
        Ok(Self {
            secret,
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
        Self::load(self.suite(), self.secret, provider)
    }

    /// The provider that the key is on: the [default](crate::provider), unless the key was moved.
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

    /// The 32-byte seed, which is the whole secret. Keep it off logs and command lines; to store it,
    /// use [`write_pem_file`](Self::write_pem_file).
    ///
    /// `None` if the key has none. A key file of suite 0x0051 holds the two halves to which the seed
    /// expanded, as other software reads them, so a key that was read from it has no seed.
    #[must_use]
    pub fn seed(&self) -> Option<&[u8]> {
        match &self.secret {
            Secret::Seed(seed) => Some(seed),
            Secret::Halves(_) => None,
        }
    }

    /// The public half, to be published.
    #[must_use]
    pub fn encapsulation_key(&self) -> &EncapsulationKey {
        &self.encapsulation_key
    }

    /// Recovers the shared secret that [`encapsulate`](EncapsulationKey::encapsulate) made.
    ///
    /// A ciphertext for another key, or a changed one, gives *another secret*, not an error (FIPS
    /// 203's implicit rejection): the data that the secret protects does not open then.
    ///
    /// # Errors
    ///
    /// [`Error::SuiteMismatch`] if the ciphertext is of another suite; [`Error::Invalid`] if its
    /// X25519 or P-384 half does not lead to a shared secret.
    pub fn decapsulate(&self, ciphertext: &Ciphertext) -> Result<SharedSecret, Error> {
        KeyUse::decapsulate(&self.encapsulation_key).report(|| {
            let suite = self.suite();
            ciphertext.check_suite(suite)?;
            let mut secret = Zeroizing::new(vec![0; suite.lengths().shared_secret]);
            self.decapsulator.decapsulate(&ciphertext.bytes, &mut secret)?;
            Ok(SharedSecret { suite, bytes: secret })
        })
    }
}

impl Decapsulate for DecapsulationKey {
    fn encapsulation_key(&self) -> &EncapsulationKey {
        self.encapsulation_key()
    }

    fn decapsulate(&self, ciphertext: &Ciphertext) -> Result<SharedSecret, Error> {
        self.decapsulate(ciphertext)
    }
}

impl fmt::Debug for DecapsulationKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let public = &self.encapsulation_key;
        write!(f, "DecapsulationKey({}, {})", public.suite(), public.key_id())
    }
}
