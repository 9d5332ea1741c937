//! Which DER is refused as a PKCS#8 key, or as a SubjectPublicKeyInfo?

use p384::pkcs8::{EncodePrivateKey, EncodePublicKey};
use twinseal::{Error, SigningKey, VerifyingKey};

use super::{NOT_CANONICAL, NOT_DER, NOT_RFC_5915, NOT_UNCOMPRESSED, PARAMETERS};
use crate::common::{
    der::{composite_oid, pkcs8, pkcs8_of, spki, tlv},
    errors::{invalid, length, outcome},
    keys::{signing_key, signing_key_bytes},
};

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
