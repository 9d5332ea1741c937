//! P-384: as a Diffie-Hellman KEM, and ECDSA.

use graviola::{
    hashing::Sha384,
    key_agreement::p384::{PublicKey, StaticPrivateKey},
    signing::ecdsa::{self, SigningKey, VerifyingKey},
};
use zeroize::Zeroizing;

use crate::{
    constants,
    error::Error,
    provider::{
        Decapsulator, Encapsulator, Kem, KemKeyPair, KemLengths, PORTABLE, Random, SchemeSigner,
        SchemeVerifier, SignatureKeyPair, SignatureLengths, SignatureScheme, no_context,
    },
    wire,
};

#[derive(Debug)]
pub(super) struct P384;

struct P384Encapsulator(PublicKey);

struct P384Decapsulator(StaticPrivateKey);

/// Graviola takes a scalar of any length, with zeros or without.
fn scalar(bytes: &[u8]) -> Result<StaticPrivateKey, Error> {
    let bytes = wire::array_ref::<48>("P-384 scalar", bytes)?;
    StaticPrivateKey::from_bytes(bytes)
        .map_err(|_| Error::Invalid { what: "P-384 scalar", reason: "it is not from 1 to n - 1" })
}

fn point(bytes: &[u8]) -> Result<PublicKey, Error> {
    PublicKey::from_x962_uncompressed(bytes)
        .map_err(|_| Error::Invalid { what: "P-384 point", reason: "it is not on the curve" })
}

impl Kem for P384 {
    fn lengths(&self) -> KemLengths {
        constants::P384_LENGTHS
    }

    fn key_pair(&self, seed: &[u8]) -> Result<KemKeyPair, Error> {
        let secret = scalar(seed)?;
        let public_key = secret.public_key_uncompressed();
        Ok(KemKeyPair {
            encapsulation_key: public_key.to_vec(),
            encapsulator: self.encapsulator(&public_key)?,
            decapsulator: Box::new(P384Decapsulator(secret)),
        })
    }

    fn encapsulator(&self, encapsulation_key: &[u8]) -> Result<Box<dyn Encapsulator>, Error> {
        Ok(Box::new(P384Encapsulator(point(encapsulation_key)?)))
    }
}

fn agree(
    secret: &StaticPrivateKey,
    peer: &PublicKey,
    shared_secret: &mut [u8],
) -> Result<(), Error> {
    let agreed = secret
        .diffie_hellman(peer)
        .map_err(|_| Error::Unsupported("an agreement of graviola that failed"))?;
    shared_secret.copy_from_slice(&agreed.0);
    Ok(())
}

impl Encapsulator for P384Encapsulator {
    fn encapsulate(
        &self,
        random: &mut Random<'_>,
        ciphertext: &mut [u8],
        shared_secret: &mut [u8],
    ) -> Result<(), Error> {
        let ephemeral = scalar(&PORTABLE.ecdsa_p384.generate(random)?)?;
        ciphertext.copy_from_slice(&ephemeral.public_key_uncompressed());
        agree(&ephemeral, &self.0, shared_secret)
    }
}

impl Decapsulator for P384Decapsulator {
    fn decapsulate(&self, ciphertext: &[u8], shared_secret: &mut [u8]) -> Result<(), Error> {
        agree(&self.0, &point(ciphertext)?, shared_secret)
    }
}

#[derive(Debug)]
pub(super) struct EcdsaP384;

struct EcdsaSigner(SigningKey<ecdsa::P384>);

struct EcdsaVerifier(VerifyingKey<ecdsa::P384>);

impl SignatureScheme for EcdsaP384 {
    fn lengths(&self) -> SignatureLengths {
        constants::ECDSA_P384_LENGTHS
    }

    fn generate(&self, random: &mut Random<'_>) -> Result<Zeroizing<Vec<u8>>, Error> {
        PORTABLE.ecdsa_p384.generate(random)
    }

    fn key_pair(&self, signing_key: &[u8]) -> Result<SignatureKeyPair, Error> {
        let private_key = scalar(signing_key)?;
        let verifying_key = private_key.public_key_uncompressed();
        Ok(SignatureKeyPair {
            verifying_key: verifying_key.to_vec(),
            verifier: self.verifier(&verifying_key)?,
            signer: Box::new(EcdsaSigner(SigningKey { private_key })),
        })
    }

    fn verifier(&self, verifying_key: &[u8]) -> Result<Box<dyn SchemeVerifier>, Error> {
        Ok(Box::new(EcdsaVerifier(VerifyingKey { public_key: point(verifying_key)? })))
    }
}

impl SchemeSigner for EcdsaSigner {
    /// RFC 6979 with 16 fresh bytes of additional data (its §3.6). Nothing but the draw can fail.
    fn sign(&self, context: &[u8], message: &[u8]) -> Result<Vec<u8>, Error> {
        no_context(context)?;
        let mut signature = vec![0; constants::ECDSA_P384_LENGTHS.signature];
        self.0.sign::<Sha384>(&[message], &mut signature).map_err(|_| Error::Randomness)?;
        Ok(signature)
    }
}

impl SchemeVerifier for EcdsaVerifier {
    fn verify(&self, context: &[u8], message: &[u8], signature: &[u8]) -> Result<(), Error> {
        no_context(context)?;
        self.0.verify::<Sha384>(&[message], signature).map_err(|_| Error::Verify)
    }
}
