//! ML-KEM-1024, from libcrux-ml-kem. Its unpacked keys make encapsulation three times as fast.

use libcrux_ml_kem::mlkem1024::{self, MlKem1024Ciphertext, MlKem1024PublicKey};
use zeroize::Zeroize;

use crate::{
    constants,
    error::Error,
    provider::{Decapsulator, Encapsulator, Kem, KemKeyPair, KemLengths, Random, wiped::Wiped},
    wire,
};

#[derive(Debug)]
pub(super) struct MlKem1024;

impl Kem for MlKem1024 {
    fn lengths(&self) -> KemLengths {
        constants::ML_KEM_1024_LENGTHS
    }

    fn key_pair(&self, seed: &[u8]) -> Result<KemKeyPair, Error> {
        let seed = wire::array_ref::<64>("ML-KEM seed", seed)?;
        Ok((fastest().key_pair)(seed))
    }

    fn encapsulator(&self, encapsulation_key: &[u8]) -> Result<Box<dyn Encapsulator>, Error> {
        let bytes = wire::array_ref::<1568>("ML-KEM-1024 encapsulation key", encapsulation_key)?;
        let key = MlKem1024PublicKey::from(bytes);
        if !mlkem1024::validate_public_key(&key) {
            return Err(Error::Invalid {
                what: "ML-KEM-1024 encapsulation key",
                reason: "a coefficient is not below 3329",
            });
        }
        Ok((fastest().encapsulator)(&key))
    }
}

/// libcrux's functions on unpacked keys, for one kind of processor. They are safe functions that do not ask
/// whether they are on one, so only [`fastest`] may choose.
#[derive(Clone, Copy)]
struct Implementation {
    key_pair: fn(&[u8; 64]) -> KemKeyPair,
    encapsulator: fn(&MlKem1024PublicKey) -> Box<dyn Encapsulator>,
}

fn fastest() -> Implementation {
    // What libcrux itself asks for before it runs the same code on packed keys.
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2")
        && is_x86_feature_detected!("bmi1")
        && is_x86_feature_detected!("bmi2")
        && is_x86_feature_detected!("fma")
        && is_x86_feature_detected!("movbe")
    {
        return avx2::IMPLEMENTATION;
    }
    #[cfg(target_arch = "aarch64")]
    if std::arch::is_aarch64_feature_detected!("neon") {
        return neon::IMPLEMENTATION;
    }
    portable::IMPLEMENTATION
}

macro_rules! implementation {
    ($name:ident) => {
        mod $name {
            use libcrux_ml_kem::mlkem1024::$name::unpacked::{
                self, MlKem1024KeyPairUnpacked, MlKem1024PublicKeyUnpacked,
            };

            use super::*;

            pub(super) const IMPLEMENTATION: Implementation =
                Implementation { key_pair, encapsulator };

            struct MlKemEncapsulator(Box<MlKem1024PublicKeyUnpacked>);

            struct MlKemDecapsulator(Wiped<MlKem1024KeyPairUnpacked>);

            fn key_pair(seed: &[u8; 64]) -> KemKeyPair {
                let mut pair = Wiped::zeros(unpacked::init_key_pair);
                unpacked::generate_key_pair_mut(*seed, &mut pair);
                let encapsulation_key = unpacked::key_pair_serialized_public_key(&pair);
                KemKeyPair {
                    encapsulation_key: encapsulation_key.as_slice().to_vec(),
                    encapsulator: Box::new(MlKemEncapsulator(Box::new(pair.public_key.clone()))),
                    decapsulator: Box::new(MlKemDecapsulator(pair)),
                }
            }

            fn encapsulator(encapsulation_key: &MlKem1024PublicKey) -> Box<dyn Encapsulator> {
                let mut key = Box::new(unpacked::init_public_key());
                unpacked::unpacked_public_key(encapsulation_key, &mut key);
                Box::new(MlKemEncapsulator(key))
            }

            impl Encapsulator for MlKemEncapsulator {
                fn encapsulate(
                    &self,
                    random: &mut Random<'_>,
                    ciphertext: &mut [u8],
                    shared_secret: &mut [u8],
                ) -> Result<(), Error> {
                    let m = random.array::<32>()?;
                    let (ct, mut secret) = unpacked::encapsulate(&self.0, *m);
                    ciphertext.copy_from_slice(ct.as_ref());
                    shared_secret.copy_from_slice(&secret);
                    secret.zeroize();
                    Ok(())
                }
            }

            impl Decapsulator for MlKemDecapsulator {
                fn decapsulate(
                    &self,
                    ciphertext: &[u8],
                    shared_secret: &mut [u8],
                ) -> Result<(), Error> {
                    let ct = wire::array_ref::<1568>("ML-KEM-1024 ciphertext", ciphertext)?;
                    let ct = MlKem1024Ciphertext::from(ct);
                    let mut secret = unpacked::decapsulate(&self.0, &ct);
                    shared_secret.copy_from_slice(&secret);
                    secret.zeroize();
                    Ok(())
                }
            }
        }
    };
}

implementation!(portable);
#[cfg(target_arch = "x86_64")]
implementation!(avx2);
#[cfg(target_arch = "aarch64")]
implementation!(neon);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::PORTABLE;

    /// The one that is chosen here, and the one for other processors.
    fn implementations() -> [Implementation; 2] {
        [fastest(), portable::IMPLEMENTATION]
    }

    fn encapsulate(
        encapsulator: &dyn Encapsulator,
        m: [u8; 32],
    ) -> Result<([u8; 1568], [u8; 32]), Error> {
        let mut draw = |buffer: &mut [u8]| {
            buffer.copy_from_slice(&m);
            Ok(())
        };
        let (mut ciphertext, mut secret) = ([0; 1568], [0; 32]);
        encapsulator.encapsulate(&mut Random::Given(&mut draw), &mut ciphertext, &mut secret)?;
        Ok((ciphertext, secret))
    }

    fn decapsulate(decapsulator: &dyn Decapsulator, ciphertext: &[u8]) -> Result<[u8; 32], Error> {
        let mut secret = [0; 32];
        decapsulator.decapsulate(ciphertext, &mut secret)?;
        Ok(secret)
    }

    #[test]
    fn every_implementation_computes_the_same() -> Result<(), Error> {
        for n in 0..20 {
            let seed = [n; 64];
            let expected = PORTABLE.ml_kem_1024.key_pair(&seed)?;
            let sent = encapsulate(&*expected.encapsulator, [n ^ 0x80; 32])?;
            let mut other = sent.0;
            other[usize::from(n)] ^= 1;
            let rejected = decapsulate(&*expected.decapsulator, &other)?;
            for implementation in implementations() {
                let pair = (implementation.key_pair)(&seed);
                assert_eq!(pair.encapsulation_key, expected.encapsulation_key);
                let public = wire::array_ref::<1568>("encapsulation key", &pair.encapsulation_key)?;
                let loaded = (implementation.encapsulator)(&public.into());
                for encapsulator in [pair.encapsulator, loaded] {
                    assert_eq!(encapsulate(&*encapsulator, [n ^ 0x80; 32])?, sent);
                }
                assert_eq!(decapsulate(&*pair.decapsulator, &sent.0)?, sent.1);
                assert_eq!(decapsulate(&*pair.decapsulator, &other)?, rejected);
            }
        }
        Ok(())
    }

    #[test]
    fn a_dropped_key_is_wiped() {
        use libcrux_ml_kem::mlkem1024::portable::unpacked;

        let serialized = unpacked::key_pair_serialized_private_key;
        let mut pair = Wiped::zeros(unpacked::init_key_pair);
        let empty = serialized(&pair);
        unpacked::generate_key_pair_mut([7; 64], &mut pair);
        assert_ne!(serialized(&pair).as_slice(), empty.as_slice());
        pair.wipe(); // all that `drop` does
        assert_eq!(serialized(&pair).as_slice(), empty.as_slice());
    }
}
