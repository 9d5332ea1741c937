//! Does the crate re-export the crates whose traits and types are in its API, and does the manifest call
//! them public?

use std::convert::Infallible;

use twinseal::{
    DecapsulationKey, KemSuite, SignatureSuite, SigningKey,
    provider::{PORTABLE, Random},
    rand_core::{TryCryptoRng, TryRng},
    signature::{Signer, Verifier},
    zeroize::Zeroizing,
};

/// A generator as another version of `rand` would be wrapped, known from `twinseal` only.
struct Counter(u8);

impl TryRng for Counter {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        unreachable!("keys are made from bytes")
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        unreachable!("keys are made from bytes")
    }

    fn try_fill_bytes(&mut self, buffer: &mut [u8]) -> Result<(), Infallible> {
        for byte in buffer {
            self.0 = self.0.wrapping_add(1);
            *byte = self.0;
        }
        Ok(())
    }
}

impl TryCryptoRng for Counter {}

#[test]
fn they_do_without_dependencies_of_the_callers_own() {
    let kem =
        DecapsulationKey::generate_from_rng(KemSuite::X25519_ML_KEM_1024, &mut Counter(0)).unwrap();
    assert_eq!(kem.seed().unwrap()[..3], [1, 2, 3]);
    let suite = SignatureSuite::ML_DSA_87_ECDSA_P384;
    let key = SigningKey::generate_from_rng(suite, &mut Counter(0)).unwrap();
    let signature = key.without_context().try_sign(b"message").unwrap();
    key.verifying_key().without_context().verify(b"message", &signature).unwrap();
    let half: Zeroizing<Vec<u8>> = PORTABLE.ecdsa_p384.generate(&mut Random::System).unwrap();
    assert_eq!(half.len(), 48);
}

/// The names in the manifest's first group of dependencies, and those that lib.rs exports whole.
#[test]
fn the_manifest_names_them() {
    let manifest = include_str!("../../Cargo.toml");
    let (_, dependencies) = manifest.split_once("[dependencies]\n# Public:").unwrap();
    let (public, _) = dependencies.split_once("\n\n").unwrap();
    let listed = public.lines().filter_map(|line| line.split_once(" = "));
    let listed: Vec<_> = listed.map(|(name, _)| name).collect();
    let exported = include_str!("../../src/lib.rs").lines().filter_map(|line| {
        let name = line.strip_prefix("pub use ")?.strip_suffix(';')?;
        name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_').then_some(name)
    });
    let exported: Vec<_> = exported.collect();
    // Its traits are in the API only with its feature, so it is in a group of its own.
    assert!(manifest.contains("\n# Public with the feature `object_store`"));
    assert_eq!(exported, [&["object_store"], &listed[..]].concat());
    assert_eq!(listed, ["rand_core", "signature", "zeroize"]);
}
