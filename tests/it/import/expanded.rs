//! Signing keys whose ML-DSA half is only the expanded form.

use proptest::prelude::*;
use signature::{Signer, Verifier};
use twinseal::{Error, Sign, SigningKey, sign::ExpandedSigningKey};

use super::fixture::{Pieces, SECP384R1, ec_private_key, public_field};
use crate::common::{
    der::{pem, tlv},
    errors::{invalid, outcome},
    keys::{COMPOSITE, CTX},
};

fn import(bytes: &[u8]) -> Result<ExpandedSigningKey, Error> {
    SigningKey::import_expanded_bytes(COMPOSITE, bytes)
}

#[test]
fn every_form_signs_as_the_key_does() {
    let (pieces, key) = Pieces::of_signing_key(41);
    for (name, traditional) in pieces.traditional() {
        for expanded in [pieces.expanded.clone(), tlv(0x04, &[&pieces.expanded])] {
            let bytes = [&expanded[..], &traditional].concat();
            let compressed = public_field(&pieces.compressed_public());
            let der = pieces.pkcs8(1, &bytes, &[&compressed]);
            let imported = [
                import(&bytes),
                SigningKey::import_expanded_der(&pieces.pkcs8(0, &bytes, &[])),
                SigningKey::import_expanded_pem(&pem("PRIVATE KEY", &der)),
            ];
            for imported in imported {
                let imported = imported.unwrap_or_else(|error| panic!("{name}: {error}"));
                assert_eq!(imported.verifying_key(), key.verifying_key(), "{name}");
            }
        }
    }
    let imported = import(&[&pieces.expanded[..], &pieces.scalar].concat()).unwrap();
    let signature = imported.sign(CTX, b"hello").unwrap();
    key.verifying_key().verify(CTX, b"hello", &signature).unwrap();
    let signature = imported.without_context().try_sign(b"hello").unwrap();
    key.verifying_key().without_context().verify(b"hello", &signature).unwrap();
    let text = format!("{imported:?}");
    assert_eq!(text, format!("Expanded{key:?}"));
}

/// Only K, from byte 32 to 64, follows from nothing else and is in no public key.
#[test]
fn contradictions() {
    let pieces = Pieces::of_signing_key(42).0;
    let what = "expanded ML-DSA-87 key";
    let changed = |at: usize, bit: u8| {
        let mut expanded = pieces.expanded.clone();
        expanded[at] ^= 1 << bit;
        outcome(import(&[&expanded[..], &pieces.scalar].concat()))
    };
    let contradiction = invalid(what, "its parts contradict each other");
    let out_of_range = invalid(what, "a coefficient of s1 or s2 is not from -2 to 2");
    // The first and last bytes of rho, K, tr, s1, s2 and t0.
    for (from, to) in [(0, 32), (64, 128), (128, 800), (800, 1568), (1568, 4896)] {
        for at in [from, to - 1] {
            for bit in [0, 7] {
                let found = changed(at, bit);
                let is_s = (128..1568).contains(&at);
                assert!(found == contradiction || is_s && found == out_of_range, "{at}: {found}");
            }
        }
    }
    for at in [32, 63] {
        assert_eq!(changed(at, 0), "Ok");
    }

    // Each of the values that FIPS 204 does not have, in the first and the last place of s1 and of s2.
    for at in [128, 799, 800, 1567] {
        for value in 5..8 {
            let mut expanded = pieces.expanded.clone();
            expanded[at] = match at {
                128 | 800 => expanded[at] & !0x07 | value,
                _ => expanded[at] & !0xe0 | value << 5,
            };
            let found = outcome(import(&[&expanded[..], &pieces.scalar].concat()));
            assert_eq!(found, out_of_range);
        }
    }

    let of_another = "its public key belongs to another private key";
    let other = Pieces::of_signing_key(43).0;
    let ec = ec_private_key(1, &pieces.scalar, SECP384R1, Some(other.point()));
    let found = outcome(import(&[&pieces.expanded[..], &ec].concat()));
    assert_eq!(found, invalid("ECPrivateKey", of_another));
    let bytes = [&pieces.expanded[..], &pieces.scalar].concat();
    let der = pieces.pkcs8(1, &bytes, &[&public_field(&other.public)]);
    let found = outcome(SigningKey::import_expanded_der(&der));
    assert_eq!(found, invalid("PKCS#8 key", of_another));
}

#[test]
fn other_forms() {
    let pieces = Pieces::of_signing_key(44).0;
    let reason = "it has its seed; import it as any other key";
    for (form, post_quantum) in pieces.post_quantum() {
        let found = outcome(import(&[&post_quantum[..], &pieces.scalar].concat()));
        assert_eq!(found, invalid("signing key", reason), "{form}");
    }
    let found = outcome(import(&pieces.expanded));
    assert!(found.contains("it is not an ML-DSA seed"), "{found}");
    #[cfg(feature = "experimental-falcon")]
    {
        let suite = twinseal::SignatureSuite::EXPERIMENTAL_FALCON_1024_ECDSA_P384;
        let found = outcome(SigningKey::import_expanded_bytes(suite, &pieces.expanded));
        assert!(found.starts_with("Unsupported"), "{found}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..Default::default() })]

    /// ml-dsa panics at some keys of the right length; nothing reaches it that it would panic at.
    #[test]
    fn no_key_panics(seed in any::<u64>(), at in 0..4896usize, valid_s in any::<bool>()) {
        let mut state = seed | 1;
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state as u8
        };
        let mut bytes = Pieces::of_signing_key(45).0.expanded;
        for (index, byte) in bytes.iter_mut().enumerate().skip(at) {
            // 0 encodes twos, which are in range.
            *byte = if valid_s && (128..1568).contains(&index) { 0 } else { next() };
        }
        prop_assert_ne!(outcome(import(&[&bytes[..], &[7; 48]].concat())), "Ok");
    }
}
