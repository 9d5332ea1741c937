//! Are keys under a passphrase wiped, and what decrypts them, also with a wrong passphrase?

use std::fs;

use pkcs5::scrypt;
use twinseal::{
    DecapsulationKey, Error, SigningKey,
    key_files::PemDocument,
    passphrase::{PrivateKey, Scrypt, Whose},
};

use crate::{
    allocator::Secrets,
    cases::{SignCase, kem_cases, secret},
};

/// Binary: a passphrase is bytes.
fn passphrase() -> &'static [u8; 40] {
    secret("passphrase")
}

fn little() -> Scrypt {
    Scrypt::new(1 << 4, 8, 1).unwrap()
}

/// The passphrase, and the AES key that it gives for a file.
fn add_passphrase(secrets: &mut Secrets, file: &str) {
    secrets.add("passphrase", passphrase());
    let der = PemDocument::split(file).unwrap()[0].decode().unwrap();
    // The object identifier of scrypt, a SEQUENCE of its parameters, and the salt in it.
    let oid = [0x2b, 6, 1, 4, 1, 0xda, 0x47, 4, 0x0b];
    let start = der.windows(oid.len()).position(|window| window == oid).unwrap() + oid.len();
    let parameters = &der[start + 2..];
    assert_eq!(parameters[..2], [0x04, 16]);
    let mut key = [0; 32];
    let cost = scrypt::Params::new(4, 8, 1).unwrap();
    scrypt::scrypt(passphrase(), &parameters[2..18], &cost, &mut key).unwrap();
    secrets.add("key under the passphrase", &key);
}

/// With a bit changed in each block of its last 64 bytes.
fn changed(text: &str) -> Vec<&'static str> {
    let document = PemDocument::split(text).unwrap()[0];
    let der = document.decode().unwrap();
    let change = |block: usize| {
        let mut changed = der.to_vec();
        let index = changed.len() - 16 * block;
        changed[index] ^= 1;
        &*crate::common::der::pem(document.label(), &changed).leak()
    };
    (1..5).map(change).collect()
}

#[test]
fn kem_keys() {
    for (mut case, provider) in kem_cases() {
        let text: &str = case.key().to_encrypted_pem_with(passphrase(), little()).unwrap().leak();
        add_passphrase(&mut case.secrets, text);
        let changed = changed(text);
        let directory = tempfile::tempdir().unwrap().keep();
        let file = directory.join("key.pem");
        fs::write(&file, text).unwrap();
        case.secrets.assert_not_leaked_by(|| {
            let key = case.key().on(provider).unwrap();
            drop(key.to_encrypted_pem_with(passphrase(), little()).unwrap());
            drop(DecapsulationKey::from_encrypted_pem(text, passphrase()).unwrap());
            drop(DecapsulationKey::read_encrypted_pem_file(&file, passphrase()).unwrap());
            drop(
                DecapsulationKey::import_encrypted_pem(text, passphrase(), Whose::Stated).unwrap(),
            );
            let document = PemDocument::split(text).unwrap()[0];
            drop(PrivateKey::from_encrypted(document, passphrase()).unwrap());
            assert!(SigningKey::from_encrypted_pem(text, passphrase()).is_err(), "another kind");
            assert!(DecapsulationKey::from_pem(text).is_err(), "it is encrypted");
            for wrong in [&passphrase()[1..], b"another"] {
                let result = DecapsulationKey::from_encrypted_pem(text, wrong);
                assert!(matches!(result, Err(Error::Passphrase)));
            }
            for text in changed {
                assert!(DecapsulationKey::from_encrypted_pem(text, passphrase()).is_err());
            }
        });
        fs::remove_dir_all(directory).unwrap();
    }
}

#[test]
fn signing_keys() {
    let mut case = SignCase::new();
    let text: &str = case.key().to_encrypted_pem_with(passphrase(), little()).unwrap().leak();
    add_passphrase(&mut case.secrets, text);
    let changed = changed(text);
    case.secrets.assert_not_leaked_by(|| {
        drop(case.key().to_encrypted_pem_with(passphrase(), little()).unwrap());
        drop(SigningKey::from_encrypted_pem(text, passphrase()).unwrap());
        drop(SigningKey::import_encrypted_pem(text, passphrase(), Whose::Stated).unwrap());
        assert!(DecapsulationKey::from_encrypted_pem(text, passphrase()).is_err(), "another kind");
        assert!(SigningKey::from_encrypted_pem(text, b"another").is_err());
        for text in changed {
            assert!(SigningKey::from_encrypted_pem(text, passphrase()).is_err());
        }
    });
}
