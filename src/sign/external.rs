//! Signing keys in memory, in an HSM or in a KMS.

use std::{io, sync::Arc};

use super::{
    Signature, VerifyingKey,
    prehash::{hash_reader, prehash},
};
use crate::{context, error::Error, tracing::KeyUse};

/// A signing key in any place: in memory as [`SigningKey`](crate::SigningKey), or in an
/// HSM or KMS behind an implementation of your own.
///
/// An implementation has two methods, [`verifying_key`](Self::verifying_key) and
/// [`sign_prehashed`](Self::sign_prehashed). Callers use the other two, or pass the key to
/// any function that takes a signing key: references, [`Box`] and [`Arc`] implement the trait as well.
/// Report failures with [`Error::external`].
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
/// let kms = Kms { inside };
/// let signature = kms.sign(b"example.com/releases", b"hello")?;
/// kms.verifying_key().verify(b"example.com/releases", b"hello", &signature)?;
///
/// let any: Box<dyn Sign> = Box::new(kms);
/// let signature = any.sign_reader(b"example.com/releases", &mut &b"hello"[..])?;
/// any.verifying_key().verify(b"example.com/releases", b"hello", &signature)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
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

    /// Signs a message for a context, like [`SigningKey::sign`](crate::SigningKey::sign).
    ///
    /// # Errors
    ///
    /// [`Error::Context`], and the errors of [`sign_prehashed`](Self::sign_prehashed).
    fn sign(&self, context: &[u8], message: &[u8]) -> Result<Signature, Error> {
        context::check(context)?;
        sign_checked(self, self.verifying_key(), context, &prehash(message))
    }

    /// Signs a message of any length, read to its end, like
    /// [`SigningKey::sign_reader`](crate::SigningKey::sign_reader).
    ///
    /// # Errors
    ///
    /// The reader's errors, and the errors of [`sign`](Self::sign), wrapped in [`io::Error`].
    fn sign_reader(&self, context: &[u8], message: &mut dyn io::Read) -> io::Result<Signature> {
        context::check(context)?;
        let sha512 = hash_reader(message)?;
        Ok(sign_checked(self, self.verifying_key(), context, &sha512)?)
    }
}

/// Does not trust an external key: its signature must at least be of its own suite.
pub(crate) fn sign_checked<K: Sign + ?Sized>(
    key: &K,
    public: &VerifyingKey,
    context: &[u8],
    sha512: &[u8; 64],
) -> Result<Signature, Error> {
    let signed = || {
        let signature = key.sign_prehashed(context, sha512).map_err(Error::into_external)?;
        if signature.suite != public.suite() {
            return Err(Error::external("the signature is not of the key's suite"));
        }
        Ok(signature)
    };
    KeyUse::sign(public).report(signed)
}

/// Forwards every method, so that a key's own `sign` is the one that runs behind a pointer too.
macro_rules! forward {
    ($($pointer:ty),*) => {$(
        impl<T: Sign + ?Sized> Sign for $pointer {
            fn verifying_key(&self) -> &VerifyingKey {
                T::verifying_key(self)
            }

            fn sign_prehashed(&self, context: &[u8], sha512: &[u8; 64]) -> Result<Signature, Error> {
                T::sign_prehashed(self, context, sha512)
            }

            fn sign(&self, context: &[u8], message: &[u8]) -> Result<Signature, Error> {
                T::sign(self, context, message)
            }

            fn sign_reader(&self, context: &[u8], message: &mut dyn io::Read) -> io::Result<Signature> {
                T::sign_reader(self, context, message)
            }
        }
    )*};
}

forward!(&T, Box<T>, Arc<T>);
