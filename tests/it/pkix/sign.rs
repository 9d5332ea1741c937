//! Signature keys, id-MLDSA87-ECDSA-P384-SHA512: do they load in the forms that others write, and do their
//! certificates verify?

use twinseal::{
    CertificateRefusal, Error, Sign, SigningKey, VerifyingKey,
    x509::{Certificate, Name, TrustAnchors},
};

use super::{changed, vectors};
use crate::common::{
    certificates::{NAME, issued, now},
    keys::{COMPOSITE, CTX, signing_key},
    providers::PROVIDERS,
};

/// How a maker writes a private key.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// As we do.
    Canonical,
    /// The ECDSA half with its public key.
    WithPublicKey,
    /// Without the seed of the ML-DSA half.
    Expanded,
}

use Form::{Canonical, Expanded, WithPublicKey};

/// How the names of each maker's files start, and the form of the private key.
const MAKERS: [(&str, Form); 6] = [
    ("bc/certs/MLDSA87-ECDSA-P384-SHA512-1.3.6.1.5.5.7.6.49", Canonical),
    ("carl-redhound/certs/ml-dsa-87-ecdsa-p384-1.3.6.1.5.5.7.6.49", Expanded),
    ("composite-sigs-ref-impl/certs/id-MLDSA87-ECDSA-P384-SHA512-1.3.6.1.5.5.7.6.49", Canonical),
    ("cryptonext/certs/id-MLDSA87-ECDSA-P384-SHA512-1.3.6.1.5.5.7.6.49", Canonical),
    ("entrust-pkihub/certs/MLDSA87-ECDSA-P384-SHA512-1.3.6.1.5.5.7.6.49", WithPublicKey),
    (
        "openssl-composite-preliminary-impl/certs/mldsa87_ecdsa_p384_sha512-1.3.6.1.5.5.7.6.49",
        Canonical,
    ),
];

/// The files of one maker.
struct Files {
    maker: &'static str,
    form: Form,
    private: Vec<u8>,
    certificate: Vec<u8>,
}

impl Files {
    fn of_all() -> Vec<Self> {
        let Some(vectors) = vectors() else { return Vec::new() };
        let files = |(maker, form)| {
            let prefix = if form == Expanded { "expandedkey_" } else { "" };
            Self {
                maker,
                form,
                private: vectors.read(&format!("{maker}_{prefix}priv.der")),
                certificate: vectors.read(&format!("{maker}_ta.der")),
            }
        };
        MAKERS.map(files).into()
    }

    fn key(&self) -> Box<dyn Sign> {
        match self.form {
            Expanded => Box::new(SigningKey::import_expanded_der(&self.private).unwrap()),
            _ => Box::new(SigningKey::import_der(&self.private).unwrap()),
        }
    }

    fn certificate(&self) -> Certificate {
        Certificate::from_der(&self.certificate).unwrap()
    }
}

#[test]
fn private_keys_load() {
    for files in Files::of_all() {
        let (strict, imported) =
            (SigningKey::from_pkcs8_der(&files.private), SigningKey::import_der(&files.private));
        match files.form {
            Canonical => {
                let key = strict.unwrap();
                assert_eq!(key.to_pkcs8_der().unwrap().as_bytes(), files.private);
                assert_eq!(key.secret_bytes(), imported.unwrap().secret_bytes());
            }
            WithPublicKey => {
                assert!(strict.is_err());
                let key = imported.unwrap();
                let canonical = key.to_pkcs8_der().unwrap();
                let same = SigningKey::from_pkcs8_der(canonical.as_bytes()).unwrap();
                assert_eq!(same.verifying_key(), key.verifying_key());
            }
            Expanded => assert!(strict.is_err() && imported.is_err()),
        }
    }
}

/// Each certificate is that of the private key beside it, and signed with it.
#[test]
fn certificates_verify() {
    for files in Files::of_all() {
        let certificate = files.certificate();
        let key = files.key();
        for provider in *PROVIDERS {
            let key = key.verifying_key().clone().on(provider).unwrap();
            certificate.verify_signature(&key).unwrap();
        }
        let stranger = signing_key(1);
        assert!(certificate.verify_signature(stranger.verifying_key()).is_err());
    }
}

#[test]
fn their_keys_sign() {
    for files in Files::of_all() {
        let key = files.key();
        let signature = key.sign(CTX, b"message").unwrap();
        for provider in *PROVIDERS {
            let public = key.verifying_key().clone().on(provider).unwrap();
            public.verify(CTX, b"message", &signature).unwrap();
        }
    }
}

/// The keys of most of these certification authorities may sign nothing but certificates.
#[test]
fn the_key_usage_decides_who_signs() {
    for files in Files::of_all() {
        let key = files.certificate().claimed_verifying_key(now());
        match files.maker.split('/').next() {
            // Its usage is digitalSignature; the other one has none.
            Some("composite-sigs-ref-impl" | "cryptonext") => {
                assert_eq!(&key.unwrap(), files.key().verifying_key());
            }
            _ => assert_eq!(key.unwrap_err(), Error::Certificate(CertificateRefusal::KeyUsage)),
        }
    }
}

#[test]
fn certification_authorities_are_anchors() {
    let name = Name::Dns(NAME.into());
    let signer = signing_key(2);
    for files in Files::of_all() {
        let anchors = TrustAnchors::new([files.certificate()]).unwrap();
        let chain = [issued(&files.certificate(), &*files.key(), signer.verifying_key())];
        let found = anchors.verifying_key(&chain, &name, now());
        if files.maker.starts_with("composite-sigs-ref-impl/") {
            assert_eq!(found.unwrap_err(), Error::Certificate(CertificateRefusal::NotACa));
        } else {
            assert_eq!(&found.unwrap(), signer.verifying_key());
        }
    }
}

/// A bit of each byte; all of them in the ignored test.
#[test]
fn changed_certificates_are_refused() {
    for files in Files::of_all() {
        refuse(&files, changed(&files.certificate).step_by(7));
    }
}

#[test]
#[ignore = "takes minutes"]
fn certificates_with_any_bit_changed_are_refused() {
    for files in Files::of_all() {
        let any = (0..8).flat_map(|bit| {
            let certificate = &files.certificate;
            (0..certificate.len()).map(move |index| {
                let mut changed = certificate.clone();
                changed[index] ^= 1 << bit;
                changed
            })
        });
        refuse(&files, any);
    }
}

fn refuse(files: &Files, certificates: impl Iterator<Item = Vec<u8>>) {
    let key = files.key();
    let verified = |der: &[u8]| Certificate::from_der(der)?.verify_signature(key.verifying_key());
    verified(&files.certificate).unwrap();
    for der in certificates {
        assert!(verified(&der).is_err());
    }
}

/// Files that only one maker has.
#[test]
fn other_files_are_the_same_keys() {
    let Some(vectors) = vectors() else { return };
    for files in Files::of_all() {
        match files.maker.split('/').next() {
            Some("composite-sigs-ref-impl") => {
                let raw = vectors.read(&format!("{}_priv.raw", files.maker));
                let key = SigningKey::import_bytes(COMPOSITE, &raw).unwrap();
                assert_eq!(key.to_pkcs8_der().unwrap().as_bytes(), files.private);
            }
            Some("entrust-pkihub") => {
                let spki = vectors.read(&format!("{}_pubkey.der", files.maker));
                let key = VerifyingKey::from_spki_der(&spki).unwrap();
                assert_eq!(&key, files.key().verifying_key());
            }
            _ => {}
        }
    }
}

/// A key in which a bit was changed is refused, or it is another key.
///
/// In `K` of FIPS 204 it is the same key: `K` makes the signatures' randomness, and is in no public key. A seed
/// gives it, an expanded key holds it.
#[test]
fn changed_private_keys_are_refused_or_others() {
    for files in Files::of_all() {
        let key = files.key();
        let expanded = files.private.len().saturating_sub(4896 + 48);
        let (step, k) = match files.form {
            Expanded => (17, expanded + 32..expanded + 64),
            _ => (1, 0..0),
        };
        for (index, private) in changed(&files.private).enumerate().step_by(step) {
            let other = match files.form {
                Expanded => {
                    SigningKey::import_expanded_der(&private).map(|key| key.verifying_key().clone())
                }
                _ => SigningKey::import_der(&private).map(|key| key.verifying_key().clone()),
            };
            let is_same = other.is_ok_and(|other| &other == key.verifying_key());
            assert_eq!(is_same, k.contains(&index), "byte {index} of {}", files.maker);
        }
    }
}
