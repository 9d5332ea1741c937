//! One message for one recipient, sealed and opened in memory.

use std::hint::black_box;

use hpke::{
    Kem, OpModeR, OpModeS,
    aead::AesGcm256,
    kdf::HkdfSha384,
    kem::{MlKem1024P384, XWing},
};
use quantum_shield::HybridCrypto;
use twinseal::{DecapsulationKey, provider::Provider};

use super::{CONTEXT, case::Case, markdown::NONE, mode, providers::PROVIDERS};

/// A length with its name.
type Length = (&'static str, usize);

fn lengths() -> &'static [Length] {
    const ALL: [Length; 3] = [("1 KiB", 1 << 10), ("1 MiB", 1 << 20), ("16 MiB", 16 << 20)];
    if mode::testing() { &ALL[..1] } else { &ALL }
}

/// Sealing and opening of one message by one crate.
fn pair<Seal: FnMut() + 'static, Open: FnMut() + 'static>(
    (length_name, length): Length,
    name: &str,
    provider: &'static str,
    seal: impl Fn(Vec<u8>) -> Seal + 'static,
    open: impl Fn(Vec<u8>) -> Open + 'static,
) -> [Case; 2] {
    let message = move || vec![7; length];
    let mut cases = [
        Case::new(format!("seal/{length_name}"), name, provider, move || seal(message())),
        Case::new(format!("open/{length_name}"), name, provider, move || open(message())),
    ];
    cases.iter_mut().for_each(|case| case.bytes = Some(length as u64));
    cases
}

fn twinseal(length: Length, provider: &'static Provider) -> [Case; 2] {
    let key = move || DecapsulationKey::generate().unwrap().on(provider).unwrap();
    let seal = move |message: Vec<u8>| {
        let key = key();
        move || {
            black_box(key.encapsulation_key().seal(CONTEXT, &message).unwrap());
        }
    };
    let open = move |message: Vec<u8>| {
        let key = key();
        let sealed = key.encapsulation_key().seal(CONTEXT, &message).unwrap();
        move || {
            black_box(key.open(CONTEXT, &sealed).unwrap());
        }
    };
    pair(length, "twinseal (X25519, ML-KEM-1024, AES-256-GCM)", provider.name, seal, open)
}

fn hpke<K: Kem + 'static>(length: Length, name: &str) -> [Case; 2] {
    type Aead = AesGcm256;
    type Kdf = HkdfSha384;
    let sealed = |public: &K::PublicKey, message: &[u8]| {
        let mode = &OpModeS::Base;
        hpke::single_shot_seal::<Aead, Kdf, K>(mode, public, CONTEXT, message, b"").unwrap()
    };
    let seal = move |message: Vec<u8>| {
        let (_, public) = K::gen_keypair();
        move || {
            black_box(sealed(&public, &message));
        }
    };
    let open = move |message: Vec<u8>| {
        let (private, public) = K::gen_keypair();
        let (enc, ciphertext) = sealed(&public, &message);
        move || {
            let mode = &OpModeR::Base;
            let opened = hpke::single_shot_open::<Aead, Kdf, K>(
                mode,
                &private,
                &enc,
                CONTEXT,
                &ciphertext,
                b"",
            );
            black_box(opened.unwrap());
        }
    };
    pair(length, name, NONE, seal, open)
}

fn quantum_shield(length: Length) -> [Case; 2] {
    let key = || HybridCrypto::generate().unwrap();
    let seal = move |message: Vec<u8>| {
        let key = key();
        move || {
            black_box(key.seal_for(&message, key.public_keys()).unwrap());
        }
    };
    let open = move |message: Vec<u8>| {
        let key = key();
        let sealed = key.seal_for(&message, key.public_keys()).unwrap();
        move || {
            black_box(key.open(&sealed).unwrap());
        }
    };
    pair(length, "quantum-shield (X25519, ML-KEM-1024, AES-256-GCM)", NONE, seal, open)
}

fn age(length: Length) -> [Case; 2] {
    let seal = |message: Vec<u8>| {
        let recipient = age::x25519::Identity::generate().to_public();
        move || {
            black_box(age::encrypt(&recipient, &message).unwrap());
        }
    };
    let open = |message: Vec<u8>| {
        let identity = age::x25519::Identity::generate();
        let sealed = age::encrypt(&identity.to_public(), &message).unwrap();
        move || {
            black_box(age::decrypt(&identity, &sealed).unwrap());
        }
    };
    pair(length, "age (X25519 only, ChaCha20-Poly1305)", NONE, seal, open)
}

pub(crate) fn cases() -> Vec<Case> {
    let each = |&length: &Length| {
        let ours = PROVIDERS.into_iter().flat_map(move |provider| twinseal(length, provider));
        ours.chain(hpke::<XWing>(length, "hpke (X-Wing, AES-256-GCM)"))
            .chain(hpke::<MlKem1024P384>(length, "hpke (MLKEM1024-P384, AES-256-GCM)"))
            .chain(quantum_shield(length))
            .chain(age(length))
    };
    lengths().iter().flat_map(each).collect()
}
