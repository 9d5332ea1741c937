//! The public key of a hybrid signature scheme.

use std::{fmt, hash, io, sync::Arc};

use super::{
    Signature, SignatureSuite, WithoutContext,
    composite::CompositeVerifier,
    prehash::{hash_reader, prehash},
};
use crate::{
    check, constants, context,
    error::Error,
    half::Halves,
    key_id::KeyId,
    provider::{self, Provider},
    wire,
};

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

    /// The key of two public halves, which were made in different tokens: 2592 bytes for ML-DSA-87, and
    /// `0x04 || X || Y` (97) for ECDSA. Each must be a key of its own, used for nothing else: see
    /// [`split`](crate::split).
    ///
    /// # Errors
    ///
    /// As [`from_bytes`](Self::from_bytes).
    pub fn from_halves(
        suite: SignatureSuite,
        post_quantum: &[u8],
        traditional: &[u8],
    ) -> Result<Self, Error> {
        let length = suite.0.post_quantum_lengths().verifying_key;
        wire::exact("post-quantum verifying key", post_quantum, length)?;
        check::p384_point(traditional)?;
        Self::from_bytes(suite, &[post_quantum, traditional].concat())
    }

    fn load(
        suite: SignatureSuite,
        bytes: &[u8],
        provider: &'static Provider,
    ) -> Result<Self, Error> {
        let verifier = suite.0.on(provider).load_public(bytes)?;
        Ok(Self::new(suite, bytes.to_vec(), provider, verifier))
    }

    pub(super) fn new(
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

    /// The key's public halves, as [`from_halves`](Self::from_halves) takes them.
    #[must_use]
    pub fn halves(&self) -> Halves<&[u8]> {
        let (post_quantum, traditional) =
            self.suite().0.split_key(self.as_bytes()).expect("its length was checked");
        Halves { post_quantum, traditional }
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
    /// The reader's errors, and those of [`verify`](Self::verify), wrapped in [`io::Error`]: a
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

    /// Verifies over the SHA-512 of the message, for any context of at most 255 bytes.
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

    /// Verifies each half over the message representative.
    pub(super) fn verify_halves(
        &self,
        representative: &[u8],
        signature: &[u8],
    ) -> Result<Halves<Result<(), Error>>, Error> {
        self.0.verifier.verify_halves(representative, signature)
    }

    /// The key as a [`signature::Verifier`] with the empty context, for X.509 and other software.
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
