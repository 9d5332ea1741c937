//! Decapsulation keys, wherever they are: in memory, or in an HSM or KMS.

use std::sync::Arc;

use super::{Ciphertext, EncapsulationKey, SharedSecret};
use crate::error::Error;

/// A decapsulation key, wherever it is: in memory as
/// [`DecapsulationKey`](crate::DecapsulationKey), or in an HSM or KMS behind an implementation of your own.
///
/// [`Unlock`](crate::Unlock) has the methods that open what was sealed to the key. References,
/// [`Box`] and [`Arc`] implement both traits as well. Report failures with [`Error::external`]: an
/// external key never returns [`Error::Open`].
///
/// ```
/// use twinseal::{
///     Decapsulate, DecapsulationKey, EncapsulationKey, Error, Unlock,
///     kem::{Ciphertext, SharedSecret},
/// };
///
/// struct Hsm { slot: DecapsulationKey }
///
/// impl Decapsulate for Hsm {
///     fn encapsulation_key(&self) -> &EncapsulationKey {
///         self.slot.encapsulation_key()
///     }
///     fn decapsulate(&self, ciphertext: &Ciphertext) -> Result<SharedSecret, Error> {
///         self.slot.decapsulate(ciphertext).map_err(|_| Error::external("the token is locked"))
///     }
/// }
///
/// # let slot = DecapsulationKey::generate()?;
/// let hsm = Hsm { slot };
/// let sealed = hsm.encapsulation_key().seal(b"example.com/notes", b"hello")?;
/// assert_eq!(&hsm.open(b"example.com/notes", &sealed)?[..], b"hello");
/// # Ok::<(), Error>(())
/// ```
pub trait Decapsulate: Send + Sync {
    /// The public half.
    fn encapsulation_key(&self) -> &EncapsulationKey;

    /// Recovers a shared secret, like
    /// [`DecapsulationKey::decapsulate`](crate::DecapsulationKey::decapsulate).
    ///
    /// # Errors
    ///
    /// [`Error::External`] if the key cannot be reached or refuses.
    fn decapsulate(&self, ciphertext: &Ciphertext) -> Result<SharedSecret, Error>;
}

impl<T: Decapsulate + ?Sized> Decapsulate for &T {
    fn encapsulation_key(&self) -> &EncapsulationKey {
        (**self).encapsulation_key()
    }

    fn decapsulate(&self, ciphertext: &Ciphertext) -> Result<SharedSecret, Error> {
        (**self).decapsulate(ciphertext)
    }
}

impl<T: Decapsulate + ?Sized> Decapsulate for Box<T> {
    fn encapsulation_key(&self) -> &EncapsulationKey {
        (**self).encapsulation_key()
    }

    fn decapsulate(&self, ciphertext: &Ciphertext) -> Result<SharedSecret, Error> {
        (**self).decapsulate(ciphertext)
    }
}

impl<T: Decapsulate + ?Sized> Decapsulate for Arc<T> {
    fn encapsulation_key(&self) -> &EncapsulationKey {
        (**self).encapsulation_key()
    }

    fn decapsulate(&self, ciphertext: &Ciphertext) -> Result<SharedSecret, Error> {
        (**self).decapsulate(ciphertext)
    }
}
