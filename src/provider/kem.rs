//! What does a key encapsulation mechanism do, be it a primitive or a hybrid?

use std::fmt;

use super::{KemLengths, Random};
use crate::error::Error;

/// A key encapsulation mechanism: a primitive, or a hybrid of two ([`KemSuite::kem`]).
///
/// Keys, ciphertexts and buffers have the lengths of [`lengths`](Kem::lengths). A hybrid checks
/// them, and all public values, before it uses a primitive; a provider's own primitive is raw, and
/// may panic on another length.
///
/// ```
/// use twinseal::{Error, KemSuite, provider::{Kem, PORTABLE, Random}};
///
/// fn both_sides_agree(kem: &dyn Kem) -> Result<bool, Error> {
///     let lengths = kem.lengths();
///     let mut seed = vec![0; lengths.seed];
///     Random::System.fill(&mut seed)?;
///     let pair = kem.key_pair(&seed)?;
///
///     let sender = kem.encapsulator(&pair.encapsulation_key)?;
///     let mut ciphertext = vec![0; lengths.ciphertext];
///     let mut sent = vec![0; lengths.shared_secret];
///     sender.encapsulate(&mut Random::System, &mut ciphertext, &mut sent)?;
///
///     let mut received = vec![0; lengths.shared_secret];
///     pair.decapsulator.decapsulate(&ciphertext, &mut received)?;
///     Ok(sent == received)
/// }
///
/// for suite in KemSuite::ALL {
///     assert!(both_sides_agree(&suite.kem(&PORTABLE))?);
/// }
/// assert!(both_sides_agree(PORTABLE.ml_kem_1024)?);
/// # Ok::<(), Error>(())
/// ```
///
/// [`KemSuite::kem`]: crate::KemSuite::kem
pub trait Kem: fmt::Debug + Send + Sync {
    /// The lengths of all values.
    fn lengths(&self) -> KemLengths;

    /// Expands a seed into a key pair.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] if the seed is not a key (a P-384 scalar of 0, or not below the order).
    fn key_pair(&self, seed: &[u8]) -> Result<KemKeyPair, Error>;

    /// Parses an encapsulation key.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] if it is not one.
    fn encapsulator(&self, encapsulation_key: &[u8]) -> Result<Box<dyn Encapsulator>, Error>;
}

/// A key pair in its expanded form: load once, use often.
pub struct KemKeyPair {
    /// The encapsulation key's bytes.
    pub encapsulation_key: Vec<u8>,
    /// The public half, expanded.
    pub encapsulator: Box<dyn Encapsulator>,
    /// The private half, expanded; it wipes itself when dropped.
    pub decapsulator: Box<dyn Decapsulator>,
}

impl fmt::Debug for KemKeyPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KemKeyPair(..)")
    }
}

/// An encapsulation key in its expanded form.
pub trait Encapsulator: Send + Sync {
    /// Makes a shared secret, and the ciphertext that carries it.
    ///
    /// # Errors
    ///
    /// [`Error::Randomness`] if there is none; [`Error::Unsupported`] for [`Random::Given`] where C code draws by
    /// itself.
    fn encapsulate(
        &self,
        random: &mut Random<'_>,
        ciphertext: &mut [u8],
        shared_secret: &mut [u8],
    ) -> Result<(), Error>;
}

/// A decapsulation key in its expanded form. Also what the adapter of an HSM implements, for one half of a key: see
/// [what it has to do](crate::split#halves-that-are-called), such as to give up after a time.
pub trait Decapsulator: Send + Sync {
    /// Recovers the shared secret from a ciphertext, and fills all of `shared_secret`.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] if the ciphertext breaks a rule that anyone can check, or if an HSM dislikes it (rule 7 of
    /// [`split`](crate::split#what-your-hsm-must-offer)); [`Error::external`] if an HSM fails in any other way, or does
    /// not answer in time.
    fn decapsulate(&self, ciphertext: &[u8], shared_secret: &mut [u8]) -> Result<(), Error>;
}
