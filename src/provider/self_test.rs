//! Primitives that must give one known answer before they are used for the first time.
//!
//! Graviola and libcrux choose their code by the processor that they run on. No test of ours sees the
//! processor of every user, so the code that was chosen there shows once that it works.

use std::sync::OnceLock;

use zeroize::Zeroizing;

use super::{
    Aead, AeadKey, Encapsulator, Kem, KemKeyPair, KemLengths, Random, SchemeVerifier,
    SignatureKeyPair, SignatureLengths, SignatureScheme,
};
use crate::error::Error;

/// A primitive behind its test, which runs once in a process: no key is made before it has passed, or after
/// it has failed.
#[derive(Debug)]
pub(super) struct Tested<T> {
    primitive: T,
    answers: fn(&T) -> Result<bool, Error>,
    failed: Error,
    passed: OnceLock<bool>,
}

impl<T> Tested<T> {
    /// `answers` tells whether the primitive answered rightly; an error is a wrong answer. Where the system has
    /// no randomness, there was no answer, and the test is run again. `failed` names the primitive.
    pub(super) const fn new(
        primitive: T,
        answers: fn(&T) -> Result<bool, Error>,
        failed: &'static str,
    ) -> Self {
        Self { primitive, answers, failed: Error::Unsupported(failed), passed: OnceLock::new() }
    }

    /// Threads that come together may each run the test.
    fn tested(&self) -> Result<&T, Error> {
        let passed = match self.passed.get() {
            Some(passed) => *passed,
            None => {
                let passed = match (self.answers)(&self.primitive) {
                    Err(Error::Randomness) => return Err(Error::Randomness),
                    answer => answer == Ok(true),
                };
                *self.passed.get_or_init(|| passed)
            }
        };
        if passed { Ok(&self.primitive) } else { Err(self.failed.clone()) }
    }
}

impl<T: Kem> Kem for Tested<T> {
    fn lengths(&self) -> KemLengths {
        self.primitive.lengths()
    }

    fn key_pair(&self, seed: &[u8]) -> Result<KemKeyPair, Error> {
        self.tested()?.key_pair(seed)
    }

    fn encapsulator(&self, encapsulation_key: &[u8]) -> Result<Box<dyn Encapsulator>, Error> {
        self.tested()?.encapsulator(encapsulation_key)
    }
}

impl<T: SignatureScheme> SignatureScheme for Tested<T> {
    fn lengths(&self) -> SignatureLengths {
        self.primitive.lengths()
    }

    fn generate(&self, random: &mut Random<'_>) -> Result<Zeroizing<Vec<u8>>, Error> {
        self.tested()?.generate(random)
    }

    fn key_pair(&self, signing_key: &[u8]) -> Result<SignatureKeyPair, Error> {
        self.tested()?.key_pair(signing_key)
    }

    fn verifier(&self, verifying_key: &[u8]) -> Result<Box<dyn SchemeVerifier>, Error> {
        self.tested()?.verifier(verifying_key)
    }
}

impl<T: Aead> Aead for Tested<T> {
    fn key(&self, key: &[u8; 32]) -> Result<Box<dyn AeadKey>, Error> {
        self.tested()?.key(key)
    }
}

/// What a standard prints in hexadecimal digits of either case.
pub(super) const fn hex<const N: usize>(digits: &str) -> [u8; N] {
    assert!(digits.len() == 2 * N, "two digits are a byte");
    let mut bytes = [0; N];
    let mut index = 0;
    while index < 2 * N {
        let digit = (digits.as_bytes()[index] as char).to_digit(16).expect("a hexadecimal digit");
        bytes[index / 2] = bytes[index / 2] << 4 | digit as u8;
        index += 1;
    }
    bytes
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

    use super::*;
    use crate::provider::PORTABLE;

    /// The portable AES-256-GCM, with a count of its tests.
    #[derive(Debug)]
    struct Counted(AtomicUsize);

    impl Aead for Counted {
        fn key(&self, key: &[u8; 32]) -> Result<Box<dyn AeadKey>, Error> {
            PORTABLE.aes_256_gcm.key(key)
        }
    }

    fn tested(answers: fn(&Counted) -> Result<bool, Error>) -> Tested<Counted> {
        Tested::new(Counted(AtomicUsize::new(0)), answers, "AES, which gave a wrong answer")
    }

    fn key(tested: &Tested<Counted>) -> Result<(), Error> {
        tested.key(&[0; 32]).map(drop)
    }

    #[test]
    fn a_primitive_that_answers_rightly_is_tested_once() {
        let tested = tested(|primitive| {
            primitive.0.fetch_add(1, Relaxed);
            Ok(true)
        });
        assert_eq!(tested.primitive.0.load(Relaxed), 0);
        for _ in 0..3 {
            assert_eq!(key(&tested), Ok(()));
            assert_eq!(tested.primitive.0.load(Relaxed), 1);
        }
    }

    #[test]
    fn a_primitive_that_answers_wrongly_is_never_used() {
        let tested = tested(|primitive| Ok(primitive.0.fetch_add(1, Relaxed) > 0));
        for _ in 0..3 {
            let failed = Err(Error::Unsupported("AES, which gave a wrong answer"));
            assert_eq!(key(&tested), failed);
            assert_eq!(tested.primitive.0.load(Relaxed), 1);
        }
    }

    #[test]
    fn an_error_is_a_wrong_answer() {
        let tested = tested(|_| Err(Error::Open));
        assert_eq!(key(&tested), Err(Error::Unsupported("AES, which gave a wrong answer")));
    }

    #[test]
    fn a_test_that_could_not_run_is_run_again() {
        let tested = tested(|primitive| match primitive.0.fetch_add(1, Relaxed) {
            0 => Err(Error::Randomness),
            _ => Ok(true),
        });
        assert_eq!(key(&tested), Err(Error::Randomness));
        assert_eq!(key(&tested), Ok(()));
    }
}
