//! What do several test binaries share? Fixed keys, DER and PEM pieces, and errors as text.

#![allow(dead_code, reason = "each test binary uses a part of it")]

pub(crate) mod faulty_io;
pub(crate) mod process;
pub(crate) mod providers;
pub(crate) mod vectors;

use std::fmt;

use twinseal::{
    DecapsulationKey, EncapsulationKey, Error, KemSuite, SignatureSuite, SigningKey, VerifyingKey,
    kem::{Ciphertext, SharedSecret},
};

pub(crate) const CTX: &[u8] = b"example.com/tests/v1";

pub(crate) const X25519: KemSuite = KemSuite::X25519_ML_KEM_1024;
pub(crate) const P384: KemSuite = KemSuite::ML_KEM_1024_P384;
pub(crate) const COMPOSITE: SignatureSuite = SignatureSuite::ML_DSA_87_ECDSA_P384;

/// What `{error:?}` says, which holds every field; `"Ok"` if there is no error.
pub(crate) fn outcome<T>(result: Result<T, impl fmt::Debug>) -> String {
    match result {
        Ok(_) => "Ok".into(),
        Err(error) => format!("{error:?}"),
    }
}

/// The error of `result`, as the crate's own.
pub(crate) fn io_outcome<T>(result: std::io::Result<T>) -> String {
    match result {
        Ok(_) => "Ok".into(),
        Err(error) => match Error::inside(&error) {
            Some(inner) => format!("{:?}: {inner:?}", error.kind()),
            None => format!("{:?}", error.kind()),
        },
    }
}

/// What a log prints that walks the chain of causes.
pub(crate) fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    text
}

pub(crate) fn length(what: &'static str, expected: usize, actual: usize) -> String {
    format!("{:?}", Error::Length { what, expected, actual })
}

pub(crate) fn truncated(what: &'static str, needed: usize, actual: usize) -> String {
    format!("{:?}", Error::Truncated { what, needed, actual })
}

pub(crate) fn unknown(what: &'static str, id: u16) -> String {
    format!("{:?}", Error::Unknown { what, id })
}

pub(crate) fn invalid(what: &'static str, reason: &'static str) -> String {
    format!("{:?}", Error::Invalid { what, reason })
}

pub(crate) fn misuse(what: &'static str, reason: &'static str) -> String {
    format!("{:?}", Error::Misuse { what, reason })
}

/// A fixed key; another `number` is another key.
pub(crate) fn kem_key(suite: KemSuite, number: u8) -> DecapsulationKey {
    DecapsulationKey::from_seed(suite, &[number; 32]).expect("32 bytes are a seed")
}

/// The 96 bytes of a fixed signing key: an ML-DSA seed and an RFC 5915 key with a small scalar.
pub(crate) fn signing_key_bytes(number: u8) -> Vec<u8> {
    [vec![number; 32], ec_private_key(&[number; 48])].concat()
}

pub(crate) fn signing_key(number: u8) -> SigningKey {
    SigningKey::from_bytes(COMPOSITE, &signing_key_bytes(number)).expect("the form is RFC 5915")
}

/// RFC 5915 `ECPrivateKey` on secp384r1 without its public key.
pub(crate) fn ec_private_key(scalar: &[u8]) -> Vec<u8> {
    let curve = tlv(0x06, &[b"\x2b\x81\x04\x00\x22"]);
    tlv(0x30, &[&tlv(0x02, &[&[1]]), &tlv(0x04, &[scalar]), &tlv(0xa0, &[&curve])])
}

/// A DER value: a tag, the shortest form of the length, and the concatenated content.
pub(crate) fn tlv(tag: u8, content: &[&[u8]]) -> Vec<u8> {
    let content = content.concat();
    let length = match content.len() {
        short @ 0..=127 => vec![short as u8],
        one @ 128..=255 => vec![0x81, one as u8],
        two => vec![0x82, (two >> 8) as u8, two as u8],
    };
    [&[tag], &length[..], &content].concat()
}

/// The object identifier 1.3.6.1.5.5.7.6.49 in DER: id-MLDSA87-ECDSA-P384-SHA512.
pub(crate) fn composite_oid() -> Vec<u8> {
    tlv(0x06, &[b"\x2b\x06\x01\x05\x05\x07\x06\x31"])
}

/// PKCS#8 version 1 without parameters.
pub(crate) fn pkcs8(oid: &[u8], key: &[u8]) -> Vec<u8> {
    pkcs8_of(0, &tlv(0x30, &[oid]), key, b"")
}

/// PKCS#8 of any version, with fields `behind` the key.
pub(crate) fn pkcs8_of(version: u8, algorithm: &[u8], key: &[u8], behind: &[u8]) -> Vec<u8> {
    let version = tlv(0x02, &[&[version]]);
    tlv(0x30, &[&version, algorithm, &tlv(0x04, &[key]), behind])
}

/// `SubjectPublicKeyInfo`.
pub(crate) fn spki(algorithm: &[u8], unused_bits: u8, key: &[u8]) -> Vec<u8> {
    tlv(0x30, &[algorithm, &tlv(0x03, &[&[unused_bits], key])])
}

pub(crate) fn bad_pem(line: usize, reason: &'static str) -> String {
    format!("{:?}", Error::Pem { line, reason })
}

/// PEM with 64 characters to a line.
pub(crate) fn pem(label: &str, bytes: &[u8]) -> String {
    pem_rfc7468::encode_string(label, pem_rfc7468::LineEnding::LF, bytes).expect("it is short")
}

/// The order of P-384 and the prime of its field (FIPS 186-5), big-endian.
pub(crate) const ORDER: [u8; 48] = hex_48(
    "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973",
);
pub(crate) const PRIME: [u8; 48] = hex_48(
    "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffeffffffff0000000000000000ffffffff",
);

const fn hex_48(text: &str) -> [u8; 48] {
    let mut bytes = [0; 48];
    let mut index = 0;
    while index < 96 {
        let digit = match text.as_bytes()[index] {
            digit @ b'0'..=b'9' => digit - b'0',
            letter => letter - b'a' + 10,
        };
        bytes[index / 2] = bytes[index / 2] << 4 | digit;
        index += 1;
    }
    bytes
}

/// A number of 48 bytes, and a small one added to it.
pub(crate) fn plus(number: &[u8; 48], small: u8) -> [u8; 48] {
    let mut sum = *number;
    let mut carry = u16::from(small);
    for byte in sum.iter_mut().rev() {
        carry += u16::from(*byte);
        *byte = carry as u8;
        carry >>= 8;
    }
    assert_eq!(carry, 0);
    sum
}

pub(crate) fn minus_one(number: &[u8; 48]) -> [u8; 48] {
    let mut difference = *number;
    *difference.last_mut().unwrap() -= 1;
    difference
}

type Parse = dyn Fn(&[u8]) -> String;

/// A constructor under test.
pub(crate) struct Parser {
    /// What its errors call the value.
    pub(crate) what: &'static str,
    /// An input that it takes.
    pub(crate) valid: Vec<u8>,
    /// The outcome for any input.
    parse: Box<Parse>,
}

impl Parser {
    pub(crate) fn new(
        what: &'static str,
        valid: impl Into<Vec<u8>>,
        parse: impl Fn(&[u8]) -> String + 'static,
    ) -> Self {
        Self { what, valid: valid.into(), parse: Box::new(parse) }
    }

    pub(crate) fn parse(&self, bytes: &[u8]) -> String {
        (self.parse)(bytes)
    }
}

/// Every constructor of a value that has one length.
pub(crate) fn parsers_of_fixed_length() -> Vec<Parser> {
    let mut parsers: Vec<_> = KemSuite::ALL.iter().copied().flat_map(kem_parsers).collect();
    let key = signing_key(8);
    parsers.push(Parser::new("signing key", key.secret_bytes(), |bytes| {
        outcome(SigningKey::from_bytes(COMPOSITE, bytes))
    }));
    let public = key.verifying_key().as_bytes();
    parsers.push(Parser::new("verifying key", public, |bytes| {
        outcome(VerifyingKey::from_bytes(COMPOSITE, bytes))
    }));
    parsers
}

/// The constructors of a KEM suite's values: key, seed, ciphertext and shared secret.
pub(crate) fn kem_parsers(suite: KemSuite) -> [Parser; 4] {
    let key = kem_key(suite, 7);
    let public = key.encapsulation_key();
    let (ciphertext, secret) = public.encapsulate().expect("there is randomness");
    [
        Parser::new("encapsulation key", public.as_bytes(), move |bytes| {
            outcome(EncapsulationKey::from_bytes(suite, bytes))
        }),
        Parser::new("decapsulation key seed", key.seed(), move |bytes| {
            outcome(DecapsulationKey::from_seed(suite, bytes))
        }),
        Parser::new("ciphertext", ciphertext.as_bytes(), move |bytes| {
            outcome(Ciphertext::from_bytes(suite, bytes))
        }),
        Parser::new("shared secret", secret.as_bytes(), move |bytes| {
            outcome(SharedSecret::from_bytes(suite, bytes))
        }),
    ]
}

/// The constructors from DER.
pub(crate) fn der_parsers() -> [Parser; 2] {
    let key = signing_key(10);
    let spki = key.verifying_key().to_spki_der().unwrap();
    [
        Parser::new("PKCS#8 key", key.to_pkcs8_der().unwrap().as_bytes().to_vec(), |der| {
            outcome(SigningKey::from_pkcs8_der(der))
        }),
        Parser::new("SubjectPublicKeyInfo", spki, |der| outcome(VerifyingKey::from_spki_der(der))),
    ]
}

/// The constructors from PEM, each named by its label.
pub(crate) fn pem_parsers() -> [Parser; 4] {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let kem = kem_key(P384, 11);
    let sign = signing_key(11);
    [
        Parser::new("TWINSEAL KEM PRIVATE KEY", kem.to_pem().as_str(), move |pem| {
            outcome(DecapsulationKey::from_pem(&text(pem)))
        }),
        Parser::new("TWINSEAL KEM PUBLIC KEY", kem.encapsulation_key().to_pem(), move |pem| {
            outcome(EncapsulationKey::from_pem(&text(pem)))
        }),
        Parser::new("PRIVATE KEY", sign.to_pem().as_str(), move |pem| {
            outcome(SigningKey::from_pem(&text(pem)))
        }),
        Parser::new("PUBLIC KEY", sign.verifying_key().to_pem(), move |pem| {
            outcome(VerifyingKey::from_pem(&text(pem)))
        }),
    ]
}
