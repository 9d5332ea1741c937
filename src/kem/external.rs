//! Decapsulation keys wherever they live.

use super::{Ciphertext, DecapsulationKey, EncapsulationKey, SharedSecret};
use crate::error::Error;

/// A decapsulation key wherever it lives: in memory as [`DecapsulationKey`], or in an HSM or KMS
/// behind an implementation of your own.
///
/// [`open`](#method.open) and everything else that takes a decapsulation key works with any of
/// them. Report failures with [`Error::external`]: an external key never answers `Open`.
///
/// ```
/// use twinseal::{
///     Decapsulate, DecapsulationKey, EncapsulationKey, Error, kem::{Ciphertext, SharedSecret},
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
/// let hsm: Box<dyn Decapsulate> = Box::new(Hsm { slot });
/// let sealed = hsm.encapsulation_key().seal(b"example.com/notes", b"hello")?;
/// assert_eq!(&hsm.open(b"example.com/notes", &sealed)?[..], b"hello");
/// # Ok::<(), Error>(())
/// ```
pub trait Decapsulate: Send + Sync {
    /// The public half.
    fn encapsulation_key(&self) -> &EncapsulationKey;

    /// Recovers a shared secret; see [`DecapsulationKey::decapsulate`].
    ///
    /// # Errors
    ///
    /// [`Error::External`] if the key cannot be reached or refuses.
    fn decapsulate(&self, ciphertext: &Ciphertext) -> Result<SharedSecret, Error>;
}

impl Decapsulate for DecapsulationKey {
    fn encapsulation_key(&self) -> &EncapsulationKey {
        self.encapsulation_key()
    }

    fn decapsulate(&self, ciphertext: &Ciphertext) -> Result<SharedSecret, Error> {
        self.decapsulate(ciphertext)
    }
}
