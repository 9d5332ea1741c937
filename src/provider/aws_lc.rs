//! `AWS_LC`: every primitive from AWS-LC, in C and assembly, through aws-lc-rs and, for ML-KEM and ML-DSA, through
//! AWS-LC's own interface.

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
    agreement::{self, ECDH_P384, ParsedPublicKey, PrivateKey, UnparsedPublicKey, X25519},
    rand::SystemRandom,
    signature::{self, ECDSA_P384_SHA384_FIXED, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair},
};
use zeroize::Zeroizing;

use super::{
    Aead, AeadKey, Decapsulator, Encapsulator, GIVEN, Kem, KemKeyPair, KemLengths, PORTABLE,
    Provider, Random, SchemeSigner, SchemeVerifier, SignatureKeyPair, SignatureLengths,
    SignatureScheme, TOO_LONG, no_context,
};
use crate::{constants, error::Error};

mod evp;
mod ml_dsa;
mod ml_kem;

/// AWS-LC: C and assembly, by far the fastest. It needs a C compiler to build, and keys use it if
/// it is compiled in. If the system has no randomness, AWS-LC ends the process where other
/// providers give [`Error::Randomness`].
pub static AWS_LC: Provider = Provider {
    name: "aws-lc",
    x25519: &DhKem { algorithm: &X25519, lengths: constants::X25519_LENGTHS },
    p384: &DhKem { algorithm: &ECDH_P384, lengths: constants::P384_LENGTHS },
    ml_kem_1024: &ml_kem::MlKem1024,
    ecdsa_p384: &EcdsaP384,
    ml_dsa_87: &ml_dsa::MlDsa87,
    aes_256_gcm: &Aes256,
};

/// X25519 or ECDH over P-384 as a DH-KEM.
#[derive(Debug)]
struct DhKem {
    algorithm: &'static agreement::Algorithm,
    lengths: KemLengths,
}

struct DhEncapsulator(ParsedPublicKey);

struct DhDecapsulator(PrivateKey);

impl DhKem {
    fn parse(&self, public_key: &[u8]) -> Result<ParsedPublicKey, Error> {
        ParsedPublicKey::try_from(UnparsedPublicKey::new(self.algorithm, public_key))
            .map_err(|_| Error::Invalid { what: "public value", reason: "AWS-LC refuses it" })
    }
}

impl Kem for DhKem {
    fn lengths(&self) -> KemLengths {
        self.lengths
    }

    fn key_pair(&self, seed: &[u8]) -> Result<KemKeyPair, Error> {
        let key = PrivateKey::from_private_key(self.algorithm, seed)
            .map_err(|_| Error::Invalid { what: "private key", reason: "AWS-LC refuses it" })?;
        let public_key = key.compute_public_key().map_err(|_| FAILED)?.as_ref().to_vec();
        Ok(KemKeyPair {
            encapsulator: Box::new(DhEncapsulator(self.parse(&public_key)?)),
            decapsulator: Box::new(DhDecapsulator(key)),
            encapsulation_key: public_key,
        })
    }

    fn encapsulator(&self, encapsulation_key: &[u8]) -> Result<Box<dyn Encapsulator>, Error> {
        Ok(Box::new(DhEncapsulator(self.parse(encapsulation_key)?)))
    }
}

/// A failure that AWS-LC reports without a reason: there is no memory.
const FAILED: Error = Error::Unsupported("an operation of AWS-LC that failed");

/// After the checks above every provider, an agreement fails on low-order points only.
const NO_AGREEMENT: Error =
    Error::Invalid { what: "public value", reason: "it leads to no shared secret" };

fn copy_secret(secret: &[u8], shared_secret: &mut [u8]) -> Result<(), Error> {
    if secret.len() != shared_secret.len() {
        return Err(FAILED);
    }
    shared_secret.copy_from_slice(secret);
    Ok(())
}

impl Encapsulator for DhEncapsulator {
    fn encapsulate(
        &self,
        random: &mut Random<'_>,
        ciphertext: &mut [u8],
        shared_secret: &mut [u8],
    ) -> Result<(), Error> {
        random.only_system(GIVEN)?;
        let ephemeral = PrivateKey::generate(self.0.alg()).map_err(|_| Error::Randomness)?;
        let public_key = ephemeral.compute_public_key().map_err(|_| FAILED)?;
        ciphertext.copy_from_slice(public_key.as_ref());
        agreement::agree(&ephemeral, self.0.clone(), NO_AGREEMENT, |secret| {
            copy_secret(secret, shared_secret)
        })
    }
}

impl Decapsulator for DhDecapsulator {
    fn decapsulate(&self, ciphertext: &[u8], shared_secret: &mut [u8]) -> Result<(), Error> {
        let ephemeral = UnparsedPublicKey::new(self.0.algorithm(), ciphertext);
        agreement::agree(&self.0, ephemeral, NO_AGREEMENT, |secret| {
            copy_secret(secret, shared_secret)
        })
    }
}

/// The public point of a scalar.
fn p384_public(scalar: &[u8]) -> Result<Vec<u8>, Error> {
    let key = PrivateKey::from_private_key(&ECDH_P384, scalar)
        .map_err(|_| Error::Invalid { what: "P-384 scalar", reason: "AWS-LC refuses it" })?;
    Ok(key.compute_public_key().map_err(|_| FAILED)?.as_ref().to_vec())
}

#[derive(Debug)]
struct EcdsaP384;

struct EcdsaSigner(EcdsaKeyPair);

struct EcdsaVerifier(signature::ParsedPublicKey);

impl SignatureScheme for EcdsaP384 {
    fn lengths(&self) -> SignatureLengths {
        constants::ECDSA_P384_LENGTHS
    }

    fn generate(&self, random: &mut Random<'_>) -> Result<Zeroizing<Vec<u8>>, Error> {
        PORTABLE.ecdsa_p384.generate(random)
    }

    fn key_pair(&self, signing_key: &[u8]) -> Result<SignatureKeyPair, Error> {
        let verifying_key = p384_public(signing_key)?;
        let signer = EcdsaKeyPair::from_private_key_and_public_key(
            &ECDSA_P384_SHA384_FIXED_SIGNING,
            signing_key,
            &verifying_key,
        )
        .map_err(|_| Error::Invalid { what: "P-384 scalar", reason: "AWS-LC refuses it" })?;
        Ok(SignatureKeyPair {
            verifier: self.verifier(&verifying_key)?,
            signer: Box::new(EcdsaSigner(signer)),
            verifying_key,
        })
    }

    fn verifier(&self, verifying_key: &[u8]) -> Result<Box<dyn SchemeVerifier>, Error> {
        signature::ParsedPublicKey::new(&ECDSA_P384_SHA384_FIXED, verifying_key)
            .map(|key| Box::new(EcdsaVerifier(key)) as Box<dyn SchemeVerifier>)
            .map_err(|_| Error::Invalid { what: "P-384 point", reason: "AWS-LC refuses it" })
    }
}

impl SchemeSigner for EcdsaSigner {
    fn sign(&self, context: &[u8], message: &[u8]) -> Result<Vec<u8>, Error> {
        no_context(context)?;
        let signature =
            self.0.sign(&SystemRandom::new(), message).map_err(|_| Error::Randomness)?;
        Ok(signature.as_ref().to_vec())
    }
}

impl SchemeVerifier for EcdsaVerifier {
    fn verify(&self, context: &[u8], message: &[u8], signature: &[u8]) -> Result<(), Error> {
        no_context(context)?;
        self.0.verify_sig(message, signature).map_err(|_| Error::Verify)
    }
}

#[derive(Debug)]
struct Aes256;

struct Aes256Key(LessSafeKey);

impl Aead for Aes256 {
    fn key(&self, key: &[u8; 32]) -> Result<Box<dyn AeadKey>, Error> {
        let key = UnboundKey::new(&AES_256_GCM, key).map_err(|_| FAILED)?;
        Ok(Box::new(Aes256Key(LessSafeKey::new(key))))
    }
}

impl AeadKey for Aes256Key {
    fn seal_in_place(
        &self,
        nonce: &[u8; 12],
        aad: &[u8],
        buffer: &mut [u8],
    ) -> Result<[u8; 16], Error> {
        let tag = self
            .0
            .seal_in_place_separate_tag(Nonce::from(nonce), Aad::from(aad), buffer)
            .map_err(|_| TOO_LONG)?;
        tag.as_ref().try_into().map_err(|_| FAILED)
    }

    fn seal_into(
        &self,
        nonce: &[u8; 12],
        aad: &[u8],
        plaintext: &[u8],
        ciphertext: &mut [u8],
    ) -> Result<[u8; 16], Error> {
        let (nonce, aad) = (Nonce::from(nonce), Aad::from(aad));
        let mut tag = [0; 16];
        self.0
            .seal_out_of_place_scatter(nonce, aad, plaintext, ciphertext, b"", &mut tag)
            .map_err(|_| TOO_LONG)?;
        Ok(tag)
    }

    fn open_in_place(
        &self,
        nonce: &[u8; 12],
        aad: &[u8],
        buffer: &mut [u8],
        tag: &[u8; 16],
    ) -> Result<(), Error> {
        self.0
            .open_in_place_separate_tag(Nonce::from(nonce), Aad::from(aad), tag, buffer)
            .map(drop)
            .map_err(|_| Error::Open)
    }

    fn open_into(
        &self,
        nonce: &[u8; 12],
        aad: &[u8],
        ciphertext: &[u8],
        plaintext: &mut [u8],
        tag: &[u8; 16],
    ) -> Result<(), Error> {
        self.0
            .open_separate_gather(Nonce::from(nonce), Aad::from(aad), ciphertext, tag, plaintext)
            .map_err(|_| Error::Open)
    }
}
