//! PEM, PKCS#8, SubjectPublicKeyInfo, and bundles of keys.

use std::sync::LazyLock;

use twinseal::{
    DecapsulationKey, EncapsulationKey, Keyring, Recipients, SigningKey, VerifyingKey,
    VerifyingKeyring, key_files::PemDocument,
};

use super::{
    people::{ALICE, P384, X25519, bob, on_all},
    script::{Object, Script},
};
use crate::common::{
    der,
    keys::{kem_key, signing_key},
};

pub(super) const PEM_WORDS: &[&[u8]] = &[
    b"\n",
    b"\r\n",
    b"\r",
    b"-",
    b"=",
    b"==",
    b" ",
    b"\t",
    b"-----BEGIN ",
    b"-----END ",
    b"-----",
    b"PUBLIC KEY",
    b"PRIVATE KEY",
    b"TWINSEAL KEM PUBLIC KEY",
    b"TWINSEAL KEM PRIVATE KEY",
    b"ENCRYPTED PRIVATE KEY",
    b"TWINSEAL ENCRYPTED KEM PRIVATE KEY",
    b"CERTIFICATE",
    b"EC PRIVATE KEY",
    b"\xef\xbb\xbf",
    b"\xc2\xa0",
    b"\0",
    b"Proc-Type: 4,ENCRYPTED\n",
    b"-----BEGIN PUBLIC KEY-----\n",
    b"-----END PUBLIC KEY-----\n",
    b"\x0c",
];

fn text(text: impl Into<String>) -> Object {
    Object::of_text(text, PEM_WORDS)
}

/// The PEM of every kind of key, private ones first.
pub(super) fn pems() -> Vec<String> {
    let mut pems = Vec::new();
    for suite in [X25519, P384] {
        pems.push(bob(suite)[0].to_pem().as_str().to_owned());
    }
    pems.push(ALICE.to_pem().as_str().to_owned());
    for suite in [X25519, P384] {
        pems.push(bob(suite)[0].encapsulation_key().to_pem());
    }
    pems.push(ALICE.verifying_key().to_pem());
    pems
}

/// What is split is part of the text, and what is decoded is what was encoded.
pub fn pem(data: &[u8]) {
    static TEXTS: LazyLock<Vec<Object>> = LazyLock::new(|| {
        let short = |label: &str, content: &[u8]| text(der::pem(label, content));
        vec![
            short("PUBLIC KEY", b"hello"),
            short("TWINSEAL KEM PRIVATE KEY", &[7; 50]),
            short("ENCRYPTED PRIVATE KEY", &[7; 48]),
            text(
                der::pem("CERTIFICATE", &[1; 96])
                    + "text between\n"
                    + &der::pem("PUBLIC KEY", &[2; 64]),
            ),
            text(
                "text before\r\n".to_owned()
                    + &der::pem("PRIVATE KEY", &[3; 10]).replace('\n', "\r\n"),
            ),
        ]
    });
    let bytes = Script::new(data).changed(&TEXTS);
    let Ok(text) = str::from_utf8(&bytes) else { return };
    let Ok(documents) = PemDocument::split(text) else { return };
    let lines = text.split(['\n', '\r']).count();
    for document in documents {
        assert!(text.contains(document.body()) && document.line() <= lines);
        assert!(text.contains(document.label()) && !document.body().contains("-----"));
        if let Ok(content) = document.decode() {
            let again = der::pem("PUBLIC KEY", &content);
            let again = PemDocument::split(&again).unwrap();
            assert_eq!(again[0].decode().unwrap()[..], content[..]);
        }
    }
}

/// A key from PEM is written as PEM from which it is read again.
pub fn pem_key(data: &[u8]) {
    static TEXTS: LazyLock<Vec<Object>> = LazyLock::new(|| pems().into_iter().map(text).collect());
    let bytes = Script::new(data).changed(&TEXTS);
    let Ok(text) = str::from_utf8(&bytes) else { return };
    let is_private = text.contains("PRIVATE");
    if let Ok(key) = EncapsulationKey::from_pem(text) {
        assert!(!is_private || text.contains("PUBLIC"));
        assert_eq!(EncapsulationKey::from_pem(&key.to_pem()).unwrap(), key);
    }
    if let Ok(key) = VerifyingKey::from_pem(text) {
        assert_eq!(VerifyingKey::from_pem(&key.to_pem()).unwrap(), key);
    }
    if let Ok(key) = DecapsulationKey::from_pem(text) {
        assert!(is_private);
        let again = DecapsulationKey::from_pem(key.to_pem().as_str()).unwrap();
        assert_eq!(again.encapsulation_key(), key.encapsulation_key());
    }
    if let Ok(key) = SigningKey::from_pem(text) {
        assert!(is_private);
        let again = SigningKey::from_pem(key.to_pem().as_str()).unwrap();
        assert_eq!(again.secret_bytes(), key.secret_bytes());
    }
}

/// A bundle that is read is written and read again with the same keys.
pub fn bundle(data: &[u8]) {
    static TEXTS: LazyLock<Vec<Object>> = LazyLock::new(|| {
        let pems = pems();
        let others =
            [kem_key(X25519, 5).to_pem().as_str(), kem_key(P384, 6).to_pem().as_str()].concat();
        let verifying = [7, 8].map(|number| signing_key(number).verifying_key().to_pem()).concat();
        vec![
            text(pems[0].clone() + &pems[1]),
            text(pems[0].clone() + &pems[1] + &others),
            text(pems[3].clone() + &pems[4]),
            text(pems[5].clone()),
            text(pems[5].clone() + &verifying),
        ]
    });
    let bytes = Script::new(data).changed(&TEXTS);
    let Ok(text) = str::from_utf8(&bytes) else { return };
    if let Ok(ring) = Keyring::from_pem(text) {
        let pem = ring.to_pem().unwrap();
        assert_eq!(
            Keyring::from_pem(pem.as_str()).unwrap().to_pem().unwrap().as_str(),
            pem.as_str()
        );
    }
    if let Ok(ring) = VerifyingKeyring::from_pem(text) {
        assert_eq!(VerifyingKeyring::from_pem(&ring.to_pem()).unwrap().to_pem(), ring.to_pem());
    }
    let _ = Recipients::from_pem(text);
}

/// PKCS#8 has one encoding of each key, and all providers make the same key of it.
pub fn pkcs8(data: &[u8]) {
    static KEYS: LazyLock<Vec<Object>> = LazyLock::new(|| {
        let (kem, sign) = (bob(P384)[0].to_pkcs8_der().unwrap(), ALICE.to_pkcs8_der().unwrap());
        vec![Object::of_der(kem.as_bytes()), Object::of_der(sign.as_bytes())]
    });
    let der = Script::new(data).changed(&KEYS);
    if let Ok(key) = DecapsulationKey::from_pkcs8_der(&der) {
        assert_eq!(key.to_pkcs8_der().unwrap().as_bytes(), der);
        on_all(|index| {
            let key = DecapsulationKey::from_pkcs8_der(&der).unwrap();
            key.on(super::people::ALL[index]).map(|key| key.encapsulation_key().clone())
        })
        .unwrap();
    }
    if let Ok(key) = SigningKey::from_pkcs8_der(&der) {
        assert_eq!(key.to_pkcs8_der().unwrap().as_bytes(), der);
        on_all(|index| {
            let key = SigningKey::from_pkcs8_der(&der).unwrap();
            key.on(super::people::ALL[index]).map(|key| key.verifying_key().clone())
        })
        .unwrap();
    }
}

/// SubjectPublicKeyInfo has one encoding of each key, too.
pub fn spki(data: &[u8]) {
    static KEYS: LazyLock<Vec<Object>> = LazyLock::new(|| {
        let (kem, sign) =
            (bob(P384)[0].encapsulation_key().to_spki_der(), ALICE.verifying_key().to_spki_der());
        vec![Object::of_der(kem.unwrap()), Object::of_der(sign.unwrap())]
    });
    let der = Script::new(data).changed(&KEYS);
    if let Ok(key) = EncapsulationKey::from_spki_der(&der) {
        assert_eq!(key.to_spki_der().unwrap(), der);
    }
    if let Ok(key) = VerifyingKey::from_spki_der(&der) {
        assert_eq!(key.to_spki_der().unwrap(), der);
    }
}
