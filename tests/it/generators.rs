//! Do generators that fail or are stuck give an error or a key, and never an endless loop?

use std::convert::Infallible;

use rand_core::{TryCryptoRng, TryRng};
use twinseal::{DecapsulationKey, Error, KemSuite, SigningKey, provider::Random};

use crate::common::{errors::outcome, keys::COMPOSITE, providers::PROVIDERS};

/// A generator that gives a few bytes, and then one value for ever.
struct Stuck {
    value: u8,
    before: usize,
}

impl TryRng for Stuck {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        unreachable!("keys are made from bytes")
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        unreachable!("keys are made from bytes")
    }

    fn try_fill_bytes(&mut self, buffer: &mut [u8]) -> Result<(), Infallible> {
        buffer.fill(self.value);
        let good = buffer.len().min(self.before);
        buffer[..good].fill(7);
        self.before -= good;
        Ok(())
    }
}

impl TryCryptoRng for Stuck {}

/// Its bytes are a seed like any other, but not a scalar of P-384: one is 0, the other not below the order.
#[test]
fn a_generator_that_is_stuck() {
    for value in [0, 0xff] {
        for before in [0, 32] {
            for &suite in KemSuite::ALL {
                let mut stuck = Stuck { value, before };
                assert_eq!(outcome(DecapsulationKey::generate_from_rng(suite, &mut stuck)), "Ok");
            }
            let mut stuck = Stuck { value, before };
            let found = outcome(SigningKey::generate_from_rng(COMPOSITE, &mut stuck));
            assert_eq!(found, "Randomness");
            for provider in *PROVIDERS {
                let mut stuck = Stuck { value, before: 0 };
                let mut draw =
                    |buffer: &mut [u8]| stuck.try_fill_bytes(buffer).map_err(|_| Error::Randomness);
                let found = outcome(provider.ecdsa_p384.generate(&mut Random::Given(&mut draw)));
                assert_eq!(found, "Randomness", "{}", provider.name);
            }
        }
    }
}

/// A generator that has nothing to give.
struct Dry;

impl TryRng for Dry {
    type Error = std::fmt::Error;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        Err(std::fmt::Error)
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        Err(std::fmt::Error)
    }

    fn try_fill_bytes(&mut self, _: &mut [u8]) -> Result<(), Self::Error> {
        Err(std::fmt::Error)
    }
}

impl TryCryptoRng for Dry {}

#[test]
fn a_generator_that_fails() {
    for &suite in KemSuite::ALL {
        let found = outcome(DecapsulationKey::generate_from_rng(suite, &mut Dry));
        assert_eq!(found, "Randomness");
    }
    let found = outcome(SigningKey::generate_from_rng(COMPOSITE, &mut Dry));
    assert_eq!(found, "Randomness");
}
