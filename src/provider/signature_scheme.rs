//! What does a signature scheme do, be it a primitive or a composite?

use std::fmt;

use zeroize::Zeroizing;

use super::{Random, SignatureLengths};
use crate::error::Error;

/// A signature scheme: a primitive, or a composite of two ([`SignatureSuite::scheme`]).
///
/// Keys have the lengths of [`lengths`](SignatureScheme::lengths). A composite checks them, and all
/// public values, before it uses a primitive; a provider's own primitive is raw.
///
/// ```
/// use twinseal::{Error, SignatureSuite, provider::{PORTABLE, Random, SignatureScheme}};
///
/// fn sign_and_verify(scheme: &dyn SignatureScheme, context: &[u8]) -> Result<(), Error> {
///     let key = scheme.generate(&mut Random::System)?;
///     let pair = scheme.key_pair(&key)?;
///     let signature = pair.signer.sign(context, b"hello")?;
///     scheme.verifier(&pair.verifying_key)?.verify(context, b"hello", &signature)
/// }
///
/// let hybrid = SignatureSuite::ML_DSA_87_ECDSA_P384.scheme(&PORTABLE);
/// sign_and_verify(&hybrid, b"example.com/releases")?;
/// sign_and_verify(PORTABLE.ml_dsa_87, b"example.com/releases")?;
/// sign_and_verify(PORTABLE.ecdsa_p384, b"")?; // ECDSA has no contexts
/// # Ok::<(), Error>(())
/// ```
///
/// [`SignatureSuite::scheme`]: crate::SignatureSuite::scheme
pub trait SignatureScheme: fmt::Debug + Send + Sync {
    /// The lengths of all values.
    fn lengths(&self) -> SignatureLengths;

    /// Makes a signing key.
    ///
    /// # Errors
    ///
    /// [`Error::Randomness`] if there is none, or if a few draws do not make a key;
    /// [`Error::Unsupported`] if the scheme cannot use a caller's generator.
    fn generate(&self, random: &mut Random<'_>) -> Result<Zeroizing<Vec<u8>>, Error>;

    /// Expands a signing key into a key pair.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] if it is not one.
    fn key_pair(&self, signing_key: &[u8]) -> Result<SignatureKeyPair, Error>;

    /// Parses a verifying key.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] if it is not one.
    fn verifier(&self, verifying_key: &[u8]) -> Result<Box<dyn SchemeVerifier>, Error>;
}

/// A key pair in its expanded form: load once, use often.
pub struct SignatureKeyPair {
    /// The verifying key's bytes.
    pub verifying_key: Vec<u8>,
    /// The public half, expanded.
    pub verifier: Box<dyn SchemeVerifier>,
    /// The private half, expanded; it wipes itself when dropped.
    pub signer: Box<dyn SchemeSigner>,
}

impl fmt::Debug for SignatureKeyPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SignatureKeyPair(..)")
    }
}

/// A signing key in its expanded form. Also what the adapter of an HSM implements, for one half of a key: see
/// [what it has to do](crate::split#halves-that-are-called), such as to give up after a time. A KMS that signs mu or a
/// digest does not fit here.
pub trait SchemeSigner: Send + Sync {
    /// Signs a message for a context. A scheme without contexts takes only the empty one.
    ///
    /// # Errors
    ///
    /// [`Error::Randomness`] if there is none; [`Error::Context`] if the scheme does not take the
    /// context; [`Error::external`] if an HSM fails or does not answer in time.
    fn sign(&self, context: &[u8], message: &[u8]) -> Result<Vec<u8>, Error>;

    /// Signs without randomness, for known answers.
    ///
    /// # Errors
    ///
    /// Same as [`sign`](Self::sign); [`Error::Unsupported`] on providers that cannot. [`PORTABLE`](super::PORTABLE) can.
    #[cfg(feature = "hazmat")]
    fn sign_deterministic(&self, context: &[u8], message: &[u8]) -> Result<Vec<u8>, Error> {
        let _ = (context, message);
        Err(Error::Unsupported("deterministic signing"))
    }
}

/// A verifying key in its expanded form.
pub trait SchemeVerifier: Send + Sync {
    /// Verifies a signature over a message for a context.
    ///
    /// # Errors
    ///
    /// [`Error::Verify`] if the signature is not valid, whatever the reason.
    fn verify(&self, context: &[u8], message: &[u8], signature: &[u8]) -> Result<(), Error>;
}
