//! `PORTABLE`: every primitive in Rust, from the crates of `RustCrypto` and dalek, also from given
//! randomness and without any.

use super::Provider;

mod aes_256_gcm;
mod ml_dsa;
mod ml_kem;
mod p384;
mod x25519;

pub(crate) use ml_dsa::{expand_ml_dsa_87, ml_dsa_87_of_expanded};
pub(crate) use ml_kem::expand_ml_kem_1024;

/// All Rust, on every platform: x25519-dalek, p384, ml-kem, ml-dsa and aes-gcm.
pub static PORTABLE: Provider = Provider {
    name: "portable",
    x25519: &x25519::X25519,
    p384: &p384::P384,
    ml_kem_1024: &ml_kem::MlKem1024,
    ecdsa_p384: &p384::EcdsaP384,
    ml_dsa_87: &ml_dsa::MlDsa87Scheme,
    aes_256_gcm: &aes_256_gcm::Aes256,
};
