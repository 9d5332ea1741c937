//! One shared secret of two that were recovered apart.

use zeroize::Zeroizing;

use super::{Ciphertext, EncapsulationKey, SharedSecret, hybrid::Transcript};
use crate::{check::CheckedKem, error::Error, half::Half, provider::Random, tracing::KeyUse, wire};

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

    /// The random bytes are drawn for every ciphertext, so that the time of this side does not tell whether a half
    /// disliked it.
    pub(crate) fn combine(
        &self,
        ciphertext: &Ciphertext,
        post_quantum: Result<impl AsRef<[u8]>, Error>,
        traditional: Result<impl AsRef<[u8]>, Error>,
    ) -> Result<SharedSecret, Error> {
        self.check_suite(ciphertext)?;
        let (suite, kems) = (self.encapsulation_key.suite(), self.encapsulation_key.kems());
        let mut secrets = suite.0.secrets();
        Random::System.fill(&mut secrets)?;
        let (ss_pq, ss_t) = secrets.split_at_mut(kems.post_quantum.shared_secret_len());
        take(&kems.post_quantum, post_quantum, ss_pq)
            .map_err(|error| error.of_half(Half::PostQuantum))?;
        take(&kems.traditional, traditional, ss_t)
            .map_err(|error| error.of_half(Half::Traditional))?;
        let mut secret = Zeroizing::new(vec![0; suite.lengths().shared_secret]);
        (suite.0.combine)(&self.transcript, &secrets, &ciphertext.bytes, &mut secret);
        Ok(SharedSecret { suite, bytes: secret })
    }
}

/// Puts what a half said in the place of random bytes, which stay if it called the ciphertext wrong: that would tell
/// the sender something about the key, so nobody learns of it, and nothing opens.
///
/// Zeros are a failure of X25519 alone, where no ciphertext that was checked leads to them. With P-384, whoever knows
/// the private half can make a ciphertext that does.
fn take(
    kem: &CheckedKem,
    said: Result<impl AsRef<[u8]>, Error>,
    secret: &mut [u8],
) -> Result<(), Error> {
    match said {
        Ok(said) => {
            let said = wire::exact("shared secret", said.as_ref(), secret.len())?;
            kem.check_shared_secret(said)
                .map_err(|_| Error::external("its shared secret is zero"))?;
            secret.copy_from_slice(said);
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
    /// (the x coordinate), in something that wipes itself; or its failure. Ask both, and pass on both, even if the
    /// first failed. A half that calls the ciphertext wrong is [`Error::Invalid`]: random bytes take its place, and
    /// the data does not open.
    ///
    /// # Errors
    ///
    /// [`Error::External`], naming the half, for all other failures, a wrong length, and an X25519 secret of zeros,
    /// which no right half gives for a ciphertext that was checked; [`Error::SuiteMismatch`] if the ciphertext is not of the
    /// key's suite; [`Error::Randomness`] if this side has none.
    ///
    /// ```
    /// use twinseal::{DecapsulationKey, Error, kem::SharedSecret, provider::{Kem, PORTABLE}};
    /// use twinseal::zeroize::Zeroizing;
    ///
    /// let whole = DecapsulationKey::generate()?;
    /// let public = whole.encapsulation_key().clone();
    /// let (ciphertext, secret) = public.encapsulate()?;
    /// let halves = whole.into_halves()?;
    ///
    /// let sent = ciphertext.halves(); // each to the place of its half
    /// let ml_kem = PORTABLE.ml_kem_1024.key_pair(halves.post_quantum.secret_bytes())?.decapsulator;
    /// let x25519 = PORTABLE.x25519.key_pair(halves.traditional.secret_bytes())?.decapsulator;
    /// let (mut first, mut second) = (Zeroizing::new(vec![0; 32]), Zeroizing::new(vec![0; 32]));
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
        KeyUse::decapsulate(encapsulation_key).elsewhere().report(|| {
            Combiner::new(encapsulation_key.clone()).combine(ciphertext, post_quantum, traditional)
        })
    }
}
