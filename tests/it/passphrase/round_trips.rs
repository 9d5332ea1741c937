//! Is a key that was encrypted the same key again, with the right passphrase and in the right function?

use twinseal::{
    DecapsulationKey, Error, KemSuite, SigningKey, key_files::PemDocument, passphrase::PrivateKey,
};

use super::{PASSPHRASE, little};

#[test]
fn kem_keys() {
    for suite in [KemSuite::X25519_ML_KEM_1024, KemSuite::ML_KEM_1024_P384] {
        let key = DecapsulationKey::generate_for(suite).unwrap();
        let pem = key.to_encrypted_pem_with(PASSPHRASE, little()).unwrap();
        let same = DecapsulationKey::from_encrypted_pem(&pem, PASSPHRASE).unwrap();
        assert_eq!(same.to_pem().as_str(), key.to_pem().as_str());
        let again = key.to_encrypted_pem_with(PASSPHRASE, little()).unwrap();
        assert_ne!(again, pem, "salt and IV are random");

        let wrong = DecapsulationKey::from_encrypted_pem(&pem, "correct horse").unwrap_err();
        assert_eq!(wrong, Error::Passphrase);
        assert_eq!(DecapsulationKey::from_pem(&pem).unwrap_err(), Error::Encrypted);
        let other_kind = SigningKey::from_encrypted_pem(&pem, PASSPHRASE).unwrap_err();
        match suite.oid() {
            Some(oid) => assert!(
                matches!(&other_kind, Error::Algorithm { oid: found, .. } if found == oid),
                "{other_kind}"
            ),
            None => assert!(matches!(other_kind, Error::PemLabel { .. }), "{other_kind}"),
        }
    }
}

#[test]
fn signing_keys() {
    let key = SigningKey::generate().unwrap();
    let pem = key.to_encrypted_pem_with(PASSPHRASE, little()).unwrap();
    let same = SigningKey::from_encrypted_pem(&pem, PASSPHRASE).unwrap();
    assert_eq!(same.to_pem().as_str(), key.to_pem().as_str());
    let wrong = SigningKey::from_encrypted_pem(&pem, "").unwrap_err();
    assert!(matches!(wrong, Error::Misuse { what: "passphrase", .. }), "{wrong}");
    assert_eq!(SigningKey::from_pem(&pem).unwrap_err(), Error::Encrypted);
    let other_kind = DecapsulationKey::from_encrypted_pem(&pem, PASSPHRASE).unwrap_err();
    assert!(matches!(other_kind, Error::Algorithm { .. }), "{other_kind}");
}

#[test]
fn keys_with_the_default_parameters() {
    let key = DecapsulationKey::generate().unwrap();
    let pem = key.to_encrypted_pem(PASSPHRASE).unwrap();
    let same = DecapsulationKey::from_encrypted_pem(&pem, PASSPHRASE).unwrap();
    assert_eq!(same.to_pem().as_str(), key.to_pem().as_str());
    let key = SigningKey::generate().unwrap();
    let pem = key.to_encrypted_pem(PASSPHRASE).unwrap();
    let same = SigningKey::from_encrypted_pem(&pem, PASSPHRASE).unwrap();
    assert_eq!(same.to_pem().as_str(), key.to_pem().as_str());
}

#[test]
fn a_file_of_several() {
    let kem = DecapsulationKey::generate().unwrap();
    let sign = SigningKey::generate().unwrap();
    let file = [
        kem.to_encrypted_pem_with(PASSPHRASE, little()).unwrap(),
        sign.to_encrypted_pem_with(PASSPHRASE, little()).unwrap(),
    ]
    .concat();
    let documents = PemDocument::split(&file).unwrap();
    let ids = documents.iter().map(|document| {
        assert!(document.is_encrypted());
        PrivateKey::from_encrypted(*document, PASSPHRASE).unwrap().key_id()
    });
    let expected = [kem.encapsulation_key().key_id(), sign.verifying_key().key_id()];
    assert!(ids.eq(expected));
}

/// With the parameters that are not named: the only test that takes 128 MiB.
#[test]
fn files() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("key.pem");
    let key = SigningKey::generate().unwrap();
    key.write_encrypted_pem_file(&path, PASSPHRASE).unwrap();
    let same = SigningKey::read_encrypted_pem_file(&path, PASSPHRASE).unwrap();
    assert_eq!(same.verifying_key(), key.verifying_key());
    let error = SigningKey::read_encrypted_pem_file(&path, "").unwrap_err();
    assert!(error.to_string().ends_with("key.pem: invalid passphrase: it is empty"), "{error}");
}
