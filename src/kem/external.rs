//! Decapsulation keys in memory, in an HSM or in a KMS.

use std::sync::Arc;

use super::{Ciphertext, EncapsulationKey, SharedSecret};
use crate::error::Error;

/// A decapsulation key in any place: in memory as
/// [`DecapsulationKey`](crate::DecapsulationKey), or in an HSM or KMS behind an implementation of your own.
///
/// [`Unlock`](crate::Unlock) has the methods that open what was sealed to the key. References,
/// [`Box`] and [`Arc`] implement both traits as well. Report failures with [`Error::external`]: an
/// external key never returns [`Error::Open`].
///
/// Most keys in HSMs are two halves: [`split`](crate::split) makes a key of them. This trait is for a key that answers
/// as a whole, such as one in another process of yours. A call that never returns blocks the caller: bring a time limit.
///
/// ```
/// use std::time::Duration;
/// use twinseal::{Decapsulate, DecapsulationKey, EncapsulationKey, Error, Unlock, kem::{Ciphertext, SharedSecret}};
///
/// struct Kms { public: EncapsulationKey, connection: Connection }
///
/// impl Decapsulate for Kms {
///     fn encapsulation_key(&self) -> &EncapsulationKey {
///         &self.public
///     }
///     fn decapsulate(&self, ciphertext: &Ciphertext) -> Result<SharedSecret, Error> {
///         // 1600 bytes go out, a secret of 64 comes back.
///         self.connection.ask(ciphertext, Duration::from_secs(5)).map_err(Error::external)
///     }
/// }
///
/// # struct Connection(DecapsulationKey);
/// # impl Connection {
/// #     fn ask(&self, ciphertext: &Ciphertext, _: Duration) -> Result<SharedSecret, Error> { self.0.decapsulate(ciphertext) }
/// # }
/// # let inside = DecapsulationKey::generate()?;
/// # let public = inside.encapsulation_key().clone();
/// # let connection = Connection(inside);
/// let kms = Kms { public, connection };
/// let sealed = kms.encapsulation_key().seal(b"example.com/notes", b"hello")?;
/// assert_eq!(&kms.open(b"example.com/notes", &sealed)?[..], b"hello");
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
