//! Which DER is refused as a KEM key of suite 0x0051?

use twinseal::{DecapsulationKey, EncapsulationKey, Error};

use super::{NOT_CANONICAL, NOT_DER, NOT_RFC_5915, NOT_UNCOMPRESSED, PARAMETERS};
use crate::common::{
    der::{composite_oid, ec_private_key, kem_oid, pkcs8, pkcs8_of, spki, tlv},
    errors::{invalid, length, outcome},
    keys::{P384, kem_key},
    numbers::ORDER,
};

const NULL: &[u8] = &[0x05, 0x00];
const ML_KEM_1024: &[u8] = b"\x06\x09\x60\x86\x48\x01\x65\x03\x04\x04\x03";
/// id-MLKEM1024-RSA3072-SHA3-256 and id-MLKEM1024-ECDH-brainpoolP384r1-SHA3-256 are near.
const NEIGHBOURS: [&[u8]; 2] =
    [b"\x06\x08\x2b\x06\x01\x05\x05\x07\x06\x3e", b"\x06\x08\x2b\x06\x01\x05\x05\x07\x06\x40"];

fn other_algorithm(what: &'static str, oid: &str) -> String {
    format!("{:?}", Error::Algorithm { what, oid: oid.into() })
}

#[test]
fn pkcs8_kem_keys() {
    // Any seed and any scalar are a key: no seed of 32 bytes expands to these.
    let (seed_m, scalar) = ([5; 64], [6; 48]);
    let secret = [&seed_m[..], &ec_private_key(&scalar)].concat();
    let oid = &kem_oid()[..];
    let ours = tlv(0x30, &[oid]);
    let valid = pkcs8(oid, &secret);
    assert_eq!(valid.len(), 149);
    let key = DecapsulationKey::from_pkcs8_der(&valid).unwrap();
    assert_eq!((key.suite(), key.seed()), (P384, None));
    assert_eq!(key.to_pkcs8_der().unwrap().as_bytes(), valid, "built here as there");
    let public = key.encapsulation_key().as_bytes().to_vec();

    let foreign = [
        (pkcs8(&composite_oid(), &secret), "1.3.6.1.5.5.7.6.49"),
        (pkcs8(NEIGHBOURS[0], &secret), "1.3.6.1.5.5.7.6.62"),
        (pkcs8(NEIGHBOURS[1], &secret), "1.3.6.1.5.5.7.6.64"),
        (pkcs8(ML_KEM_1024, &tlv(0x80, &[&seed_m])), "2.16.840.1.101.3.4.4.3"),
    ];
    for (der, oid) in foreign {
        let found = outcome(DecapsulationKey::from_pkcs8_der(&der));
        assert_eq!(found, other_algorithm("PKCS#8 key", oid));
    }
    let attribute = tlv(0x30, &[b"\x06\x03\x55\x04\x03", &tlv(0x31, &[&tlv(0x0c, &[b"name"])])]);
    let attributes = tlv(0xa0, &[&attribute]);
    let table = [
        ("parameters NULL", pkcs8_of(0, &tlv(0x30, &[oid, NULL]), &secret, b""), PARAMETERS),
        ("attributes", pkcs8_of(0, &ours, &secret, &attributes), NOT_CANONICAL),
        (
            "its public key",
            pkcs8_of(1, &ours, &secret, &tlv(0x81, &[&[0], &public])),
            NOT_CANONICAL,
        ),
        ("version 2, no public key", pkcs8_of(1, &ours, &secret, b""), NOT_DER),
        ("a shorter length", [b"\x30\x80", &valid[3..], b"\0\0"].concat(), NOT_DER),
        ("a longer length", [b"\x30\x82\x00\x92", &valid[3..]].concat(), NOT_DER),
        ("a trailing byte", [&valid[..], &[0]].concat(), NOT_DER),
        ("its SPKI", key.encapsulation_key().to_spki_der().unwrap(), NOT_DER),
    ];
    for (form, der, reason) in table {
        let found = outcome(DecapsulationKey::from_pkcs8_der(&der));
        assert_eq!(found, invalid("PKCS#8 key", reason), "{form}");
    }

    // What import takes, and from_pkcs8_der does not.
    let (version, octets) = (tlv(0x02, &[&[1]]), tlv(0x04, &[&scalar]));
    let curve = tlv(0xa0, &[&tlv(0x06, &[b"\x2b\x81\x04\x00\x22"])]);
    let point = tlv(0xa1, &[&tlv(0x03, &[&[0], &public[1568..]])]);
    let with_point = tlv(0x30, &[&version, &octets, &curve, &point]);
    let without_curve = tlv(0x30, &[&version, &octets]);
    for key in [
        &[&seed_m[..], &with_point].concat()[..],
        &[&seed_m[..], &without_curve].concat(),
        &[&seed_m[..], &scalar].concat(),
        &[7; 32],
    ] {
        let found = outcome(DecapsulationKey::from_pkcs8_der(&pkcs8(oid, key)));
        assert_eq!(found, invalid("PKCS#8 key", NOT_CANONICAL));
    }
    for key in [&tlv(0x04, &[&secret])[..], b""] {
        let found = outcome(DecapsulationKey::from_pkcs8_der(&pkcs8(oid, key)));
        assert_eq!(found, length("decapsulation key", 128, key.len()));
    }
    let other_curve = [&secret[..127], &[0x23]].concat();
    let found = outcome(DecapsulationKey::from_pkcs8_der(&pkcs8(oid, &other_curve)));
    assert_eq!(found, invalid("ECPrivateKey", NOT_RFC_5915));
    for scalar in [[0; 48], ORDER, [0xff; 48]] {
        let secret = [&seed_m[..], &ec_private_key(&scalar)].concat();
        let found = outcome(DecapsulationKey::from_pkcs8_der(&pkcs8(oid, &secret)));
        assert!(found.starts_with("Invalid"), "{found}");
    }
}

#[test]
fn spki_kem_keys() {
    let key = kem_key(P384, 7);
    let public = key.encapsulation_key().as_bytes();
    let oid = &kem_oid()[..];
    let ours = tlv(0x30, &[oid]);
    let valid = spki(&ours, 0, public);
    assert_eq!(key.encapsulation_key().to_spki_der().unwrap(), valid, "built here as there");
    assert_eq!(&EncapsulationKey::from_spki_der(&valid).unwrap(), key.encapsulation_key());

    for (oid, dotted) in
        [(&composite_oid()[..], "1.3.6.1.5.5.7.6.49"), (NEIGHBOURS[0], "1.3.6.1.5.5.7.6.62")]
    {
        let found = outcome(EncapsulationKey::from_spki_der(&spki(&tlv(0x30, &[oid]), 0, public)));
        assert_eq!(found, other_algorithm("SubjectPublicKeyInfo", dotted));
    }
    let table = [
        ("parameters NULL", spki(&tlv(0x30, &[oid, NULL]), 0, public), PARAMETERS),
        ("unused bits", spki(&ours, 1, &vec![0; 1665]), NOT_DER),
        ("a longer length", [b"\x30\x83\x00\x06\x92", &valid[4..]].concat(), NOT_DER),
        ("a third field", tlv(0x30, &[&valid[4..], NULL]), NOT_DER),
        ("a trailing byte", [&valid[..], &[0]].concat(), NOT_DER),
        ("PKCS#8", key.to_pkcs8_der().unwrap().as_bytes().to_vec(), NOT_DER),
    ];
    for (form, der, reason) in table {
        let expected = invalid("SubjectPublicKeyInfo", reason);
        assert_eq!(outcome(EncapsulationKey::from_spki_der(&der)), expected, "{form}");
    }
    // Import takes a compressed point.
    let compressed = [&public[..1568], &[2 + (public[1664] & 1)], &public[1569..1617]].concat();
    let found = outcome(EncapsulationKey::from_spki_der(&spki(&ours, 0, &compressed)));
    assert_eq!(found, invalid("SubjectPublicKeyInfo", NOT_CANONICAL));
    for key in [&b""[..], &public[1..], &[public, &[0]].concat()] {
        let found = outcome(EncapsulationKey::from_spki_der(&spki(&ours, 0, key)));
        assert_eq!(found, length("encapsulation key", 1665, key.len()));
    }
    let found = outcome(EncapsulationKey::from_spki_der(&spki(&ours, 0, &[0; 1665])));
    assert_eq!(found, invalid("P-384 point", NOT_UNCOMPRESSED));
}

/// The default suite has neither form.
#[test]
fn the_default_suite_has_no_object_identifier() {
    let key = kem_key(twinseal::KemSuite::X25519_ML_KEM_1024, 7);
    let unsupported = format!("{:?}", Error::Unsupported("a suite without object identifier"));
    assert_eq!(outcome(key.to_pkcs8_der()), unsupported);
    assert_eq!(outcome(key.encapsulation_key().to_spki_der()), unsupported);
}
