//! How do errors about input read?

use twinseal::{EncapsulationKey, Signature, envelope::Header};

use crate::common::keys::{COMPOSITE, P384, X25519, kem_key};

#[test]
fn texts_of_errors() {
    let table = [
        (
            EncapsulationKey::from_bytes(X25519, &[0; 1599]).unwrap_err(),
            "encapsulation key must be 1600 bytes long, not 1599",
        ),
        (
            Signature::from_bytes(COMPOSITE, &[0; 100]).unwrap_err(),
            "signature ends after 100 bytes but needs at least 4627",
        ),
        (
            EncapsulationKey::from_bytes(P384, &[0xff; 1665]).unwrap_err(),
            "invalid ML-KEM-1024 encapsulation key: a coefficient is not below 3329",
        ),
        (
            kem_key(X25519, 1).open(b"", b"").unwrap_err(),
            "invalid context: it is empty; say what the data is for",
        ),
        (Header::parse(b"twinseal\x07").unwrap_err(), "unknown envelope version 0x0007"),
    ];
    for (error, text) in table {
        assert_eq!(error.to_string(), text);
    }
}
