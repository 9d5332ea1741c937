//! Which values follow from the inputs of the block of encrypted private keys?

use pkcs5::scrypt;
use twinseal::{DecapsulationKey, SigningKey, hazmat, passphrase::Scrypt};

use super::{
    blocks::Block,
    compute::{Computed, DEFAULT, P384, spec_kem_key, spec_signing_key},
};
use crate::common::der::{pem, tlv};

/// 1.2.840.113549.1.9.21.
const LOCAL_KEY_ID: &[u8] = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x09\x15";

const PKCS8: &str = "ENCRYPTED PRIVATE KEY";
const KEM: &str = "TWINSEAL ENCRYPTED KEM PRIVATE KEY";

/// PKCS#8 with the attribute behind its `elements`.
fn with_local_key_id(elements: &[u8], id: &[u8]) -> Vec<u8> {
    let attribute = tlv(0x30, &[LOCAL_KEY_ID, &tlv(0x31, &[&tlv(0x04, &[id])])]);
    tlv(0x30, &[elements, &tlv(0xa0, &[&attribute])])
}

pub(crate) fn compute_encrypted_keys(block: &mut Computed<'_>) {
    let passphrase = block.input("passphrase");
    let [n, r, p] = ["N", "r", "p"].map(|name| {
        block.input(name).iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
    });
    let salt = block.input("salt");
    let iv = block.input("iv");
    let (r, p) = (r.try_into().unwrap(), p.try_into().unwrap());
    let mut key = [0; 32];
    let parameters = scrypt::Params::new(n.ilog2().try_into().unwrap(), r, p).unwrap();
    scrypt::scrypt(&passphrase, &salt, &parameters, &mut key).unwrap();
    block.output("key", &key);

    let parameters = Scrypt::new(n, r, p).unwrap();
    let randomness = *[salt, iv].concat().first_chunk().unwrap();
    let mut encrypt = |name: &str, content: &[u8]| {
        let der = hazmat::encrypted_private_key_info(content, &passphrase, parameters, &randomness);
        let der = der.unwrap();
        block.output(&format!("{name}_content"), content);
        block.output(&format!("{name}_encrypted"), &der);
        der
    };

    let kem = spec_kem_key(DEFAULT);
    let id = kem.encapsulation_key().key_id();
    let content = [&[0, 1], kem.seed().unwrap(), id.as_bytes()].concat();
    let der = encrypt("kem_0001", &content);
    let same = DecapsulationKey::from_encrypted_pem(&pem(KEM, &der), &passphrase).unwrap();
    assert_eq!(same.encapsulation_key(), kem.encapsulation_key());

    let kem = spec_kem_key(P384);
    let id = kem.encapsulation_key().key_id();
    let pkcs8 = kem.to_pkcs8_der().unwrap();
    let der = encrypt("kem_0051", &with_local_key_id(&pkcs8.as_bytes()[3..], id.as_bytes()));
    let same = DecapsulationKey::from_encrypted_pem(&pem(PKCS8, &der), &passphrase).unwrap();
    assert_eq!(same.encapsulation_key(), kem.encapsulation_key());

    let sign = spec_signing_key();
    let id = sign.verifying_key().key_id();
    let pkcs8 = sign.to_pkcs8_der().unwrap();
    let der = encrypt("sign_0001", &with_local_key_id(&pkcs8.as_bytes()[2..], id.as_bytes()));
    let same = SigningKey::from_encrypted_pem(&pem(PKCS8, &der), &passphrase).unwrap();
    assert_eq!(same.verifying_key(), sign.verifying_key());
}

/// The files in VECTORS.md.
pub(crate) fn encrypted_pem(name: &str) -> String {
    let block = Block::read("encrypted-keys").recompute();
    match name {
        "kem-0001-encrypted" => pem(KEM, block.get("kem_0001_encrypted")),
        _ => pem(PKCS8, block.get("sign_0001_encrypted")),
    }
}
