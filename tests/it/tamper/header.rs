//! Is every bit of a header authenticated, and does each change give the right error?

use twinseal::envelope::Header;

use super::{
    Extent::{self, Everything, Sample},
    bits,
    fixture::{Envelope, NOT_A_RECIPIENT, OPEN, ORDER, fields, open_both, readers},
};
use crate::common::{
    errors::{invalid, length, outcome, truncated, unknown},
    keys::{CTX, P384},
};

/// The errors that the two readers may get after a flip in this field of the header.
fn expected(name: &str, offset: usize, value: u8, field: &[u8]) -> [Vec<String>; 2] {
    let both = |error: String| [vec![error.clone()], vec![error]];
    let number = |field: &[u8]| u16::from_be_bytes(field.try_into().unwrap());
    let one = |text: &str| vec![text.to_string()];
    match name {
        "magic" => both("NotAnEnvelope".into()),
        "version" => both(unknown("envelope version", value.into())),
        "body id" => both(unknown("envelope body", value.into())),
        "count" => match number(field) {
            0 | 1001.. => both(invalid("envelope header", "it must have 1 to 1000 recipients")),
            // Tag and body are read as a recipient, whatever that gives.
            _ => [vec![], vec![]],
        },
        "x suite" if number(field) > P384.id() => both(invalid("envelope header", ORDER)),
        "x suite" | "x key id" => [one(NOT_A_RECIPIENT), one(OPEN)],
        "p suite" | "p key id" => [one(OPEN), one(NOT_A_RECIPIENT)],
        "x length" => both(length("recipient's ciphertext", 1600, number(field).into())),
        "p length" => both(length("recipient's ciphertext", 1665, number(field).into())),
        "x ct_t" if offset == 31 && value >= 0x80 => {
            [vec![invalid("X25519 public value", "it is not below 2^255 - 19")], one(OPEN)]
        }
        "p ct_t" if offset == 0 => {
            [one(OPEN), vec![invalid("P-384 point", "it is not in uncompressed form")]]
        }
        "p ct_t" => [one(OPEN), vec![invalid("P-384 point", "it is not on the curve")]],
        _ => both(OPEN.into()),
    }
}

fn flip_header(extent: Extent) {
    let envelope = Envelope::to_both(1);
    let original = envelope.bytes();
    let readers = readers();
    let header = Header::parse(&original).unwrap().len();
    let mut tried = 0;
    for (name, field) in fields(&envelope) {
        if field.start >= header {
            break;
        }
        for (position, bit) in bits(&field, extent) {
            let mut changed = original.clone();
            changed[position] ^= 1 << bit;
            let expected =
                expected(&name, position - field.start, changed[position], &changed[field.clone()]);
            for (key, expected) in readers.iter().zip(expected) {
                let found = outcome(key.open(CTX, &changed));
                assert_ne!(found, "Ok", "{name}: byte {position} bit {bit}");
                assert!(
                    expected.is_empty() || expected.contains(&found),
                    "{name}: byte {position} bit {bit}: {found}, not {expected:?}"
                );
                tried += 1;
            }
        }
    }
    let all = 2 * 8 * header;
    assert!(if extent == Everything { tried == all } else { tried > 2500 }, "{tried}");
}

#[test]
fn flipped_bits_in_the_header() {
    flip_header(Sample);
}

#[test]
#[ignore = "every bit: about a minute"]
fn every_bit_of_the_header() {
    flip_header(Everything);
}

#[test]
fn changed_counts() {
    let both = Envelope::to_both(1);
    let out_of_range = invalid("envelope header", "it must have 1 to 1000 recipients");
    for count in [0, 1001, 65535] {
        assert_eq!(open_both(&both.with_count(count)), [&out_of_range[..]; 2]);
        let tagged = both.tagged_with_count(count);
        assert_eq!(open_both(&tagged), [&out_of_range[..]; 2]);
    }
    assert_eq!(open_both(&both.with_count(1)), [OPEN, NOT_A_RECIPIENT]);
    let tagged = both.tagged_with_count(1);
    assert_eq!(open_both(&tagged), [OPEN, NOT_A_RECIPIENT]);
    for count in [3, 4, 1000] {
        for sealed in [both.with_count(count), both.tagged_with_count(count)] {
            for found in open_both(&sealed) {
                assert_ne!(found, "Ok", "{count}");
            }
        }
    }
    // Only as many recipients as there are bytes for are ever looked at.
    let start = [b"twinseal\x01\x01".as_slice(), &1000u16.to_be_bytes()].concat();
    let found = outcome(Header::parse(&start));
    assert_eq!(found, truncated("envelope header", 12 + 1000 * 68 + 32, 12));
}
