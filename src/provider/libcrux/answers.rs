//! The answers that libcrux must give before it is used: digests of everything that a key computes.

use sha2::{Digest, Sha256};

use super::ml_dsa::{self, MlDsa87};
use crate::{
    error::Error,
    provider::{Kem, Random, SignatureScheme, self_test::hex},
};

const ML_KEM_1024: [u8; 32] =
    hex("6107f5026c43351afec6e40c11355c93fa06233e05f3b7c6985558fef550e348");

const ML_DSA_87: [u8; 32] = hex("ed3a4cfa11a4a2db20606495f0e4d31596cda7023d7c395cd6c8db1074dda201");

/// Of the encapsulation key, of two ciphertexts and their secrets, one from a key that was made and one from a
/// key that was loaded, and of the secrets of a ciphertext that is right and of one that is not.
pub(super) fn ml_kem_1024(kem: &dyn Kem) -> Result<bool, Error> {
    let pair = kem.key_pair(&[1; 64])?;
    let mut digest = Sha256::new_with_prefix(&pair.encapsulation_key);
    let (mut ciphertext, mut secret) = ([0; 1568], [0; 32]);
    for encapsulator in [pair.encapsulator, kem.encapsulator(&pair.encapsulation_key)?] {
        let mut draw = |buffer: &mut [u8]| {
            buffer.fill(2);
            Ok(())
        };
        encapsulator.encapsulate(&mut Random::Given(&mut draw), &mut ciphertext, &mut secret)?;
        digest.update(ciphertext);
        digest.update(secret);
    }
    for flipped in [0, 1] {
        ciphertext[0] ^= flipped;
        pair.decapsulator.decapsulate(&ciphertext, &mut secret)?;
        digest.update(secret);
    }
    Ok(digest.finalize()[..] == ML_KEM_1024)
}

/// Of the verifying key and of the deterministic signature, which must verify, and not for another message.
pub(super) fn ml_dsa_87(scheme: &MlDsa87) -> Result<bool, Error> {
    let (context, message) = (b"context", b"message");
    let (verifying_key, signer) = ml_dsa::expand(&[1; 32]);
    let signature = signer.sign_with(context, message, &[0; 32])?;
    let verifier = scheme.verifier(verifying_key.as_slice())?;
    Ok(ml_dsa_87_digest(verifying_key.as_slice(), &signature) == ML_DSA_87
        && verifier.verify(context, message, &signature).is_ok()
        && verifier.verify(context, b"another", &signature) == Err(Error::Verify))
}

fn ml_dsa_87_digest(verifying_key: &[u8], signature: &[u8]) -> [u8; 32] {
    Sha256::new_with_prefix(verifying_key).chain_update(signature).finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::PORTABLE;

    #[test]
    fn the_answers_are_those_of_other_software() -> Result<(), Error> {
        assert_eq!(ml_kem_1024(PORTABLE.ml_kem_1024), Ok(true));
        #[cfg(feature = "hazmat")]
        {
            let pair = PORTABLE.ml_dsa_87.key_pair(&[1; 32])?;
            let signature = pair.signer.sign_deterministic(b"context", b"message")?;
            assert_eq!(ml_dsa_87_digest(&pair.verifying_key, &signature), ML_DSA_87);
        }
        Ok(())
    }
}
