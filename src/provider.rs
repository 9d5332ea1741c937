//! The primitives: their traits, and the crates that implement them.
//!
//! A [`Provider`] is a plain struct of primitives behind traits. What a provider computes is raw: checks of
//! public values, encodings, labels and combiners are above it. So a provider changes speed and what the build
//! needs, but never a byte, and never what is accepted.
//!
//! | provider | feature | builds with | covers | upkeep |
//! |---|---|---|---|---|
//! | [`PORTABLE`] | always there | Rust | everything | RustCrypto and dalek, active |
//! | `AWS_LC` | `aws-lc-rs` | a C compiler, one to two minutes on two cores | everything | AWS, active |
//! | `GRAVIOLA` | `graviola` | Rust, seconds | X25519, P-384 and AES-GCM on x86-64 and aarch64, the rest as `PORTABLE` | J. Birr-Pixton, active, versions 0.4.x |
//! | `LIBCRUX` | `libcrux` | Rust 1.94 or newer | ML-KEM and ML-DSA, the rest as `PORTABLE` | Cryspen, active, versions 0.0.x |
//! | `PQCLEAN` | `pqclean` | a C compiler | ML-KEM and ML-DSA, the rest as `PORTABLE` | **unmaintained**, see below |
//!
//! With both features, `GRAVIOLA_LIBCRUX` has the primitives of both, and most of AWS-LC's speed without a C compiler:
//! on AMD Zen 4 with AVX-512 a hybrid signature takes 0.34 ms (AWS-LC 0.24, portable 1.45), its verification 0.37 (0.25,
//! 1.03), and X25519 with ML-KEM-1024 0.046 ms to encapsulate and 0.043 to decapsulate (0.057 and 0.053; 0.19 and 0.21).
//!
//! Keys use AWS-LC if it is compiled in, otherwise graviola if that is, with libcrux if both are, otherwise the portable
//! provider. `key.on(..)` moves a key to another provider, and `key.provider().name` is the one that it uses.
//!
//! A primitive (ML-KEM-1024, X25519 as a DH-KEM) and a hybrid made of two implement the same trait: [`Kem`] or
//! [`SignatureScheme`].
//!
//! # Why AWS-LC is a feature
//!
//! It is three to six times as fast, but a C compiler would be a condition of `cargo add twinseal`. aws-lc-rs does
//! not offer ML-DSA with a context, nor ML-KEM from a seed, so this provider calls AWS-LC directly for both, in the
//! library's only file of unsafe code, which is tested under AddressSanitizer. AWS-LC has validated FIPS modules. This
//! crate does not use their build, adds X25519 and formats of its own, and makes no claim of FIPS 140 compliance.
//!
//! # What graviola is
//!
//! A crate of one maintainer of rustls (Apache-2.0, ISC or MIT-0), made for TLS, "very new, so exercise due caution" as
//! its README says; not audited, as far as we know. It adds one crate to the tree, and no build script. Its field and
//! group operations of P-384, and X25519 as a whole, are assembly of AWS's s2n-bignum, which is proven in HOL Light to
//! compute what it should; the proofs are s2n-bignum's, and we have not run them. What is around them is not proven:
//! scalar multiplication on P-384 and the choice from its tables, ECDSA, AES, GCM, SHA-384.
//!
//! It panics on processors that lack what it needs, so this crate asks first, and the portable provider takes its
//! place there (see `GRAVIOLA`). It leaves checks to its callers, as every provider here may, and takes scalars of other
//! lengths, which this provider refuses. ECDSA is that of RFC 6979 with 16 random bytes (its §3.6). Ephemeral keys are
//! made of this crate's randomness, so [`Random::Given`] works. It wipes keys and shared secrets, and clears most
//! vector registers; the stack keeps what it computed with, such as copies of P-384 scalars. Its AES-GCM works in
//! place only: what is opened into another buffer is copied first.
//!
//! # What libcrux is
//!
//! The crates libcrux-ml-kem and libcrux-ml-dsa (Apache-2.0) with six more of the same makers and `rand`: Rust that uses
//! AVX2 or NEON where the processor has it. Their READMEs say what is verified with hax and F\*: of ML-KEM "the
//! portable and AVX2 code for field arithmetic, NTT polynomial arithmetic, serialization, and the generic code for
//! high-level algorithms", of ML-DSA "the portable and AVX2 code for field arithmetic, NTT polynomial arithmetic, and
//! serialization". That is their claim; we have not run the proofs. Code for NEON is not in it, nor are the functions
//! that the source exempts (`verification_status(lax)`), among them the generation of unpacked ML-KEM keys, which this
//! provider uses.
//!
//! Each primitive gives one known answer before its first use in a process. After a wrong one it is
//! [`Error::Unsupported`]. ML-DSA is hedged. Versions are 0.0.x, and had advisories (docs/primitives.md lists them; none
//! affects those that are used here), so keys use this provider alone only if they are moved to it. Cargo.lock also has
//! `proc-macro-error2` (unmaintained, RUSTSEC-2026-0173), which only the proofs compile. libcrux wipes nothing: its
//! keys are in boxes of ours, which are wiped, but its stack is not.
//!
//! # Why pqcrypto-mlkem and pqcrypto-mldsa are not the default
//!
//! They bind PQClean's C code, which is archived. RUSTSEC-2026-0161, -0162, -0163, -0165 and -0166 (June 2026)
//! mark the `pqcrypto` crates as unmaintained, and RUSTSEC-2024-0436 does so for the macro `paste` with which
//! `pqcrypto-mldsa` is built. A security crate must not put an advisory into the audit of each of its users. The
//! crates accept an encapsulation key that FIPS 203 §7.2 forbids, keep secret keys in `Copy` types that nobody
//! wipes, and cannot start from a seed. The AVX2 code of their ML-DSA accepts signatures that FIPS 204 refuses, so
//! it is not used.
//!
//! The provider is for comparison. It is tested like the others, and keys use it only if they are moved to it.
//! `pqcrypto-falcon`, which the feature `experimental-falcon` uses, is unmaintained as well and has no replacement
//! yet.

use std::fmt;

use crate::error::Error;
pub use crate::{
    constants::{KemLengths, SignatureLengths},
    random::Random,
};

mod aead;
#[cfg(feature = "aws-lc-rs")]
mod aws_lc;
#[cfg(feature = "experimental-falcon")]
mod falcon;
#[cfg(feature = "graviola")]
mod graviola;
#[cfg(all(feature = "graviola", feature = "libcrux"))]
mod graviola_libcrux;
mod kem;
#[cfg(feature = "libcrux")]
mod libcrux;
mod portable;
#[cfg(feature = "pqclean")]
mod pqclean;
#[cfg(any(feature = "graviola", feature = "libcrux"))]
mod self_test;
mod signature_scheme;
#[cfg(any(feature = "experimental-falcon", feature = "libcrux", feature = "pqclean"))]
mod wiped;

pub use aead::{Aead, AeadKey};
#[cfg(feature = "aws-lc-rs")]
pub use aws_lc::AWS_LC;
#[cfg(feature = "experimental-falcon")]
pub(crate) use falcon::Falcon1024;
#[cfg(feature = "graviola")]
pub use graviola::GRAVIOLA;
#[cfg(all(feature = "graviola", feature = "libcrux"))]
pub use graviola_libcrux::GRAVIOLA_LIBCRUX;
pub use kem::{Decapsulator, Encapsulator, Kem, KemKeyPair};
#[cfg(feature = "libcrux")]
pub use libcrux::LIBCRUX;
pub use portable::PORTABLE;
pub(crate) use portable::{expand_ml_dsa_87, expand_ml_kem_1024, ml_dsa_87_of_expanded};
#[cfg(feature = "pqclean")]
pub use pqclean::PQCLEAN;
pub use signature_scheme::{SchemeSigner, SchemeVerifier, SignatureKeyPair, SignatureScheme};

/// A set of primitives. Make one of your own from an existing one, and always end with
/// `..PORTABLE` or another: a later version may add primitives.
///
/// ```
/// use twinseal::provider::{PORTABLE, Provider};
///
/// static MINE: Provider = Provider { name: "mine", ..PORTABLE };
/// let key = twinseal::DecapsulationKey::generate()?.on(&MINE)?;
/// # Ok::<(), twinseal::Error>(())
/// ```
#[derive(Clone, Copy)]
pub struct Provider {
    /// A name for logs.
    pub name: &'static str,
    /// X25519 (RFC 7748) as a DH-KEM.
    pub x25519: &'static dyn Kem,
    /// ECDH over P-384 (SP 800-56A) as a DH-KEM.
    pub p384: &'static dyn Kem,
    /// ML-KEM-1024 (FIPS 203).
    pub ml_kem_1024: &'static dyn Kem,
    /// ECDSA over P-384 with SHA-384 (FIPS 186-5): the signing key is the scalar (48 bytes), a
    /// signature is `r || s` (96 bytes), and there is no context.
    pub ecdsa_p384: &'static dyn SignatureScheme,
    /// ML-DSA-87 (FIPS 204): the signing key is the seed (32 bytes).
    pub ml_dsa_87: &'static dyn SignatureScheme,
    /// AES-256-GCM (SP 800-38D) with 12-byte nonces and 16-byte tags.
    pub aes_256_gcm: &'static dyn Aead,
}

impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Provider({})", self.name)
    }
}

/// The provider that keys use unless they are moved by `on`: AWS-LC if it is compiled in, else graviola if that
/// is, with libcrux if both are. A feature that some dependency turns on gives nobody libcrux alone, or PQClean.
pub(crate) fn default() -> &'static Provider {
    #[cfg(feature = "aws-lc-rs")]
    return &AWS_LC;
    #[cfg(all(not(feature = "aws-lc-rs"), feature = "graviola", feature = "libcrux"))]
    return &GRAVIOLA_LIBCRUX;
    #[cfg(all(not(feature = "aws-lc-rs"), feature = "graviola", not(feature = "libcrux")))]
    return &GRAVIOLA;
    #[cfg(not(any(feature = "aws-lc-rs", feature = "graviola")))]
    return &PORTABLE;
}

/// The operation that is refused to [`Random::Given`] where C code draws by itself.
#[cfg(any(feature = "aws-lc-rs", feature = "pqclean"))]
const GIVEN: &str = "encapsulation from given randomness";

/// For schemes without contexts.
fn no_context(context: &[u8]) -> Result<(), Error> {
    if context.is_empty() { Ok(()) } else { Err(Error::Context("the scheme has none")) }
}

/// AES-GCM takes less than 64 GiB.
const TOO_LONG: Error = Error::Invalid { what: "message", reason: "it is too long for AES-GCM" };
