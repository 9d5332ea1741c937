//! Private keys under a passphrase.

use std::sync::LazyLock;

use twinseal::{
    DecapsulationKey, SigningKey, hazmat,
    key_files::PemDocument,
    passphrase::{PrivateKey, Scrypt, Whose},
};

use super::{
    people::{ALICE, P384, X25519, bob},
    script::{Object, Script, first_inside},
};
use crate::common::der::{pem, tlv};

const PASSPHRASE: &str = "correct horse battery staple";
const LABELS: [&str; 2] = ["TWINSEAL ENCRYPTED KEM PRIVATE KEY", "ENCRYPTED PRIVATE KEY"];

fn least() -> Scrypt {
    Scrypt::new(2, 1, 1).unwrap()
}

fn encrypted(content: &[u8]) -> Vec<u8> {
    hazmat::encrypted_private_key_info(content, PASSPHRASE, least(), &[9; 32]).unwrap()
}

/// What is encrypted: of the default suite, and of both that have PKCS#8.
static CONTENTS: LazyLock<Vec<Object>> = LazyLock::new(|| {
    let kem = &bob(X25519)[0];
    let id = kem.encapsulation_key().key_id();
    let of_pkcs8 = |key: &[u8], id: &[u8]| {
        let (_, elements) = key.split_at(if key[1] < 0x80 { 2 } else { 3 });
        let oid = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x09\x15";
        let attributes = tlv(0xa0, &[&tlv(0x30, &[oid, &tlv(0x31, &[&tlv(0x04, &[id])])])]);
        Object::of_der(tlv(0x30, &[elements, &attributes]))
    };
    let p384 = &bob(P384)[0];
    let kem_id = p384.encapsulation_key().key_id();
    let sign_id = ALICE.verifying_key().key_id();
    vec![
        Object::of_fields(&[&kem.suite().id().to_be_bytes(), kem.seed().unwrap(), id.as_bytes()]),
        of_pkcs8(p384.to_pkcs8_der().unwrap().as_bytes(), kem_id.as_bytes()),
        of_pkcs8(ALICE.to_pkcs8_der().unwrap().as_bytes(), sign_id.as_bytes()),
    ]
});

fn read(label: &str, der: &[u8]) {
    let text = pem(label, der);
    let document = PemDocument::split(&text).unwrap()[0];
    if let Ok(key) = PrivateKey::from_encrypted(document, PASSPHRASE) {
        // It says whose it is: a changed file is none, or holds a key that is whole.
        let pem = match &key {
            PrivateKey::Decapsulation(key) => key.to_encrypted_pem_with(PASSPHRASE, least()),
            PrivateKey::Signing(key) => key.to_encrypted_pem_with(PASSPHRASE, least()),
            _ => return,
        };
        let pem = pem.unwrap();
        let again = PemDocument::split(&pem).unwrap()[0];
        let again = PrivateKey::from_encrypted(again, PASSPHRASE).unwrap();
        assert_eq!(again.key_id(), key.key_id());
    }
}

/// Whether guesses take long, although within bounds: of all numbers in the algorithm.
fn is_expensive(algorithm: &[u8]) -> bool {
    let numbers = algorithm.windows(6).filter_map(|window| match window {
        [0x02, length @ 1..=4, digits @ ..] => {
            let digits = &digits[..usize::from(*length)];
            Some(digits.iter().fold(0, |number: u64, digit| number << 8 | u64::from(*digit)))
        }
        _ => None,
    });
    numbers.fold(1, |product: u64, number| product.saturating_mul(number.max(1))) > 1 << 14
}

/// The file is changed. Its cost stays low, or is refused.
pub fn encrypted_key(data: &[u8]) {
    static FILES: LazyLock<Vec<Object>> = LazyLock::new(|| {
        CONTENTS.iter().map(|content| Object::of_der(encrypted(&content.bytes))).collect()
    });
    let mut script = Script::new(data);
    let label = *script.one_of(&LABELS);
    let der = script.changed(&FILES);
    if first_inside(&der).is_some_and(is_expensive) {
        return;
    }
    read(label, &der);
    for whose in [Whose::Stated, Whose::Key(ALICE.verifying_key().key_id()), Whose::Unauthenticated]
    {
        let text = pem(LABELS[1], &der);
        let _ = SigningKey::import_encrypted_pem(&text, PASSPHRASE, whose);
        let _ = DecapsulationKey::import_encrypted_pem(&text, PASSPHRASE, whose);
    }
}

/// What is encrypted is changed.
pub fn encrypted_content(data: &[u8]) {
    let mut script = Script::new(data);
    let label = *script.one_of(&LABELS);
    let content = script.changed(&CONTENTS);
    let der = encrypted(&content);
    read(label, &der);
    let _ = PrivateKey::import_encrypted_der(&der, PASSPHRASE, Whose::Stated);
}
