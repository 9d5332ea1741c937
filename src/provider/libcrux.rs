//! `LIBCRUX`: ML-KEM-1024 and ML-DSA-87 of libcrux, in Rust. Never chosen by itself.
//!
//! libcrux wipes nothing: the keys that stay are in boxes of ours, which are. What it computes with is on its
//! stack, where we cannot reach it.

use super::{PORTABLE, Provider, self_test::Tested};

mod answers;
mod ml_dsa;
mod ml_kem;

/// libcrux's ML-KEM-1024 and ML-DSA-87, in Rust with AVX2 or NEON; everything else as in [`PORTABLE`]. It takes
/// given randomness and signs without any, as `PORTABLE` does. Keys use it only if they are moved to it by `on`.
pub static LIBCRUX: Provider =
    Provider { name: "libcrux", ml_kem_1024: &ML_KEM_1024, ml_dsa_87: &ML_DSA_87, ..PORTABLE };

static ML_KEM_1024: Tested<ml_kem::MlKem1024> = Tested::new(
    ml_kem::MlKem1024,
    |kem| answers::ml_kem_1024(kem),
    "ML-KEM-1024, for which libcrux gave a wrong known answer",
);

static ML_DSA_87: Tested<ml_dsa::MlDsa87> = Tested::new(
    ml_dsa::MlDsa87,
    answers::ml_dsa_87,
    "ML-DSA-87, for which libcrux gave a wrong known answer",
);
