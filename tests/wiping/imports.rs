//! Are keys of other software wiped after they were imported, in each form, also when they are refused?

use ml_kem::DecapsulationKey1024;
use twinseal::{DecapsulationKey, Sign, SigningKey};

use crate::{
    cases::{KemCase, SignCase},
    common::{
        der::{composite_oid, kem_oid, pem, pkcs8_of, tlv},
        keys::{COMPOSITE, CTX, P384},
        providers::PROVIDERS,
    },
};

/// Both forms of a half: what is redundant in it is computed and compared.
fn both(seed: &[u8], expanded: &[u8]) -> Vec<u8> {
    tlv(0x30, &[&tlv(0x04, &[seed]), &tlv(0x04, &[expanded])])
}

/// PKCS#8 of version 2 with a public key.
fn with_public_key(oid: &[u8], private: &[u8], public: &[u8]) -> &'static [u8] {
    let public = tlv(0x81, &[&[0], public]);
    pkcs8_of(1, &tlv(0x30, &[oid]), private, &public).leak()
}

/// With another last byte: the scalar is another, and its public key is not the one that is stated.
fn changed(bytes: &[u8]) -> Vec<u8> {
    let mut changed = bytes.to_vec();
    *changed.last_mut().unwrap() ^= 1;
    changed
}

#[test]
fn kem_keys() {
    for provider in *PROVIDERS {
        let mut case = KemCase::new(P384);
        let key = case.key();
        let public = key.encapsulation_key().as_bytes();
        let der = key.to_pkcs8_der().unwrap();
        let (seed, ec_private_key) = der.as_bytes()[der.as_bytes().len() - 128..].split_at(64);
        let scalar = &ec_private_key[7..55];
        let expanded = DecapsulationKey1024::from_seed(seed.try_into().unwrap());
        #[expect(deprecated, reason = "other software writes it")]
        let expanded = ml_kem::ExpandedKeyEncoding::to_expanded_bytes(&expanded);
        case.secrets.add_some("expanded ML-KEM key", &expanded[..1536]);

        let bare: &[u8] = [seed, scalar].concat().leak();
        let redundant: &[u8] = [&both(seed, &expanded), scalar].concat().leak();
        let contradictory: &[u8] = [&both(seed, &changed(&expanded)), scalar].concat().leak();
        let only_expanded: &[u8] = [&expanded[..], scalar].concat().leak();
        let right = with_public_key(&kem_oid(), bare, public);
        let wrong = with_public_key(&kem_oid(), &changed(bare), public);
        let text: &str = pem("PRIVATE KEY", right).leak();
        let old: &str =
            pem("TWINSEAL KEM PRIVATE KEY", &[&[0, 0x51], &case.seed[..]].concat()).leak();
        case.secrets.assert_not_leaked_by(|| {
            drop(DecapsulationKey::import_bytes(P384, bare).unwrap().on(provider).unwrap());
            drop(DecapsulationKey::import_bytes(P384, redundant).unwrap());
            drop(DecapsulationKey::import_der(right).unwrap());
            drop(DecapsulationKey::import_pem(text).unwrap());
            drop(DecapsulationKey::import_pem(old).unwrap());
            for refused in [contradictory, only_expanded] {
                assert!(DecapsulationKey::import_bytes(P384, refused).is_err());
            }
            assert!(DecapsulationKey::import_der(wrong).is_err());
            assert!(DecapsulationKey::import_der(&right[..right.len() - 1]).is_err());
            assert!(SigningKey::import_der(right).is_err(), "another algorithm");
        });
    }
}

#[test]
fn signing_keys() {
    let mut case = SignCase::new();
    let key = case.key();
    let public = key.verifying_key().as_bytes();
    let (seed, scalar) = case.halves.split_at(32);
    let expanded = case.add_expanded();
    let bare: &[u8] = [seed, scalar].concat().leak();
    let redundant: &[u8] = [&both(seed, expanded), scalar].concat().leak();
    let contradictory: &[u8] = [&both(seed, &changed(expanded)), scalar].concat().leak();
    let right = with_public_key(&composite_oid(), bare, public);
    let wrong = with_public_key(&composite_oid(), &changed(bare), public);
    let text: &str = pem("PRIVATE KEY", right).leak();
    case.secrets.assert_not_leaked_by(|| {
        for bytes in [bare, redundant] {
            drop(SigningKey::import_bytes(COMPOSITE, bytes).unwrap());
        }
        drop(SigningKey::import_der(right).unwrap());
        drop(SigningKey::import_pem(text).unwrap());
        assert!(SigningKey::import_bytes(COMPOSITE, contradictory).is_err());
        assert!(SigningKey::import_der(wrong).is_err());
        assert!(SigningKey::import_der(&right[..right.len() - 1]).is_err());
        assert!(SigningKey::import_expanded_der(right).is_err(), "it has its seed");
        assert!(DecapsulationKey::import_der(right).is_err(), "another algorithm");
    });
}

#[test]
fn expanded_signing_keys() {
    let mut case = SignCase::new();
    let (_, scalar) = case.halves.split_at(32);
    let public = case.key().verifying_key().as_bytes().to_vec();
    let expanded = case.add_expanded();
    let bytes: &[u8] = [expanded, scalar].concat().leak();
    let right = with_public_key(&composite_oid(), bytes, &public);
    let wrong = with_public_key(&composite_oid(), &changed(bytes), &public);
    let text: &str = pem("PRIVATE KEY", right).leak();
    // A coefficient of s1 that is too large, and a hash of another public key.
    let [too_large, other_hash] = [128, 64].map(|index| {
        let mut changed = bytes.to_vec();
        changed[index] = !changed[index] | 7;
        &*changed.leak()
    });
    case.secrets.assert_not_leaked_by(|| {
        let key = SigningKey::import_expanded_bytes(COMPOSITE, bytes).unwrap();
        let signature = key.sign(CTX, b"message").unwrap();
        key.verifying_key().verify(CTX, b"message", &signature).unwrap();
        drop(format!("{key:?}"));
        drop(key);
        drop(SigningKey::import_expanded_der(right).unwrap());
        drop(SigningKey::import_expanded_pem(text).unwrap());
        for refused in [too_large, other_hash] {
            assert!(SigningKey::import_expanded_bytes(COMPOSITE, refused).is_err());
        }
        assert!(SigningKey::import_expanded_der(wrong).is_err());
        assert!(SigningKey::import_der(right).is_err(), "it has no seed");
    });
}
