//! One shared secret of two that were recovered apart.

use std::fmt;

use zeroize::Zeroizing;

use super::{Ciphertext, EncapsulationKey, SharedSecret, hybrid::Transcript};
use crate::{check::CheckedKem, error::Error, half::Half, provider::Random};

/// A hybrid's combiner for one key.
pub(crate) struct Combiner {
    encapsulation_key: EncapsulationKey,
    transcript: Transcript,
}

impl Combiner {
    pub(crate) fn new(encapsulation_key: EncapsulationKey) -> Self {
        let halves = encapsulation_key.halves();
        let transcript = Transcript::new(halves.post_quantum, halves.traditional);
        Self { encapsulation_key, transcript }
    }

    pub(crate) fn encapsulation_key(&self) -> &EncapsulationKey {
        &self.encapsulation_key
    }

    pub(crate) fn check_suite(&self, ciphertext: &Ciphertext) -> Result<(), Error> {
        ciphertext.check_suite(self.encapsulation_key.suite())
    }

    /// Nothing depends on which of the halves failed first, except the error.
    pub(crate) fn combine(
        &self,
        ciphertext: &Ciphertext,
        post_quantum: Result<impl AsRef<[u8]>, Error>,
        traditional: Result<impl AsRef<[u8]>, Error>,
    ) -> Result<SharedSecret, Error> {
        self.check_suite(ciphertext)?;
        let (suite, kems) = (self.encapsulation_key.suite(), self.encapsulation_key.kems());
        let mut secrets = suite.0.secrets();
        let (ss_pq, ss_t) = secrets.split_at_mut(kems.post_quantum.shared_secret_len());
        let post_quantum = take(&kems.post_quantum, post_quantum, ss_pq);
        let traditional = take(&kems.traditional, traditional, ss_t);
        post_quantum.map_err(|error| error.of_half(Half::PostQuantum))?;
        traditional.map_err(|error| error.of_half(Half::Traditional))?;
        let mut secret = Zeroizing::new(vec![0; suite.lengths().shared_secret]);
        (suite.0.combine)(&self.transcript, &secrets, &ciphertext.bytes, &mut secret);
        Ok(SharedSecret { suite, bytes: secret })
    }
}

/// A half that dislikes a ciphertext tells its sender something about the key. So nobody learns of it: random bytes
/// take the place of the half's secret, and nothing opens.
fn take(
    kem: &CheckedKem,
    said: Result<impl AsRef<[u8]>, Error>,
    secret: &mut [u8],
) -> Result<(), Error> {
    Random::System.fill(secret)?;
    match said {
        Ok(bytes) => {
            kem.check_shared_secret(bytes.as_ref())?;
            secret.copy_from_slice(bytes.as_ref());
            Ok(())
        }
        Err(Error::Invalid { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}

impl SharedSecret {
    /// The shared secret of a ciphertext whose halves, [`Ciphertext::halves`], were decapsulated elsewhere: for
    /// keys whose halves are awaited. [`split`](crate::split) has the rules and an example.
    ///
    /// Each argument is what a half said: its shared secret, of 32 bytes for ML-KEM-1024 and X25519 and 48 for P-384
    /// (the x coordinate), or its failure. Ask both, and pass on both, even if the first failed. A half that calls
    /// the ciphertext wrong is [`Error::Invalid`]: random bytes take its place, and the data does not open.
    ///
    /// # Errors
    ///
    /// [`Error::External`], naming the half, for all other failures, a wrong length and an X25519 secret of zeros;
    /// [`Error::SuiteMismatch`] if the ciphertext is not of the key's suite; [`Error::Randomness`].
    ///
    /// ```
    /// use twinseal::{DecapsulationKey, Error, kem::SharedSecret, provider::{Kem, PORTABLE}};
    ///
    /// let whole = DecapsulationKey::generate()?;
    /// let public = whole.encapsulation_key().clone();
    /// let (ciphertext, secret) = public.encapsulate()?;
    /// let halves = whole.into_halves()?;
    ///
    /// let sent = ciphertext.halves(); // each to the place of its half
    /// let ml_kem = PORTABLE.ml_kem_1024.key_pair(halves.post_quantum.as_bytes())?.decapsulator;
    /// let x25519 = PORTABLE.x25519.key_pair(halves.traditional.as_bytes())?.decapsulator;
    /// let (mut first, mut second) = ([0; 32], [0; 32]);
    /// let post_quantum = ml_kem.decapsulate(sent.post_quantum, &mut first).map(|()| first);
    /// let traditional = x25519.decapsulate(sent.traditional, &mut second).map(|()| second);
    ///
    /// let combined = SharedSecret::combine(&public, &ciphertext, post_quantum, traditional)?;
    /// assert_eq!(combined.as_bytes(), secret.as_bytes());
    /// # Ok::<(), Error>(())
    /// ```
    pub fn combine(
        encapsulation_key: &EncapsulationKey,
        ciphertext: &Ciphertext,
        post_quantum: Result<impl AsRef<[u8]>, Error>,
        traditional: Result<impl AsRef<[u8]>, Error>,
    ) -> Result<Self, Error> {
        Combiner::new(encapsulation_key.clone()).combine(ciphertext, post_quantum, traditional)
    }
}

impl fmt::Debug for Combiner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Combiner({:?})", self.encapsulation_key)
    }
}
