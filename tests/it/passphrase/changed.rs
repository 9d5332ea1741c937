//! Is a file refused whichever bit of it was changed, and with one error where only the passphrase could show it?

use std::ops::Range;

use twinseal::{Error, KemSuite, hazmat, key_files::PemDocument, passphrase::PrivateKey};

use super::{PASSPHRASE, contents, little};
use crate::common::{
    der::pem,
    keys::{kem_key, signing_key},
};

const SALT: [u8; 16] = *b"a salt of 16 by.";
const IV: [u8; 16] = *b"an IV of 16 byte";

fn read(label: &str, der: &[u8]) -> Result<PrivateKey, Error> {
    let text = pem(label, der);
    PrivateKey::from_encrypted(PemDocument::split(&text).unwrap()[0], PASSPHRASE)
}

fn place(der: &[u8], bytes: &[u8]) -> Range<usize> {
    let start = der.windows(bytes.len()).position(|window| window == bytes).unwrap();
    start..start + bytes.len()
}

/// Every bit of the structure, except bits of the ciphertext that are known not to show.
fn every_bit(label: &str, content: &[u8], hidden: Range<usize>) {
    let randomness = *[SALT, IV].as_flattened().first_chunk().unwrap();
    let der = hazmat::encrypted_private_key_info(content, PASSPHRASE, little(), &randomness);
    let der = der.unwrap();
    let key = read(label, &der).unwrap();
    let ciphertext = der.len() - (content.len() / 16 + 1) * 16..der.len();
    let hidden = ciphertext.start + hidden.start..ciphertext.start + hidden.end;
    let unstructured = [place(&der, &SALT), place(&der, &IV), ciphertext];
    for bit in 0..8 * der.len() {
        let mut changed = der.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        match read(label, &changed) {
            Ok(same) if hidden.contains(&(bit / 8)) => assert_eq!(same.key_id(), key.key_id()),
            Err(Error::Passphrase) if !hidden.contains(&(bit / 8)) => {}
            Err(_) if !unstructured.iter().any(|range| range.contains(&(bit / 8))) => {}
            other => panic!("bit {bit} of {:?}: {other:?}", key.key_id()),
        }
    }
}

#[test]
fn kem_keys() {
    let key = kem_key(KemSuite::X25519_ML_KEM_1024, 3);
    every_bit("TWINSEAL ENCRYPTED KEM PRIVATE KEY", &contents::of_seed(&key), 0..0);
    let key = kem_key(KemSuite::ML_KEM_1024_P384, 3);
    let pkcs8 = key.to_pkcs8_der().unwrap();
    let id = key.encapsulation_key().key_id();
    // ML-KEM's z, which no public key depends on, fills the block from byte 64 on and five bytes of the next.
    let content = contents::of_pkcs8(pkcs8.as_bytes(), id);
    every_bit("ENCRYPTED PRIVATE KEY", &content, 64..69);
}

#[test]
fn signing_keys() {
    let key = signing_key(3);
    let pkcs8 = key.to_pkcs8_der().unwrap();
    let id = key.verifying_key().key_id();
    every_bit("ENCRYPTED PRIVATE KEY", &contents::of_pkcs8(pkcs8.as_bytes(), id), 0..0);
}

#[test]
fn truncated() {
    let text = signing_key(3).to_encrypted_pem_with(PASSPHRASE, little()).unwrap();
    let der = PemDocument::split(&text).unwrap()[0].decode().unwrap();
    for length in 0..der.len() {
        let error = read("ENCRYPTED PRIVATE KEY", &der[..length]).unwrap_err();
        assert_ne!(error, Error::Passphrase, "the structure shows it");
    }
}
