//! `GRAVIOLA`: X25519, P-384 and AES-256-GCM from graviola, in Rust and in assembly that rustc assembles.

use std::sync::LazyLock;

use super::{PORTABLE, Provider};

// As in Cargo.toml.
#[cfg(all(
    any(target_arch = "x86_64", target_arch = "aarch64"),
    target_endian = "little",
    target_pointer_width = "64"
))]
mod primitives;

/// Graviola on x86-64 and aarch64, without a C compiler: X25519, ECDH and ECDSA over P-384, and AES-256-GCM.
/// ML-KEM and ML-DSA are those of [`PORTABLE`].
///
/// On x86-64 it needs AES-NI, PCLMULQDQ, AVX2, ADX and BMI2 (Intel's processors from Broadwell on, AMD's from Zen
/// on), on aarch64 NEON, AES, PMULL and SHA-2 (not the Raspberry Pi 4). The first use looks whether the processor has
/// them. Where it has not, and on all other architectures, every primitive is that of [`PORTABLE`] and `name`
/// says so: a program for many targets names this provider on all of them.
///
/// Each of graviola's primitives gives one known answer before its first use in a process. After a wrong one
/// it is [`Error::Unsupported`](crate::Error::Unsupported).
pub static GRAVIOLA: LazyLock<Provider> = LazyLock::new(|| {
    const ELSEWHERE: Provider =
        Provider { name: "portable (graviola does not run here)", ..PORTABLE };
    here().unwrap_or(ELSEWHERE)
});

/// Graviola's primitives, if they run on this processor.
pub(super) fn here() -> Option<Provider> {
    #[cfg(all(
        any(target_arch = "x86_64", target_arch = "aarch64"),
        target_endian = "little",
        target_pointer_width = "64"
    ))]
    if primitives::processor_is_supported() {
        return Some(primitives::GRAVIOLA);
    }
    None
}
