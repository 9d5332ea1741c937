//! Is a value of a wrong length refused, and does a changed ciphertext give another secret?

use twinseal::{Error, KemSuite, kem::Ciphertext};

use super::{Extent::Sample, bits};
use crate::common::{
    errors::length,
    keys::kem_key,
    parsers::{Parser, parsers_of_fixed_length},
};

/// A flipped bit in a KEM ciphertext is refused, or gives another secret.
#[test]
fn flipped_bits_in_a_ciphertext() {
    for &suite in KemSuite::ALL {
        let key = kem_key(suite, 4);
        let (ciphertext, secret) = key.encapsulation_key().encapsulate().unwrap();
        let length = ciphertext.as_bytes().len();
        for field in [0..1568, 1568..length] {
            for (position, bit) in bits(&field, Sample) {
                let mut changed = ciphertext.as_bytes().to_vec();
                changed[position] ^= 1 << bit;
                match Ciphertext::from_bytes(suite, &changed) {
                    Ok(changed) => {
                        let other = key.decapsulate(&changed).unwrap();
                        assert_ne!(other.as_bytes(), secret.as_bytes(), "{position} {bit}");
                    }
                    Err(error) => {
                        assert!(matches!(error, Error::Invalid { .. }), "{error:?}");
                        assert!(position >= 1568, "ML-KEM's half is never judged");
                    }
                }
            }
        }
    }
}

/// Every length but the right one, of everything that has one fixed length.
#[test]
fn cut_off_and_extended_values_of_fixed_length() {
    for parser in parsers_of_fixed_length() {
        let Parser { what, valid, .. } = &parser;
        assert_eq!(parser.parse(valid), "Ok", "{what}");
        let longer = [&valid[..], valid].concat();
        for end in (0..longer.len()).filter(|end| *end != valid.len()) {
            let found = parser.parse(&longer[..end]);
            assert_eq!(found, length(what, valid.len(), end));
        }
    }
}
