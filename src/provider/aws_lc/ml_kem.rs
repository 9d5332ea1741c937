//! ML-KEM-1024 from a seed.

use super::evp::Key;
use crate::{
    constants,
    error::Error,
    provider::{Decapsulator, Encapsulator, GIVEN, Kem, KemKeyPair, KemLengths, Random},
    wire,
};

const ENCAPSULATION_KEY: usize = constants::ML_KEM_1024_LENGTHS.encapsulation_key;

#[derive(Debug)]
pub(super) struct MlKem1024;

struct MlKemEncapsulator(Key);

struct MlKemDecapsulator(Key);

impl Kem for MlKem1024 {
    fn lengths(&self) -> KemLengths {
        constants::ML_KEM_1024_LENGTHS
    }

    fn key_pair(&self, seed: &[u8]) -> Result<KemKeyPair, Error> {
        let key = Key::ml_kem_of_seed(wire::array_ref("ML-KEM seed", seed)?)?;
        let encapsulation_key = key.public_key::<ENCAPSULATION_KEY>()?.to_vec();
        Ok(KemKeyPair {
            encapsulator: self.encapsulator(&encapsulation_key)?,
            decapsulator: Box::new(MlKemDecapsulator(key)),
            encapsulation_key,
        })
    }

    fn encapsulator(&self, encapsulation_key: &[u8]) -> Result<Box<dyn Encapsulator>, Error> {
        let bytes = wire::array_ref("ML-KEM-1024 encapsulation key", encapsulation_key)?;
        Ok(Box::new(MlKemEncapsulator(Key::ml_kem_of_encapsulation_key(bytes)?)))
    }
}

impl Encapsulator for MlKemEncapsulator {
    fn encapsulate(
        &self,
        random: &mut Random<'_>,
        ciphertext: &mut [u8],
        shared_secret: &mut [u8],
    ) -> Result<(), Error> {
        random.only_system(GIVEN)?;
        self.0.encapsulate(ciphertext, shared_secret)
    }
}

impl Decapsulator for MlKemDecapsulator {
    fn decapsulate(&self, ciphertext: &[u8], shared_secret: &mut [u8]) -> Result<(), Error> {
        self.0.decapsulate(ciphertext, shared_secret)
    }
}
