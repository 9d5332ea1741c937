//! `PQCLEAN`: ML-KEM-1024 and ML-DSA-87 of PQClean through the pqcrypto crates, which are
//! unmaintained (RUSTSEC-2026-0161, -0163, -0165, -0166). Never chosen by itself.
//!
//! The crates cannot start from a seed, so `ml-kem` and `ml-dsa` expand it; they check nothing, so
//! our checks come before them; and their secret types are `Copy` and never wiped, so ours wrap
//! them. They panic if the system has no randomness.

use pqcrypto_mldsa::mldsa87;
use pqcrypto_mlkem::mlkem1024;
use pqcrypto_traits::{
    kem::{Ciphertext as _, PublicKey as _, SecretKey as _, SharedSecret as _},
    sign::{DetachedSignature as _, PublicKey as _, SecretKey as _},
};
use zeroize::Zeroizing;

use super::{
    Decapsulator, Encapsulator, GIVEN, Kem, KemKeyPair, KemLengths, PORTABLE, Provider, Random,
    SchemeSigner, SchemeVerifier, SignatureKeyPair, SignatureLengths, SignatureScheme, portable,
    wiped::Wiped,
};
use crate::{constants, context, error::Error};

/// PQClean's ML-KEM-1024 and ML-DSA-87, in C; everything else as in [`PORTABLE`]. The crates that
/// bind it are unmaintained: it is here to be compared with, and keys use it only if they are moved
/// to it by `on`.
pub static PQCLEAN: Provider =
    Provider { name: "pqclean", ml_kem_1024: &MlKem1024, ml_dsa_87: &MlDsa87, ..PORTABLE };

const WRONG_LENGTH: Error = Error::Invalid { what: "value", reason: "PQClean refuses its length" };

#[derive(Debug)]
struct MlKem1024;

struct MlKemEncapsulator(Box<mlkem1024::PublicKey>);

struct MlKemDecapsulator(Wiped<mlkem1024::SecretKey>);

fn ml_kem_zeros() -> mlkem1024::SecretKey {
    mlkem1024::SecretKey::from_bytes(&[0; mlkem1024::secret_key_bytes()])
        .expect("the zeros are as long as a key")
}

impl Kem for MlKem1024 {
    fn lengths(&self) -> KemLengths {
        constants::ML_KEM_1024_LENGTHS
    }

    fn key_pair(&self, seed: &[u8]) -> Result<KemKeyPair, Error> {
        let (encapsulation_key, expanded) = portable::expand_ml_kem_1024(seed)?;
        let secret = mlkem1024::SecretKey::from_bytes(&expanded).map_err(|_| WRONG_LENGTH)?;
        Ok(KemKeyPair {
            encapsulator: self.encapsulator(&encapsulation_key)?,
            decapsulator: Box::new(MlKemDecapsulator(Wiped::new(secret, ml_kem_zeros))),
            encapsulation_key,
        })
    }

    fn encapsulator(&self, encapsulation_key: &[u8]) -> Result<Box<dyn Encapsulator>, Error> {
        let key = mlkem1024::PublicKey::from_bytes(encapsulation_key).map_err(|_| WRONG_LENGTH)?;
        Ok(Box::new(MlKemEncapsulator(Box::new(key))))
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
        let (secret, ct) = mlkem1024::encapsulate(&self.0);
        ciphertext.copy_from_slice(ct.as_bytes());
        shared_secret.copy_from_slice(secret.as_bytes());
        Ok(())
    }
}

impl Decapsulator for MlKemDecapsulator {
    fn decapsulate(&self, ciphertext: &[u8], shared_secret: &mut [u8]) -> Result<(), Error> {
        let ct = mlkem1024::Ciphertext::from_bytes(ciphertext).map_err(|_| WRONG_LENGTH)?;
        let secret = mlkem1024::decapsulate(&ct, &self.0);
        shared_secret.copy_from_slice(secret.as_bytes());
        Ok(())
    }
}

#[derive(Debug)]
struct MlDsa87;

struct MlDsaSigner(Wiped<mldsa87::SecretKey>);

struct MlDsaVerifier(Box<mldsa87::PublicKey>);

fn ml_dsa_zeros() -> mldsa87::SecretKey {
    mldsa87::SecretKey::from_bytes(&[0; mldsa87::secret_key_bytes()])
        .expect("the zeros are as long as a key")
}

impl SignatureScheme for MlDsa87 {
    fn lengths(&self) -> SignatureLengths {
        constants::ML_DSA_87_LENGTHS
    }

    fn generate(&self, random: &mut Random<'_>) -> Result<Zeroizing<Vec<u8>>, Error> {
        PORTABLE.ml_dsa_87.generate(random)
    }

    fn key_pair(&self, signing_key: &[u8]) -> Result<SignatureKeyPair, Error> {
        let (verifying_key, expanded) = portable::expand_ml_dsa_87(signing_key)?;
        let secret = mldsa87::SecretKey::from_bytes(&expanded).map_err(|_| WRONG_LENGTH)?;
        Ok(SignatureKeyPair {
            verifier: self.verifier(&verifying_key)?,
            signer: Box::new(MlDsaSigner(Wiped::new(secret, ml_dsa_zeros))),
            verifying_key,
        })
    }

    fn verifier(&self, verifying_key: &[u8]) -> Result<Box<dyn SchemeVerifier>, Error> {
        let key = mldsa87::PublicKey::from_bytes(verifying_key).map_err(|_| WRONG_LENGTH)?;
        Ok(Box::new(MlDsaVerifier(Box::new(key))))
    }
}

impl SchemeSigner for MlDsaSigner {
    fn sign(&self, context: &[u8], message: &[u8]) -> Result<Vec<u8>, Error> {
        context::length(context)?;
        Ok(mldsa87::detached_sign_ctx(message, context, &self.0).as_bytes().to_vec())
    }
}

impl SchemeVerifier for MlDsaVerifier {
    fn verify(&self, context: &[u8], message: &[u8], signature: &[u8]) -> Result<(), Error> {
        context::length(context).map_err(|_| Error::Verify)?;
        // The crate accepts shorter signatures and leaves the rest to C; FIPS 204 has one length.
        if signature.len() != constants::ML_DSA_87_LENGTHS.signature || !is_short(signature) {
            return Err(Error::Verify);
        }
        let signature =
            mldsa87::DetachedSignature::from_bytes(signature).map_err(|_| Error::Verify)?;
        mldsa87::verify_detached_signature_ctx(&signature, message, context, &self.0)
            .map_err(|_| Error::Verify)
    }
}

/// FIPS 204 Algorithm 8, step 13: every coefficient of z is below `gamma1 - beta`. PQClean's AVX2 code
/// does not check it. We do not ask for that code, but another crate of the same program may turn
/// it on for all.
fn is_short(signature: &[u8]) -> bool {
    const CHALLENGE: usize = 64;
    const Z: usize = 7 * 640; // 7 polynomials of 256 coefficients of 20 bits
    const GAMMA_1: u32 = 1 << 19;
    const BETA: u32 = 120;
    let z = &signature[CHALLENGE..CHALLENGE + Z];
    let (pairs, _) = z.as_chunks::<5>();
    // BitPack: what is stored is `gamma1 - coefficient`.
    let short = |stored: u32| GAMMA_1.abs_diff(stored) < GAMMA_1 - BETA;
    pairs.iter().all(|&[a, b, c, d, e]| {
        short(u32::from_le_bytes([a, b, c & 0x0f, 0]))
            && short(u32::from_le_bytes([c, d, e, 0]) >> 4)
    })
}
