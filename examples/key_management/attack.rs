//! What the holder of one custodian can do with all that they have: the private halves, every sealed
//! file, every signature. They try to open and to sign with one half and something in place of the
//! other, a key of their own among others.

use std::{fs, path::Path};

use twinseal::{
    EncapsulationKey, Error, Sign, Signature, SignatureSuite, Unlock, VerifyingKey,
    provider::{Decapsulator, Random, SchemeSigner},
    split::{Half, Halves, SplitDecapsulationKey, SplitSigningKey},
};
use zeroize::Zeroizing;

use crate::{
    Result,
    algorithm::{Algorithm, Operation},
    arguments::{SEALED, SIGNED},
};

const FORGED: &[u8] = b"a release that nobody made";

/// How many secrets are guessed.
const GUESSES: usize = 100;

/// The length of its signature, with which a composite one begins.
const ML_DSA_87: usize = 4627;

/// What anybody can have.
pub(crate) struct Public<'a> {
    pub(crate) encapsulation_key: &'a EncapsulationKey,
    pub(crate) sealed: &'a [u8],
    pub(crate) verifying_key: &'a VerifyingKey,
    /// Over another message.
    pub(crate) signature: &'a Signature,
}

/// A private half, as a custodian keeps it.
pub(crate) struct Stolen {
    pub(crate) algorithm: Algorithm,
    private: Zeroizing<Vec<u8>>,
}

impl Stolen {
    pub(crate) fn read(custodian: &Path, name: &str, algorithm: Algorithm) -> Result<Self> {
        let private = Zeroizing::new(fs::read(custodian.join(format!("{name}.{algorithm}")))?);
        Ok(Self { algorithm, private })
    }

    /// One of the holder's own.
    pub(crate) fn own(algorithm: Algorithm) -> Result<Self> {
        Ok(Self { algorithm, private: algorithm.generate()? })
    }

    pub(crate) fn public(&self) -> Result<Vec<u8>> {
        Ok(self.algorithm.load(&self.private)?.public)
    }

    fn decapsulator(&self) -> Result<Box<dyn Decapsulator>> {
        match self.algorithm.load(&self.private)?.operation {
            Operation::Decapsulate(key, _) => Ok(key),
            Operation::Sign(_) => Err("a key for signatures".into()),
        }
    }

    fn signer(&self) -> Result<Box<dyn SchemeSigner>> {
        match self.algorithm.load(&self.private)?.operation {
            Operation::Sign(key) => Ok(key),
            Operation::Decapsulate(..) => Err("no key for signatures".into()),
        }
    }
}

/// How many tries there were, and how many succeeded.
#[derive(Default)]
pub(crate) struct Tries {
    pub(crate) made: u32,
    pub(crate) successful: u32,
}

impl Tries {
    fn count(&mut self, success: bool) {
        self.made += 1;
        self.successful += u32::from(success);
    }
}

/// Opens with the stolen half, and a key of one's own or a guess for the other.
pub(crate) fn open(public: &Public<'_>, stolen: &Stolen, own: &Stolen) -> Result<Tries> {
    let mut guesses: Vec<Box<dyn Decapsulator>> = vec![
        Box::new(Constant([0; 32])),
        Box::new(Constant([0xff; 32])),
        Box::new(Echo),
        own.decapsulator()?,
    ];
    for _ in 0..GUESSES {
        let mut guess = [0; 32];
        Random::System.fill(&mut guess)?;
        guesses.push(Box::new(Constant(guess)));
    }
    let mut tries = Tries::default();
    for guess in guesses {
        let halves = in_order(stolen, stolen.decapsulator()?, guess);
        let public_key = public.encapsulation_key.clone();
        let key = SplitDecapsulationKey::new(public_key, halves.post_quantum, halves.traditional);
        tries.count(match key.open(SEALED.as_bytes(), public.sealed) {
            Ok(_) => true,
            // X25519 never gives zeros, so the library does not take them.
            Err(Error::Open | Error::External(_)) => false,
            Err(error) => return Err(error.into()),
        });
    }
    Ok(tries)
}

/// Signs with the stolen half, and puts other things in the place of the other half's signature.
pub(crate) fn sign(public: &Public<'_>, stolen: &Stolen, own: &Stolen) -> Result<Tries> {
    const SUITE: SignatureSuite = SignatureSuite::ML_DSA_87_ECDSA_P384;
    let sign_as = |key: VerifyingKey| -> Result<_> {
        let halves = in_order(stolen, stolen.signer()?, own.signer()?);
        let key = SplitSigningKey::new(key, halves.post_quantum, halves.traditional);
        Ok(key.sign(SIGNED.as_bytes(), FORGED))
    };
    let joined = sign_as(public.verifying_key.clone())?;

    // A valid signature of another key, which shares the stolen half.
    let halves = in_order(stolen, stolen.public()?, own.public()?);
    let key = VerifyingKey::from_halves(SUITE, &halves.post_quantum, &halves.traditional)?;
    let other = sign_as(key)?;

    // The stolen half's signature beside a genuine one of the other half, and beside nothing.
    let half_of = |signature: &Signature, half| {
        let (ml_dsa, ecdsa) = signature.as_bytes().split_at(ML_DSA_87);
        if half == Half::PostQuantum { ml_dsa.to_vec() } else { ecdsa.to_vec() }
    };
    let forged = half_of(other.as_ref().map_err(Clone::clone)?, stolen.algorithm.half());
    let genuine = half_of(public.signature, own.algorithm.half());
    let [spliced, alone] = [genuine, Vec::new()].map(|beside| {
        let halves = in_order(stolen, forged.clone(), beside);
        Signature::from_bytes(SUITE, &[halves.post_quantum, halves.traditional].concat())
    });

    let mut tries = Tries::default();
    for forgery in [joined, other, spliced, alone, Ok(public.signature.clone())] {
        tries.count(forgery.is_ok_and(|signature| {
            public.verifying_key.verify(SIGNED.as_bytes(), FORGED, &signature).is_ok()
        }));
    }
    Ok(tries)
}

/// Which of the two is of which half.
fn in_order<T>(stolen: &Stolen, of_stolen: T, of_other: T) -> Halves<T> {
    match stolen.algorithm.half() {
        Half::PostQuantum => Halves { post_quantum: of_stolen, traditional: of_other },
        Half::Traditional => Halves { post_quantum: of_other, traditional: of_stolen },
    }
}

/// Says the same for every ciphertext.
struct Constant([u8; 32]);

impl Decapsulator for Constant {
    fn decapsulate(&self, _: &[u8], shared_secret: &mut [u8]) -> Result<(), Error> {
        shared_secret.copy_from_slice(&self.0);
        Ok(())
    }
}

/// Says what is in the ciphertext.
struct Echo;

impl Decapsulator for Echo {
    fn decapsulate(&self, ciphertext: &[u8], shared_secret: &mut [u8]) -> Result<(), Error> {
        shared_secret.copy_from_slice(&ciphertext[..shared_secret.len()]);
        Ok(())
    }
}
