//! Which content is accepted, under the right passphrase? Only a key with its own id.

use twinseal::{
    DecapsulationKey, Error, KemSuite, KeyId, hazmat, key_files::PemDocument,
    passphrase::PrivateKey,
};

use super::{PASSPHRASE, little};
use crate::common::{
    der::{composite_oid, pem, pkcs8, pkcs8_of, tlv},
    keys::{kem_key, signing_key},
};

/// 1.2.840.113549.1.9.21.
const LOCAL_KEY_ID: &[u8] = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x09\x15";

fn attributes(oid: &[u8], id: &[u8]) -> Vec<u8> {
    tlv(0xa0, &[&tlv(0x30, &[oid, &tlv(0x31, &[&tlv(0x04, &[id])])])])
}

/// What is encrypted of a key that has a standard form.
pub(super) fn of_pkcs8(key: &[u8], id: KeyId) -> Vec<u8> {
    let (_, elements) = key.split_at(if key[1] < 0x80 { 2 } else { 3 });
    tlv(0x30, &[elements, &attributes(LOCAL_KEY_ID, id.as_bytes())])
}

/// What is encrypted of a key of the default suite.
pub(super) fn of_seed(key: &DecapsulationKey) -> Vec<u8> {
    let id = key.encapsulation_key().key_id();
    [&key.suite().id().to_be_bytes(), key.seed().unwrap(), id.as_bytes()].concat()
}

fn read(label: &str, content: &[u8]) -> Result<PrivateKey, Error> {
    let der = hazmat::encrypted_private_key_info(content, PASSPHRASE, little(), &[9; 32]);
    let text = pem(label, &der.unwrap());
    PrivateKey::from_encrypted(PemDocument::split(&text).unwrap()[0], PASSPHRASE)
}

#[test]
fn pkcs8_keys() {
    let label = "ENCRYPTED PRIVATE KEY";
    let key = signing_key(4);
    let der = key.to_pkcs8_der().unwrap();
    let der = der.as_bytes();
    let id = key.verifying_key().key_id();
    let right = of_pkcs8(der, id);
    assert_eq!(right.len(), 151);
    assert_eq!(read(label, &right).unwrap().key_id(), id);
    let kem = kem_key(KemSuite::ML_KEM_1024_P384, 4);
    let kem_id = kem.encapsulation_key().key_id();
    let kem_right = of_pkcs8(kem.to_pkcs8_der().unwrap().as_bytes(), kem_id);
    assert_eq!(kem_right.len(), 184);
    assert_eq!(read(label, &kem_right).unwrap().key_id(), kem_id);

    let (oid, secret) = (composite_oid(), key.secret_bytes());
    let algorithm = tlv(0x30, &[&oid]);
    let with = |behind: &[u8]| pkcs8_of(0, &algorithm, secret, behind);
    let other = signing_key(5).verifying_key().key_id();
    let own = attributes(LOCAL_KEY_ID, id.as_bytes());
    let two = [&own[2..], &own[2..]].concat();
    let friendly_name = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x09\x14";
    assert_eq!(with(&own), right, "the table starts from this");
    let table = [
        ("nothing", vec![]),
        ("no attribute", der.to_vec()),
        ("another key's id", of_pkcs8(der, other)),
        ("an id of 15 bytes", with(&attributes(LOCAL_KEY_ID, &id.as_bytes()[1..]))),
        (
            "an id of 20 bytes",
            with(&attributes(LOCAL_KEY_ID, &[id.as_bytes(), &[0; 4][..]].concat())),
        ),
        ("another attribute", with(&attributes(friendly_name, id.as_bytes()))),
        ("the attribute twice", with(&tlv(0xa0, &[&two]))),
        ("the attribute twice, outside", with(&[&own[..], &own].concat())),
        (
            "a public key behind it",
            pkcs8_of(1, &algorithm, secret, &[&own[..], &tlv(0x81, &[&[0, 7]])].concat()),
        ),
        ("version 2", pkcs8_of(1, &algorithm, secret, &own)),
        ("parameters", pkcs8_of(0, &tlv(0x30, &[&oid, &[5, 0]]), secret, &own)),
        ("another algorithm", pkcs8_of(0, &tlv(0x30, &[b"\x06\x03\x2b\x65\x70"]), secret, &own)),
        (
            "the KEM's algorithm",
            pkcs8_of(0, &tlv(0x30, &[b"\x06\x08\x2b\x06\x01\x05\x05\x07\x06\x3f"]), secret, &own),
        ),
        ("half a key", of_pkcs8(&pkcs8(&oid, &secret[..32]), id)),
        ("a trailing byte", [&right[..], &[0]].concat()),
        ("a key of the other label", of_seed(&kem_key(KemSuite::X25519_ML_KEM_1024, 4))),
    ];
    for (content, bytes) in table {
        assert_eq!(read(label, &bytes).unwrap_err(), Error::Passphrase, "{content}");
    }
}

#[test]
fn keys_of_the_default_suite() {
    let label = "TWINSEAL ENCRYPTED KEM PRIVATE KEY";
    let key = kem_key(KemSuite::X25519_ML_KEM_1024, 4);
    let right = of_seed(&key);
    assert_eq!(right.len(), 50);
    assert_eq!(read(label, &right).unwrap().key_id(), key.encapsulation_key().key_id());

    let (suite_and_seed, id) = right.split_at(34);
    let other = kem_key(KemSuite::X25519_ML_KEM_1024, 5);
    let table = [
        ("nothing", vec![]),
        ("no id", suite_and_seed.to_vec()),
        (
            "another key's id",
            [suite_and_seed, other.encapsulation_key().key_id().as_bytes()].concat(),
        ),
        ("an unknown suite", [&[0, 2], &suite_and_seed[2..], id].concat()),
        ("a suite with a standard form", of_seed(&kem_key(KemSuite::ML_KEM_1024_P384, 4))),
        ("a trailing byte", [&right[..], &[0]].concat()),
        ("a byte less", right[..49].to_vec()),
    ];
    for (content, bytes) in table {
        assert_eq!(read(label, &bytes).unwrap_err(), Error::Passphrase, "{content}");
    }
}
