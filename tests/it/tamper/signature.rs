//! Is a changed, truncated or extended signature refused?

use twinseal::{Signature, hazmat};

use super::{
    Extent::{self, Everything, Sample},
    bits,
};
use crate::common::{
    errors::{invalid, outcome, truncated},
    keys::{COMPOSITE, CTX, signing_key},
};

fn flip_signature(extent: Extent) {
    let key = signing_key(3);
    let signature = hazmat::sign(&key, CTX, b"message").unwrap();
    let bytes = signature.as_bytes();
    for field in [0..4627, 4627..bytes.len()] {
        for (position, bit) in bits(&field, extent) {
            let mut changed = bytes.to_vec();
            changed[position] ^= 1 << bit;
            match Signature::from_bytes(COMPOSITE, &changed) {
                Ok(signature) => {
                    let found = outcome(key.verifying_key().verify(CTX, b"message", &signature));
                    assert_eq!(found, "Verify", "byte {position} bit {bit}");
                }
                Err(error) => {
                    let der = "it is not the DER form of two integers from 1 to n - 1";
                    assert_eq!(format!("{error:?}"), invalid("ECDSA signature", der));
                    assert!(position >= 4627, "ML-DSA's half is not judged on parsing");
                }
            }
        }
    }
}

#[test]
fn flipped_bits_in_a_signature() {
    flip_signature(Sample);
}

#[test]
#[ignore = "every bit: about a minute"]
fn every_bit_of_a_signature() {
    flip_signature(Everything);
}

#[test]
fn cut_off_and_extended_signatures() {
    let key = signing_key(9);
    let signature = key.sign(CTX, b"message").unwrap();
    let bytes = signature.as_bytes();
    let der = "it is not the DER form of two integers from 1 to n - 1";
    for end in 0..bytes.len() {
        let expected = match end {
            0..4627 => truncated("signature", 4627, end),
            _ => invalid("ECDSA signature", der),
        };
        let found = outcome(Signature::from_bytes(COMPOSITE, &bytes[..end]));
        assert_eq!(found, expected);
    }
    for added in 1..200 {
        let longer = [bytes, &vec![0; added]].concat();
        let expected = match longer.len() {
            0..=4731 => invalid("ECDSA signature", der),
            _ => invalid("signature", "it is longer than any of its suite"),
        };
        let found = outcome(Signature::from_bytes(COMPOSITE, &longer));
        assert_eq!(found, expected);
    }
}
