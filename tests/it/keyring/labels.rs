//! Does a ring hold keys under several labels, and refuse keys of the other kind under the same label?

use std::fs;

use twinseal::{Error, Keyring, Recipients, SigningKey, VerifyingKeyring};

use super::{CTX, key, other_suite};

#[test]
fn a_ring_of_both_suites_in_a_bundle_and_in_a_directory() {
    let mut ring = Keyring::new(key(1));
    ring.rotate(other_suite(2)).unwrap();
    let bundle = ring.to_pem().unwrap();
    let labels = ["-----BEGIN PRIVATE KEY-----", "-----BEGIN TWINSEAL KEM PRIVATE KEY-----"];
    let found = bundle.as_str().lines().filter(|line| line.starts_with("-----BEGIN"));
    assert!(found.eq(labels));
    let read = Keyring::from_pem(bundle.as_str()).unwrap();
    assert!(read.keys().eq(ring.keys()));

    let directory = tempfile::tempdir().unwrap();
    other_suite(2).write_pem_file(directory.path().join("primary.pem")).unwrap();
    key(1).write_pem_file(directory.path().join("older.pem")).unwrap();
    let read = Keyring::read_dir(&directory).unwrap();
    assert!(read.keys().eq(ring.keys()));
    for recipient in ring.keys() {
        let sealed = recipient.seal(CTX, b"hello").unwrap();
        assert_eq!(&read.open(CTX, &sealed).unwrap()[..], b"hello");
    }
}

/// The object identifier tells them apart.
#[test]
fn keys_of_the_other_kind_are_refused() {
    let (kem, sign) = (other_suite(3), SigningKey::generate().unwrap());
    let is_another = |error: &Error, expected: &str| matches!(error, Error::Algorithm { oid, .. } if oid == expected);
    let (sealing, signing) = ("1.3.6.1.5.5.7.6.63", "1.3.6.1.5.5.7.6.49");

    let bundle = format!("{}{}", kem.to_pem().as_str(), sign.to_pem().as_str());
    assert!(is_another(&Keyring::from_pem(&bundle).unwrap_err(), signing));
    let (to, from) = (kem.encapsulation_key().to_pem(), sign.verifying_key().to_pem());
    let list = format!("{to}{from}");
    assert!(is_another(&Recipients::from_pem(&list).unwrap_err(), signing));
    assert!(is_another(&VerifyingKeyring::from_pem(&list).unwrap_err(), sealing));

    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("alice.pem"), from).unwrap();
    assert_eq!(VerifyingKeyring::read_dir(&directory).unwrap().keys().count(), 1);
    fs::write(directory.path().join("bob.pem"), to).unwrap();
    let error = VerifyingKeyring::read_dir(&directory).unwrap_err();
    assert!(is_another(Error::inside(&error).unwrap(), sealing));
    assert!(error.to_string().contains("bob.pem: "), "{error}");
}
