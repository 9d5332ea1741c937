//! Keys in the forms of other software.

use std::sync::LazyLock;

use twinseal::{DecapsulationKey, EncapsulationKey, SigningKey, VerifyingKey};

use super::{
    people::{COMPOSITE, P384},
    script::{Object, Script},
};
use crate::{
    common::der::{spki, tlv},
    import::fixture::{Pieces, SECP384R1, attributes, ec_private_key, public_field},
};

fn objects() -> Vec<Object> {
    let keys = [Pieces::of_decapsulation_key(51).0, Pieces::of_signing_key(51).0];
    let objects = keys.iter().flat_map(|key| {
        let whole = ec_private_key(1, &key.scalar, SECP384R1, Some(key.point()));
        let both = tlv(0x30, &[&tlv(0x04, &[&key.seed]), &tlv(0x04, &[&key.expanded])]);
        let behind = [attributes(), public_field(&key.compressed_public())].concat();
        [
            Object::of_der(key.pkcs8(0, &key.canonical(), &[])),
            Object::of_fields(&[&key.seed, &key.scalar]),
            Object::of_der(key.pkcs8(1, &[both, whole.clone()].concat(), &[&behind])),
            Object::of_der(key.pkcs8(0, &[tlv(0x80, &[&key.seed]), whole.clone()].concat(), &[])),
            Object::of_der(spki(&key.algorithm, 0, &key.public)),
            Object::of_der(spki(&key.algorithm, 0, &key.compressed_public())),
            Object::of_der(key.pkcs8(0, &[&key.expanded[..], &whole].concat(), &[])),
            Object::of_fields(&[&key.expanded, &whole]),
            Object::of_fields(&[&key.compressed_public()]),
        ]
    });
    objects.collect()
}

/// What is imported has a canonical form, which is the same key.
pub fn import(data: &[u8]) {
    static OBJECTS: LazyLock<Vec<Object>> = LazyLock::new(objects);
    let bytes = Script::new(data).changed(&OBJECTS);
    let kem = [EncapsulationKey::import_der(&bytes), EncapsulationKey::import_bytes(P384, &bytes)];
    for key in kem.into_iter().flatten() {
        assert_eq!(EncapsulationKey::from_spki_der(&key.to_spki_der().unwrap()).unwrap(), key);
    }
    let sign = [VerifyingKey::import_der(&bytes), VerifyingKey::import_bytes(COMPOSITE, &bytes)];
    for key in sign.into_iter().flatten() {
        assert_eq!(VerifyingKey::from_spki_der(&key.to_spki_der().unwrap()).unwrap(), key);
    }
    let kem = [DecapsulationKey::import_der(&bytes), DecapsulationKey::import_bytes(P384, &bytes)];
    for key in kem.into_iter().flatten() {
        let der = key.to_pkcs8_der().unwrap();
        let again = DecapsulationKey::from_pkcs8_der(der.as_bytes()).unwrap();
        assert_eq!(again.encapsulation_key(), key.encapsulation_key());
    }
    let sign = [SigningKey::import_der(&bytes), SigningKey::import_bytes(COMPOSITE, &bytes)];
    for key in sign.into_iter().flatten() {
        let der = key.to_pkcs8_der().unwrap();
        let again = SigningKey::from_pkcs8_der(der.as_bytes()).unwrap();
        assert_eq!(again.verifying_key(), key.verifying_key());
    }
    let _ = SigningKey::import_expanded_der(&bytes);
    let _ = SigningKey::import_expanded_bytes(COMPOSITE, &bytes);
}
