//! The providers, with what they publish marked as public.

use std::sync::LazyLock;

use twinseal::{
    Error,
    provider::{
        AWS_LC, Encapsulator, GRAVIOLA, Kem, KemKeyPair, KemLengths, LIBCRUX, PORTABLE, PQCLEAN,
        Provider, Random, SchemeSigner, SchemeVerifier, SignatureKeyPair, SignatureLengths,
        SignatureScheme,
    },
    zeroize::Zeroizing,
};

use crate::taint;

/// In the order of the table in SECURITY.md.
pub(crate) const NAMES: [&str; 5] = ["portable", "aws-lc", "graviola", "libcrux", "pqclean"];

/// The provider of this name. Its public keys, ciphertexts and signatures are public, and what is encapsulated is secret.
pub(crate) fn named(name: &str) -> Option<&'static Provider> {
    let provider = [&PORTABLE, &PQCLEAN, LazyLock::force(&GRAVIOLA), &LIBCRUX, &AWS_LC]
        .into_iter()
        .find(|provider| provider.name == name)?;
    let kem = |inner| -> &'static dyn Kem { Box::leak(Box::new(Watched(inner))) };
    let scheme = |inner| -> &'static dyn SignatureScheme { Box::leak(Box::new(Watched(inner))) };
    Some(Box::leak(Box::new(Provider {
        name: provider.name,
        x25519: kem(provider.x25519),
        p384: kem(provider.p384),
        ml_kem_1024: kem(provider.ml_kem_1024),
        ecdsa_p384: scheme(provider.ecdsa_p384),
        ml_dsa_87: scheme(provider.ml_dsa_87),
        ..*provider
    })))
}

#[derive(Debug)]
struct Watched<T>(T);

impl Kem for Watched<&'static dyn Kem> {
    fn lengths(&self) -> KemLengths {
        self.0.lengths()
    }

    fn key_pair(&self, seed: &[u8]) -> Result<KemKeyPair, Error> {
        let pair = self.0.key_pair(seed);
        taint::public_value(&pair);
        let KemKeyPair { encapsulation_key, decapsulator, .. } = pair?;
        taint::public(&encapsulation_key);
        // The pair's own was expanded from what was not public yet.
        Ok(KemKeyPair {
            encapsulator: self.encapsulator(&encapsulation_key)?,
            encapsulation_key,
            decapsulator,
        })
    }

    fn encapsulator(&self, encapsulation_key: &[u8]) -> Result<Box<dyn Encapsulator>, Error> {
        Ok(Box::new(Watched(self.0.encapsulator(encapsulation_key)?)))
    }
}

impl Encapsulator for Watched<Box<dyn Encapsulator>> {
    fn encapsulate(
        &self,
        random: &mut Random<'_>,
        ciphertext: &mut [u8],
        shared_secret: &mut [u8],
    ) -> Result<(), Error> {
        // C code draws by itself: only what comes out of it can be marked.
        let mut draw = |buffer: &mut [u8]| {
            random.fill(buffer)?;
            taint::secret(buffer);
            Ok(())
        };
        let result =
            match self.0.encapsulate(&mut Random::Given(&mut draw), ciphertext, shared_secret) {
                Err(Error::Unsupported(_)) => self.0.encapsulate(random, ciphertext, shared_secret),
                result => result,
            };
        taint::public_value(&result);
        taint::public(ciphertext);
        taint::secret(shared_secret);
        result
    }
}

impl SignatureScheme for Watched<&'static dyn SignatureScheme> {
    fn lengths(&self) -> SignatureLengths {
        self.0.lengths()
    }

    fn generate(&self, random: &mut Random<'_>) -> Result<Zeroizing<Vec<u8>>, Error> {
        self.0.generate(random)
    }

    fn key_pair(&self, signing_key: &[u8]) -> Result<SignatureKeyPair, Error> {
        let pair = self.0.key_pair(signing_key);
        taint::public_value(&pair);
        let SignatureKeyPair { verifying_key, signer, .. } = pair?;
        taint::public(&verifying_key);
        Ok(SignatureKeyPair {
            verifier: self.verifier(&verifying_key)?,
            verifying_key,
            signer: Box::new(Watched(signer)),
        })
    }

    fn verifier(&self, verifying_key: &[u8]) -> Result<Box<dyn SchemeVerifier>, Error> {
        self.0.verifier(verifying_key)
    }
}

impl SchemeSigner for Watched<Box<dyn SchemeSigner>> {
    fn sign(&self, context: &[u8], message: &[u8]) -> Result<Vec<u8>, Error> {
        let signature = self.0.sign(context, message);
        taint::public_value(&signature);
        signature.inspect(|signature| taint::public(signature))
    }
}
