//! Which ECDSA keys and signatures are refused inside a composite?

use twinseal::{Signature, SigningKey};

use super::NOT_RFC_5915;
use crate::common::{
    der::{composite_oid, ec_private_key, pkcs8, tlv},
    errors::{invalid, length, outcome, truncated},
    keys::COMPOSITE,
    numbers::{ORDER, minus_one, plus},
};

const NOT_ECDSA: &str = "it is not the DER form of two integers from 1 to n - 1";

#[test]
fn ec_private_keys() {
    let table = [
        (ec_private_key(&[0; 48]), Some("P-384 scalar")),
        (ec_private_key(&ORDER), Some("P-384 scalar")),
        (ec_private_key(&plus(&ORDER, 1)), Some("P-384 scalar")),
        (ec_private_key(&[0xff; 48]), Some("P-384 scalar")),
        (ec_private_key(&minus_one(&ORDER)), None),
        (ec_private_key(&plus(&[0; 48], 1)), None),
    ];
    for (key, refused) in table {
        let bytes = [&[1; 32], &key[..]].concat();
        let expected =
            refused.map_or("Ok".to_string(), |what| invalid(what, "it is not from 1 to n - 1"));
        assert_eq!(outcome(SigningKey::from_bytes(COMPOSITE, &bytes)), expected);
    }
}

/// RFC 5915 leaves freedom; the LAMPS draft and this crate leave none.
#[test]
fn ec_private_keys_of_another_form() {
    let scalar = [7; 48];
    let curve = |oid: &[u8]| tlv(0xa0, &[&tlv(0x06, &[oid])]);
    let p384 = curve(b"\x2b\x81\x04\x00\x22");
    let p521 = curve(b"\x2b\x81\x04\x00\x23");
    let version = |number| tlv(0x02, &[&[number]]);
    let octets = |bytes: &[u8]| tlv(0x04, &[bytes]);
    let public = tlv(0xa1, &[&tlv(0x03, &[&[0], &[4; 97]])]);
    let valid = tlv(0x30, &[&version(1), &octets(&scalar), &p384]);
    assert_eq!(valid, ec_private_key(&scalar));

    let same_length = [
        ("another curve", tlv(0x30, &[&version(1), &octets(&scalar), &p521])),
        ("version 2", tlv(0x30, &[&version(2), &octets(&scalar), &p384])),
        ("another order", tlv(0x30, &[&version(1), &p384, &octets(&scalar)])),
        ("a SET", tlv(0x31, &[&version(1), &octets(&scalar), &p384])),
        ("a bare scalar", [&scalar[..], &[0; 16]].concat()),
    ];
    for (form, key) in same_length {
        let bytes = [&[1; 32], &key[..]].concat();
        let found = outcome(SigningKey::from_bytes(COMPOSITE, &bytes));
        assert_eq!(found, invalid("ECPrivateKey", NOT_RFC_5915), "{form}");
    }
    let other_length = [
        ("no curve", tlv(0x30, &[&version(1), &octets(&scalar)])),
        ("a public key", tlv(0x30, &[&version(1), &octets(&scalar), &p384, &public])),
        ("a short scalar", ec_private_key(&scalar[1..])),
        ("a padded scalar", ec_private_key(&[&[0], &scalar[..]].concat())),
        ("a longer length", [b"\x30\x81", &valid[1..]].concat()),
        ("PKCS#8 inside", pkcs8(&composite_oid(), &valid)),
    ];
    for (form, key) in other_length {
        let bytes = [&[1; 32], &key[..]].concat();
        let found = outcome(SigningKey::from_bytes(COMPOSITE, &bytes));
        assert_eq!(found, length("signing key", 96, 32 + key.len()), "{form}");
    }
}

#[test]
fn ecdsa_halves_of_signatures() {
    let integer = |bytes: &[u8]| tlv(0x02, &[bytes]);
    let pair = |r: &[u8], s: &[u8]| tlv(0x30, &[&integer(r), &integer(s)]);
    let positive = |number: &[u8; 48]| [&[0], &number[..]].concat();
    let [n, below_n] = [&ORDER, &minus_one(&ORDER)].map(positive);
    let one: &[u8] = &[1];
    let minimal = pair(one, one);

    let taken = [pair(one, one), pair(&below_n, &below_n), pair(&[0, 0x80], one)];
    let refused = [
        ("nothing", vec![]),
        ("r = 0", pair(&[0], one)),
        ("s = 0", pair(one, &[0])),
        ("r = n", pair(&n, one)),
        ("s = n", pair(one, &n)),
        ("r = 2^384 - 1", pair(&[&[0][..], &[0xff; 48]].concat(), one)),
        ("r of 49 bytes", pair(&[1; 49], one)),
        ("r negative", pair(&[0xff], one)),
        ("r without its leading zero", pair(&[0x80], one)),
        ("r padded", pair(&[0, 1], one)),
        ("r empty", pair(&[], one)),
        ("one number", tlv(0x30, &[&integer(one)])),
        ("three numbers", tlv(0x30, &[&integer(one), &integer(one), &integer(one)])),
        ("a SET", tlv(0x31, &[&integer(one), &integer(one)])),
        ("octet strings", tlv(0x30, &[&tlv(0x04, &[one]), &tlv(0x04, &[one])])),
        ("a longer length", [b"\x30\x81", &minimal[1..]].concat()),
        ("an indefinite length", [b"\x30\x80", &minimal[2..], b"\0\0"].concat()),
        ("a trailing byte", [&minimal[..], &[0]].concat()),
        ("r || s as such", vec![1; 96]),
        ("zeros", vec![0; 104]),
        ("ones", vec![0xff; 104]),
    ];
    let parse = |ecdsa: &[u8]| {
        let signature = [&[0; 4627], ecdsa].concat();
        outcome(Signature::from_bytes(COMPOSITE, &signature))
    };
    for ecdsa in taken {
        assert_eq!(parse(&ecdsa), "Ok", "{ecdsa:02x?}");
    }
    for (form, ecdsa) in refused {
        assert_eq!(parse(&ecdsa), invalid("ECDSA signature", NOT_ECDSA), "{form}");
    }
    let empty = outcome(Signature::from_bytes(COMPOSITE, b""));
    assert_eq!(empty, truncated("signature", 4627, 0));
    let long = outcome(Signature::from_bytes(COMPOSITE, &[0; 4732]));
    let reason = "it is longer than any of its suite";
    assert_eq!(long, invalid("signature", reason));
}
