//! X25519 as a Diffie-Hellman KEM.

use graviola::key_agreement::x25519::{PublicKey, StaticPrivateKey};

use crate::{
    constants,
    error::Error,
    provider::{Decapsulator, Encapsulator, Kem, KemKeyPair, KemLengths, Random},
    wire,
};

#[derive(Debug)]
pub(super) struct X25519;

struct X25519Encapsulator(PublicKey);

struct X25519Decapsulator(StaticPrivateKey);

impl Kem for X25519 {
    fn lengths(&self) -> KemLengths {
        constants::X25519_LENGTHS
    }

    fn key_pair(&self, seed: &[u8]) -> Result<KemKeyPair, Error> {
        let secret = StaticPrivateKey::from_array(wire::array_ref::<32>("X25519 scalar", seed)?);
        let public_key = secret.public_key();
        Ok(KemKeyPair {
            encapsulation_key: public_key.as_bytes().to_vec(),
            encapsulator: Box::new(X25519Encapsulator(public_key)),
            decapsulator: Box::new(X25519Decapsulator(secret)),
        })
    }

    fn encapsulator(&self, encapsulation_key: &[u8]) -> Result<Box<dyn Encapsulator>, Error> {
        let bytes = wire::array_ref::<32>("X25519 public value", encapsulation_key)?;
        Ok(Box::new(X25519Encapsulator(PublicKey::from_array(bytes))))
    }
}

/// Graviola refuses the shared secret of all zeros.
fn agree(
    secret: &StaticPrivateKey,
    peer: &PublicKey,
    shared_secret: &mut [u8],
) -> Result<(), Error> {
    let agreed = secret.diffie_hellman(peer).map_err(|_| Error::Invalid {
        what: "X25519 public value",
        reason: "it is a point of low order",
    })?;
    shared_secret.copy_from_slice(&agreed.0);
    Ok(())
}

impl Encapsulator for X25519Encapsulator {
    fn encapsulate(
        &self,
        random: &mut Random<'_>,
        ciphertext: &mut [u8],
        shared_secret: &mut [u8],
    ) -> Result<(), Error> {
        let ephemeral = StaticPrivateKey::from_array(&*random.array()?);
        ciphertext.copy_from_slice(&ephemeral.public_key().as_bytes());
        agree(&ephemeral, &self.0, shared_secret)
    }
}

impl Decapsulator for X25519Decapsulator {
    fn decapsulate(&self, ciphertext: &[u8], shared_secret: &mut [u8]) -> Result<(), Error> {
        let bytes = wire::array_ref::<32>("X25519 ciphertext", ciphertext)?;
        agree(&self.0, &PublicKey::from_array(bytes), shared_secret)
    }
}
