//! The sizes of keys, ciphertexts and signatures, taken from objects made here and now.

use ml_kem::ml_kem_1024;
use p256::{
    ecdsa::{Signature as P256Signature, SigningKey as P256SigningKey},
    elliptic_curve::Generate,
};
use rand_core::UnwrapErr;
use rsa::{
    RsaPrivateKey,
    pkcs8::{EncodePrivateKey, EncodePublicKey},
    pss,
    signature::{RandomizedSigner, SignatureEncoding, Signer},
};
use sha2::Sha256;
use twinseal::{
    KemSuite, SignatureSuite,
    provider::{Kem, PORTABLE, Random, SignatureScheme},
};

const MESSAGE: &[u8] = b"what a signature is made over";

/// Lengths in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sizes {
    pub(crate) name: &'static str,
    pub(crate) public_key: usize,
    /// What is stored: a seed if the algorithm can start from one.
    pub(crate) private_key: usize,
    /// The expanded form that its standard, or its reference implementation, also defines.
    pub(crate) expanded: Option<usize>,
    pub(crate) ciphertext: Option<usize>,
    /// The longest one, if they vary.
    pub(crate) signature: Option<usize>,
}

impl Sizes {
    fn of_kem(name: &'static str, kem: &dyn Kem, expanded: Option<usize>) -> Self {
        let mut seed = vec![0; kem.lengths().seed];
        Random::System.fill(&mut seed).unwrap();
        let pair = kem.key_pair(&seed).unwrap();
        let lengths = kem.lengths();
        let (mut ciphertext, mut secret) =
            (vec![0; lengths.ciphertext], vec![0; lengths.shared_secret]);
        // A buffer of another length is refused, or this panics.
        pair.encapsulator.encapsulate(&mut Random::System, &mut ciphertext, &mut secret).unwrap();
        pair.decapsulator.decapsulate(&ciphertext, &mut secret).unwrap();
        Self {
            name,
            public_key: pair.encapsulation_key.len(),
            private_key: seed.len(),
            expanded,
            ciphertext: Some(ciphertext.len()),
            signature: None,
        }
    }

    /// A signature made here is at most as long as the longest.
    fn of_scheme(name: &'static str, scheme: &dyn SignatureScheme, context: &[u8]) -> Self {
        let secret = scheme.generate(&mut Random::System).unwrap();
        let pair = scheme.key_pair(&secret).unwrap();
        let longest = scheme.lengths().signature;
        assert!(pair.signer.sign(context, MESSAGE).unwrap().len() <= longest);
        Self {
            name,
            public_key: pair.verifying_key.len(),
            private_key: secret.len(),
            expanded: None,
            ciphertext: None,
            signature: Some(longest),
        }
    }
}

fn rsa_2048() -> Sizes {
    let mut random = UnwrapErr(getrandom::SysRng);
    let key = RsaPrivateKey::new(&mut random, 2048).unwrap();
    let public = key.to_public_key();
    let ciphertext = public.encrypt(&mut random, rsa::Oaep::<Sha256>::new(), &[7; 32]).unwrap();
    let (public_der, private_der) =
        (public.to_public_key_der().unwrap(), key.to_pkcs8_der().unwrap());
    let signature = pss::SigningKey::<Sha256>::new(key).sign_with_rng(&mut random, MESSAGE);
    Sizes {
        name: "RSA-2048",
        public_key: public_der.as_bytes().len(),
        private_key: private_der.as_bytes().len(),
        expanded: None,
        ciphertext: Some(ciphertext.len()),
        signature: Some(signature.to_bytes().len()),
    }
}

fn ecdsa_p256() -> Sizes {
    let key = P256SigningKey::generate_from_rng(&mut UnwrapErr(getrandom::SysRng));
    let signature: P256Signature = key.sign(MESSAGE);
    Sizes {
        name: "ECDSA P-256",
        public_key: key.verifying_key().to_sec1_point(false).len(),
        private_key: key.to_bytes().len(),
        expanded: None,
        ciphertext: None,
        signature: Some(signature.to_bytes().len()),
    }
}

/// FIPS 203's decapsulation key.
fn expanded_ml_kem() -> usize {
    #[expect(deprecated, reason = "its length is what the table shows")]
    use ml_kem::ExpandedKeyEncoding;
    let key = ml_kem_1024::DecapsulationKey::from_seed(ml_kem::Seed::default());
    #[expect(deprecated, reason = "its length is what the table shows")]
    key.to_expanded_bytes().len()
}

/// FIPS 204's private key.
fn expanded_ml_dsa() -> usize {
    let key = ml_dsa::ExpandedSigningKey::<ml_dsa::MlDsa87>::from_seed(&ml_dsa::Seed::default());
    #[expect(deprecated, reason = "its length is what the table shows")]
    key.to_expanded().len()
}

/// The article's rows and ours. Falcon's private key is stored with its public key behind it.
pub(crate) fn all() -> Vec<Sizes> {
    let ml_dsa = Sizes {
        expanded: Some(expanded_ml_dsa()),
        ..Sizes::of_scheme("ML-DSA-87", PORTABLE.ml_dsa_87, b"context")
    };
    let stored = Sizes::of_scheme("Falcon-1024", &twinseal::hazmat::falcon_1024(), b"");
    let falcon = Sizes { private_key: stored.private_key - stored.public_key, ..stored };
    let mut all = vec![
        rsa_2048(),
        ecdsa_p256(),
        Sizes::of_kem("ML-KEM-1024", PORTABLE.ml_kem_1024, Some(expanded_ml_kem())),
        ml_dsa,
        falcon,
        Sizes::of_kem("X25519", PORTABLE.x25519, None),
        Sizes::of_kem("ECDH P-384", PORTABLE.p384, None),
        Sizes::of_scheme("ECDSA P-384", PORTABLE.ecdsa_p384, b""),
    ];
    all.extend(
        KemSuite::ALL.iter().map(|suite| Sizes::of_kem(suite.name(), &suite.kem(&PORTABLE), None)),
    );
    all.extend(
        SignatureSuite::ALL
            .iter()
            .map(|suite| Sizes::of_scheme(suite.name(), &suite.scheme(&PORTABLE), b"context")),
    );
    all
}
