//! Do values of one length refuse every other length, and values of another suite? What do zeros and ones
//! give?

use twinseal::{Error, envelope::Header};

use super::{LOW_ORDER, NOT_BELOW_PRIME, NOT_REDUCED, NOT_RFC_5915, NOT_UNCOMPRESSED};
use crate::common::{
    errors::{invalid, length},
    keys::{CTX, P384, X25519, kem_key},
    parsers::{Parser, kem_parsers, parsers_of_fixed_length},
};

#[test]
fn empty_and_one_byte_off() {
    for parser in parsers_of_fixed_length() {
        let Parser { what, valid, .. } = &parser;
        let expected = valid.len();
        for actual in [0, expected - 1, expected + 1] {
            let mut bytes = valid.clone();
            bytes.resize(actual, 0);
            assert_eq!(parser.parse(&bytes), length(what, expected, actual));
        }
    }
}

#[test]
fn all_zeros_and_all_ones() {
    let x25519 = |reason| invalid("X25519 public value", reason);
    let modulus = || invalid("ML-KEM-1024 encapsulation key", NOT_REDUCED);
    let point = || invalid("P-384 point", NOT_UNCOMPRESSED);
    let ec = || invalid("ECPrivateKey", NOT_RFC_5915);
    let ok = || "Ok".to_string();
    let table = [
        ("0x0001 encapsulation key", x25519(LOW_ORDER), modulus()),
        ("0x0001 decapsulation key seed", ok(), ok()),
        ("0x0001 ciphertext", x25519(LOW_ORDER), x25519(NOT_BELOW_PRIME)),
        ("0x0001 shared secret", ok(), ok()),
        ("0x0051 encapsulation key", point(), modulus()),
        ("0x0051 decapsulation key seed", ok(), ok()),
        ("0x0051 ciphertext", point(), point()),
        ("0x0051 shared secret", ok(), ok()),
        ("signing key", ec(), ec()),
        ("verifying key", point(), point()),
    ];
    let parsers = parsers_of_fixed_length();
    assert_eq!(parsers.len(), table.len());
    for (parser, (name, zeros, ones)) in parsers.iter().zip(table) {
        assert!(name.ends_with(parser.what));
        let length = parser.valid.len();
        assert_eq!(parser.parse(&vec![0x00; length]), zeros, "{name}");
        assert_eq!(parser.parse(&vec![0xff; length]), ones, "{name}");
    }
}

#[test]
fn values_of_another_suite() {
    let of_x25519 = kem_parsers(X25519);
    let of_p384 = kem_parsers(P384);
    for (one, other) in of_x25519.iter().zip(&of_p384) {
        if one.what == "decapsulation key seed" {
            continue; // 32 bytes in both: the suite travels with them
        }
        let [n, m] = [one, other].map(|parser| parser.valid.len());
        assert_eq!(one.parse(&other.valid), length(one.what, n, m));
        assert_eq!(other.parse(&one.valid), length(one.what, m, n));
    }

    let (key, other) = (kem_key(X25519, 1), kem_key(P384, 1));
    let (ciphertext, secret) = other.encapsulation_key().encapsulate().unwrap();
    let mismatch = |what| {
        let (expected, actual) = ("X25519-ML-KEM-1024", "MLKEM1024-P384");
        Error::SuiteMismatch { what, expected, actual }
    };
    let error = key.decapsulate(&ciphertext).unwrap_err();
    assert_eq!(format!("{error:?}"), format!("{:?}", mismatch("ciphertext")));
    assert_eq!(
        error.to_string(),
        "the ciphertext is of suite MLKEM1024-P384, but the key is of suite X25519-ML-KEM-1024"
    );
    let sealed = key.encapsulation_key().seal(CTX, b"hello").unwrap();
    let header = Header::parse(&sealed).unwrap();
    let recipient = header.find(key.encapsulation_key()).unwrap();
    let error = header.unlock(&recipient, &secret).unwrap_err();
    let expected = mismatch("shared secret");
    assert_eq!(format!("{error:?}"), format!("{expected:?}"));
}
