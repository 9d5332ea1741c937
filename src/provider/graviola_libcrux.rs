//! `GRAVIOLA_LIBCRUX`: graviola's primitives and those of libcrux. Together they cover everything.

use std::sync::LazyLock;

use super::{LIBCRUX, Provider, graviola};

/// X25519, P-384 and AES-256-GCM as in [`GRAVIOLA`](super::GRAVIOLA), ML-KEM and ML-DSA as in [`LIBCRUX`]: most of
/// AWS-LC's speed, without a C compiler. Where graviola does not run, it is [`LIBCRUX`] with a longer name.
pub static GRAVIOLA_LIBCRUX: LazyLock<Provider> = LazyLock::new(|| {
    let Provider { ml_kem_1024, ml_dsa_87, .. } = LIBCRUX;
    match graviola::here() {
        Some(graviola) => Provider { name: "graviola-libcrux", ml_kem_1024, ml_dsa_87, ..graviola },
        None => Provider { name: "libcrux (graviola does not run here)", ..LIBCRUX },
    }
});
