//! The hybrid signature: signing keys and verifying keys.

use std::{fmt, hash, io, sync::Arc};

use rand_core::TryCryptoRng;
use zeroize::Zeroizing;

use crate::{
    constants, context,
    error::Error,
    key_id::KeyId,
    provider::{self, Provider, Random, SignatureScheme},
    random, wire,
};

mod composite;
mod composite_signature;
mod ecdsa;
mod external;
mod prehash;

mod signature_suite;
mod without_context;

use composite::{CompositeKeyPair, CompositeSigner, CompositeVerifier};
pub use composite_signature::Signature;
#[cfg(feature = "hazmat")]
pub(crate) use ecdsa::DerEcdsa;
pub use external::Sign;
pub(crate) use external::sign_checked;
pub(crate) use prehash::{hash_reader, prehash};
pub use signature_suite::SignatureSuite;
pub use without_context::WithoutContext;

/// A public key to verify with.
///
/// It holds its parsed and expanded form; a clone shares it. Equality is that of suite and bytes.
///
/// ```
/// use twinseal::{Error, SignatureSuite, SigningKey, VerifyingKey};
///
/// let alice = SigningKey::generate()?;
/// let signature = alice.sign(b"example.com/releases", b"hello")?;
///
/// let sent = alice.verifying_key().as_bytes();
/// let from_alice = VerifyingKey::from_bytes(SignatureSuite::ML_DSA_87_ECDSA_P384, sent)?;
/// from_alice.verify(b"example.com/releases", b"hello", &signature)?;
/// let other = from_alice.verify(b"example.com/logs", b"hello", &signature);
/// assert!(matches!(other, Err(Error::Verify)));
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone)]
pub struct VerifyingKey(Arc<PublicHalf>);

struct PublicHalf {
    suite: SignatureSuite,
    bytes: Vec<u8>,
    key_id: KeyId,
    provider: &'static Provider,
    verifier: CompositeVerifier,
}

impl VerifyingKey {
    /// Parses and checks a key: its length, and that its second half is a P-384 point on the
    /// curve. Any 2592 bytes are an ML-DSA-87 verifying key.
    ///
    /// # Errors
    ///
    /// [`Error::Length`] or [`Error::Invalid`], saying which rule is broken.
    pub fn from_bytes(suite: SignatureSuite, bytes: &[u8]) -> Result<Self, Error> {
        Self::load(suite, bytes, provider::default())
    }

    fn load(
        suite: SignatureSuite,
        bytes: &[u8],
        provider: &'static Provider,
    ) -> Result<Self, Error> {
        let verifier = suite.0.on(provider).load_public(bytes)?;
        Ok(Self::new(suite, bytes.to_vec(), provider, verifier))
    }

    fn new(
        suite: SignatureSuite,
        bytes: Vec<u8>,
        provider: &'static Provider,
        verifier: CompositeVerifier,
    ) -> Self {
        let key_id = KeyId::derive(constants::KEY_ID_SIGN, suite.id(), &bytes);
        Self(Arc::new(PublicHalf { suite, bytes, key_id, provider, verifier }))
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
    pub fn suite(&self) -> SignatureSuite {
        self.0.suite
    }

    /// The key's 2689 bytes: `ML-DSA-87 (2592) || 0x04 || X || Y (97)`.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0.bytes
    }

    /// A short name for logs and tables. It names the key, it does not authenticate it.
    #[must_use]
    pub fn key_id(&self) -> KeyId {
        self.0.key_id
    }

    /// Verifies a signature over a message for a context. Both halves must verify.
    ///
    /// # Errors
    ///
    /// [`Error::Verify`] if either half does not verify; [`Error::Context`] if the context is
    /// empty, longer than 255 bytes or reserved; [`Error::SuiteMismatch`].
    pub fn verify(
        &self,
        context: &[u8],
        message: &[u8],
        signature: &Signature,
    ) -> Result<(), Error> {
        context::check(context)?;
        self.verify_prehashed(context, &prehash(message), signature)
    }

    /// [`verify`](Self::verify) for a message of any length, read to its end in constant memory.
    ///
    /// # Errors
    ///
    /// The reader's errors, and those of [`verify`](Self::verify) inside an [`io::Error`]: a
    /// signature that does not verify is [`io::ErrorKind::InvalidData`].
    pub fn verify_reader(
        &self,
        context: &[u8],
        message: impl io::Read,
        signature: &Signature,
    ) -> io::Result<()> {
        context::check(context)?;
        let sha512 = hash_reader(message)?;
        Ok(self.verify_prehashed(context, &sha512, signature)?)
    }

    /// The same over the SHA-512 of the message, for any context of at most 255 bytes.
    pub(crate) fn verify_prehashed(
        &self,
        context: &[u8],
        sha512: &[u8; 64],
        signature: &Signature,
    ) -> Result<(), Error> {
        if signature.suite != self.suite() {
            return Err(Error::SuiteMismatch {
                what: "signature",
                expected: self.suite().name(),
                actual: signature.suite.name(),
            });
        }
        self.0.verifier.verify_prehashed(context, sha512, &signature.bytes)
    }

    /// The key as the `signature` crate's [`Verifier`](signature::Verifier), with the empty
    /// context, for X.509 and other software.
    #[must_use]
    pub fn without_context(&self) -> WithoutContext<'_, Self> {
        WithoutContext(self)
    }
}

impl PartialEq for VerifyingKey {
    fn eq(&self, other: &Self) -> bool {
        self.suite() == other.suite() && self.as_bytes() == other.as_bytes()
    }
}

impl Eq for VerifyingKey {}

impl hash::Hash for VerifyingKey {
    fn hash<H: hash::Hasher>(&self, state: &mut H) {
        self.key_id().hash(state);
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifyingKey({}, {})", self.suite(), self.key_id())
    }
}

/// A private key to sign with, held together with its expanded form: load it once and share it by
/// [`Arc`]. It is wiped when dropped.
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
    /// always made fresh, together.
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
    /// [`Error::Randomness`] if the generator fails, or gives nothing that a key can be made of;
    /// [`Error::Unsupported`] for the experimental
    /// suite, because Falcon's implementation draws from the operating system alone.
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

    /// The provider that the key is on: AWS-LC if it is compiled in, unless the key was moved.
    #[must_use]
    pub fn provider(&self) -> &'static Provider {
        self.verifying_key.provider()
    }

    /// The key's suite.
    #[must_use]
    pub fn suite(&self) -> SignatureSuite {
        self.verifying_key.suite()
    }

    /// The key's 96 bytes, which are the whole secret. Keep them off logs and command lines; for
    /// files there is [`write_pem_file`](Self::write_pem_file).
    #[must_use]
    pub fn secret_bytes(&self) -> &[u8] {
        &self.secret
    }

    /// The public half, to be published.
    #[must_use]
    pub fn verifying_key(&self) -> &VerifyingKey {
        &self.verifying_key
    }

    /// Signs a message for a context: what the signature is for, so that it cannot be used
    /// elsewhere. Both halves are randomised ("hedged"): two signatures over one message differ.
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
    /// A file that somebody writes to, or cuts, while it is read is signed as it was read: compare the length
    /// and modification time of the open file before and after, and discard the signature if they differ.
    ///
    /// # Errors
    ///
    /// The reader's errors, and those of [`sign`](Self::sign) inside an [`io::Error`].
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

    /// The key as the `signature` crate's [`Signer`](signature::Signer), with the empty context,
    /// for X.509 and other software.
    ///
    /// ```
    /// use signature::{Signer, Verifier};
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

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let public = &self.verifying_key;
        write!(f, "SigningKey({}, {})", public.suite(), public.key_id())
    }
}
