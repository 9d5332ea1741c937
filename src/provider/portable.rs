//! `PORTABLE`: every primitive in Rust, from the crates of `RustCrypto` and dalek. The only provider with
//! deterministic encapsulation and signing.

use aes_gcm::{AeadInOut, Aes256Gcm, KeyInit};
use getrandom::SysRng;
use ml_dsa::{ExpandedSigningKey, MlDsa87};
use ml_kem::{DecapsulationKey1024, EncapsulationKey1024, KeyExport, kem::Decapsulate as _};
use p384::{
    ecdsa::{
        self,
        signature::hazmat::{PrehashSigner, PrehashVerifier, RandomizedPrehashSigner},
    },
    elliptic_curve::sec1::ToSec1Point,
};
use sha2::{Digest, Sha384};
use x25519_dalek::StaticSecret;
use zeroize::{Zeroize, Zeroizing};

use super::{
    Aead, AeadKey, Decapsulator, Encapsulator, Kem, KemKeyPair, KemLengths, Provider, Random,
    SchemeSigner, SchemeVerifier, SignatureKeyPair, SignatureLengths, SignatureScheme, no_context,
};
use crate::{Error, random, suite, wire};

/// All Rust, on every platform: x25519-dalek, p384, ml-kem, ml-dsa and aes-gcm.
pub static PORTABLE: Provider = Provider {
    name: "portable",
    x25519: &X25519,
    p384: &P384,
    ml_kem_1024: &MlKem1024,
    ecdsa_p384: &EcdsaP384,
    ml_dsa_87: &MlDsa87Scheme,
    aes_256_gcm: &Aes256,
};

#[derive(Debug)]
struct X25519;

/// The private and the public half are used by the same function.
struct X25519Encapsulator {
    public_key: x25519_dalek::PublicKey,
}

struct X25519Decapsulator {
    secret: Box<StaticSecret>,
}

impl Kem for X25519 {
    fn lengths(&self) -> KemLengths {
        suite::X25519_LENGTHS
    }

    fn key_pair(&self, seed: &[u8]) -> Result<KemKeyPair, Error> {
        let secret = Box::new(x25519_scalar(seed)?);
        let public_key = x25519_dalek::PublicKey::from(&*secret);
        Ok(KemKeyPair {
            encapsulation_key: public_key.as_bytes().to_vec(),
            encapsulator: Box::new(X25519Encapsulator { public_key }),
            decapsulator: Box::new(X25519Decapsulator { secret }),
        })
    }

    fn encapsulator(&self, encapsulation_key: &[u8]) -> Result<Box<dyn Encapsulator>, Error> {
        let bytes: [u8; 32] = wire::array("X25519 public value", encapsulation_key)?;
        Ok(Box::new(X25519Encapsulator { public_key: bytes.into() }))
    }
}

impl Encapsulator for X25519Encapsulator {
    fn encapsulate(&self, ciphertext: &mut [u8], shared_secret: &mut [u8]) -> Result<(), Error> {
        let randomness = random::array::<32>()?;
        self.encapsulate_deterministic(&*randomness, ciphertext, shared_secret)
    }

    fn encapsulate_deterministic(
        &self,
        randomness: &[u8],
        ciphertext: &mut [u8],
        shared_secret: &mut [u8],
    ) -> Result<(), Error> {
        let ephemeral = x25519_scalar(randomness)?;
        ciphertext.copy_from_slice(x25519_dalek::PublicKey::from(&ephemeral).as_bytes());
        shared_secret.copy_from_slice(ephemeral.diffie_hellman(&self.public_key).as_bytes());
        Ok(())
    }
}

impl Decapsulator for X25519Decapsulator {
    fn decapsulate(&self, ciphertext: &[u8], shared_secret: &mut [u8]) -> Result<(), Error> {
        let ephemeral: [u8; 32] = wire::array("X25519 ciphertext", ciphertext)?;
        shared_secret.copy_from_slice(self.secret.diffie_hellman(&ephemeral.into()).as_bytes());
        Ok(())
    }
}

fn x25519_scalar(bytes: &[u8]) -> Result<StaticSecret, Error> {
    let bytes = Zeroizing::new(wire::array::<32>("X25519 scalar", bytes)?);
    Ok(StaticSecret::from(*bytes))
}

#[derive(Debug)]
struct P384;

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
        suite::P384_LENGTHS
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
    fn encapsulate(&self, ciphertext: &mut [u8], shared_secret: &mut [u8]) -> Result<(), Error> {
        let randomness = random_p384_scalar(&mut Random::System)?;
        self.encapsulate_deterministic(&randomness, ciphertext, shared_secret)
    }

    fn encapsulate_deterministic(
        &self,
        randomness: &[u8],
        ciphertext: &mut [u8],
        shared_secret: &mut [u8],
    ) -> Result<(), Error> {
        let ephemeral = p384_scalar(randomness)?;
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
struct MlKem1024;

struct MlKemEncapsulator(Box<EncapsulationKey1024>);

struct MlKemDecapsulator(Box<DecapsulationKey1024>);

impl Kem for MlKem1024 {
    fn lengths(&self) -> KemLengths {
        suite::ML_KEM_1024_LENGTHS
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
/// from a seed.
#[cfg(any(feature = "aws-lc-rs", feature = "pqclean"))]
pub(super) fn expand_ml_kem_1024(seed: &[u8]) -> Result<(Vec<u8>, Zeroizing<Vec<u8>>), Error> {
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
    fn encapsulate(&self, ciphertext: &mut [u8], shared_secret: &mut [u8]) -> Result<(), Error> {
        let randomness = random::array::<32>()?;
        self.encapsulate_deterministic(&*randomness, ciphertext, shared_secret)
    }

    fn encapsulate_deterministic(
        &self,
        randomness: &[u8],
        ciphertext: &mut [u8],
        shared_secret: &mut [u8],
    ) -> Result<(), Error> {
        let m = wire::array_ref::<32>("ML-KEM randomness", randomness)?;
        let (ct, mut secret) = self.0.encapsulate_deterministic(m.into());
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

#[derive(Debug)]
struct EcdsaP384;

struct EcdsaSigner(Box<ecdsa::SigningKey>);

struct EcdsaVerifier(ecdsa::VerifyingKey);

/// FIPS 186-5 A.2.2, by rejection: the first 48 random bytes that are a scalar.
fn random_p384_scalar(random: &mut Random<'_>) -> Result<Zeroizing<Vec<u8>>, Error> {
    let mut scalar = Zeroizing::new(vec![0; 48]);
    loop {
        random.fill(&mut scalar)?;
        if p384_scalar(&scalar).is_ok() {
            return Ok(scalar);
        }
    }
}

impl SignatureScheme for EcdsaP384 {
    fn lengths(&self) -> SignatureLengths {
        suite::ECDSA_P384_LENGTHS
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

    fn sign_deterministic(&self, context: &[u8], message: &[u8]) -> Result<Vec<u8>, Error> {
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

#[derive(Debug)]
struct MlDsa87Scheme;

struct MlDsaSigner(Box<ExpandedSigningKey<MlDsa87>>);

struct MlDsaVerifier(Box<ml_dsa::VerifyingKey<MlDsa87>>);

impl SignatureScheme for MlDsa87Scheme {
    fn lengths(&self) -> SignatureLengths {
        suite::ML_DSA_87_LENGTHS
    }

    fn generate(&self, random: &mut Random<'_>) -> Result<Zeroizing<Vec<u8>>, Error> {
        let mut seed = Zeroizing::new(vec![0; 32]);
        random.fill(&mut seed)?;
        Ok(seed)
    }

    fn key_pair(&self, signing_key: &[u8]) -> Result<SignatureKeyPair, Error> {
        let seed = wire::array_ref::<32>("ML-DSA seed", signing_key)?;
        let signer = Box::new(ExpandedSigningKey::from_seed(seed.into()));
        let verifier = Box::new(signer.verifying_key());
        Ok(SignatureKeyPair {
            verifying_key: verifier.encode().to_vec(),
            verifier: Box::new(MlDsaVerifier(verifier)),
            signer: Box::new(MlDsaSigner(signer)),
        })
    }

    fn verifier(&self, verifying_key: &[u8]) -> Result<Box<dyn SchemeVerifier>, Error> {
        let bytes = wire::array_ref::<2592>("ML-DSA-87 verifying key", verifying_key)?;
        let key = ml_dsa::VerifyingKey::decode(bytes.into());
        Ok(Box::new(MlDsaVerifier(Box::new(key))))
    }
}

impl MlDsaSigner {
    /// FIPS 204 Algorithm 2, steps 10 and 11: pure ML-DSA of a message for a context.
    fn sign_with(&self, context: &[u8], message: &[u8], rnd: &[u8; 32]) -> Result<Vec<u8>, Error> {
        let context_length = u8::try_from(context.len())
            .map_err(|_| Error::Context("it is longer than 255 bytes"))?;
        let formatted: [&[u8]; 3] = [&[0, context_length], context, message];
        Ok(self.0.sign_internal(&formatted, rnd.into()).encode().to_vec())
    }
}

/// The verifying key and FIPS 204's expanded signing key, for providers that cannot start from a
/// seed.
#[cfg(feature = "pqclean")]
pub(super) fn expand_ml_dsa_87(seed: &[u8]) -> Result<(Vec<u8>, Zeroizing<Vec<u8>>), Error> {
    let seed = wire::array_ref::<32>("ML-DSA seed", seed)?;
    let key = Box::new(ExpandedSigningKey::<MlDsa87>::from_seed(seed.into()));
    #[expect(deprecated, reason = "other implementations load nothing else")]
    let mut bytes = key.to_expanded();
    let expanded = Zeroizing::new(bytes.to_vec());
    bytes.zeroize();
    Ok((key.verifying_key().encode().to_vec(), expanded))
}

impl SchemeSigner for MlDsaSigner {
    fn sign(&self, context: &[u8], message: &[u8]) -> Result<Vec<u8>, Error> {
        self.sign_with(context, message, &*random::array()?)
    }

    fn sign_deterministic(&self, context: &[u8], message: &[u8]) -> Result<Vec<u8>, Error> {
        self.sign_with(context, message, &[0; 32])
    }
}

impl SchemeVerifier for MlDsaVerifier {
    fn verify(&self, context: &[u8], message: &[u8], signature: &[u8]) -> Result<(), Error> {
        let signature = ml_dsa::Signature::try_from(signature).map_err(|_| Error::Verify)?;
        if self.0.verify_with_context(message, context, &signature) {
            Ok(())
        } else {
            Err(Error::Verify)
        }
    }
}

#[derive(Debug)]
struct Aes256;

struct Aes256Key(Box<Aes256Gcm>);

impl Aead for Aes256 {
    fn key(&self, key: &[u8; 32]) -> Result<Box<dyn AeadKey>, Error> {
        Ok(Box::new(Aes256Key(Box::new(Aes256Gcm::new(key.into())))))
    }
}

impl AeadKey for Aes256Key {
    fn seal_in_place(
        &self,
        nonce: &[u8; 12],
        aad: &[u8],
        buffer: &mut [u8],
    ) -> Result<[u8; 16], Error> {
        self.0
            .encrypt_inout_detached(nonce.into(), aad, buffer.into())
            .map(Into::into)
            .map_err(|_| Error::Invalid { what: "message", reason: "it is too long for AES-GCM" })
    }

    fn open_in_place(
        &self,
        nonce: &[u8; 12],
        aad: &[u8],
        buffer: &mut [u8],
        tag: &[u8; 16],
    ) -> Result<(), Error> {
        self.0
            .decrypt_inout_detached(nonce.into(), aad, buffer.into(), tag.into())
            .map_err(|_| Error::Open)
    }
}
