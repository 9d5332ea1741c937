//! Does a builder sign what it was given, and refuse what cannot be signed?

use std::io::Write;

use twinseal::{
    Error, ModelRefusal, SigningKey,
    model::{FileDigest, FileHasher, Manifest, ManifestBuilder, Method, TrustedKey},
};

use super::hasher::shards;
use crate::common::errors::outcome;

pub(super) fn digest(file: &[u8], method: Method) -> FileDigest {
    let mut hasher = FileHasher::new(method);
    hasher.write_all(file).unwrap();
    hasher.finish().unwrap()
}

/// What a signer says of these files.
pub(super) fn manifest(files: &[(&str, &[u8])], method: Method) -> Manifest {
    let signer = SigningKey::generate().unwrap();
    let mut model = ManifestBuilder::new("model").unwrap().with_method(method);
    for (name, file) in files {
        model.add(name, digest(file, method)).unwrap();
    }
    let bundle = model.sign(&signer).unwrap();
    bundle.verify(&[TrustedKey::from(signer.verifying_key())]).unwrap()
}

#[test]
fn what_was_added_is_signed() {
    let files: [(&str, &[u8]); 3] = [("b", b"123456789"), ("a/b:0:1", b"1"), ("a", b"12345678")];
    for method in [Method::Files, shards(8), shards(1)] {
        let manifest = manifest(&files, method);
        assert_eq!((manifest.name(), manifest.method()), ("model", method));
        assert_eq!(manifest.ignored().len(), 0);
        let names: Vec<_> = manifest.files().map(|file| file.name()).collect();
        assert_eq!(names, ["a", "a/b:0:1", "b"]);
        for (name, file) in files {
            let signed = manifest.file(name).unwrap();
            assert_eq!(*signed.digest(), digest(file, method));
            signed.verify(file).unwrap();
        }
        assert!(manifest.file("c").is_none());
    }
    // Empty files have digests, though not by shards.
    manifest(&[("empty", b"")], Method::Files).file("empty").unwrap().verify(b"").unwrap();
}

#[test]
fn names_that_are_refused() {
    let refused = format!("{:?}", Error::Model(ModelRefusal::Name));
    let names = ["", "/", "/a", "a/", "a//b", ".", "..", "a/../b", "./a", "a/.", "a\0"];
    let mut model = ManifestBuilder::new("model").unwrap();
    for name in names {
        assert_eq!(outcome(model.add(name, digest(b"1", Method::Files))), refused, "{name:?}");
        assert_eq!(outcome(ManifestBuilder::new(name)), refused, "{name:?}");
    }
    assert_eq!(outcome(ManifestBuilder::new("a/b")), refused);
    let signer = SigningKey::generate().unwrap();
    let empty = outcome(model.sign(&signer));
    assert_eq!(empty, format!("{:?}", Error::Model(ModelRefusal::Empty)));
}

#[test]
fn one_name_and_one_method() {
    let signer = SigningKey::generate().unwrap();
    let mut model = ManifestBuilder::new("model").unwrap().with_method(shards(8));
    model.add("a", digest(b"1", shards(8))).unwrap();
    let twice = model.add("a", digest(b"2", shards(8)));
    assert_eq!(outcome(twice), format!("{:?}", Error::Model(ModelRefusal::Duplicate)));
    for method in [Method::Files, shards(9)] {
        let other = model.add("b", digest(b"1", method)).unwrap_err();
        assert!(matches!(other, Error::Misuse { what: "digest", .. }), "{other:?}");
    }
    // The first one of a name stays.
    let bundle = model.clone().sign(&signer).unwrap();
    let manifest = bundle.verify(&[signer.verifying_key().into()]).unwrap();
    manifest.file("a").unwrap().verify(b"1").unwrap();
    assert_eq!(manifest.files().len(), 1);

    let late = model.with_method(Method::Files).sign(&signer).unwrap_err();
    assert!(matches!(late, Error::Misuse { what: "digest", .. }), "{late:?}");
}

#[test]
fn as_many_shards_as_a_bundle_may_have() {
    let method = shards(1);
    let mut model = ManifestBuilder::new("model").unwrap().with_method(method);
    model.add("a", digest(&vec![7; (1 << 20) - 1], method)).unwrap();
    let two = model.add("b", digest(b"12", method));
    assert_eq!(outcome(two), format!("{:?}", Error::Model(ModelRefusal::TooLarge)));
    model.add("b", digest(b"1", method)).unwrap();
    let one_more = model.add("c", digest(b"1", method));
    assert_eq!(outcome(one_more), format!("{:?}", Error::Model(ModelRefusal::TooLarge)));
}
