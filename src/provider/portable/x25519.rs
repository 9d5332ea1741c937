//! X25519 as a Diffie-Hellman KEM, from x25519-dalek.

use x25519_dalek::StaticSecret;
use zeroize::Zeroizing;

use crate::{
    constants,
    error::Error,
    provider::{Decapsulator, Encapsulator, Kem, KemKeyPair, KemLengths, Random},
    wire,
};

#[derive(Debug)]
pub(super) struct X25519;

struct X25519Encapsulator {
    public_key: x25519_dalek::PublicKey,
}

struct X25519Decapsulator {
    secret: Box<StaticSecret>,
}

impl Kem for X25519 {
    fn lengths(&self) -> KemLengths {
        constants::X25519_LENGTHS
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
    fn encapsulate(
        &self,
        random: &mut Random<'_>,
        ciphertext: &mut [u8],
        shared_secret: &mut [u8],
    ) -> Result<(), Error> {
        let ephemeral = StaticSecret::from(*random.array()?);
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
