//! Is a request refused, with the right error, that was cut off or changed?
//!
//! The normal run takes every bit of short fields and some of long ones;
//! `cargo test --all-features --test it request:: -- --ignored` takes every bit.

use twinseal::{Error, request::RequestHead};

use super::fixture::{
    ALICE, BOB, BOB_P384, CTX, Field, QUESTION, fields, flipped, judged, place, signed, unsigned,
    with,
};
use crate::common::errors::{outcome, truncated};

/// Whether the error is one that a change of this field may end in.
fn is_right(field: Field, error: &Error, signed: bool) -> bool {
    let unauthentic = if signed { Error::Verify } else { Error::Open };
    match (field, error) {
        (Field::Magic, Error::Invalid { what: "request", reason }) => {
            *reason == "it does not start with \"twinrqst\""
        }
        (Field::Version, Error::Unknown { what: "request version", .. })
        | (Field::Flags, Error::Unknown { what: "request flags", .. })
        | (Field::Suite, Error::Unknown { what: "KEM suite", .. })
        | (Field::SignatureSuite, Error::Unknown { what: "signature suite", .. })
        | (Field::Recipient, Error::NotARecipient)
        | (Field::Ciphertext, Error::Invalid { .. })
        | (Field::SignatureLength, Error::Invalid { .. } | Error::Truncated { what: "request", .. })
        // The ends of ECDSA's half are where its DER says.
        | (Field::Ecdsa, Error::Verify | Error::Invalid { .. })
        | (Field::Time, Error::Invalid { reason: "its time is not below 2^53 milliseconds", .. })
        | (Field::Salt | Field::Commitment | Field::Chunks, Error::Open) => true,
        // The fields behind it move: without a signer it is not what was asked for, if its ciphertext is
        // one at all; with one that has two bytes of the time for its suite, it is nothing.
        (Field::Flags, Error::Unsigned | Error::Invalid { .. }) => signed,
        (Field::Flags, Error::Unknown { what: "signature suite", id: 0 }) => !signed,
        (Field::Signer | Field::MlDsa, error) => *error == Error::Verify,
        (Field::Time | Field::Ciphertext, error) => *error == unauthentic,
        _ => false,
    }
}

/// Of fields up to 56 bytes every bit, of others all bits of the ends and some between; or all.
fn bits(request: &[u8], everything: bool) -> Vec<(Field, usize, u8)> {
    let mut bits = Vec::new();
    for (field, place) in fields(request) {
        let stride = place.len() / 24 + 1;
        for position in place.clone() {
            let offset = position - place.start;
            for bit in 0..8 {
                let is_sampled = place.len() <= 56
                    || offset == 0
                    || position == place.end - 1
                    || (offset.is_multiple_of(stride) && offset / stride % 8 == usize::from(bit));
                if everything || is_sampled {
                    bits.push((field, position, bit));
                }
            }
        }
    }
    bits
}

fn assert_bits_refused(everything: bool) {
    for bob in [&*BOB, &*BOB_P384] {
        let to = bob.encapsulation_key();
        let (unsigned, _) = to.request(CTX, QUESTION).unwrap();
        let (signed, _) = to.signed_by(&*ALICE).request(CTX, QUESTION).unwrap();
        for (request, is_signed) in [(unsigned, false), (signed, true)] {
            judged(bob, &request, is_signed).unwrap();
            for (field, position, bit) in bits(&request, everything) {
                let changed = flipped(&request, position, bit);
                let error = judged(bob, &changed, is_signed).unwrap_err();
                let is_right = is_right(field, &error, is_signed);
                assert!(is_right, "{field:?}, bit {bit} of byte {position}: {error:?}");
            }
        }
    }
}

#[test]
fn a_bit() {
    assert_bits_refused(false);
}

#[test]
#[ignore = "takes minutes"]
fn every_bit() {
    assert_bits_refused(true);
}

#[test]
fn cut_off_at_every_byte() {
    for (request, is_signed) in [(unsigned().0, false), (signed().0, true)] {
        let head = RequestHead::parse(&request).unwrap().len();
        for length in 0..request.len() {
            let error = judged(&BOB, &request[..length], is_signed).unwrap_err();
            match error {
                Error::Truncated { what: "request", needed, actual } => {
                    assert!(actual == length && length < needed && needed <= head);
                }
                error => assert!(length >= head && error == Error::Open, "{length}: {error:?}"),
            }
        }
    }
}

/// A head needs at most three reads, and asks for exactly as many bytes as it has.
#[test]
fn a_head_that_arrives_little_by_little() {
    for (request, steps) in [(unsigned().0, 2), (signed().0, 3)] {
        let mut needs = vec![];
        let mut length = 0;
        let head = loop {
            match RequestHead::parse(&request[..length]) {
                Err(Error::Truncated { needed, .. }) => length = needed,
                parsed => break parsed.unwrap(),
            }
            needs.push(length);
        };
        assert_eq!(needs.len(), steps);
        assert_eq!(needs.last(), Some(&head.len()));
        assert!(head.len() <= RequestHead::MAX_LEN);
        assert_eq!(outcome(RequestHead::parse(b"twinr")), truncated("request", 28, 5));
    }
}

#[test]
fn longer_than_it_is() {
    for (request, is_signed) in [(unsigned().0, false), (signed().0, true)] {
        for more in [1, 16, 17, 20_000] {
            let longer = [&request[..], &vec![0; more]].concat();
            assert_eq!(judged(&BOB, &longer, is_signed).unwrap_err(), Error::Open);
        }
        let doubled = [&request[..], &request[..]].concat();
        assert_eq!(judged(&BOB, &doubled, is_signed).unwrap_err(), Error::Open);
    }
}

#[test]
fn numbers_that_are_none_of_its_own() {
    let request = signed().0;
    let changed = |field, bytes: &[u8]| {
        let at = place(&request, field);
        judged(&BOB, &with(&request, at, bytes), true).unwrap_err()
    };
    for version in [0, 2, 255] {
        let expected = Error::Unknown { what: "request version", id: version.into() };
        assert_eq!(changed(Field::Version, &[version]), expected);
    }
    for flags in 2..=255 {
        let expected = Error::Unknown { what: "request flags", id: flags.into() };
        assert_eq!(changed(Field::Flags, &[flags]), expected);
    }
    for id in [0, 3, 0x0102, 0xffff_u16] {
        let expected = Error::Unknown { what: "KEM suite", id };
        assert_eq!(changed(Field::Suite, &id.to_be_bytes()), expected);
    }
    for time in [1 << 53, u64::MAX] {
        let reason = "its time is not below 2^53 milliseconds";
        let expected = Error::Invalid { what: "request", reason };
        assert_eq!(changed(Field::Time, &time.to_be_bytes()), expected);
    }
    assert_eq!(changed(Field::Time, &((1_u64 << 53) - 1).to_be_bytes()), Error::Verify);
    for length in [4732, 6000, u16::MAX] {
        let reason = "its signature is longer than any of its suite";
        let expected = Error::Invalid { what: "request", reason };
        assert_eq!(changed(Field::SignatureLength, &length.to_be_bytes()), expected);
    }
    // The signature is then the start of the body.
    assert_eq!(changed(Field::SignatureLength, &[0, 0]), Error::Unsigned);
    // No more bytes are asked for, because they would not help.
    for length in [1, 4626_u16] {
        let reason = "its signature is shorter than any of its suite";
        let expected = Error::Invalid { what: "request", reason };
        assert_eq!(changed(Field::SignatureLength, &length.to_be_bytes()), expected);
    }
    for length in [4627, 4640_u16] {
        let error = changed(Field::SignatureLength, &length.to_be_bytes());
        assert!(matches!(error, Error::Invalid { what: "ECDSA signature", .. }), "{error:?}");
    }
}
