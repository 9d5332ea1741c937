//! Are bundles written in their one form, byte for byte, by every kind of key?

use std::io::Write;

use base64::{Engine, prelude::BASE64_STANDARD};
use sha2::{Digest, Sha256};
use twinseal::{
    Error, Sign, Signature, VerifyingKey,
    model::{Bundle, FileHasher, ManifestBuilder, Method},
};

use super::drafts::{PAYLOAD_TYPE, alice, alices_key, unsigned};
use crate::common::{
    errors::{misuse, outcome},
    keys::COMPOSITE,
};

fn built(name: &str, method: Method, files: &[(&str, &[u8])]) -> ManifestBuilder {
    let mut builder = ManifestBuilder::new(name).unwrap().with_method(method);
    for (name, content) in files {
        let mut hasher = FileHasher::new(method);
        hasher.write_all(content).unwrap();
        builder.add(name, hasher.finish().unwrap()).unwrap();
    }
    builder
}

/// The signed text, and the bundle's other bytes compared with a hand-written form.
fn payload(bundle: &Bundle) -> String {
    let value: serde_json::Value = serde_json::from_slice(bundle.as_bytes()).unwrap();
    let part = |pointer: &str| {
        BASE64_STANDARD.decode(value.pointer(pointer).unwrap().as_str().unwrap()).unwrap()
    };
    let payload = part("/dsseEnvelope/payload");
    let signature = part("/dsseEnvelope/signatures/0/sig");
    let expected = unsigned(&alices_key().hint(), PAYLOAD_TYPE, &payload, &signature);
    assert_eq!(str::from_utf8(bundle.as_bytes()).unwrap(), expected);
    String::from_utf8(payload).unwrap()
}

#[test]
fn a_bundle_of_files() {
    // In the order of their names' bytes, which is neither that of components nor of UTF-16.
    let files: [(&str, &[u8]); 5] =
        [("😀", b"4"), ("\u{fffd}\n\"\\", b"3"), ("a/b", b"2"), ("a-b", b""), ("B", b"0")];
    let bundle = built("mod\"el", Method::Files, &files).sign(&alice()).unwrap();
    // `printf %s 0 | sha256sum` and so on; the root is the SHA-256 of their raw bytes.
    let digests = [
        "5feceb66ffc86f38d952786c6d696c79c2dbc239dd4e91b46729d73a27fb57e9",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "d4735e3a265e16eee03f59718b9b5d03019c07d8b6c51f90da3a666eec13ab35",
        "4e07408562bedb8b60ce05c1decfe3ad16b72230967de01f640b7e4729b49fce",
        "4b227777d4dd1fc61c6f884f48641d02b4d121d3fd328cb08b5531fcacdabf8a",
    ];
    let raw: Vec<_> = digests.iter().flat_map(|digest| hex::decode(digest).unwrap()).collect();
    let [b, a_b, a, escaped, smile] = digests;
    let root = hex::encode(Sha256::digest(raw));
    let expected = [
        r#"{"_type":"https://in-toto.io/Statement/v1","subject":[{"name":"mod\"el","digest":{"sha256":""#,
        &root,
        r#""}}],"predicateType":"https://model_signing/signature/v1.0","predicate":{"resources":["#,
        r#"{"name":"B","digest":""#,
        b,
        r#"","algorithm":"sha256"},"#,
        r#"{"name":"a-b","digest":""#,
        a_b,
        r#"","algorithm":"sha256"},"#,
        r#"{"name":"a/b","digest":""#,
        a,
        r#"","algorithm":"sha256"},"#,
        "{\"name\":\"\u{fffd}\\n\\\"\\\\\",\"digest\":\"",
        escaped,
        r#"","algorithm":"sha256"},"#,
        r#"{"name":"😀","digest":""#,
        smile,
        r#"","algorithm":"sha256"}],"#,
        r#""serialization":{"method":"files","hash_type":"sha256","allow_symlinks":false,"ignore_paths":[]}}}"#,
    ];
    assert_eq!(payload(&bundle), expected.concat());
    let manifest = Bundle::from_bytes(bundle.as_bytes()).unwrap().verify(&[alices_key()]).unwrap();
    assert_eq!((manifest.name(), manifest.files().len()), ("mod\"el", 5));
    assert_eq!(hex::encode(bundle.claim().unwrap().root_sha256()), root);
}

/// Shards are listed in the order of their names, where 10 is before 5.
#[test]
fn a_bundle_of_shards() {
    let method = Method::Shards(5.try_into().unwrap());
    let bundle =
        built("m", method, &[("a:0", b"0123456789abc"), ("b", b"01234")]).sign(&alice()).unwrap();
    let digest = |bytes: &str| hex::encode(Sha256::digest(bytes));
    let shards = ["01234", "abc", "56789", "01234"].map(digest);
    let raw: Vec<_> = shards.iter().flat_map(|digest| hex::decode(digest).unwrap()).collect();
    let root = hex::encode(Sha256::digest(raw));
    let [first, third, second, other] = shards;
    let expected = [
        r#"{"_type":"https://in-toto.io/Statement/v1","subject":[{"name":"m","digest":{"sha256":""#,
        &root,
        r#""}}],"predicateType":"https://model_signing/signature/v1.0","predicate":{"resources":["#,
        r#"{"name":"a:0:0:5","digest":""#,
        &first,
        r#"","algorithm":"sha256"},"#,
        r#"{"name":"a:0:10:13","digest":""#,
        &third,
        r#"","algorithm":"sha256"},"#,
        r#"{"name":"a:0:5:10","digest":""#,
        &second,
        r#"","algorithm":"sha256"},"#,
        r#"{"name":"b:0:5","digest":""#,
        &other,
        r#"","algorithm":"sha256"}],"#,
        r#""serialization":{"method":"shards","hash_type":"sha256","shard_size":5,"allow_symlinks":false,"ignore_paths":[]}}}"#,
    ];
    assert_eq!(payload(&bundle), expected.concat());
    let manifest = bundle.verify(&[alices_key()]).unwrap();
    let claim = bundle.claim().unwrap();
    assert_eq!((claim.file_names().len(), claim.resources(), claim.method()), (2, 4, method));
    assert_eq!(claim.suite(), Some(COMPOSITE));
    assert_eq!(manifest.file("a:0").unwrap().len(), Some(13));
}

/// A key behind the trait, of which this crate sees no secret.
struct Far;

impl Sign for Far {
    fn verifying_key(&self) -> &VerifyingKey {
        static KEY: std::sync::LazyLock<VerifyingKey> =
            std::sync::LazyLock::new(|| alice().verifying_key().clone());
        &KEY
    }

    fn sign_prehashed(&self, context: &[u8], sha512: &[u8; 64]) -> Result<Signature, Error> {
        assert_eq!(context, b"");
        Sign::sign_prehashed(&alice(), context, sha512)
    }
}

struct Locked;

impl Sign for Locked {
    fn verifying_key(&self) -> &VerifyingKey {
        Far.verifying_key()
    }

    fn sign_prehashed(&self, _: &[u8], _: &[u8; 64]) -> Result<Signature, Error> {
        Err(Error::external("the token is locked"))
    }
}

#[test]
fn keys_that_are_elsewhere() {
    let model = || built("m", Method::Files, &[("a", b"a")]);
    model().sign(&Far).unwrap().verify(&[alices_key()]).unwrap();
    let any: Box<dyn Sign> = Box::new(Far);
    model().sign(&any).unwrap().verify(&[alices_key()]).unwrap();
    assert!(matches!(model().sign(&Locked), Err(Error::External(_))));
}

#[test]
fn the_largest_shard() {
    let too_large = misuse("shard size", "it is larger than 2^53");
    for (size, expected) in [(1_u64 << 53, "Ok"), ((1 << 53) + 1, &*too_large)] {
        let method = Method::Shards(size.try_into().unwrap());
        let result = built("m", method, &[("a", b"a")]).sign(&alice());
        assert_eq!(outcome(result), expected);
    }
}
