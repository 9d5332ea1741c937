//! Are keys wiped after their files were read or written, also when a file is refused?

use std::fs;

use twinseal::{DecapsulationKey, KemSuite, SigningKey};

use crate::{
    cases::{KemCase, SignCase},
    common::{der::pem, keys::P384, providers::PROVIDERS},
};

#[test]
fn kem_key_files() {
    for case in KemSuite::ALL.iter().copied().map(KemCase::new) {
        let directory = temporary_directory();
        let file = directory.join("key.pem");
        let missing = directory.join("missing").join("key.pem");
        let text: &'static str = case.key().to_pem().as_str().to_string().leak();
        let broken: &'static str = text.replace("-----END", "=----END").leak();
        let other_label: &'static str = text.replace("PRIVATE", "SECRET").leak();
        let long = [&[0, 1], &case.seed[..], &[0]].concat();
        let long: &'static str = pem("TWINSEAL KEM PRIVATE KEY", &long).leak();
        // Suite 0x0051 has another form.
        let old = [&[0, 0x51], &case.seed[..]].concat();
        let old: &'static str = pem("TWINSEAL KEM PRIVATE KEY", &old).leak();
        case.secrets.assert_not_leaked_by(|| {
            let key = case.key();
            let pem = key.to_pem();
            drop(format!("{pem:?}"));
            drop(DecapsulationKey::from_pem(pem.as_str()).unwrap());
            key.write_pem_file(&file).unwrap();
            assert!(key.write_pem_file(&file).is_err(), "it exists");
            assert!(key.write_pem_file(&missing).is_err(), "no such directory");
            drop(DecapsulationKey::read_pem_file(&file).unwrap());
            assert!(SigningKey::read_pem_file(&file).is_err(), "another label");
            for wrong in [broken, other_label, long, old] {
                assert!(DecapsulationKey::from_pem(wrong).is_err());
            }
        });
        fs::remove_dir_all(directory).unwrap();
    }
}

/// A key that has no seed, since its file has none.
#[test]
fn kem_keys_in_their_standard_form() {
    let case = KemCase::new(P384);
    let der: &'static [u8] = case.key().to_pkcs8_der().unwrap().as_bytes().to_vec().leak();
    let [long, extended] = not_canonical(der);
    let without_scalar: &'static [u8] = {
        let mut changed = der.to_vec();
        let end = changed.len() - 9;
        changed[end - 48..end].fill(0);
        changed.leak()
    };
    for provider in *PROVIDERS {
        case.secrets.assert_not_leaked_by(|| {
            let key = DecapsulationKey::from_pkcs8_der(der).unwrap().on(provider).unwrap();
            assert!(key.seed().is_none());
            drop(format!("{key:?}"));
            drop(key.to_pkcs8_der().unwrap());
            drop(key.to_pem());
            drop(key.decapsulate(&case.ciphertext).unwrap());
            drop(key);
            for wrong in [long, extended, without_scalar, &der[1..]] {
                assert!(DecapsulationKey::from_pkcs8_der(wrong).is_err());
            }
            assert!(SigningKey::from_pkcs8_der(der).is_err(), "another algorithm");
        });
    }
}

/// With a byte behind it; and with attributes behind the key, which are parsed, then refused because we
/// would not write it so.
fn not_canonical(der: &[u8]) -> [&'static [u8]; 2] {
    let long = [der, &[0]].concat();
    let mut extended = [der, &[0xa0, 0]].concat();
    let length = if der[1] < 0x80 { 1 } else { 2 };
    extended[length] += 2;
    [long.leak(), extended.leak()]
}

fn temporary_directory() -> std::path::PathBuf {
    tempfile::tempdir().unwrap().keep()
}

#[test]
fn signing_key_files() {
    let case = SignCase::new();
    let directory = temporary_directory();
    let file = directory.join("key.pem");
    let key = case.key();
    let text: &'static str = key.to_pem().as_str().to_string().leak();
    let der: &'static [u8] = key.to_pkcs8_der().unwrap().as_bytes().to_vec().leak();
    let [long, extended] = not_canonical(der);
    let other_label: &'static str = text.replace("PRIVATE", "SECRET").leak();
    case.secrets.assert_not_leaked_by(|| {
        let key = case.key();
        let pem = key.to_pem();
        drop(format!("{pem:?}"));
        drop(SigningKey::from_pem(pem.as_str()).unwrap());
        drop(SigningKey::from_pkcs8_der(key.to_pkcs8_der().unwrap().as_bytes()).unwrap());
        key.write_pem_file(&file).unwrap();
        assert!(key.write_pem_file(&file).is_err(), "it exists");
        drop(SigningKey::read_pem_file(&file).unwrap());
        assert!(DecapsulationKey::read_pem_file(&file).is_err());
        assert!(SigningKey::from_pem(other_label).is_err());
        assert!(SigningKey::from_pkcs8_der(long).is_err());
        assert!(SigningKey::from_pkcs8_der(extended).is_err());
    });
    fs::remove_dir_all(directory).unwrap();
}

/// Files that are not text, or too long, are read, refused and wiped.
#[test]
fn key_files_that_are_refused() {
    let case = KemCase::new(P384);
    let directory = temporary_directory();
    let [binary, long] = ["binary", "long"].map(|name| directory.join(name));
    fs::write(&binary, [&[0xff], &case.seed[..]].concat()).unwrap();
    let pem = case.key().to_pem();
    fs::write(&long, [pem.as_str(), &"\n".repeat(5_000_000)].concat()).unwrap();
    case.secrets.assert_not_leaked_by(|| {
        assert!(DecapsulationKey::read_pem_file(&binary).is_err());
        assert!(DecapsulationKey::read_pem_file(&long).is_err());
    });
    fs::remove_dir_all(directory).unwrap();
}
