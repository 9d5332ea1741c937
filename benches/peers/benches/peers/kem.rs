//! Key encapsulation: both hybrids on each provider, X-Wing, and the same inside HPKE.

use std::hint::black_box;

use hpke::{Kem as HpkeKem, OpModeR, OpModeS, aead::AesGcm256, kdf::HkdfSha384};
use twinseal::{
    DecapsulationKey, KemSuite,
    provider::{Kem as _, Provider, Random},
};
use x_wing::{Decapsulate, Encapsulate, Kem, XWingKem};

use super::{CONTEXT, case::Case, markdown::NONE, providers::PROVIDERS};

fn twinseal_key(suite: KemSuite, provider: &'static Provider) -> DecapsulationKey {
    DecapsulationKey::generate_for(suite).unwrap().on(provider).unwrap()
}

fn twinseal(provider: &'static Provider, suite: KemSuite) -> Vec<Case> {
    let name = format!("twinseal {suite}");
    vec![
        // `generate` makes a key only for the default provider.
        Case::new("kem/key generation", &*name, provider.name, move || {
            let kem = suite.kem(provider);
            move || {
                let mut seed = [0; KemSuite::SEED_LEN];
                Random::System.fill(&mut seed).unwrap();
                black_box(kem.key_pair(&seed).unwrap());
            }
        }),
        Case::new("kem/encapsulate", &*name, provider.name, move || {
            let key = twinseal_key(suite, provider);
            move || {
                black_box(key.encapsulation_key().encapsulate().unwrap());
            }
        }),
        Case::new("kem/decapsulate", &*name, provider.name, move || {
            let key = twinseal_key(suite, provider);
            let (ciphertext, _) = key.encapsulation_key().encapsulate().unwrap();
            move || {
                black_box(key.decapsulate(&ciphertext).unwrap());
            }
        }),
        Case::new("session/sender", &*name, provider.name, move || {
            let key = twinseal_key(suite, provider);
            move || {
                black_box(key.encapsulation_key().sender(CONTEXT).unwrap());
            }
        }),
        Case::new("session/receiver", &*name, provider.name, move || {
            let key = twinseal_key(suite, provider);
            let (hello, _) = key.encapsulation_key().sender(CONTEXT).unwrap();
            move || {
                black_box(key.receiver(CONTEXT, &hello).unwrap());
            }
        }),
    ]
}

fn x_wing() -> [Case; 3] {
    const NAME: &str = "x-wing (X25519, ML-KEM-768)";
    [
        Case::new("kem/key generation", NAME, NONE, || {
            || {
                black_box(XWingKem::generate_keypair());
            }
        }),
        Case::new("kem/encapsulate", NAME, NONE, || {
            let (_, public) = XWingKem::generate_keypair();
            move || {
                black_box(public.encapsulate());
            }
        }),
        Case::new("kem/decapsulate", NAME, NONE, || {
            let (private, public) = XWingKem::generate_keypair();
            let (ciphertext, _) = public.encapsulate();
            move || {
                black_box(private.decapsulate(&ciphertext));
            }
        }),
    ]
}

/// HPKE has no bare KEM to call: an encryption context is what a session is here.
fn hpke<K: HpkeKem + 'static>(name: &str) -> [Case; 3] {
    type Aead = AesGcm256;
    type Kdf = HkdfSha384;
    [
        Case::new("kem/key generation", name, NONE, || {
            || {
                black_box(K::gen_keypair());
            }
        }),
        Case::new("session/sender", name, NONE, || {
            let (_, public) = K::gen_keypair();
            move || {
                let mode = &OpModeS::Base;
                let sender = hpke::setup_sender::<Aead, Kdf, K>(mode, &public, CONTEXT);
                black_box(sender.unwrap());
            }
        }),
        Case::new("session/receiver", name, NONE, || {
            let (private, public) = K::gen_keypair();
            let mode = &OpModeS::Base;
            let (enc, _) = hpke::setup_sender::<Aead, Kdf, K>(mode, &public, CONTEXT).unwrap();
            move || {
                let mode = &OpModeR::Base;
                let receiver = hpke::setup_receiver::<Aead, Kdf, K>(mode, &private, &enc, CONTEXT);
                black_box(receiver.unwrap());
            }
        }),
    ]
}

pub(crate) fn cases() -> Vec<Case> {
    let ours = PROVIDERS
        .into_iter()
        .flat_map(|provider| KemSuite::ALL.iter().flat_map(|suite| twinseal(provider, *suite)));
    ours.chain(x_wing())
        .chain(hpke::<hpke::kem::XWing>("hpke X-Wing"))
        .chain(hpke::<hpke::kem::MlKem1024P384>("hpke MLKEM1024-P384"))
        .collect()
}
