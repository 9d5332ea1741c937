//! RSA-2048 and ECDSA P-256, for comparison only: from RustCrypto beside the portable provider, from
//! AWS-LC beside the provider of that name.

use std::hint::black_box;

use getrandom::SysRng;
use p256::{ecdsa, elliptic_curve::Generate};
use rand_core::UnwrapErr;
use rsa::{
    Oaep, RsaPrivateKey, RsaPublicKey, pss,
    signature::{Keypair, RandomizedSigner, SignatureEncoding, Signer, Verifier},
};
use sha2::Sha256;
use twinseal::provider::{PORTABLE, Provider};

use super::{case::Case, sign::MESSAGE};

/// The key that RSA encrypts.
const CONTENT_KEY: [u8; 32] = [7; 32];

/// A key pair that signs.
trait Signs: 'static {
    const NAME: &'static str;
    fn generate() -> Self;
    fn sign(&self) -> Vec<u8>;
    fn verify(&self, signature: &[u8]);
}

/// A key pair that encrypts.
trait Encrypts: 'static {
    const NAME: &'static str;
    fn generate() -> Self;
    fn encrypt(&self) -> Vec<u8>;
    fn decrypt(&self, ciphertext: &[u8]);
}

fn signs<K: Signs>(provider: &'static str) -> [Case; 3] {
    [
        Case::new("sign/key generation", K::NAME, provider, || {
            || {
                black_box(K::generate());
            }
        }),
        Case::new("sign/sign", K::NAME, provider, || {
            let key = K::generate();
            move || {
                black_box(key.sign());
            }
        }),
        Case::new("sign/verify", K::NAME, provider, || {
            let key = K::generate();
            let signature = key.sign();
            move || key.verify(&signature)
        }),
    ]
}

fn encrypts<K: Encrypts>(provider: &'static str) -> [Case; 2] {
    [
        Case::new("encryption/encrypt", K::NAME, provider, || {
            let key = K::generate();
            move || {
                black_box(key.encrypt());
            }
        }),
        Case::new("encryption/decrypt", K::NAME, provider, || {
            let key = K::generate();
            let ciphertext = key.encrypt();
            move || key.decrypt(&ciphertext)
        }),
    ]
}

/// Empty for a provider without an implementation of its own.
pub(crate) fn cases(provider: &Provider) -> Vec<Case> {
    let name = provider.name;
    if name == PORTABLE.name {
        let signatures = signs::<PortableRsa>(name).into_iter().chain(signs::<PortableP256>(name));
        return signatures.chain(encrypts::<PortableRsaEncryption>(name)).collect();
    }
    #[cfg(feature = "aws-lc-rs")]
    if name == twinseal::provider::AWS_LC.name {
        let signatures = signs::<aws_lc::Rsa>(name).into_iter().chain(signs::<aws_lc::P256>(name));
        return signatures.chain(encrypts::<aws_lc::RsaEncryption>(name)).collect();
    }
    Vec::new()
}

fn random() -> UnwrapErr<SysRng> {
    UnwrapErr(SysRng)
}

/// It blinds, as AWS-LC does.
struct PortableRsa(pss::SigningKey<Sha256>, pss::VerifyingKey<Sha256>);

impl Signs for PortableRsa {
    const NAME: &'static str = "RSA-2048";

    fn generate() -> Self {
        let key = pss::SigningKey::new(RsaPrivateKey::new(&mut random(), 2048).unwrap());
        let verifying_key = key.verifying_key();
        Self(key, verifying_key)
    }

    fn sign(&self) -> Vec<u8> {
        self.0.sign_with_rng(&mut random(), &MESSAGE).to_vec()
    }

    fn verify(&self, signature: &[u8]) {
        self.1.verify(&MESSAGE, &signature.try_into().unwrap()).unwrap();
    }
}

struct PortableRsaEncryption(RsaPrivateKey, RsaPublicKey);

impl Encrypts for PortableRsaEncryption {
    const NAME: &'static str = "RSA-2048";

    fn generate() -> Self {
        let key = RsaPrivateKey::new(&mut random(), 2048).unwrap();
        let public_key = key.to_public_key();
        Self(key, public_key)
    }

    fn encrypt(&self) -> Vec<u8> {
        self.1.encrypt(&mut random(), Oaep::<Sha256>::new(), &CONTENT_KEY).unwrap()
    }

    fn decrypt(&self, ciphertext: &[u8]) {
        let padding = Oaep::<Sha256>::new();
        let plaintext = self.0.decrypt_blinded(&mut random(), padding, ciphertext).unwrap();
        assert_eq!(plaintext, CONTENT_KEY);
    }
}

struct PortableP256(ecdsa::SigningKey);

impl Signs for PortableP256 {
    const NAME: &'static str = "ECDSA P-256";

    fn generate() -> Self {
        Self(ecdsa::SigningKey::generate_from_rng(&mut random()))
    }

    fn sign(&self) -> Vec<u8> {
        let signature: ecdsa::Signature = self.0.sign(&MESSAGE);
        signature.to_vec()
    }

    fn verify(&self, signature: &[u8]) {
        let signature = ecdsa::Signature::from_slice(signature).unwrap();
        self.0.verifying_key().verify(&MESSAGE, &signature).unwrap();
    }
}

#[cfg(feature = "aws-lc-rs")]
mod aws_lc {
    use aws_lc_rs::{
        rand::SystemRandom,
        rsa::{
            KeyPair as RsaKeyPair, KeySize, OAEP_SHA256_MGF1SHA256, OaepPrivateDecryptingKey,
            OaepPublicEncryptingKey, PrivateDecryptingKey,
        },
        signature::{
            ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair,
            ParsedPublicKey, RSA_PSS_2048_8192_SHA256, RSA_PSS_SHA256,
        },
    };

    use super::{CONTENT_KEY, Encrypts, MESSAGE, Signs};

    pub(super) struct Rsa(RsaKeyPair, ParsedPublicKey);

    impl Signs for Rsa {
        const NAME: &'static str = "RSA-2048";

        fn generate() -> Self {
            let key = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
            let public = ParsedPublicKey::new(&RSA_PSS_2048_8192_SHA256, key.public_key());
            Self(key, public.unwrap())
        }

        fn sign(&self) -> Vec<u8> {
            let mut signature = vec![0; self.0.public_modulus_len()];
            let random = SystemRandom::new();
            self.0.sign(&RSA_PSS_SHA256, &random, &MESSAGE, &mut signature).unwrap();
            signature
        }

        fn verify(&self, signature: &[u8]) {
            self.1.verify_sig(&MESSAGE, signature).unwrap();
        }
    }

    pub(super) struct RsaEncryption(OaepPrivateDecryptingKey, OaepPublicEncryptingKey);

    impl Encrypts for RsaEncryption {
        const NAME: &'static str = "RSA-2048";

        fn generate() -> Self {
            let key = PrivateDecryptingKey::generate(KeySize::Rsa2048).unwrap();
            let public = OaepPublicEncryptingKey::new(key.public_key()).unwrap();
            Self(OaepPrivateDecryptingKey::new(key).unwrap(), public)
        }

        fn encrypt(&self) -> Vec<u8> {
            let mut ciphertext = vec![0; self.1.ciphertext_size()];
            let algorithm = &OAEP_SHA256_MGF1SHA256;
            self.1.encrypt(algorithm, &CONTENT_KEY, &mut ciphertext, None).unwrap();
            ciphertext
        }

        fn decrypt(&self, ciphertext: &[u8]) {
            let mut buffer = vec![0; self.0.min_output_size()];
            let algorithm = &OAEP_SHA256_MGF1SHA256;
            let plaintext = self.0.decrypt(algorithm, ciphertext, &mut buffer, None).unwrap();
            assert_eq!(plaintext, CONTENT_KEY);
        }
    }

    pub(super) struct P256(EcdsaKeyPair, ParsedPublicKey);

    impl Signs for P256 {
        const NAME: &'static str = "ECDSA P-256";

        fn generate() -> Self {
            let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
            let public = ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, key.public_key());
            Self(key, public.unwrap())
        }

        fn sign(&self) -> Vec<u8> {
            self.0.sign(&SystemRandom::new(), &MESSAGE).unwrap().as_ref().to_vec()
        }

        fn verify(&self, signature: &[u8]) {
            self.1.verify_sig(&MESSAGE, signature).unwrap();
        }
    }
}
