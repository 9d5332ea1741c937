//! A decapsulation key whose halves are in different places.

use std::fmt;

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::{Half, HalfKey, Halves, asked::asked};
use crate::{
    error::Error,
    kem::{Ciphertext, Combiner, Decapsulate, DecapsulationKey, EncapsulationKey, SharedSecret},
    provider::{Decapsulator, Kem, Random},
    tracing::{self, KeyUse},
};

/// A private key made of two halves, each in memory, in a token or behind a network.
///
/// Neither half alone opens anything. Both are always asked, the post-quantum half first, and their answers are
/// combined here.
///
/// ```
/// use twinseal::{DecapsulationKey, Unlock, split::SplitDecapsulationKey};
///
/// let whole = DecapsulationKey::generate()?;
/// let public = whole.encapsulation_key().clone();
/// let sealed = public.seal(b"example.com/notes", b"hello")?;
///
/// let halves = whole.into_halves()?; // in practice, each goes into a token
/// let key =
///     SplitDecapsulationKey::new(public, halves.post_quantum.into(), halves.traditional.into());
/// key.check()?;
/// assert_eq!(&key.open(b"example.com/notes", &sealed)?[..], b"hello");
/// # Ok::<(), twinseal::Error>(())
/// ```
pub struct SplitDecapsulationKey {
    combiner: Combiner,
    post_quantum: Box<dyn Decapsulator>,
    traditional: Box<dyn Decapsulator>,
}

impl SplitDecapsulationKey {
    /// The private key of an encapsulation key, which [`EncapsulationKey::from_halves`] makes of public halves.
    ///
    /// A half receives a ciphertext that was checked: 1568 bytes for ML-KEM-1024, 32 for X25519,
    /// `0x04 || X || Y` (97) for P-384. It fills in a shared secret of 32, 32 or 48 bytes; that of P-384 is the x
    /// coordinate.
    ///
    /// Call [`check`](Self::check) once: a half of another key shows otherwise only in that nothing opens.
    #[must_use]
    pub fn new(
        encapsulation_key: EncapsulationKey,
        post_quantum: Box<dyn Decapsulator>,
        traditional: Box<dyn Decapsulator>,
    ) -> Self {
        Self { combiner: Combiner::new(encapsulation_key), post_quantum, traditional }
    }

    /// Tries each half with a fresh ciphertext.
    ///
    /// # Errors
    ///
    /// [`Error::External`] if a half fails or is not of this key, naming the half; [`Error::Randomness`] if the
    /// system has none.
    pub fn check(&self) -> Result<(), Error> {
        let public = self.encapsulation_key();
        let (kems, keys) = (public.kems(), public.halves());
        KeyUse::decapsulate(public).check().report(|| {
            let post_quantum = check(&kems.post_quantum, keys.post_quantum, &*self.post_quantum)?;
            let traditional = check(&kems.traditional, keys.traditional, &*self.traditional)?;
            post_quantum.map_err(|error| error.of_half(Half::PostQuantum))?;
            traditional.map_err(|error| error.of_half(Half::Traditional))
        })
    }
}

/// The outer result is this side's own.
fn check(
    kem: &dyn Kem,
    encapsulation_key: &[u8],
    half: &dyn Decapsulator,
) -> Result<Result<(), Error>, Error> {
    let lengths = kem.lengths();
    let mut ciphertext = vec![0; lengths.ciphertext];
    let mut sent = Zeroizing::new(vec![0; lengths.shared_secret]);
    kem.encapsulator(encapsulation_key)?.encapsulate(
        &mut Random::System,
        &mut ciphertext,
        &mut sent,
    )?;
    let answer = unanswered(lengths.shared_secret)?;
    Ok(ask(half, &ciphertext, answer).and_then(|received| {
        if bool::from(received.ct_eq(&sent)) {
            Ok(())
        } else {
            Err(Error::external("it is not the private half of this key"))
        }
    }))
}

/// Where a half's answer goes. If it says that it answered, and did not, nothing opens.
fn unanswered(length: usize) -> Result<Zeroizing<Vec<u8>>, Error> {
    let mut secret = Zeroizing::new(vec![0; length]);
    Random::System.fill(&mut secret)?;
    Ok(secret)
}

fn ask(
    half: &dyn Decapsulator,
    ciphertext: &[u8],
    mut secret: Zeroizing<Vec<u8>>,
) -> Result<Zeroizing<Vec<u8>>, Error> {
    asked(|| {
        half.decapsulate(ciphertext, &mut secret)?;
        Ok(secret)
    })
}

impl Decapsulate for SplitDecapsulationKey {
    fn encapsulation_key(&self) -> &EncapsulationKey {
        self.combiner.encapsulation_key()
    }

    fn decapsulate(&self, ciphertext: &Ciphertext) -> Result<SharedSecret, Error> {
        KeyUse::decapsulate(self.encapsulation_key()).report(|| {
            self.combiner.check_suite(ciphertext)?;
            let (ciphertexts, kems) = (ciphertext.halves(), self.encapsulation_key().kems());
            let first = unanswered(kems.post_quantum.shared_secret_len())?;
            let second = unanswered(kems.traditional.shared_secret_len())?;
            let post_quantum = tracing::half(Half::PostQuantum, || {
                ask(&*self.post_quantum, ciphertexts.post_quantum, first)
            });
            let traditional = tracing::half(Half::Traditional, || {
                ask(&*self.traditional, ciphertexts.traditional, second)
            });
            self.combiner.combine(ciphertext, post_quantum, traditional)
        })
    }
}

impl fmt::Debug for SplitDecapsulationKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let public = self.encapsulation_key();
        write!(f, "SplitDecapsulationKey({}, {})", public.suite(), public.key_id())
    }
}

impl DecapsulationKey {
    /// Takes the key apart, so that its halves can move into two tokens; the public key stays what it is. There
    /// is no way back.
    ///
    /// The key is gone afterwards. Keep a copy of its file until both halves are in their tokens, and the split key's
    /// [`check`](SplitDecapsulationKey::check) has passed.
    ///
    /// The private bytes are the ML-KEM seed `d || z` (64; FIPS 203 §7.1), and the X25519 key (32; RFC 7748) or
    /// the P-384 scalar (48, big-endian).
    ///
    /// # Errors
    ///
    /// [`Error::External`] if a half, tried once, is not of the key, which would be a fault of the provider;
    /// [`Error::Randomness`] if the system has none.
    pub fn into_halves(self) -> Result<Halves<HalfKey<dyn Decapsulator>>, Error> {
        let public = self.encapsulation_key();
        let (kems, keys, seeds) = (public.kems(), public.halves(), self.halves());
        let (seed_pq, seed_t) = seeds.split_at(kems.post_quantum.lengths().seed);
        let post_quantum = HalfKey::load_kem(Half::PostQuantum, &kems.post_quantum, seed_pq)?;
        let traditional = HalfKey::load_kem(Half::Traditional, &kems.traditional, seed_t)?;
        check(&kems.post_quantum, keys.post_quantum, post_quantum.operation())?
            .map_err(|error| error.of_half(Half::PostQuantum))?;
        check(&kems.traditional, keys.traditional, traditional.operation())?
            .map_err(|error| error.of_half(Half::Traditional))?;
        Ok(Halves { post_quantum, traditional })
    }
}
