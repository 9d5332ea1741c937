//! Signing keys wherever they live.

use std::io;

use super::{
    Signature, SigningKey, VerifyingKey,
    prehash::{hash_reader, prehash},
};
use crate::{context, error::Error};

/// A signing key wherever it lives: in memory as [`SigningKey`], or in an HSM or KMS behind an
/// implementation of your own.
///
/// [`sign`](#method.sign), [`sign_reader`](#method.sign_reader) and everything else that takes a
/// signing key works with any of them. Report failures with [`Error::external`].
///
/// ```
/// use twinseal::{Error, Sign, Signature, SigningKey, VerifyingKey};
///
/// struct Kms { inside: SigningKey }
///
/// impl Sign for Kms {
///     fn verifying_key(&self) -> &VerifyingKey {
///         self.inside.verifying_key()
///     }
///     fn sign_prehashed(&self, context: &[u8], sha512: &[u8; 64]) -> Result<Signature, Error> {
///         Sign::sign_prehashed(&self.inside, context, sha512)
///             .map_err(|_| Error::external("the KMS did not answer"))
///     }
/// }
///
/// # let inside = SigningKey::generate()?;
/// let kms: Box<dyn Sign> = Box::new(Kms { inside });
/// let signature = kms.sign(b"example.com/releases", b"hello")?;
/// kms.verifying_key().verify(b"example.com/releases", b"hello", &signature)?;
/// # Ok::<(), Error>(())
/// ```
pub trait Sign: Send + Sync {
    /// The public half.
    fn verifying_key(&self) -> &VerifyingKey;

    /// Signs the SHA-512 of a message for a context of 0 to 255 bytes. Contexts that start with
    /// `twinseal/` arrive here too: the crate's own protocols use them.
    ///
    /// # Errors
    ///
    /// [`Error::External`] if the key cannot be reached or refuses.
    fn sign_prehashed(&self, context: &[u8], sha512: &[u8; 64]) -> Result<Signature, Error>;
}

impl dyn Sign + '_ {
    /// Signs a message for a context; see [`SigningKey::sign`].
    ///
    /// # Errors
    ///
    /// [`Error::Context`], and whatever the key reports.
    pub fn sign(&self, context: &[u8], message: &[u8]) -> Result<Signature, Error> {
        context::check(context)?;
        self.sign_checked(context, &prehash(message))
    }

    /// Signs a message of any length, read to its end; see [`SigningKey::sign_reader`].
    ///
    /// # Errors
    ///
    /// The reader's errors, and those of [`sign`](#method.sign) inside an [`io::Error`].
    pub fn sign_reader(&self, context: &[u8], message: impl io::Read) -> io::Result<Signature> {
        context::check(context)?;
        let sha512 = hash_reader(message)?;
        Ok(self.sign_checked(context, &sha512)?)
    }

    /// An external key may be of any make: what it answers must at least be of its own suite.
    pub(crate) fn sign_checked(
        &self,
        context: &[u8],
        sha512: &[u8; 64],
    ) -> Result<Signature, Error> {
        let signature = self.sign_prehashed(context, sha512).map_err(Error::into_external)?;
        if signature.suite != self.verifying_key().suite() {
            return Err(Error::external("the signature is not of the key's suite"));
        }
        Ok(signature)
    }
}

impl Sign for SigningKey {
    fn verifying_key(&self) -> &VerifyingKey {
        self.verifying_key()
    }

    fn sign_prehashed(&self, context: &[u8], sha512: &[u8; 64]) -> Result<Signature, Error> {
        let bytes = self.signer.sign_prehashed(context, sha512)?;
        Ok(Signature { suite: self.suite(), bytes })
    }
}
