//! Is a changed, truncated or extended key file refused, unless it holds another key?

use twinseal::{DecapsulationKey, EncapsulationKey, Error, SigningKey, VerifyingKey};

use super::{
    Extent::{self, Everything, Sample},
    bits,
};
use crate::common::{
    der::pem,
    errors::{bad_pem, invalid, length, outcome, truncated},
    keys::{P384, X25519, kem_key, signing_key},
    parsers::{Parser, der_parsers, pem_parsers},
};

fn is_of_a_key(error: &Error) -> bool {
    matches!(error, Error::Invalid { .. } | Error::Length { .. } | Error::Algorithm { .. })
}

/// A flipped bit in a key file is refused, or makes another key that is written just so.
fn flip_key_files(extent: Extent) {
    let key = signing_key(5);
    let pkcs8 = key.to_pkcs8_der().unwrap().as_bytes().to_vec();
    let secret_part = pkcs8.len() - 96..pkcs8.len();
    for (position, bit) in bits(&(0..pkcs8.len()), Everything) {
        let mut changed = pkcs8.clone();
        changed[position] ^= 1 << bit;
        match SigningKey::from_pkcs8_der(&changed) {
            Ok(other) => {
                assert_ne!(other.verifying_key(), key.verifying_key());
                assert_eq!(other.to_pkcs8_der().unwrap().as_bytes(), changed);
                assert!(secret_part.contains(&position), "{position} {bit}");
            }
            Err(error) => assert!(is_of_a_key(&error), "{error:?}"),
        }
    }

    flip_kem_key_files(extent);
    let spki = key.verifying_key().to_spki_der().unwrap();
    for field in [0..spki.len() - 2689, spki.len() - 2689..spki.len()] {
        for (position, bit) in bits(&field, extent) {
            let mut changed = spki.clone();
            changed[position] ^= 1 << bit;
            match VerifyingKey::from_spki_der(&changed) {
                Ok(other) => {
                    assert_eq!(other.to_spki_der().unwrap(), changed);
                    assert!(position >= spki.len() - 2689, "{position} {bit}");
                }
                Err(error) => assert!(is_of_a_key(&error), "{error:?}"),
            }
        }
    }

    let pem = kem_key(X25519, 6).to_pem().as_str().to_string();
    for (position, bit) in bits(&(0..pem.len()), Everything) {
        let mut changed = pem.clone().into_bytes();
        changed[position] ^= 1 << bit;
        let Ok(changed) = String::from_utf8(changed) else {
            continue;
        };
        if let Ok(other) = DecapsulationKey::from_pem(&changed) {
            let same_key = *other.seed().unwrap() == [6; 32] && other.suite() == X25519;
            let end = position == pem.len() - 1;
            assert!(!same_key || end, "{position} {bit}: {changed}");
        }
    }
}

/// The standard files of suite 0x0051.
fn flip_kem_key_files(extent: Extent) {
    let key = kem_key(P384, 5);
    let pkcs8 = key.to_pkcs8_der().unwrap().as_bytes().to_vec();
    let (seed, scalar) = (21..85, 92..140);
    for (position, bit) in bits(&(0..pkcs8.len()), Everything) {
        let mut changed = pkcs8.clone();
        changed[position] ^= 1 << bit;
        match DecapsulationKey::from_pkcs8_der(&changed) {
            Ok(other) => {
                // z is in no public key: a change of it shows in rejected ciphertexts only.
                let is_z = (53..85).contains(&position);
                assert_eq!(other.encapsulation_key() == key.encapsulation_key(), is_z);
                assert_eq!(other.to_pkcs8_der().unwrap().as_bytes(), changed);
                let is_secret = seed.contains(&position) || scalar.contains(&position);
                assert!(is_secret, "{position} {bit}");
            }
            Err(error) => assert!(is_of_a_key(&error), "{error:?}"),
        }
    }
    let spki = key.encapsulation_key().to_spki_der().unwrap();
    let start = spki.len() - 1665;
    for field in [0..start, start..spki.len()] {
        for (position, bit) in bits(&field, extent) {
            let mut changed = spki.clone();
            changed[position] ^= 1 << bit;
            match EncapsulationKey::from_spki_der(&changed) {
                Ok(other) => {
                    assert_eq!(other.to_spki_der().unwrap(), changed);
                    assert!(position >= start, "{position} {bit}");
                }
                Err(error) => assert!(is_of_a_key(&error), "{error:?}"),
            }
        }
    }
}

#[test]
fn flipped_bits_in_key_files() {
    flip_key_files(Sample);
}

#[test]
#[ignore = "every bit: about a minute"]
fn every_bit_of_key_files() {
    flip_key_files(Everything);
}

#[test]
fn cut_off_and_extended_der() {
    for parser in der_parsers() {
        let Parser { what, valid, .. } = &parser;
        assert_eq!(parser.parse(valid), "Ok");
        let not_der = invalid(what, "it is not DER of this type");
        for end in 0..valid.len() {
            assert_eq!(parser.parse(&valid[..end]), not_der, "{end}");
        }
        for byte in 0..=0xff {
            assert_eq!(parser.parse(&[&valid[..], &[byte]].concat()), not_der);
        }
        assert_eq!(parser.parse(&[&valid[..], valid].concat()), not_der);
    }
}

#[test]
fn cut_off_and_extended_pem() {
    for parser in pem_parsers() {
        let text = parser.valid.as_slice();
        assert_eq!(parser.parse(text), "Ok");
        let trimmed = text.trim_ascii_end();
        assert_eq!(parser.parse(trimmed), "Ok", "the last line end may miss");
        for end in 0..trimmed.len() {
            let found = parser.parse(&trimmed[..end]);
            assert!(found.starts_with("Pem {") || found.starts_with("NotPem"), "{end}: {found}");
        }
        let lines = text.iter().filter(|byte| **byte == b'\n').count();
        let after_end = [
            ("-----", "it has five hyphens, and is neither a BEGIN nor an END line"),
            ("-----BEGIN", "it has five hyphens, and is neither a BEGIN nor an END line"),
            ("-----BEGIN X-----", "its document is cut off, it has no END line"),
            ("-----END X-----", "an END line without a BEGIN line"),
            (
                "MFECAQEwBQYDK2VwBCIEILsT0bqAhS3VuQbGwf6oFRYd",
                "base64 without a BEGIN line before it",
            ),
        ];
        for (added, reason) in after_end {
            let longer = [text, added.as_bytes()].concat();
            assert_eq!(parser.parse(&longer), bad_pem(lines + 1, reason), "{added:?}");
        }
        let nul = parser.parse(&[text, b"\0"].concat());
        assert!(nul.starts_with("NotPem"), "{nul}");
    }
}

/// The content of a KEM key file is cut off or extended, in a PEM document that is whole.
#[test]
fn cut_off_and_extended_content_of_pem() {
    let key = kem_key(X25519, 12);
    let private = [&[0, 1], key.seed().unwrap()].concat();
    let public = [&[0, 1], key.encapsulation_key().as_bytes()].concat();
    let from_private = |pem: &str| outcome(DecapsulationKey::from_pem(pem));
    let from_public = |pem: &str| outcome(EncapsulationKey::from_pem(pem));
    cut_content("TWINSEAL KEM PRIVATE KEY", "decapsulation key seed", &private, from_private);
    cut_content("TWINSEAL KEM PUBLIC KEY", "encapsulation key", &public, from_public);
}

fn cut_content(label: &str, what: &'static str, valid: &[u8], parse: fn(&str) -> String) {
    assert_eq!(parse(&pem(label, valid)), "Ok");
    let longer = [valid, &[0]].concat();
    for end in (1..=longer.len()).filter(|end| *end != valid.len()) {
        let expected = match end {
            1 => truncated("KEM key file", 2, 1),
            _ => length(what, valid.len() - 2, end - 2),
        };
        assert_eq!(parse(&pem(label, &longer[..end])), expected);
    }
}
