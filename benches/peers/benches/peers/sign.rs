//! Signatures: the composite on each provider, and quantum-shield's Ed25519 with ML-DSA-87.

use std::hint::black_box;

use quantum_shield::HybridCrypto;
use twinseal::{
    SignatureSuite, SigningKey,
    provider::{Provider, Random, SignatureScheme as _},
};

use super::{CONTEXT, case::Case, markdown::NONE, providers::PROVIDERS};

const MESSAGE: &[u8] = &[7; 1024];

fn twinseal(provider: &'static Provider) -> [Case; 3] {
    const NAME: &str = "twinseal (ECDSA P-384, ML-DSA-87)";
    let key = move || SigningKey::generate().unwrap().on(provider).unwrap();
    [
        // `generate` makes a key only for the default provider.
        Case::new("sign/key generation", NAME, provider.name, move || {
            let scheme = SignatureSuite::ML_DSA_87_ECDSA_P384.scheme(provider);
            move || {
                let secret = scheme.generate(&mut Random::System).unwrap();
                black_box(scheme.key_pair(&secret).unwrap());
            }
        }),
        Case::new("sign/sign", NAME, provider.name, move || {
            let key = key();
            move || {
                black_box(key.sign(CONTEXT, MESSAGE).unwrap());
            }
        }),
        Case::new("sign/verify", NAME, provider.name, move || {
            let key = key();
            let signature = key.sign(CONTEXT, MESSAGE).unwrap();
            move || key.verifying_key().verify(CONTEXT, MESSAGE, &signature).unwrap()
        }),
    ]
}

/// Its key pair is one for signatures and encryption.
fn quantum_shield() -> [Case; 3] {
    const NAME: &str = "quantum-shield (Ed25519, ML-DSA-87)";
    let key = || HybridCrypto::generate().unwrap();
    [
        Case::new("sign/key generation", NAME, NONE, move || {
            move || {
                black_box(key());
            }
        }),
        Case::new("sign/sign", NAME, NONE, move || {
            let key = key();
            move || {
                black_box(key.sign(MESSAGE, CONTEXT).unwrap());
            }
        }),
        Case::new("sign/verify", NAME, NONE, move || {
            let key = key();
            let signature = key.sign(MESSAGE, CONTEXT).unwrap();
            move || {
                quantum_shield::verify(MESSAGE, CONTEXT, &signature, key.public_keys()).unwrap();
            }
        }),
    ]
}

pub(crate) fn cases() -> Vec<Case> {
    PROVIDERS.into_iter().flat_map(twinseal).chain(quantum_shield()).collect()
}
