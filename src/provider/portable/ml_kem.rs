//! ML-KEM-1024, from ml-kem.

use ml_kem::{DecapsulationKey1024, EncapsulationKey1024, KeyExport, kem::Decapsulate as _};
use zeroize::{Zeroize, Zeroizing};

use crate::{
    constants,
    error::Error,
    provider::{Decapsulator, Encapsulator, Kem, KemKeyPair, KemLengths, Random},
    wire,
};

#[derive(Debug)]
pub(super) struct MlKem1024;

struct MlKemEncapsulator(Box<EncapsulationKey1024>);

struct MlKemDecapsulator(Box<DecapsulationKey1024>);

impl Kem for MlKem1024 {
    fn lengths(&self) -> KemLengths {
        constants::ML_KEM_1024_LENGTHS
    }

    fn key_pair(&self, seed: &[u8]) -> Result<KemKeyPair, Error> {
        let mut seed: ml_kem::Seed = wire::array::<64>("ML-KEM seed", seed)?.into();
        let key = Box::new(DecapsulationKey1024::from_seed(seed));
        seed.zeroize();
        Ok(KemKeyPair {
            encapsulation_key: key.encapsulation_key().to_bytes().to_vec(),
            encapsulator: Box::new(MlKemEncapsulator(Box::new(key.encapsulation_key().clone()))),
            decapsulator: Box::new(MlKemDecapsulator(key)),
        })
    }

    fn encapsulator(&self, encapsulation_key: &[u8]) -> Result<Box<dyn Encapsulator>, Error> {
        let bytes = wire::array_ref::<1568>("ML-KEM-1024 encapsulation key", encapsulation_key)?;
        let key = EncapsulationKey1024::new(bytes.into()).map_err(|_| Error::Invalid {
            what: "ML-KEM-1024 encapsulation key",
            reason: "a coefficient is not below 3329",
        })?;
        Ok(Box::new(MlKemEncapsulator(Box::new(key))))
    }
}

/// The encapsulation key and FIPS 203's expanded decapsulation key, for providers that cannot start
/// from a seed, and to compare with.
pub(crate) fn expand_ml_kem_1024(seed: &[u8]) -> Result<(Vec<u8>, Zeroizing<Vec<u8>>), Error> {
    #[expect(deprecated, reason = "other implementations load nothing else")]
    use ml_kem::ExpandedKeyEncoding;

    let mut seed: ml_kem::Seed = wire::array::<64>("ML-KEM seed", seed)?.into();
    let key = Box::new(DecapsulationKey1024::from_seed(seed));
    seed.zeroize();
    #[expect(deprecated, reason = "other implementations load nothing else")]
    let mut bytes = key.to_expanded_bytes();
    let expanded = Zeroizing::new(bytes.to_vec());
    bytes.zeroize();
    Ok((key.encapsulation_key().to_bytes().to_vec(), expanded))
}

impl Encapsulator for MlKemEncapsulator {
    fn encapsulate(
        &self,
        random: &mut Random<'_>,
        ciphertext: &mut [u8],
        shared_secret: &mut [u8],
    ) -> Result<(), Error> {
        let m = random.array::<32>()?;
        let (ct, mut secret) = self.0.encapsulate_deterministic((&*m).into());
        ciphertext.copy_from_slice(&ct);
        shared_secret.copy_from_slice(&secret);
        secret.zeroize();
        Ok(())
    }
}

impl Decapsulator for MlKemDecapsulator {
    fn decapsulate(&self, ciphertext: &[u8], shared_secret: &mut [u8]) -> Result<(), Error> {
        let ct = wire::array_ref::<1568>("ML-KEM-1024 ciphertext", ciphertext)?;
        let mut secret = self.0.decapsulate(ct.into());
        shared_secret.copy_from_slice(&secret);
        secret.zeroize();
        Ok(())
    }
}
