//! What does each public constructor say to input that it must not take?

use base64::{Engine, prelude::BASE64_STANDARD};
use p384::pkcs8::{EncodePrivateKey, EncodePublicKey};
use proptest::{collection::vec, prelude::*};
use twinseal::{
    Decapsulate, DecapsulationKey, EncapsulationKey, Error, KemSuite, Recipients, Sign, Signature,
    SignatureSuite, SigningKey, VerifyingKey, envelope::Header, kem::Ciphertext,
};

use crate::common::{
    COMPOSITE, CTX, ORDER, P384, PRIME, Parser, X25519, bad_pem, composite_oid, der_parsers,
    ec_private_key, invalid, io_outcome, kem_key, kem_parsers, length, minus_one, misuse, outcome,
    parsers_of_fixed_length, pem, pem_parsers, pkcs8, pkcs8_of, plus, signing_key,
    signing_key_bytes, spki, tlv, truncated, unknown,
};

const NOT_DER: &str = "it is not DER of this type";
const PARAMETERS: &str = "its algorithm has parameters";
const NOT_CANONICAL: &str = "it has attributes, extra fields or another encoding";
const NOT_BELOW_PRIME: &str = "it is not below 2^255 - 19";
const LOW_ORDER: &str = "it is a point of low order";
const NOT_REDUCED: &str = "a coefficient is not below 3329";
const NOT_UNCOMPRESSED: &str = "it is not in uncompressed form";
const NOT_ON_CURVE: &str = "it is not on the curve";
const NOT_RFC_5915: &str = "it is not the RFC 5915 form with the curve secp384r1 and no public key";
const NOT_ECDSA: &str = "it is not the DER form of two integers from 1 to n - 1";

// Values of one length.

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

// X25519.

/// A key or ciphertext of suite 0x0001 whose second half is `point`.
fn with_x25519(point: &[u8]) -> [String; 2] {
    let key = kem_key(X25519, 2);
    let (ciphertext, _) = key.encapsulation_key().encapsulate().unwrap();
    let [ek, ct] = [key.encapsulation_key().as_bytes(), ciphertext.as_bytes()]
        .map(|valid| [&valid[..1568], point].concat());
    [
        outcome(EncapsulationKey::from_bytes(X25519, &ek)),
        outcome(Ciphertext::from_bytes(X25519, &ct)),
    ]
}

#[test]
fn x25519_points() {
    let small = |number: u8| {
        let mut point = [0; 32];
        point[0] = number;
        point
    };
    // 2^255 - 19 + difference, little-endian.
    let prime_plus = |difference: i16| {
        let mut point = [0xff; 32];
        point[0] = u8::try_from(0xed + difference).unwrap();
        point[31] = 0x7f;
        point
    };
    let order_8: [[u8; 32]; 2] = [
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    ]
    .map(|text| hex::decode(text).unwrap().try_into().unwrap());
    let with_high_bit = |mut point: [u8; 32]| {
        point[31] |= 0x80;
        point
    };

    let low_order = [small(0), small(1), prime_plus(-1), order_8[0], order_8[1]];
    for point in low_order {
        let expected = invalid("X25519 public value", LOW_ORDER);
        assert_eq!(with_x25519(&point), [&expected[..]; 2], "{point:02x?}");
    }
    let not_canonical = low_order
        .map(with_high_bit)
        .into_iter()
        .chain((0..=18).map(prime_plus))
        .chain([with_high_bit(small(9)), [0xff; 32]]);
    for point in not_canonical {
        let expected = invalid("X25519 public value", NOT_BELOW_PRIME);
        assert_eq!(with_x25519(&point), [&expected[..]; 2], "{point:02x?}");
    }
    for point in [small(2), small(9), prime_plus(-2)] {
        assert_eq!(with_x25519(&point), ["Ok"; 2], "{point:02x?}");
    }
}

// P-384.

/// Each value that ends in a point, with `point` in its place.
fn with_p384(point: &[u8]) -> [String; 3] {
    let key = kem_key(P384, 3);
    let (ciphertext, _) = key.encapsulation_key().encapsulate().unwrap();
    let signer = signing_key(3);
    let put = |valid: &[u8]| [&valid[..valid.len() - 97], point].concat();
    [
        outcome(EncapsulationKey::from_bytes(P384, &put(key.encapsulation_key().as_bytes()))),
        outcome(Ciphertext::from_bytes(P384, &put(ciphertext.as_bytes()))),
        outcome(VerifyingKey::from_bytes(COMPOSITE, &put(signer.verifying_key().as_bytes()))),
    ]
}

#[test]
fn p384_points() {
    let key = kem_key(P384, 4);
    let valid = &key.encapsulation_key().as_bytes()[1568..];
    assert_eq!(with_p384(valid), ["Ok"; 3]);

    for form in (0..=0xff).filter(|form| *form != 4) {
        let mut point = valid.to_vec();
        point[0] = form;
        let expected = invalid("P-384 point", NOT_UNCOMPRESSED);
        assert_eq!(with_p384(&point), [&expected[..]; 3], "{form:#x}");
    }

    // A point with x below 2^128, so that x + p has 48 bytes too.
    let (small, on_curve) = (0..=0xff)
        .find_map(|x| {
            let compressed = [&[2][..], &[0; 47], &[x]].concat();
            let point = p384::PublicKey::from_sec1_bytes(&compressed).ok()?;
            Some((x, p384::Sec1Point::from(point).to_bytes().to_vec()))
        })
        .unwrap();
    let [x, y] = [&on_curve[1..49], &on_curve[49..]];
    let zero = [0; 48];
    assert_eq!(with_p384(&[&[4], x, y].concat()), ["Ok"; 3]);
    let table: [[&[u8]; 2]; 7] = [
        [&plus(&PRIME, small), y],
        [y, x],
        [x, &zero],
        [&zero, &zero],
        [&[0xff; 48], &[0xff; 48]],
        [&PRIME, &zero],
        [x, &PRIME],
    ];
    for [x, y] in table {
        let expected = invalid("P-384 point", NOT_ON_CURVE);
        let point = [&[4], x, y].concat();
        assert_eq!(with_p384(&point), [&expected[..]; 3], "{point:02x?}");
    }
}

// ML-KEM.

/// FIPS 203 `ByteEncode_12`: two coefficients in three bytes.
fn set_coefficient(key: &mut [u8], index: usize, value: u16) {
    let triple = &mut key[index / 2 * 3..][..3];
    if index.is_multiple_of(2) {
        triple[0] = value as u8;
        triple[1] = triple[1] & 0xf0 | (value >> 8) as u8;
    } else {
        triple[1] = triple[1] & 0x0f | (value << 4) as u8;
        triple[2] = (value >> 4) as u8;
    }
}

#[test]
fn ml_kem_modulus() {
    for suite in KemSuite::ALL {
        let key = kem_key(suite, 5);
        for index in [0, 1, 2, 255, 256, 511, 512, 1022, 1023] {
            for (value, expected) in [
                (0, "Ok".to_string()),
                (3328, "Ok".to_string()),
                (3329, invalid("ML-KEM-1024 encapsulation key", NOT_REDUCED)),
                (4095, invalid("ML-KEM-1024 encapsulation key", NOT_REDUCED)),
            ] {
                let mut bytes = key.encapsulation_key().as_bytes().to_vec();
                set_coefficient(&mut bytes, index, value);
                let found = outcome(EncapsulationKey::from_bytes(suite, &bytes));
                assert_eq!(found, expected, "coefficient {index} is {value}");
            }
        }
        // The seed behind the coefficients may be anything.
        let mut bytes = key.encapsulation_key().as_bytes().to_vec();
        bytes[1536..1568].fill(0xff);
        assert_eq!(outcome(EncapsulationKey::from_bytes(suite, &bytes)), "Ok");
    }
}

/// The checks stand above the providers: a primitive that takes everything changes nothing.
#[cfg(feature = "hazmat")]
mod a_credulous_provider {
    use twinseal::{
        hazmat,
        provider::{Decapsulator, Encapsulator, Kem, KemKeyPair, KemLengths, PORTABLE, Provider},
    };

    use super::*;

    /// Takes every key and ciphertext, and makes shared secrets of zeros.
    #[derive(Debug)]
    struct Credulous {
        seed: usize,
        key: usize,
        ciphertext: usize,
    }

    static PROVIDER: Provider = Provider {
        x25519: &Credulous { seed: 32, key: 32, ciphertext: 32 },
        p384: &Credulous { seed: 48, key: 97, ciphertext: 97 },
        ml_kem_1024: &Credulous { seed: 64, key: 1568, ciphertext: 1568 },
        ..PORTABLE
    };

    impl Kem for Credulous {
        fn lengths(&self) -> KemLengths {
            KemLengths {
                seed: self.seed,
                encapsulation_key: self.key,
                ciphertext: self.ciphertext,
                shared_secret: 32,
                randomness: 32,
            }
        }

        fn key_pair(&self, _: &[u8]) -> Result<KemKeyPair, Error> {
            Ok(KemKeyPair {
                encapsulation_key: vec![0; self.key],
                encapsulator: Box::new(Zeros),
                decapsulator: Box::new(Zeros),
            })
        }

        fn encapsulator(&self, _: &[u8]) -> Result<Box<dyn Encapsulator>, Error> {
            Ok(Box::new(Zeros))
        }
    }

    struct Zeros;

    impl Encapsulator for Zeros {
        fn encapsulate(&self, _: &mut [u8], _: &mut [u8]) -> Result<(), Error> {
            Ok(())
        }
    }

    impl Decapsulator for Zeros {
        fn decapsulate(&self, _: &[u8], _: &mut [u8]) -> Result<(), Error> {
            Ok(())
        }
    }

    #[test]
    fn keys() {
        let mut not_reduced = [0; 1568];
        let modulus = invalid("ML-KEM-1024 encapsulation key", NOT_REDUCED);
        let ml_kem = hazmat::ml_kem_1024(&PROVIDER);
        for index in 0..1024 {
            set_coefficient(&mut not_reduced, index, 3329);
            assert_eq!(outcome(ml_kem.encapsulator(&not_reduced)), modulus);
            set_coefficient(&mut not_reduced, index, 3328);
            assert_eq!(outcome(ml_kem.encapsulator(&not_reduced)), "Ok");
        }
        let low_order = invalid("X25519 public value", LOW_ORDER);
        let x25519 = hazmat::x25519(&PROVIDER);
        assert_eq!(outcome(x25519.encapsulator(&[0; 32])), low_order);
        let form = invalid("P-384 point", NOT_UNCOMPRESSED);
        let p384 = hazmat::p384(&PROVIDER);
        let range = invalid("P-384 scalar", "it is not from 1 to n - 1");
        assert_eq!(outcome(p384.key_pair(&[0; 48])), range);
        assert_eq!(outcome(p384.key_pair(&[0xff; 48])), range);
        assert_eq!(outcome(p384.encapsulator(&[0; 97])), form);
        let curve = invalid("P-384 point", NOT_ON_CURVE);
        assert_eq!(outcome(p384.encapsulator(&[4; 97])), curve);
    }

    #[test]
    fn ciphertexts() {
        let decapsulate = |kem: &dyn Kem, ciphertext: &[u8]| {
            let pair = kem.key_pair(&vec![1; kem.lengths().seed]).unwrap();
            outcome(pair.decapsulator.decapsulate(ciphertext, &mut [0; 32]))
        };
        let (x25519, p384) = (hazmat::x25519(&PROVIDER), hazmat::p384(&PROVIDER));
        let low_order = invalid("X25519 public value", LOW_ORDER);
        assert_eq!(decapsulate(&x25519, &[0; 32]), low_order);
        let curve = invalid("P-384 point", NOT_ON_CURVE);
        assert_eq!(decapsulate(&p384, &[4; 97]), curve);
    }

    /// An X25519 result of zeros is refused on both sides, whatever led to it.
    #[test]
    fn zeros() {
        let low_order = invalid("X25519 public value", LOW_ORDER);
        let x25519 = hazmat::x25519(&PROVIDER);
        let pair = x25519.key_pair(&[1; 32]).unwrap();
        let (mut ciphertext, mut secret) = ([9; 32], [0; 32]);
        let found = pair.encapsulator.encapsulate(&mut ciphertext, &mut secret);
        assert_eq!(outcome(found), low_order);
        let found = pair.decapsulator.decapsulate(&ciphertext, &mut secret);
        assert_eq!(outcome(found), low_order);
        secret[31] = 1;
        let found = pair.decapsulator.decapsulate(&ciphertext, &mut secret);
        assert_eq!(outcome(found), "Ok");
    }
}

// Composite keys and signatures.

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

// DER.

const NULL: &[u8] = &[0x05, 0x00];
const EC_PUBLIC_KEY: &[u8] = b"\x06\x07\x2a\x86\x48\xce\x3d\x02\x01";
const P256: &[u8] = b"\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07";
const ML_DSA_87: &[u8] = b"\x06\x09\x60\x86\x48\x01\x65\x03\x04\x03\x13";
const ED25519: &[u8] = b"\x06\x03\x2b\x65\x70";
/// id-MLDSA65-ECDSA-P384-SHA512 is near.
const NEIGHBOUR: &[u8] = b"\x06\x08\x2b\x06\x01\x05\x05\x07\x06\x30";

fn other_algorithm(what: &'static str, oid: &str) -> String {
    format!("{:?}", Error::Algorithm { what, oid: oid.into() })
}

#[test]
fn pkcs8_keys() {
    let secret = signing_key_bytes(6);
    let oid = &composite_oid()[..];
    let ours = tlv(0x30, &[oid]);
    let valid = pkcs8(oid, &secret);
    assert_eq!(signing_key(6).to_pkcs8_der().unwrap().as_bytes(), valid, "built here as there");

    let p384 = p384::SecretKey::from_slice(&[7; 48]).unwrap();
    let p384 = p384.to_pkcs8_der().unwrap().as_bytes().to_vec();
    let p256 = tlv(0x30, &[&tlv(0x02, &[&[1]]), &tlv(0x04, &[&[7; 32]])]);
    let attribute = tlv(0x30, &[b"\x06\x03\x55\x04\x03", &tlv(0x31, &[&tlv(0x0c, &[b"name"])])]);
    let attributes = tlv(0xa0, &[&attribute]);
    let public = tlv(0x81, &[&[0], &[7; 2689]]);
    let spki = signing_key(6).verifying_key().to_spki_der().unwrap();
    let body = &valid[2..];

    let in_der = |reason| invalid("PKCS#8 key", reason);
    let foreign = [
        (pkcs8_of(0, &tlv(0x30, &[EC_PUBLIC_KEY, P256]), &p256, b""), "1.2.840.10045.2.1"),
        (p384, "1.2.840.10045.2.1"),
        (pkcs8(ED25519, &tlv(0x04, &[&[7; 32]])), "1.3.101.112"),
        (pkcs8(ML_DSA_87, &tlv(0x80, &[&[7; 32]])), "2.16.840.1.101.3.4.3.19"),
        (pkcs8(NEIGHBOUR, &secret), "1.3.6.1.5.5.7.6.48"),
    ];
    for (der, oid) in foreign {
        let found = outcome(SigningKey::from_pkcs8_der(&der));
        assert_eq!(found, other_algorithm("PKCS#8 key", oid));
    }
    let table = [
        ("nothing", vec![], NOT_DER),
        ("zeros", vec![0; 120], NOT_DER),
        ("ones", vec![0xff; 120], NOT_DER),
        ("an SPKI", spki, NOT_DER),
        ("a key without its envelope", secret.clone(), NOT_DER),
        ("parameters NULL", pkcs8_of(0, &tlv(0x30, &[oid, NULL]), &secret, b""), PARAMETERS),
        ("attributes", pkcs8_of(0, &ours, &secret, &attributes), NOT_CANONICAL),
        ("empty attributes", pkcs8_of(0, &ours, &secret, b"\xa0\x00"), NOT_CANONICAL),
        ("a public key", pkcs8_of(1, &ours, &secret, &public), NOT_CANONICAL),
        ("version 2, no public key", pkcs8_of(1, &ours, &secret, b""), NOT_DER),
        ("a public key in version 1", pkcs8_of(0, &ours, &secret, &public), NOT_DER),
        ("version 3", pkcs8_of(2, &ours, &secret, b""), NOT_DER),
        ("a longer length outside", [b"\x30\x81\x71", body].concat(), NOT_DER),
        ("an indefinite length", [b"\x30\x80", body, b"\0\0"].concat(), NOT_DER),
        ("an unknown field", pkcs8_of(0, &ours, &secret, NULL), NOT_DER),
        ("a trailing byte", [&valid[..], &[0]].concat(), NOT_DER),
    ];
    assert_eq!(valid[..2], *b"\x30\x71");
    for (form, der, reason) in table {
        assert_eq!(outcome(SigningKey::from_pkcs8_der(&der)), in_der(reason), "{form}");
    }

    let wrapped = tlv(0x04, &[&secret]);
    for key in [&b""[..], &secret[1..], &[&secret[..], &[0]].concat(), &wrapped] {
        let found = outcome(SigningKey::from_pkcs8_der(&pkcs8(oid, key)));
        assert_eq!(found, length("signing key", 96, key.len()));
    }
    let found = outcome(SigningKey::from_pkcs8_der(&pkcs8(oid, &[0; 96])));
    assert_eq!(found, invalid("ECPrivateKey", NOT_RFC_5915));
}

#[test]
fn spki_keys() {
    let key = signing_key(7);
    let public = key.verifying_key().as_bytes();
    let oid = &composite_oid()[..];
    let ours = tlv(0x30, &[oid]);
    let valid = spki(&ours, 0, public);
    assert_eq!(key.verifying_key().to_spki_der().unwrap(), valid, "built here as there");

    let p384 = p384::SecretKey::from_slice(&[7; 48]).unwrap().public_key();
    let p384 = p384.to_public_key_der().unwrap().as_bytes().to_vec();
    let body = &valid[4..];
    let [length_1, length_2] = [valid[2], valid[3]];
    let longer = [&[0x30, 0x83, 0, length_1, length_2], body].concat();
    let foreign = [
        (p384, "1.2.840.10045.2.1"),
        (spki(&tlv(0x30, &[ML_DSA_87]), 0, &public[..2592]), "2.16.840.1.101.3.4.3.19"),
        (spki(&tlv(0x30, &[NEIGHBOUR]), 0, public), "1.3.6.1.5.5.7.6.48"),
    ];
    for (der, oid) in foreign {
        let found = outcome(VerifyingKey::from_spki_der(&der));
        assert_eq!(found, other_algorithm("SubjectPublicKeyInfo", oid));
    }
    let table = [
        ("nothing", vec![], NOT_DER),
        ("zeros", vec![0; 2711], NOT_DER),
        ("ones", vec![0xff; 2711], NOT_DER),
        ("PKCS#8", key.to_pkcs8_der().unwrap().as_bytes().to_vec(), NOT_DER),
        ("a key without its envelope", public.to_vec(), NOT_DER),
        ("parameters NULL", spki(&tlv(0x30, &[oid, NULL]), 0, public), PARAMETERS),
        ("unused bits", spki(&ours, 1, &vec![0; 2689]), NOT_DER),
        ("a longer length", longer, NOT_DER),
        ("an indefinite length", [b"\x30\x80", body, b"\0\0"].concat(), NOT_DER),
        ("a third field", tlv(0x30, &[body, NULL]), NOT_DER),
        ("a trailing byte", [&valid[..], &[0]].concat(), NOT_DER),
    ];
    for (form, der, reason) in table {
        let expected = invalid("SubjectPublicKeyInfo", reason);
        assert_eq!(outcome(VerifyingKey::from_spki_der(&der)), expected, "{form}");
    }
    for key in [b"", &public[1..], &[public, &[0]].concat()] {
        let found = outcome(VerifyingKey::from_spki_der(&spki(&ours, 0, key)));
        assert_eq!(found, length("verifying key", 2689, key.len()));
    }
    let found = outcome(VerifyingKey::from_spki_der(&spki(&ours, 0, &[0; 2689])));
    assert_eq!(found, invalid("P-384 point", NOT_UNCOMPRESSED));
}

// PEM.

#[test]
fn text_that_is_not_pem() {
    for parser in pem_parsers() {
        let valid = String::from_utf8(parser.valid.clone()).unwrap();
        let (first, rest) = valid.split_once('\n').unwrap();
        let end = valid.lines().count();
        let no_begin = "it has no BEGIN line (RFC 7468)";
        let boundary = "it has five hyphens, and is neither a BEGIN nor an END line";
        let unpaired = "an END line without a BEGIN line";
        let not_pem = |reason| format!("{:?}", Error::NotPem { reason });
        let nul = "it has NUL bytes, as binary data and UTF-16 have; PEM is UTF-8 or ASCII text";
        // The first line of what remains is base64, which is short in a private KEM key.
        let lost = match rest.lines().next().unwrap().trim_end_matches('=').len() {
            40.. => bad_pem(1, "base64 without a BEGIN line before it"),
            _ => bad_pem(end - 1, unpaired),
        };
        let texts = [
            (String::new(), not_pem("it is empty")),
            (" \n".into(), not_pem("it is empty")),
            ("\0".repeat(100), not_pem(nul)),
            ("\u{ff}".repeat(100), not_pem(no_begin)),
            (first.into(), bad_pem(1, "its document is cut off, it has no END line")),
            (rest.into(), lost),
            (valid.replace("-----BEGIN", "----BEGIN"), bad_pem(1, boundary)),
            (valid.replace("-----END", "-----ENDE"), bad_pem(end, boundary)),
            (valid.replace("-----END", "---- END"), bad_pem(end, boundary)),
            (valid.replace("BEGIN ", "BEGIN  "), bad_pem(1, boundary)),
            (valid.replace("BEGIN", "begin"), bad_pem(1, boundary)),
            (
                valid.replacen(parser.what, "CERTIFICATE", 1),
                bad_pem(end, "its label differs from that of the BEGIN line"),
            ),
            (
                format!("{first}\nProc-Type: 4,ENCRYPTED\n\n{rest}"),
                bad_pem(2, "a header, which only old or encrypted files have"),
            ),
            (
                format!("{first}\n-----END {}-----\n", parser.what),
                bad_pem(1, "its document has no content"),
            ),
            (valid.replace('\n', ""), bad_pem(1, boundary)),
            (valid.replace('\n', " "), bad_pem(1, boundary)),
            (valid.replace('\n', "\\n"), bad_pem(1, boundary)),
            (format!("{first}\n{valid}"), bad_pem(2, "the document before it has no END line")),
        ];
        for (text, expected) in texts {
            assert_eq!(parser.parse(text.as_bytes()), expected, "{text}");
        }
        // In one line of base64, even that of a whole file.
        let text = BASE64_STANDARD.encode(&valid);
        let expected = bad_pem(1, "base64 without a BEGIN line before it");
        assert_eq!(parser.parse(text.as_bytes()), expected, "{text}");
    }
}

#[test]
fn pem_of_another_type() {
    let parsers = pem_parsers();
    let certificate = pem("CERTIFICATE", b"anything");
    for parser in &parsers {
        let others = parsers.iter().map(|other| (other.what, &other.valid[..]));
        for (found, text) in others.chain([("CERTIFICATE", certificate.as_bytes())]) {
            let expected = Error::PemLabel { expected: parser.what, found: found.into() };
            if found != parser.what {
                assert_eq!(parser.parse(text), format!("{expected:?}"));
            }
        }
    }
    let error = DecapsulationKey::from_pem(&certificate).unwrap_err();
    assert_eq!(
        error.to_string(),
        "expected a PEM document labelled \"TWINSEAL KEM PRIVATE KEY\", found \"CERTIFICATE\""
    );
}

#[test]
fn pem_with_other_content() {
    let private = |content: &[u8]| {
        let text = pem("TWINSEAL KEM PRIVATE KEY", content);
        outcome(DecapsulationKey::from_pem(&text))
    };
    let public = |content: &[u8]| {
        let text = pem("TWINSEAL KEM PUBLIC KEY", content);
        outcome(EncapsulationKey::from_pem(&text))
    };
    for id in [0x0000, 0x0002, 0x0050, 0x0052, 0x0100, 0x5100, 0xf001, 0xffff] {
        let content = [&u16::to_be_bytes(id)[..], &[7; 32]].concat();
        assert_eq!(private(&content), unknown("KEM suite", id));
        assert_eq!(public(&content), unknown("KEM suite", id));
    }
    assert_eq!(private(&[0]), truncated("KEM key file", 2, 1));
    assert_eq!(public(&[0]), truncated("KEM key file", 2, 1));
    let one_byte_more = [&[0, 1], &[7; 33][..]].concat();
    assert_eq!(private(&one_byte_more), length("decapsulation key seed", 32, 33));
    // The content of the other type.
    let key = kem_key(X25519, 8);
    let ek = [&[0, 1], key.encapsulation_key().as_bytes()].concat();
    assert_eq!(private(&ek), length("decapsulation key seed", 32, 1600));
    let seed = [&[0, 1], key.seed()].concat();
    assert_eq!(public(&seed), length("encapsulation key", 1600, 32));
    // The key of one suite under the name of the other.
    let ek = [&[0, 0x51], key.encapsulation_key().as_bytes()].concat();
    assert_eq!(public(&ek), length("encapsulation key", 1665, 1600));

    let der = |label, content: &[u8]| pem(label, content);
    let spki = signing_key(8).verifying_key().to_spki_der().unwrap();
    let found = outcome(SigningKey::from_pem(&der("PRIVATE KEY", &spki)));
    assert_eq!(found, invalid("PKCS#8 key", NOT_DER));
    let pkcs8 = signing_key(8).to_pkcs8_der().unwrap();
    let found = outcome(VerifyingKey::from_pem(&der("PUBLIC KEY", pkcs8.as_bytes())));
    assert_eq!(found, invalid("SubjectPublicKeyInfo", NOT_DER));
}

/// Base64 has spare bits at the end; they must be zero (RFC 4648 §3.5).
#[test]
fn pem_with_spare_bits() {
    let text = kem_key(X25519, 9).to_pem().as_str().to_string();
    let end = text.find("==").unwrap();
    assert_eq!(outcome(DecapsulationKey::from_pem(&text)), "Ok");
    let last = text.as_bytes()[end - 1];
    for other in (b'A'..=b'Z').chain(b'a'..=b'z').chain(b'0'..=b'9') {
        let mut changed = text.clone().into_bytes();
        changed[end - 1] = other;
        let changed = String::from_utf8(changed).unwrap();
        let canonical = b"AQgw".contains(&other);
        let found = outcome(DecapsulationKey::from_pem(&changed));
        if canonical {
            assert_eq!(found, "Ok", "another key, since {last} became {other}");
        } else {
            let reason = "its base64 is incomplete, or ends wrongly";
            assert_eq!(found, bad_pem(2, reason), "{other}");
        }
    }
}

// Envelopes.

#[test]
fn envelopes() {
    let key = kem_key(X25519, 10);
    let valid = key.encapsulation_key().seal(CTX, b"hello").unwrap();
    let with = |position: usize, bytes: &[u8]| {
        let mut changed = valid.clone();
        changed[position..position + bytes.len()].copy_from_slice(bytes);
        changed
    };
    let not_ours = "NotAnEnvelope".to_string();
    let count = invalid("envelope header", "it must have 1 to 1000 recipients");
    let wrong_length = |actual| length("recipient's ciphertext", 1600, actual);
    let table = [
        ("nothing", vec![], truncated("envelope header", 8, 0)),
        ("one byte", b"t".to_vec(), truncated("envelope header", 8, 1)),
        ("the magic", b"twinseal".to_vec(), truncated("envelope header", 9, 8)),
        ("zeros", vec![0; 5000], not_ours.clone()),
        ("ones", vec![0xff; 5000], not_ours.clone()),
        ("another magic", with(0, b"Twinseal"), not_ours.clone()),
        ("a session's magic", with(0, b"twinsess"), not_ours.clone()),
        ("PEM", key.encapsulation_key().to_pem().into(), not_ours.clone()),
        ("a bare body", valid[12 + 1668 + 32..].to_vec(), not_ours),
        ("version 0", with(8, &[0]), unknown("envelope version", 0)),
        ("version 2", with(8, &[2]), unknown("envelope version", 2)),
        ("body 0", with(9, &[0]), unknown("envelope body", 0)),
        ("body 255", with(9, &[255]), unknown("envelope body", 255)),
        ("no recipients", with(10, &[0, 0]), count.clone()),
        ("1001 recipients", with(10, &[3, 0xe9]), count.clone()),
        ("65535 recipients", with(10, &[255, 255]), count),
        ("no ciphertext", with(30, &[0, 0]), wrong_length(0)),
        ("one byte less", with(30, &[6, 63]), wrong_length(1599)),
        ("one byte more", with(30, &[6, 65]), wrong_length(1601)),
        (
            "another suite's name",
            with(12, &[0, 0x51]),
            length("recipient's ciphertext", 1665, 1600),
        ),
        ("an unknown suite", with(12, &[0xff, 0xff]), "NotARecipient".into()),
        ("another key id", with(14, &[0; 16]), "NotARecipient".into()),
        (
            "a low-order ciphertext",
            with(32 + 1568, &[0; 32]),
            invalid("X25519 public value", LOW_ORDER),
        ),
        (
            "a non-canonical ciphertext",
            with(32 + 1568, &[0xff; 32]),
            invalid("X25519 public value", NOT_BELOW_PRIME),
        ),
        ("another ML-KEM ciphertext", with(32, &[0; 1568]), "Open".into()),
        ("no body", valid[..12 + 1668 + 32].to_vec(), "Open".into()),
    ];
    for (form, sealed, expected) in table {
        assert_eq!(outcome(key.open(CTX, &sealed)), expected, "{form}");
        let parsed = outcome(Header::parse(&sealed));
        let judged_later = ["an unknown suite", "another key id", "no body"].contains(&form)
            || form.contains("ciphertext") && form != "no ciphertext";
        assert_eq!(parsed, if judged_later { "Ok" } else { &expected }, "{form}");
    }
}

#[test]
fn numbers_of_recipients() {
    let keys: Vec<_> = (0u16..1001)
        .map(|number| {
            let mut seed = [0; 32];
            seed[..2].copy_from_slice(&number.to_be_bytes());
            DecapsulationKey::from_seed(X25519, &seed).unwrap()
        })
        .collect();
    let to = |keys: &[DecapsulationKey]| {
        Recipients::new(keys.iter().map(DecapsulationKey::encapsulation_key))
    };
    let number = misuse("recipients", "there must be 1 to 1000");
    assert_eq!(outcome(to(&[])), number);
    assert_eq!(outcome(to(&keys)), number);
    let twice = misuse("recipients", "a key is listed twice");
    let one = keys[0].encapsulation_key();
    assert_eq!(outcome(Recipients::new([one, one])), twice);
    let (two, parsed) = (keys[1].encapsulation_key(), one.as_bytes());
    let parsed = EncapsulationKey::from_bytes(X25519, parsed).unwrap();
    assert_eq!(outcome(Recipients::new([one, two, &parsed])), twice);

    let most = to(&keys[..1000]).unwrap();
    let sealed = most.seal(CTX, b"hello").unwrap();
    assert_eq!(most.sealed_len(5), Some(sealed.len() as u64));
    for key in [&keys[0], &keys[500], &keys[999]] {
        assert_eq!(&key.open(CTX, &sealed).unwrap()[..], b"hello");
    }
    assert_eq!(outcome(keys[1000].open(CTX, &sealed)), "NotARecipient");
}

// Identifiers and contexts.

#[test]
fn suite_identifiers() {
    for id in 0..=u16::MAX {
        let expected = match id {
            0x0001 | 0x0051 => "Ok".into(),
            _ => unknown("KEM suite", id),
        };
        assert_eq!(outcome(KemSuite::from_id(id)), expected);
        let expected = match id {
            0x0001 => "Ok".into(),
            0xf001 if cfg!(feature = "experimental-falcon") => "Ok".into(),
            _ => unknown("signature suite", id),
        };
        assert_eq!(outcome(SignatureSuite::from_id(id)), expected);
    }
    let text = |id| KemSuite::from_id(id).unwrap_err().to_string();
    assert_eq!(text(0x0002), "unknown KEM suite 0x0002");
    assert_eq!(text(0xf001), "unknown KEM suite 0xf001");
}

/// Every function that takes a context, with one.
fn with_context(context: &[u8]) -> Vec<(&'static str, String)> {
    let key = kem_key(X25519, 11);
    let public = key.encapsulation_key();
    let recipients = Recipients::new([public]).unwrap();
    let external: &dyn Decapsulate = &key;
    let sealed = public.seal(CTX, b"hello").unwrap();
    let header = Header::parse(&sealed).unwrap();
    let recipient = header.find(public).unwrap();
    let secret = key.decapsulate(&recipient.ciphertext().unwrap()).unwrap();
    let body_key = header.unlock(&recipient, &secret).unwrap();

    let signer = signing_key(11);
    let external_signer: &dyn Sign = &signer;
    let verifier = signer.verifying_key();
    let signature = signer.sign(CTX, b"hello").unwrap();
    let reader = &b"hello"[..];
    vec![
        ("seal", outcome(public.seal(context, b"hello"))),
        ("Recipients::seal", outcome(recipients.seal(context, b"hello"))),
        ("open", outcome(key.open(context, &sealed))),
        ("open of nothing", outcome(key.open(context, b""))),
        ("Decapsulate::open", outcome(external.open(context, &sealed))),
        ("BodyKey::open", outcome(body_key.open(context, &sealed[header.len()..]))),
        ("sign", outcome(signer.sign(context, b"hello"))),
        ("sign_reader", io_outcome(signer.sign_reader(context, reader))),
        ("Sign::sign", outcome(external_signer.sign(context, b"hello"))),
        ("Sign::sign_reader", io_outcome(external_signer.sign_reader(context, &mut &*reader))),
        ("verify", outcome(verifier.verify(context, b"hello", &signature))),
        ("verify_reader", io_outcome(verifier.verify_reader(context, reader, &signature))),
    ]
}

#[test]
fn contexts() {
    let long = [b'x'; 256];
    let long_and_reserved = [&b"twinseal/"[..], &long].concat();
    let reserved = "the prefix \"twinseal/\" is reserved";
    let refused: [(&[u8], &'static str); 6] = [
        (b"", "it is empty; say what the data is for"),
        (b"twinseal/", reserved),
        (b"twinseal/session/v1", reserved),
        (&long_and_reserved, reserved),
        (&long, "it is longer than 255 bytes"),
        (&[0; 1000], "it is longer than 255 bytes"),
    ];
    for (context, reason) in refused {
        let expected = format!("{:?}", Error::Context(reason));
        let in_io = format!("InvalidInput: {expected}");
        for (function, found) in with_context(context) {
            assert!(found == expected || found == in_io, "{function}: {found}");
        }
    }
    let taken: [&[u8]; 7] =
        [b"\0", b"twinseal", b"Twinseal/", b" twinseal/", &[0xff], &long[1..], CTX];
    for context in taken {
        for (function, found) in with_context(context) {
            let judged = ["Open", "Verify", "InvalidData: Verify"].contains(&&found[..]);
            let of_nothing = function == "open of nothing";
            assert!(found == "Ok" || judged || of_nothing, "{function}: {found}");
            assert!(found == "Ok" || context != CTX || of_nothing, "{function}");
        }
    }
}

#[test]
fn texts_of_errors() {
    let table = [
        (
            EncapsulationKey::from_bytes(X25519, &[0; 1599]).unwrap_err(),
            "encapsulation key must be 1600 bytes long, not 1599",
        ),
        (
            Signature::from_bytes(COMPOSITE, &[0; 100]).unwrap_err(),
            "signature ends after 100 bytes but needs at least 4627",
        ),
        (
            EncapsulationKey::from_bytes(P384, &[0xff; 1665]).unwrap_err(),
            "invalid ML-KEM-1024 encapsulation key: a coefficient is not below 3329",
        ),
        (
            kem_key(X25519, 1).open(b"", b"").unwrap_err(),
            "invalid context: it is empty; say what the data is for",
        ),
        (Header::parse(b"twinseal\x07").unwrap_err(), "unknown envelope version 0x0007"),
    ];
    for (error, text) in table {
        assert_eq!(error.to_string(), text);
    }
}

/// A generator that has nothing to give.
struct Dry;

impl rand_core::TryRng for Dry {
    type Error = std::fmt::Error;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        Err(std::fmt::Error)
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        Err(std::fmt::Error)
    }

    fn try_fill_bytes(&mut self, _: &mut [u8]) -> Result<(), Self::Error> {
        Err(std::fmt::Error)
    }
}

impl rand_core::TryCryptoRng for Dry {}

#[test]
fn a_generator_that_fails() {
    for suite in KemSuite::ALL {
        let found = outcome(DecapsulationKey::generate_from_rng(suite, &mut Dry));
        assert_eq!(found, "Randomness");
    }
    let found = outcome(SigningKey::generate_from_rng(COMPOSITE, &mut Dry));
    assert_eq!(found, "Randomness");
}

// Anything at all.

fn every_parser() -> Vec<Parser> {
    let mut parsers = parsers_of_fixed_length();
    parsers.extend(der_parsers());
    parsers.extend(pem_parsers());
    let signature = signing_key(12).sign(CTX, b"hello").unwrap();
    parsers.push(Parser::new("signature", signature.as_bytes(), |bytes| {
        outcome(Signature::from_bytes(COMPOSITE, bytes))
    }));
    let keys = KemSuite::ALL.map(|suite| kem_key(suite, 12));
    let recipients = Recipients::new(keys.each_ref().map(DecapsulationKey::encapsulation_key));
    let sealed = recipients.unwrap().seal(CTX, &[7; 100]).unwrap();
    parsers.push(Parser::new("header", sealed.clone(), |bytes| outcome(Header::parse(bytes))));
    for key in keys {
        parsers.push(Parser::new("envelope", sealed.clone(), move |bytes| {
            outcome(key.open(CTX, bytes))
        }));
    }
    parsers
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..Default::default() })]

    /// None panics; what it says does not matter here.
    #[test]
    fn random_bytes(bytes in vec(any::<u8>(), 0..6000), text in "(-----(BEGIN|END) [A-Z ]{0,9}-----|[ -~\n\r\t]){0,200}") {
        for parser in every_parser() {
            parser.parse(&bytes);
            parser.parse(text.as_bytes());
        }
    }

    /// The same with valid input that was cut, extended and written over.
    #[test]
    fn nearly_valid_bytes(
        cut in any::<prop::sample::Index>(),
        keep_length in any::<bool>(),
        at in any::<prop::sample::Index>(),
        noise in vec(any::<u8>(), 0..40),
        tail in vec(any::<u8>(), 0..20),
    ) {
        for parser in every_parser() {
            let mut bytes = parser.valid.clone();
            let start = at.index(bytes.len());
            for (byte, noise) in bytes[start..].iter_mut().zip(&noise) {
                *byte = *noise;
            }
            if !keep_length {
                bytes.truncate(cut.index(bytes.len()));
                bytes.extend_from_slice(&tail);
            }
            parser.parse(&bytes);
        }
    }
}
