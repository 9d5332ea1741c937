//! Which encrypted keys of other software are imported, and who says whose they are?

use twinseal::{
    DecapsulationKey, Error, KemSuite, KeyId, SigningKey,
    key_files::PemDocument,
    passphrase::{PrivateKey, Whose},
};

use super::PASSPHRASE;
use crate::common::errors::{invalid, outcome};

/// Encrypted by other software, each in another way.
const FOREIGN: &str = include_str!("../../vectors/encrypted-keys.pem");

/// Of the signing key of VECTORS.md.
const ID: &str = "f6a7231af3b8f3e5bccca6a494a82f06";

#[test]
fn keys_of_other_software() {
    let documents = PemDocument::split(FOREIGN).unwrap();
    let id: KeyId = ID.parse().unwrap();
    let other = KeyId::from_bytes([7; 16]);
    let (ok, refused) = ("Ok".to_string(), format!("{:?}", Error::Passphrase));
    // With `Stated`, with its own id, with another one, with `Unauthenticated`.
    let table = [
        ("no id", [&refused, &ok, &refused, &ok]),
        ("an id of another length", [&refused, &ok, &refused, &ok]),
        ("its id", [&ok, &ok, &refused, &ok]),
        ("another's id", [&refused, &refused, &refused, &refused]),
    ];
    let (hybrid, openssl) = documents.split_at(table.len());
    assert_eq!(openssl.len(), 2);
    for document in openssl {
        // Keys of an algorithm that is not read here.
        let found = PrivateKey::import_encrypted(*document, PASSPHRASE, Whose::Unauthenticated);
        assert_eq!(outcome(found), refused);
    }
    for (&document, (states, expected)) in hybrid.iter().zip(table) {
        let whose = [Whose::Stated, Whose::Key(id), Whose::Key(other), Whose::Unauthenticated];
        for (whose, expected) in whose.into_iter().zip(expected) {
            let key = PrivateKey::import_encrypted(document, PASSPHRASE, whose);
            if let Ok(key) = &key {
                assert_eq!(key.key_id(), id);
            }
            assert_eq!(&outcome(key), expected, "{states}, {whose:?}");
        }
        let wrong = PrivateKey::import_encrypted(document, "wrong", Whose::Unauthenticated);
        assert_eq!(outcome(wrong), refused, "{states}");
        let canonical = PrivateKey::from_encrypted(document, PASSPHRASE);
        let foreign = "it is not encrypted as this crate does it; import_encrypted_pem reads it";
        assert_eq!(outcome(canonical), invalid("encrypted private key", foreign), "{states}");
    }
}

/// The wrong passphrase whose padding happens to be right is not reported as another structure: among a
/// thousand there are about four.
#[test]
fn wrong_passphrases() {
    let document = PemDocument::split(FOREIGN).unwrap()[3];
    for number in 0..1000 {
        let found = PrivateKey::import_encrypted(document, number.to_string(), Whose::Stated);
        assert_eq!(found.unwrap_err(), Error::Passphrase, "{number}");
    }
}

#[test]
fn keys_of_this_crate() {
    for suite in [KemSuite::X25519_ML_KEM_1024, KemSuite::ML_KEM_1024_P384] {
        let key = DecapsulationKey::generate_for(suite).unwrap();
        let pem = key.to_encrypted_pem_with(PASSPHRASE, super::little()).unwrap();
        let same = DecapsulationKey::import_encrypted_pem(&pem, PASSPHRASE, Whose::Stated).unwrap();
        assert_eq!(same.to_pem().as_str(), key.to_pem().as_str());
        let other = Whose::Key(KeyId::from_bytes([7; 16]));
        let found = DecapsulationKey::import_encrypted_pem(&pem, PASSPHRASE, other);
        assert_eq!(found.unwrap_err(), Error::Passphrase);
        let own = Whose::Key(key.encapsulation_key().key_id());
        DecapsulationKey::import_encrypted_pem(&pem, PASSPHRASE, own).unwrap();
    }
    let key = DecapsulationKey::generate_for(KemSuite::ML_KEM_1024_P384).unwrap();
    let pem = key.to_encrypted_pem_with(PASSPHRASE, super::little()).unwrap();
    let found = SigningKey::import_encrypted_pem(&pem, PASSPHRASE, Whose::Unauthenticated);
    assert_eq!(found.unwrap_err(), Error::Passphrase);
    let key = SigningKey::generate().unwrap();
    let pem = key.to_encrypted_pem_with(PASSPHRASE, super::little()).unwrap();
    let found = DecapsulationKey::import_encrypted_pem(&pem, PASSPHRASE, Whose::Unauthenticated);
    assert_eq!(found.unwrap_err(), Error::Passphrase);
    let plain = key.to_pem();
    let found = SigningKey::import_encrypted_pem(plain.as_str(), PASSPHRASE, Whose::Stated);
    assert!(matches!(found, Err(Error::PemLabel { .. })), "{found:?}");
}

/// The public key inside says whose key it is; what is redundant is compared as without encryption.
#[cfg(feature = "hazmat")]
#[test]
fn contents_of_other_software() {
    use twinseal::hazmat;

    use crate::common::{
        der::{composite_oid, pkcs8, pkcs8_of, tlv},
        keys::signing_key,
    };

    let import = |content: &[u8], whose| {
        let der =
            hazmat::encrypted_private_key_info(content, PASSPHRASE, super::little(), &[9; 32]);
        PrivateKey::import_encrypted_der(&der.unwrap(), PASSPHRASE, whose)
    };
    let key = signing_key(4);
    let algorithm = tlv(0x30, &[&composite_oid()]);
    let version_2 = |public: &SigningKey| {
        let public = tlv(0x81, &[&[0], public.verifying_key().as_bytes()]);
        pkcs8_of(1, &algorithm, key.secret_bytes(), &public)
    };
    let imported = import(&version_2(&key), Whose::Stated).unwrap();
    assert_eq!(imported.key_id(), key.verifying_key().key_id());

    let others = import(&version_2(&signing_key(5)), Whose::Unauthenticated);
    assert_eq!(others.unwrap_err(), Error::Passphrase);
    let rsa = tlv(0x06, &[b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01"]);
    let rsa = import(&pkcs8(&rsa, &[7; 100]), Whose::Stated);
    assert_eq!(rsa.unwrap_err(), Error::Passphrase);
    let nothing = import(b"not PKCS#8", Whose::Unauthenticated);
    assert_eq!(nothing.unwrap_err(), Error::Passphrase);
}
