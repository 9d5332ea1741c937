//! Does whoever changes an encrypted key learn anything about it from the errors of `import_encrypted`?

use twinseal::{
    Error, KemSuite, KeyId, hazmat,
    key_files::PemDocument,
    passphrase::{PrivateKey, Scrypt, Whose},
};

use super::{PASSPHRASE, contents};
use crate::common::{
    der::{composite_oid, pem, pkcs8_of, tlv},
    keys::{kem_key, signing_key},
    splicing::Target,
};

const SALT: [u8; 16] = *b"a salt of 16 by.";
const IV: [u8; 16] = *b"an IV of 16 byte";

fn encrypted(content: &[u8]) -> Vec<u8> {
    let randomness = *[SALT, IV].as_flattened().first_chunk().unwrap();
    let scrypt = Scrypt::new(2, 1, 1).unwrap();
    hazmat::encrypted_private_key_info(content, PASSPHRASE, scrypt, &randomness).unwrap()
}

fn everyone(id: KeyId) -> [Whose; 4] {
    let other = KeyId::from_bytes([7; 16]);
    [Whose::Stated, Whose::Key(id), Whose::Key(other), Whose::Unauthenticated]
}

/// The only answers: the key, or the one error.
fn import(label: &str, der: &[u8], whose: Whose) -> Option<PrivateKey> {
    let text = pem(label, der);
    match PrivateKey::import_encrypted(PemDocument::split(&text).unwrap()[0], PASSPHRASE, whose) {
        Ok(key) => Some(key),
        Err(Error::Passphrase) => None,
        Err(other) => panic!("{whose:?}: {other:?}"),
    }
}

fn refused(der: &[u8], id: KeyId) {
    for whose in everyone(id) {
        assert!(import("ENCRYPTED PRIVATE KEY", der, whose).is_none(), "{whose:?}");
    }
}

#[test]
fn every_bit() {
    let signing = signing_key(3);
    let verifying = signing.verifying_key();
    let pkcs8 = signing.to_pkcs8_der().unwrap();
    let public = tlv(0x81, &[&[0], verifying.as_bytes()]);
    let algorithm = tlv(0x30, &[&composite_oid()]);
    let version_2 = pkcs8_of(1, &algorithm, signing.secret_bytes(), &public);
    let kem = kem_key(KemSuite::ML_KEM_1024_P384, 3);
    let kem_id = kem.encapsulation_key().key_id();
    let kem_pkcs8 = kem.to_pkcs8_der().unwrap();
    let old = kem_key(KemSuite::X25519_ML_KEM_1024, 3);
    let standard = "ENCRYPTED PRIVATE KEY";
    for (label, content, id, step) in [
        (standard, contents::of_pkcs8(pkcs8.as_bytes(), verifying.key_id()), verifying.key_id(), 1),
        (standard, pkcs8.as_bytes().to_vec(), verifying.key_id(), 1),
        (standard, version_2, verifying.key_id(), 97),
        (standard, contents::of_pkcs8(kem_pkcs8.as_bytes(), kem_id), kem_id, 1),
        (
            "TWINSEAL ENCRYPTED KEM PRIVATE KEY",
            contents::of_seed(&old),
            old.encapsulation_key().key_id(),
            1,
        ),
    ] {
        let der = encrypted(&content);
        let start = |bytes: &[u8; 16]| der.windows(16).position(|window| window == bytes).unwrap();
        let places = [start(&SALT)..start(&SALT) + 16, start(&IV)..start(&IV) + 16];
        let ciphertext = der.len() - (content.len() / 16 + 1) * 16..der.len();
        let bits = places.into_iter().chain([ciphertext]).flat_map(|at| 8 * at.start..8 * at.end);
        for bit in bits.step_by(step) {
            let mut changed = der.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            for whose in everyone(id) {
                // ML-KEM's z does not show.
                let key = import(label, &changed, whose);
                assert!(key.is_none_or(|key| {
                    key.key_id() == id && whose != everyone(id)[2]
                        || whose == Whose::Unauthenticated
                }));
            }
        }
    }
}

/// The name of the algorithm was in the message.
#[test]
fn blocks_of_the_key_as_algorithm() {
    let key = signing_key(3);
    let id = key.verifying_key().key_id();
    let content = contents::of_pkcs8(key.to_pkcs8_der().unwrap().as_bytes(), id);
    let target = Target::new(&encrypted(&content), IV, &content);
    for file in target.secrets_as_algorithm(&[0, 7, 8, 9], 60) {
        refused(&file, id);
    }
}

#[test]
fn padding() {
    let key = signing_key(3);
    let id = key.verifying_key().key_id();
    let content = contents::of_pkcs8(key.to_pkcs8_der().unwrap().as_bytes(), id);
    let target = Target::new(&encrypted(&content), IV, &content);
    for guess in 0..=255 {
        refused(&target.secret_as_padding(3, guess), id);
    }
}

/// That the key says nothing, and that it is not the expected one, are such oracles as well. Success without
/// authentication is, and shows that these files are what they should be.
#[test]
fn padding_behind_a_complete_key() {
    let key = signing_key(3);
    let id = key.verifying_key().key_id();
    let secret = key.secret_bytes();
    let bare = [&secret[..32], &secret[39..87]].concat();
    let attribute =
        tlv(0x30, &[b"\x06\x03\x55\x04\x03", &tlv(0x31, &[&tlv(0x0c, &[&[b'k'; 40]])])]);
    let algorithm = tlv(0x30, &[&composite_oid()]);
    let content = pkcs8_of(0, &algorithm, &bare, &tlv(0xa0, &[&attribute]));
    let target = Target::new(&encrypted(&content), IV, &content);
    for guess in 0..=255 {
        let file = target.secret_as_padding_of_a_key(3, guess);
        for whose in everyone(id) {
            let key = import("ENCRYPTED PRIVATE KEY", &file, whose);
            let succeeds = whose == Whose::Unauthenticated && target.is_right(3, guess);
            assert_eq!(key.is_some(), succeeds, "{guess}, {whose:?}");
        }
    }
}
