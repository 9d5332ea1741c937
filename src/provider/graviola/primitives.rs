//! What graviola computes.

use crate::provider::{PORTABLE, Provider, self_test::Tested};

mod aes_256_gcm;
mod answers;
mod p384;
mod x25519;

// Rust 1.89 refuses a constant that refers to a `OnceLock`.
pub(super) static GRAVIOLA: Provider = Provider {
    name: "graviola",
    x25519: &X25519,
    p384: &P384,
    ecdsa_p384: &ECDSA_P384,
    aes_256_gcm: &AES_256_GCM,
    ..PORTABLE
};

static X25519: Tested<x25519::X25519> = Tested::new(
    x25519::X25519,
    answers::x25519,
    "X25519, for which graviola gave a wrong known answer",
);

static P384: Tested<p384::P384> = Tested::new(
    p384::P384,
    answers::p384,
    "ECDH over P-384, for which graviola gave a wrong known answer",
);

static ECDSA_P384: Tested<p384::EcdsaP384> = Tested::new(
    p384::EcdsaP384,
    answers::ecdsa_p384,
    "ECDSA over P-384, for which graviola gave a wrong known answer",
);

static AES_256_GCM: Tested<aes_256_gcm::Aes256> = Tested::new(
    aes_256_gcm::Aes256,
    answers::aes_256_gcm,
    "AES-256-GCM, for which graviola gave a wrong known answer",
);

/// Graviola panics in every call where this is false.
pub(super) fn processor_is_supported() -> bool {
    // What is multiplied with, and listed in graviola's README, but not looked for.
    #[cfg(target_arch = "x86_64")]
    if !std::arch::is_x86_feature_detected!("bmi2") {
        return false;
    }
    graviola::util::is_cpu_supported()
}
