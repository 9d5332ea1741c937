//! Bundles of signed models.

use std::sync::LazyLock;

use twinseal::model::{Bundle, Claim, Manifest, TrustedKey};

use super::{
    people::{ALICE, ALICES, on_all},
    script::{Object, Script},
};
use crate::{
    common::keys::signing_key,
    model::drafts::{FILES, PAYLOAD_TYPE, SHARDS, pae, unsigned, with_root},
};

static STATEMENTS: LazyLock<Vec<Object>> =
    LazyLock::new(|| [FILES, SHARDS].map(|statement| Object::of_json(with_root(statement))).into());

static KEYS: LazyLock<Vec<TrustedKey>> =
    LazyLock::new(|| ALICES.iter().map(|key| TrustedKey::from(key.clone())).collect());

fn signed(payload: &[u8]) -> String {
    let signature = twinseal::hazmat::sign(&ALICE, b"", &pae(PAYLOAD_TYPE, payload)).unwrap();
    unsigned(&KEYS[0].hint(), PAYLOAD_TYPE, payload, signature.as_bytes())
}

fn look(claim: &Claim) {
    let _ = (claim.hint(), claim.key(), claim.suite(), claim.name(), claim.has_log());
    assert!(claim.file_names().len() <= claim.resources());
}

fn read(manifest: &Manifest) {
    let _ = (manifest.name(), manifest.method(), manifest.ignored().count());
    for file in manifest.files() {
        assert_eq!(manifest.file(file.name()).unwrap().digest(), file.digest());
        assert!(!file.name().is_empty() && !file.name().contains('\0'));
        assert!(file.name().split('/').all(|part| !["", ".", ".."].contains(&part)));
        let length = file.len();
        let mut end = 0;
        for shard in file.digest().shards().into_iter().flatten() {
            assert_eq!(shard.range().start, end, "without a gap");
            end = shard.range().end;
        }
        assert!(length.is_none_or(|length| length == end));
        let _ = file.verify(b"hello");
    }
}

/// A changed bundle is refused, or says what was signed.
pub fn model_bundle(data: &[u8]) {
    static BUNDLES: LazyLock<Vec<Object>> = LazyLock::new(|| {
        STATEMENTS.iter().map(|statement| Object::of_json(signed(&statement.bytes))).collect()
    });
    static MANIFESTS: LazyLock<Vec<String>> = LazyLock::new(|| {
        let verified = BUNDLES
            .iter()
            .map(|bundle| Bundle::from_bytes(bundle.bytes.clone()).unwrap().verify(&KEYS));
        verified.map(|manifest| format!("{:?}", manifest.unwrap())).collect()
    });
    let bytes = Script::new(data).changed(&BUNDLES);
    let Ok(bundle) = Bundle::from_bytes(bytes.clone()) else { return };
    assert_eq!(bundle.as_bytes(), bytes);
    let _ = bundle.claim().map(|claim| look(&claim));
    let verified = on_all(|index| bundle.verify(&KEYS[index..=index]).map(|it| format!("{it:?}")));
    assert!(verified.is_err() || MANIFESTS.contains(&verified.unwrap()), "nobody signed it");
}

/// A changed statement, signed again if it can be read.
pub fn model_verify(data: &[u8]) {
    let mut script = Script::new(data);
    let statement = script.changed(&STATEMENTS);
    let bundle = Bundle::from_bytes(unsigned("00", PAYLOAD_TYPE, &statement, b"none")).unwrap();
    let Ok(claim) = bundle.claim() else { return };
    look(&claim);
    // Signing takes a hundred times as long as reading.
    if script.byte() & 0x3f == 0 {
        let bundle = Bundle::from_bytes(signed(&statement)).unwrap();
        read(&bundle.verify(&KEYS[..1]).unwrap());
    }
}

/// A key to verify with, from PEM: ours, or P-256's and others that bundles are signed with.
pub fn trusted_key(data: &[u8]) {
    static TEXTS: LazyLock<Vec<Object>> = LazyLock::new(|| {
        let ours = signing_key(3).verifying_key().to_pem();
        let p384 = {
            use p384::pkcs8::EncodePublicKey;
            let key = p384::SecretKey::from_slice(&[7; 48]).unwrap().public_key();
            key.to_public_key_der().unwrap().as_bytes().to_vec()
        };
        let texts = [ours, crate::common::der::pem("PUBLIC KEY", &p384)];
        texts.map(|text| Object::of_text(text, super::key_files::PEM_WORDS)).into()
    });
    let bytes = Script::new(data).changed(&TEXTS);
    let Ok(text) = str::from_utf8(&bytes) else { return };
    let Ok(key) = TrustedKey::from_pem(text) else { return };
    assert_eq!(TrustedKey::from_pem(&key.to_pem()).unwrap().hint(), key.hint());
}
