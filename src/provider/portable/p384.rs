//! P-384, from p384: as a Diffie-Hellman KEM, and ECDSA.

use getrandom::SysRng;
use p384::{
    ecdsa::{
        self,
        signature::hazmat::{PrehashVerifier, RandomizedPrehashSigner},
    },
    elliptic_curve::sec1::ToSec1Point,
};
use sha2::{Digest, Sha384};
use zeroize::Zeroizing;

use crate::{
    constants,
    error::Error,
    provider::{
        Decapsulator, Encapsulator, Kem, KemKeyPair, KemLengths, Random, SchemeSigner,
        SchemeVerifier, SignatureKeyPair, SignatureLengths, SignatureScheme, no_context,
    },
    wire,
};

#[derive(Debug)]
pub(super) struct P384;

struct P384Encapsulator {
    public_key: p384::PublicKey,
}

struct P384Decapsulator {
    secret: Box<p384::SecretKey>,
}

fn p384_scalar(bytes: &[u8]) -> Result<p384::SecretKey, Error> {
    let bytes = wire::array_ref::<48>("P-384 scalar", bytes)?;
    p384::SecretKey::from_bytes(bytes.into())
        .map_err(|_| Error::Invalid { what: "P-384 scalar", reason: "it is not from 1 to n - 1" })
}

fn p384_point(bytes: &[u8]) -> Result<p384::PublicKey, Error> {
    p384::PublicKey::from_sec1_bytes(bytes)
        .map_err(|_| Error::Invalid { what: "P-384 point", reason: "it is not on the curve" })
}

impl Kem for P384 {
    fn lengths(&self) -> KemLengths {
        constants::P384_LENGTHS
    }

    fn key_pair(&self, seed: &[u8]) -> Result<KemKeyPair, Error> {
        let secret = Box::new(p384_scalar(seed)?);
        let public_key = secret.public_key();
        Ok(KemKeyPair {
            encapsulation_key: public_key.to_sec1_point(false).as_bytes().to_vec(),
            encapsulator: Box::new(P384Encapsulator { public_key }),
            decapsulator: Box::new(P384Decapsulator { secret }),
        })
    }

    fn encapsulator(&self, encapsulation_key: &[u8]) -> Result<Box<dyn Encapsulator>, Error> {
        Ok(Box::new(P384Encapsulator { public_key: p384_point(encapsulation_key)? }))
    }
}

impl Encapsulator for P384Encapsulator {
    fn encapsulate(
        &self,
        random: &mut Random<'_>,
        ciphertext: &mut [u8],
        shared_secret: &mut [u8],
    ) -> Result<(), Error> {
        let ephemeral = p384_scalar(&random_p384_scalar(random)?)?;
        ciphertext.copy_from_slice(ephemeral.public_key().to_sec1_point(false).as_bytes());
        let secret = ephemeral.diffie_hellman(&self.public_key);
        shared_secret.copy_from_slice(secret.raw_secret_bytes());
        Ok(())
    }
}

impl Decapsulator for P384Decapsulator {
    fn decapsulate(&self, ciphertext: &[u8], shared_secret: &mut [u8]) -> Result<(), Error> {
        let secret = self.secret.diffie_hellman(&p384_point(ciphertext)?);
        shared_secret.copy_from_slice(secret.raw_secret_bytes());
        Ok(())
    }
}

#[derive(Debug)]
pub(super) struct EcdsaP384;

struct EcdsaSigner(Box<ecdsa::SigningKey>);

struct EcdsaVerifier(ecdsa::VerifyingKey);

/// A draw is refused with a probability of 2^-194: a generator whose draws are all refused repeats
/// itself.
const DRAWS: usize = 8;

/// FIPS 186-5 A.2.2, by rejection: the first 48 random bytes that are a scalar.
fn random_p384_scalar(random: &mut Random<'_>) -> Result<Zeroizing<Vec<u8>>, Error> {
    let mut scalar = Zeroizing::new(vec![0; 48]);
    for _ in 0..DRAWS {
        random.fill(&mut scalar)?;
        if p384_scalar(&scalar).is_ok() {
            return Ok(scalar);
        }
    }
    Err(Error::Randomness)
}

impl SignatureScheme for EcdsaP384 {
    fn lengths(&self) -> SignatureLengths {
        constants::ECDSA_P384_LENGTHS
    }

    fn generate(&self, random: &mut Random<'_>) -> Result<Zeroizing<Vec<u8>>, Error> {
        random_p384_scalar(random)
    }

    fn key_pair(&self, signing_key: &[u8]) -> Result<SignatureKeyPair, Error> {
        let key = Box::new(ecdsa::SigningKey::from(p384_scalar(signing_key)?));
        Ok(SignatureKeyPair {
            verifying_key: key.verifying_key().to_sec1_point(false).as_bytes().to_vec(),
            verifier: Box::new(EcdsaVerifier(*key.verifying_key())),
            signer: Box::new(EcdsaSigner(key)),
        })
    }

    fn verifier(&self, verifying_key: &[u8]) -> Result<Box<dyn SchemeVerifier>, Error> {
        Ok(Box::new(EcdsaVerifier(p384_point(verifying_key)?.into())))
    }
}

impl SchemeSigner for EcdsaSigner {
    /// RFC 6979 with 48 fresh bytes of additional data (its §3.6).
    fn sign(&self, context: &[u8], message: &[u8]) -> Result<Vec<u8>, Error> {
        no_context(context)?;
        let signature: ecdsa::Signature = self
            .0
            .sign_prehash_with_rng(&mut SysRng, &Sha384::digest(message))
            .map_err(|_| Error::Randomness)?;
        Ok(signature.to_bytes().to_vec())
    }

    #[cfg(feature = "hazmat")]
    fn sign_deterministic(&self, context: &[u8], message: &[u8]) -> Result<Vec<u8>, Error> {
        use p384::ecdsa::signature::hazmat::PrehashSigner;

        no_context(context)?;
        let signature: ecdsa::Signature = self
            .0
            .sign_prehash(&Sha384::digest(message))
            .map_err(|_| Error::Unsupported("ECDSA"))?;
        Ok(signature.to_bytes().to_vec())
    }
}

impl SchemeVerifier for EcdsaVerifier {
    fn verify(&self, context: &[u8], message: &[u8], signature: &[u8]) -> Result<(), Error> {
        no_context(context)?;
        let signature = ecdsa::Signature::from_slice(signature).map_err(|_| Error::Verify)?;
        self.0.verify_prehash(&Sha384::digest(message), &signature).map_err(|_| Error::Verify)
    }
}
