//! The private key of a hybrid signature scheme.

use std::{fmt, io};

use rand_core::TryCryptoRng;
use zeroize::Zeroizing;

use super::{
    Sign, Signature, SignatureSuite, VerifyingKey, WithoutContext,
    composite::{CompositeKeyPair, CompositeSigner},
};
use crate::{
    error::Error,
    provider::{self, Provider, Random, SignatureScheme},
    random,
    tracing::KeyUse,
    wire,
};

/// A private key to sign with, and its expanded form. Load it once and share it in an
/// [`Arc`](std::sync::Arc). It is wiped when dropped.
///
/// ```
/// use twinseal::{SignatureSuite, SigningKey};
///
/// let key = SigningKey::generate()?;
/// let same = SigningKey::from_bytes(SignatureSuite::ML_DSA_87_ECDSA_P384, key.secret_bytes())?;
/// assert_eq!(key.verifying_key(), same.verifying_key());
/// # Ok::<(), twinseal::Error>(())
/// ```
pub struct SigningKey {
    secret: Zeroizing<Vec<u8>>,
    signer: CompositeSigner,
    verifying_key: VerifyingKey,
}

impl SigningKey {
    /// A new key of the default suite, from the operating system's randomness. Both halves are
    /// always new.
    ///
    /// # Errors
    ///
    /// [`Error::Randomness`] if the system has none.
    pub fn generate() -> Result<Self, Error> {
        Self::generate_for(SignatureSuite::ML_DSA_87_ECDSA_P384)
    }

    /// A new key of any suite, from the operating system's randomness.
    ///
    /// # Errors
    ///
    /// [`Error::Randomness`] if the system has none.
    pub fn generate_for(suite: SignatureSuite) -> Result<Self, Error> {
        Self::generate_with(suite, &mut Random::System)
    }

    /// A new key from a caller's generator, which is trusted to be a good one.
    ///
    /// # Errors
    ///
    /// [`Error::Randomness`] if the generator fails, or if no key can be made from its output;
    /// [`Error::Unsupported`] for the experimental suite, because Falcon's implementation draws only
    /// from the operating system.
    pub fn generate_from_rng(
        suite: SignatureSuite,
        rng: &mut impl TryCryptoRng,
    ) -> Result<Self, Error> {
        Self::generate_with(suite, &mut Random::Given(&mut random::from_rng(rng)))
    }

    fn generate_with(suite: SignatureSuite, random: &mut Random<'_>) -> Result<Self, Error> {
        let provider = provider::default();
        let secret = suite.0.on(provider).generate(random)?;
        Self::load(suite, secret, provider)
    }

    /// Parses and checks a key: 96 bytes, `ML-DSA seed (32) || RFC 5915 ECPrivateKey (64)`.
    ///
    /// # Errors
    ///
    /// [`Error::Length`] or [`Error::Invalid`], saying which rule is broken.
    pub fn from_bytes(suite: SignatureSuite, bytes: &[u8]) -> Result<Self, Error> {
        let bytes = wire::exact("signing key", bytes, suite.lengths().signing_key)?;
        Self::load(suite, Zeroizing::new(bytes.to_vec()), provider::default())
    }

    fn load(
        suite: SignatureSuite,
        secret: Zeroizing<Vec<u8>>,
        provider: &'static Provider,
    ) -> Result<Self, Error> {
        let CompositeKeyPair { verifying_key, verifier, signer } =
            suite.0.on(provider).load(&secret)?;
        Ok(Self {
            secret,
            signer,
            verifying_key: VerifyingKey::new(suite, verifying_key, provider, verifier),
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
    #[must_use]
    pub fn provider(&self) -> &'static Provider {
        self.verifying_key.provider()
    }

    /// The key's suite.
    #[must_use]
    pub fn suite(&self) -> SignatureSuite {
        self.verifying_key.suite()
    }

    /// The key's 96 bytes, which are the whole secret. Keep them off logs and command lines; to
    /// store them, use [`write_pem_file`](Self::write_pem_file).
    #[must_use]
    pub fn secret_bytes(&self) -> &[u8] {
        &self.secret
    }

    /// The public half, to be published.
    #[must_use]
    pub fn verifying_key(&self) -> &VerifyingKey {
        &self.verifying_key
    }

    /// Signs a message for a context, which says what the signature is for: it does not verify for
    /// another context. Both halves are randomised ("hedged"): two signatures over one message differ.
    ///
    /// # Errors
    ///
    /// [`Error::Context`] if the context is empty, longer than 255 bytes or reserved;
    /// [`Error::Randomness`] if the system has none.
    pub fn sign(&self, context: &[u8], message: &[u8]) -> Result<Signature, Error> {
        Sign::sign(self, context, message)
    }

    /// [`sign`](Self::sign) for a message of any length, read to its end in constant memory.
    ///
    /// If a file changes while it is read, the signature is over the bytes that were read. Compare
    /// the length and modification time of the open file before and after, and discard the
    /// signature if they differ.
    ///
    /// # Errors
    ///
    /// The reader's errors, and those of [`sign`](Self::sign), wrapped in [`io::Error`].
    ///
    /// ```
    /// # let alice = twinseal::SigningKey::generate()?;
    /// let mut checkpoint = std::io::repeat(7).take(1_000_000);
    /// # use std::io::Read;
    /// let signature = alice.sign_reader(b"example.com/models", &mut checkpoint)?;
    ///
    /// let copy = std::io::repeat(7).take(1_000_000);
    /// alice.verifying_key().verify_reader(b"example.com/models", copy, &signature)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn sign_reader(&self, context: &[u8], mut message: impl io::Read) -> io::Result<Signature> {
        Sign::sign_reader(self, context, &mut message)
    }

    #[cfg(feature = "hazmat")]
    pub(crate) fn sign_prehashed_deterministic(
        &self,
        context: &[u8],
        sha512: &[u8; 64],
    ) -> Result<Signature, Error> {
        // No other provider can.
        let portable = self.suite().0.on(&provider::PORTABLE).load(&self.secret)?;
        let bytes = portable.signer.sign_prehashed_deterministic(context, sha512)?;
        Ok(Signature { suite: self.suite(), bytes })
    }

    /// The key as a [`signature::Signer`] with the empty context, for X.509 and other software.
    ///
    /// ```
    /// use twinseal::signature::{Signer, Verifier};
    ///
    /// let alice = twinseal::SigningKey::generate()?;
    /// let signature = alice.without_context().try_sign(b"to be signed")?;
    /// alice.verifying_key().without_context().verify(b"to be signed", &signature)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn without_context(&self) -> WithoutContext<'_, Self> {
        WithoutContext(self)
    }
}

impl Sign for SigningKey {
    fn verifying_key(&self) -> &VerifyingKey {
        self.verifying_key()
    }

    fn sign_prehashed(&self, context: &[u8], sha512: &[u8; 64]) -> Result<Signature, Error> {
        let signed = || self.signer.sign_prehashed(context, sha512);
        let bytes = KeyUse::sign(&self.verifying_key).report(signed)?;
        Ok(Signature { suite: self.suite(), bytes })
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let public = &self.verifying_key;
        write!(f, "SigningKey({}, {})", public.suite(), public.key_id())
    }
}
