//! Are the bundles of other projects read, verified and refused as they should be?
//!
//! Their files are no part of this project: the environment variable `TWINSEAL_OMS_VECTORS` names the directory that
//! holds them, and CONTRIBUTING.md says where they come from. Without it, each test here prints a line and is skipped.

use base64::{Engine, prelude::BASE64_STANDARD};
use sha2::{Digest, Sha256};
use twinseal::{
    Error,
    ModelRefusal::{AnotherAlgorithm, Certificate, Empty, Links, NoKey, OldRelease},
    model::{Bundle, Manifest, TrustedKey},
};

use super::{
    drafts::{self, PAYLOAD_TYPE, alices_key, signed, unsigned},
    vectors,
};
use crate::common::{
    errors::{invalid, outcome},
    others_files::OthersFiles,
};

const REFERENCE: &str = "sigstore-model-transparency/scripts/tests";
const SPECIFICATION: &str = "ossf-model-signing-spec/test-vectors/v1.0";

/// The P-384 key of all bundles with a key.
fn key(files: &OthersFiles) -> TrustedKey {
    let pem = files.read(&format!("{REFERENCE}/keys/certificate/signing-key-pub.pem"));
    TrustedKey::from_pem(&String::from_utf8(pem).unwrap()).unwrap()
}

fn verified(files: &OthersFiles, name: &str) -> Result<Manifest, Error> {
    Bundle::from_bytes(files.read(name))?.verify(&[key(files)])
}

/// It has a text before its PEM block.
#[test]
fn the_key_is_found_behind_its_dump() {
    let Some(vectors) = vectors() else { return };
    let hint = "e8450dec4eb99dae995da9af1bc2cc9f76ed669ee2e744f57abba763df3e3f8e";
    assert_eq!(key(&vectors).hint(), hint);
}

#[test]
fn bundles_of_every_release_verify() {
    let Some(vectors) = vectors() else { return };
    let table = [
        ("v1.1.0-elliptic-key", "v1.1.0-elliptic-key", &["signme-1", "signme-2"][..]),
        ("v1.0.0-elliptic-key", "signme-1", &["signme-1"]),
        ("v0.3.1-elliptic-key", "signme-1", &["signme-1"]),
    ];
    for (directory, model, names) in table {
        let manifest = verified(&vectors, &format!("{REFERENCE}/{directory}/model.sig")).unwrap();
        assert_eq!(manifest.name(), model);
        assert_eq!(manifest.files().map(|file| file.name()).collect::<Vec<_>>(), names);
        for file in manifest.files() {
            let content = vectors.read(&format!("{REFERENCE}/{directory}/{}", file.name()));
            file.verify_reader(&content[..]).unwrap();
        }
    }
    let manifest = verified(&vectors, &format!("{SPECIFICATION}/valid/key.bundle.json")).unwrap();
    assert_eq!(manifest.name(), "model");
    assert_eq!(manifest.files().len(), 2);
}

#[test]
fn older_bundles_have_the_key_itself() {
    let Some(vectors) = vectors() else { return };
    let bundle = vectors.read(&format!("{REFERENCE}/v1.0.0-elliptic-key/model.sig"));
    let bundle = Bundle::from_bytes(bundle).unwrap();
    let claim = bundle.claim().unwrap();
    assert_eq!((claim.hint(), claim.key()), (None, Some(&key(&vectors))));
}

#[test]
fn what_this_crate_leaves_out_is_refused_by_name() {
    let Some(vectors) = vectors() else { return };
    let certificates = [
        "v0.2.0-certificate",
        "v1.0.0-certificate",
        "v1.1.0-certificate",
        "v0.3.1-sigstore",
        "v1.0.0-sigstore",
        "v1.1.0-sigstore",
    ];
    for directory in certificates {
        let refusal =
            verified(&vectors, &format!("{REFERENCE}/{directory}/model.sig")).unwrap_err();
        assert_eq!(refusal, Error::Model(Certificate), "{directory}");
    }
    let table = [
        ("valid/sigstore.bundle.json", format!("{:?}", Error::Model(Certificate))),
        ("invalid/missing-verification-material.bundle.json", format!("{:?}", Error::Model(NoKey))),
        ("invalid/missing-envelope.bundle.json", invalid("bundle", "it has no DSSE envelope")),
        ("invalid/empty.bundle.json", invalid("bundle", "its JSON ends early")),
    ];
    for (name, expected) in table {
        assert_eq!(
            outcome(verified(&vectors, &format!("{SPECIFICATION}/{name}"))),
            expected,
            "{name}"
        );
    }
    let ml_dsa = "sigstore-model-transparency-pr596/scripts/tests/v1.1.0-ml-dsa/model.sig";
    assert_eq!(verified(&vectors, ml_dsa).unwrap_err(), Error::Model(AnotherAlgorithm));
}

/// The statement of a release before 0.3, behind a signature that verifies.
#[test]
fn an_old_statement_is_called_one() {
    let Some(vectors) = vectors() else { return };
    let bundle = vectors.read(&format!("{REFERENCE}/v0.2.0-certificate/model.sig"));
    let bundle: serde_json::Value = serde_json::from_slice(&bundle).unwrap();
    let payload = bundle["dsseEnvelope"]["payload"].as_str().unwrap();
    let payload = BASE64_STANDARD.decode(payload).unwrap();
    assert_eq!(drafts::verified(signed(&payload)).unwrap_err(), Error::Model(OldRelease));
    // Nor does it verify: what was signed is another text.
    let unverified = unsigned(&alices_key().hint(), PAYLOAD_TYPE, &payload, &[0; 96]);
    assert_eq!(drafts::verified(unverified).unwrap_err(), Error::Model(OldRelease));
}

/// The reference implementation's statements all allow links, which is refused. Without that, they are read.
#[test]
fn statements_of_the_reference() {
    let Some(vectors) = vectors() else { return };
    let file = |text: &str| hex::encode(Sha256::digest(text));
    let table = [
        ("deep_model_folder", Some(4), "d0/d1/d2/d3/d4/f0", "This is file f0."),
        ("deep_model_folder_shard", Some(4), "d0/d1/d2/d3/d4/f0", "This is file f0."),
        ("empty_model_file", Some(1), "empty_file_model", ""),
        ("empty_model_file_small_shards", None, "", ""),
        ("empty_model_folder", None, "", ""),
        ("empty_model_folder_small_shards", None, "", ""),
        ("model_folder_with_empty_file_shard", None, "", ""),
        ("model_folder_with_empty_file_small_shards", None, "", ""),
        ("sample_model_file", Some(1), "file_model", "This is a simple model"),
        ("sample_model_file_shard", Some(1), "file_model", "This is a simple model"),
        ("sample_model_folder_shard", Some(10), "d1/f12", "This is file f12 in d1."),
        ("sample_model_folder_small_shards", Some(10), "d1/f12", "This is file f12 in d1."),
        ("symlink_model_folder", Some(1), "symlink_file", "This is a simple model"),
        ("symlink_model_folder_shard", Some(1), "symlink_file", "This is a simple model"),
    ];
    for (name, files, path, content) in table {
        let path_of_statement = format!(
            "sigstore-model-transparency/tests/_signing/testdata/signing/TestPayload/{name}"
        );
        let statement = String::from_utf8(vectors.read(&path_of_statement)).unwrap();
        let refusal = drafts::verified(signed(statement.as_bytes())).unwrap_err();
        assert_eq!(refusal, Error::Model(Links), "{name}");

        let allowed = statement.replace(r#""allow_symlinks": true"#, r#""allow_symlinks": false"#);
        let manifest = drafts::verified(signed(allowed.as_bytes()));
        let Some(files) = files else {
            assert_eq!(manifest.unwrap_err(), Error::Model(Empty), "{name}");
            continue;
        };
        let manifest = manifest.unwrap();
        assert_eq!(manifest.files().len(), files, "{name}");
        let signed_file = manifest.file(path).unwrap();
        signed_file.verify_reader(content.as_bytes()).unwrap();
        if let Some(sha256) = signed_file.digest().whole() {
            assert_eq!(hex::encode(sha256), file(content));
        }
    }
}
