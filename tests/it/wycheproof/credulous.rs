//! Which keys does the crate itself refuse? This provider takes every encapsulation key, so that only the
//! checks before all providers are left.

use twinseal::{
    Error,
    provider::{Encapsulator, Kem, KemKeyPair, KemLengths, PORTABLE, Provider, Random},
};

pub(crate) static CREDULOUS: Provider = Provider {
    name: "credulous",
    p384: &Credulous(|| PORTABLE.p384.lengths()),
    ml_kem_1024: &Credulous(|| PORTABLE.ml_kem_1024.lengths()),
    ..PORTABLE
};

#[derive(Debug)]
struct Credulous(fn() -> KemLengths);

struct AnyKey;

impl Kem for Credulous {
    fn lengths(&self) -> KemLengths {
        self.0()
    }

    fn key_pair(&self, _seed: &[u8]) -> Result<KemKeyPair, Error> {
        Err(Error::Unsupported("key pairs"))
    }

    fn encapsulator(&self, _encapsulation_key: &[u8]) -> Result<Box<dyn Encapsulator>, Error> {
        Ok(Box::new(AnyKey))
    }
}

impl Encapsulator for AnyKey {
    fn encapsulate(&self, _: &mut Random<'_>, _: &mut [u8], _: &mut [u8]) -> Result<(), Error> {
        Err(Error::Unsupported("encapsulation"))
    }
}
