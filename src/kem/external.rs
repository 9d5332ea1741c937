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
/// ```
/// use std::{
///     sync::mpsc::{self, Sender},
///     thread,
///     time::Duration,
/// };
///
/// use twinseal::{
///     Decapsulate, DecapsulationKey, EncapsulationKey, Error, Unlock,
///     kem::{Ciphertext, SharedSecret},
/// };
///
/// const CONTEXT: &[u8] = b"example.com/notes/v1";
///
/// /// The HSM as seen from this side: its public key, and a connection.
/// struct Hsm {
///     public: EncapsulationKey,
///     requests: Sender<(Ciphertext, Sender<SharedSecret>)>,
/// }
///
/// impl Decapsulate for Hsm {
///     fn encapsulation_key(&self) -> &EncapsulationKey {
///         &self.public
///     }
///
///     fn decapsulate(&self, ciphertext: &Ciphertext) -> Result<SharedSecret, Error> {
///         let (answer, answers) = mpsc::channel();
///         let unreachable = |_| Error::external("the HSM is not running");
///         self.requests.send((ciphertext.clone(), answer)).map_err(unreachable)?;
///         answers.recv_timeout(Duration::from_secs(5)).map_err(Error::external)
///     }
/// }
///
/// fn main() -> Result<(), Error> {
///     // The HSM: it answers requests, and its key does not leave it.
///     let key = DecapsulationKey::generate()?;
///     let public = key.encapsulation_key().clone();
///     let (requests, inbox) = mpsc::channel::<(Ciphertext, Sender<SharedSecret>)>();
///     thread::spawn(move || {
///         for (ciphertext, answer) in inbox {
///             let _ = key.decapsulate(&ciphertext).map(|secret| answer.send(secret));
///         }
///     });
///
///     // Envelopes are decrypted here: only a ciphertext of 1600 bytes goes to the HSM, and a secret of 64 comes back.
///     let hsm = Hsm { public, requests };
///     let sealed = hsm.encapsulation_key().seal(CONTEXT, b"hello")?;
///     assert_eq!(&hsm.open(CONTEXT, &sealed)?[..], b"hello");
///     println!("The envelope was opened, and the private key stayed in the HSM.");
///     Ok(())
/// }
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
