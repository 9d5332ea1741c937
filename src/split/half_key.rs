//! One private half of a key that was taken apart.

use std::fmt;

use zeroize::Zeroizing;

use super::Half;
use crate::{
    check::CheckedKem,
    error::Error,
    provider::{Decapsulator, SchemeSigner, SignatureScheme},
};

/// One half of a key in memory, from [`DecapsulationKey::into_halves`](crate::DecapsulationKey::into_halves) or
/// [`SigningKey::into_halves`](crate::SigningKey::into_halves): its private bytes, to be moved into a token, and
/// what it does. It is wiped when dropped.
///
/// ```
/// use twinseal::SigningKey;
///
/// let halves = SigningKey::generate()?.into_halves()?;
/// assert_eq!((halves.post_quantum.algorithm(), halves.post_quantum.secret_bytes().len()), ("ML-DSA-87", 32));
/// assert_eq!((halves.traditional.algorithm(), halves.traditional.secret_bytes().len()), ("ECDSA-P384", 48));
/// # Ok::<(), twinseal::Error>(())
/// ```
pub struct HalfKey<Operation: ?Sized> {
    half: Half,
    algorithm: &'static str,
    bytes: Zeroizing<Vec<u8>>,
    operation: Box<Operation>,
}

impl<Operation: ?Sized> HalfKey<Operation> {
    /// Which half it is.
    #[must_use]
    pub fn half(&self) -> Half {
        self.half
    }

    /// `ML-KEM-1024`, `X25519`, `P-384`, `ML-DSA-87` or `ECDSA-P384`.
    #[must_use]
    pub fn algorithm(&self) -> &'static str {
        self.algorithm
    }

    /// The private bytes: the ML-KEM seed `d || z` (64), the X25519 key (32), the ML-DSA seed (32), or the P-384
    /// scalar (48, big-endian). Keep them off logs and command lines.
    #[must_use]
    pub fn secret_bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(super) fn operation(&self) -> &Operation {
        &self.operation
    }
}

impl HalfKey<dyn Decapsulator> {
    pub(super) fn load_kem(half: Half, kem: &CheckedKem, seed: &[u8]) -> Result<Self, Error> {
        let operation = kem.raw_decapsulator(seed)?;
        let bytes = Zeroizing::new(seed.to_vec());
        Ok(Self { half, algorithm: kem.name(), bytes, operation })
    }
}

impl HalfKey<dyn SchemeSigner> {
    pub(super) fn load_signer(
        half: Half,
        algorithm: &'static str,
        scheme: &dyn SignatureScheme,
        key: &[u8],
    ) -> Result<Self, Error> {
        let operation = scheme.key_pair(key)?.signer;
        Ok(Self { half, algorithm, bytes: Zeroizing::new(key.to_vec()), operation })
    }
}

impl From<HalfKey<dyn Decapsulator>> for Box<dyn Decapsulator> {
    fn from(half: HalfKey<dyn Decapsulator>) -> Self {
        half.operation
    }
}

impl From<HalfKey<dyn SchemeSigner>> for Box<dyn SchemeSigner> {
    fn from(half: HalfKey<dyn SchemeSigner>) -> Self {
        half.operation
    }
}

impl<Operation: ?Sized> fmt::Debug for HalfKey<Operation> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HalfKey({}, ..)", self.algorithm)
    }
}
