//! KEM keys, id-MLKEM1024-ECDH-P384-SHA3-256: do they load, and do ciphertexts of others give their secrets?

use twinseal::{DecapsulationKey, Error, kem::Ciphertext, x509::Certificate};

use super::{changed, vectors};
use crate::common::{
    certificates::now,
    errors::outcome,
    keys::{CTX, P384},
    providers::PROVIDERS,
};

/// How the names of each maker's files start.
pub(super) const MAKERS: [&str; 4] = [
    "bc/certs/MLKEM1024-ECDH-P384-SHA3-256-1.3.6.1.5.5.7.6.63",
    "carl-redhound/cms/id-MLKEM1024-ECDH-P384-SHA3-256-1.3.6.1.5.5.7.6.63",
    "composite-kem-ref-impl/certs/id-MLKEM1024-ECDH-P384-SHA3-256-1.3.6.1.5.5.7.6.63",
    "cryptonext/certs/id-MLKEM1024-ECDH-P384-SHA3-256-1.3.6.1.5.5.7.6.63",
];

/// The files of one maker.
struct Files {
    private: Vec<u8>,
    certificate: Vec<u8>,
    ciphertext: Vec<u8>,
    secret: Vec<u8>,
}

impl Files {
    fn of_all() -> Vec<Self> {
        let Some(vectors) = vectors() else { return Vec::new() };
        let files = |maker: &str| Self {
            private: vectors.read(&format!("{maker}_priv.der")),
            certificate: vectors.read(&format!("{maker}_ee.der")),
            ciphertext: vectors.read(&format!("{maker}_ciphertext.bin")),
            secret: vectors.read(&format!("{maker}_ss.bin")),
        };
        MAKERS.map(files).into()
    }

    fn key(&self) -> DecapsulationKey {
        DecapsulationKey::from_pkcs8_der(&self.private).unwrap()
    }
}

#[test]
fn private_keys_are_in_our_form() {
    for files in Files::of_all() {
        let key = files.key();
        assert!(key.seed().is_none());
        assert_eq!(key.to_pkcs8_der().unwrap().as_bytes(), files.private);
    }
}

/// The reference implementation also writes the key without its PKCS#8.
#[test]
fn a_bare_private_key_is_the_same_key() {
    let Some(vectors) = vectors() else { return };
    let maker = MAKERS.into_iter().find(|maker| maker.starts_with("composite-kem-ref-impl/"));
    let maker = maker.unwrap();
    let key = DecapsulationKey::import_bytes(P384, &vectors.read(&format!("{maker}_priv.raw")));
    let private = vectors.read(&format!("{maker}_priv.der"));
    assert_eq!(key.unwrap().to_pkcs8_der().unwrap().as_bytes(), private);
}

/// Their issuers signed with ML-DSA alone, so no chain of ours leads to them.
#[test]
fn certificates_can_be_sealed_to() {
    for files in Files::of_all() {
        let certificate = Certificate::from_der(&files.certificate).unwrap();
        let public = certificate.claimed_encapsulation_key(now()).unwrap();
        let key = files.key();
        assert_eq!(&public, key.encapsulation_key());
        let sealed = public.seal(CTX, b"message").unwrap();
        assert_eq!(&key.open(CTX, &sealed).unwrap()[..], b"message");

        let key = certificate.claimed_verifying_key(now());
        assert!(matches!(key, Err(Error::Algorithm { .. })), "{}", outcome(key));
    }
}

#[test]
fn ciphertexts_give_the_recorded_secrets() {
    for files in Files::of_all() {
        let ciphertext = Ciphertext::from_bytes(P384, &files.ciphertext).unwrap();
        for provider in *PROVIDERS {
            let secret = files.key().on(provider).unwrap().decapsulate(&ciphertext).unwrap();
            assert_eq!(secret.as_bytes(), files.secret, "{}", provider.name);
        }
    }
}

/// ML-KEM gives another secret for a ciphertext that was changed; a changed point is refused.
#[test]
fn changed_ciphertexts_give_no_recorded_secret() {
    for files in Files::of_all() {
        let key = files.key();
        for ciphertext in changed(&files.ciphertext) {
            let ciphertext = Ciphertext::from_bytes(P384, &ciphertext);
            let secret = ciphertext.and_then(|ciphertext| key.decapsulate(&ciphertext));
            assert!(!secret.is_ok_and(|secret| secret.as_bytes() == files.secret));
        }
    }
}

/// A key in which a bit was changed is refused, or it is another key: nothing in the file says whose it is.
///
/// In `z` of FIPS 203 it is the same key: `z` decides only which secret a changed ciphertext gives.
#[test]
fn changed_private_keys_are_other_keys() {
    for files in Files::of_all() {
        let key = files.key();
        let z = files.private.len() - 96..files.private.len() - 64;
        for (index, private) in changed(&files.private).enumerate() {
            let other = DecapsulationKey::from_pkcs8_der(&private);
            let is_same =
                other.is_ok_and(|other| other.encapsulation_key() == key.encapsulation_key());
            assert_eq!(is_same, z.contains(&index), "byte {index}");
        }
    }
}
