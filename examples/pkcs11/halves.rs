//! Keys in tokens as halves: what a provider's primitive does, a token does.

use cryptoki::mechanism::{
    Mechanism,
    dsa::{HedgeType, SignAdditionalContext},
    elliptic_curve::{EcKdf, Ecdh1DeriveParams},
};
use sha2::{Digest, Sha384};
use twinseal::{
    Error,
    provider::{Decapsulator, SchemeSigner},
};
use zeroize::Zeroizing;

use crate::{
    Algorithm, Failure, Fault, KeyName, Token, TokenKey,
    algorithm::length,
    key::{session_secret, take_secret},
};

macro_rules! halves {
    ($($(#[$doc:meta])* $name:ident,)*) => { $(
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $name(TokenKey);

        impl $name {
            /// Finds the private key in the token.
            ///
            /// # Errors
            ///
            /// Same as [`TokenKey::find`].
            pub fn find(token: Token, name: KeyName) -> Result<Self, Failure> {
                TokenKey::find(token, name, Algorithm::$name).map(Self)
            }
        }
    )* };
}

halves! {
    /// ECDH on P-384 (CKM_ECDH1_DERIVE, without a KDF). Takes the other side's point (97 bytes) and gives the x
    /// coordinate (48 bytes).
    EcdhP384,
    /// ML-KEM-1024 (C_DecapsulateKey of PKCS#11 3.2). Takes a ciphertext (1568 bytes) and gives 32 bytes.
    MlKem1024,
    /// ECDSA on P-384 (CKM_ECDSA). SHA-384 is computed here, since not every token has CKM_ECDSA_SHA384. A signature
    /// is r || s (96 bytes).
    EcdsaP384,
    /// ML-DSA-87 (CKM_ML_DSA) with a context of up to 255 bytes. A signature has 4627 bytes.
    MlDsa87,
}

impl Decapsulator for EcdhP384 {
    /// Every point that passed the public checks has an answer, so any complaint is the token's failure.
    fn decapsulate(&self, ciphertext: &[u8], shared_secret: &mut [u8]) -> Result<(), Error> {
        expect("ciphertext", 97, ciphertext)?;
        let secret = self.0.with(|session, key| {
            let parameters = Ecdh1DeriveParams::new(EcKdf::null(), ciphertext);
            let mechanism = Mechanism::Ecdh1Derive(parameters);
            let secret = session.derive_key(&mechanism, key, &session_secret(48)?)?;
            take_secret(session, secret, 48)
        });
        give(&secret.map_err(|fault| external(&self.0, fault))?, shared_secret)
    }
}

impl Decapsulator for MlKem1024 {
    /// A token that complains about the ciphertext would be an oracle: the caller replaces its answer by a random one.
    fn decapsulate(&self, ciphertext: &[u8], shared_secret: &mut [u8]) -> Result<(), Error> {
        expect("ciphertext", 1568, ciphertext)?;
        let secret = self.0.with(|session, key| {
            let secret = session.decapsulate_key(
                &Mechanism::MlKem,
                key,
                &session_secret(32)?,
                ciphertext,
            )?;
            take_secret(session, secret, 32)
        });
        match secret {
            Ok(secret) => give(&secret, shared_secret),
            Err(fault) if fault.blames_ciphertext() => {
                Err(Error::Invalid { what: "ciphertext", reason: "the token refuses it" })
            }
            Err(fault) => Err(external(&self.0, fault)),
        }
    }
}

impl SchemeSigner for EcdsaP384 {
    fn sign(&self, context: &[u8], message: &[u8]) -> Result<Vec<u8>, Error> {
        if !context.is_empty() {
            return Err(Error::Context("ECDSA does not take one"));
        }
        let digest = Sha384::digest(message);
        signature(&self.0, &Mechanism::Ecdsa, &digest, 96)
    }
}

impl SchemeSigner for MlDsa87 {
    fn sign(&self, context: &[u8], message: &[u8]) -> Result<Vec<u8>, Error> {
        if context.len() > 255 {
            return Err(Error::Context("it is longer than 255 bytes"));
        }
        let additional = SignAdditionalContext::new(HedgeType::Preferred, Some(context));
        signature(&self.0, &Mechanism::MlDsa(additional), message, 4627)
    }
}

fn signature(
    key: &TokenKey,
    mechanism: &Mechanism<'_>,
    message: &[u8],
    expected: usize,
) -> Result<Vec<u8>, Error> {
    let signed = key.with(|session, handle| {
        let signature = session.sign(mechanism, handle, message)?;
        length("signature", expected, &signature)?;
        Ok(signature)
    });
    signed.map_err(|fault| external(key, fault))
}

fn give(secret: &Zeroizing<Vec<u8>>, shared_secret: &mut [u8]) -> Result<(), Error> {
    expect("buffer for the shared secret", secret.len(), shared_secret)?;
    shared_secret.copy_from_slice(secret);
    Ok(())
}

/// The library asks only with values of the right length.
fn expect(what: &'static str, expected: usize, value: &[u8]) -> Result<(), Error> {
    let actual = value.len();
    if actual == expected { Ok(()) } else { Err(Error::Length { what, expected, actual }) }
}

fn external(key: &TokenKey, fault: Fault) -> Error {
    Error::external(key.failure(fault))
}
