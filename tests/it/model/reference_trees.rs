//! Does this crate find in a directory what the reference implementation finds?

use std::{collections::BTreeMap, fs, num::NonZeroU64};

use twinseal::model::{
    Bundle, Checking, Finding, IgnoredBy, Manifest, Method, Signing, TrustedKey,
};

use super::{
    directory::{Directory, entries, findings, verified},
    trees::{read, text, tree},
    vectors,
};
use crate::common::keys::signing_key;

/// A tree as it is on the disk. Links of it are left out.
fn written(name: &str) -> Directory {
    Directory::with(tree(name))
}

/// What the reference implementation signed.
fn theirs(bundle: &str) -> Bundle {
    Bundle::from_bytes(read(&format!("{bundle}.p384.sig"))).unwrap()
}

fn manifest(bundle: &Bundle) -> Manifest {
    bundle.verify(&[TrustedKey::from_pem(&text("p384.pub.pem")).unwrap()]).unwrap()
}

/// Each name or shard with its digest.
fn resources(manifest: &Manifest) -> BTreeMap<String, Vec<u8>> {
    let mut resources = BTreeMap::new();
    for file in manifest.files() {
        if let Some(digest) = file.digest().whole() {
            resources.insert(file.name().to_owned(), digest.to_vec());
        }
        for shard in file.digest().shards().into_iter().flatten() {
            let range = shard.range();
            let name = format!("{}:{}:{}", file.name(), range.start, range.end);
            resources.insert(name, shard.sha256().to_vec());
        }
    }
    resources
}

/// Name of the bundle, its tree, and whether both orders of resources agree.
const TREES: [(&str, &str, bool); 8] = [
    ("simple", "simple", true),
    ("order", "order", false),
    ("names", "names", true),
    ("git", "git", true),
    ("ignore", "ignore", true),
    ("empty-files", "empty-files", true),
    ("deep", "deep", true),
    ("shards-100", "shards", false),
];

#[test]
fn trees_are_as_the_reference_implementation_signed_them() {
    for (bundle, of_tree, same_order) in TREES {
        let theirs = theirs(bundle);
        let manifest = manifest(&theirs);
        let directory = written(of_tree);
        // It has no way to say that a file is empty, so nobody signed that one.
        let is_sharded = manifest.method() != Method::Files;
        let checking = Checking::new();
        let checking = if is_sharded { checking.ignore_unsigned() } else { checking };
        let report = directory.report(&checking, &manifest);
        assert!(report.is_as_signed(), "{report}");
        let additional = report.entries().filter(|(_, finding)| *finding == Finding::Additional);
        assert_eq!(additional.count(), usize::from(is_sharded), "{report}");

        let mut signing = Signing::new().method(manifest.method());
        for path in manifest.ignored() {
            signing = signing.ignore(path);
        }
        if is_sharded {
            signing = signing.ignore("empty");
        }
        let ours = directory.sign(&signing).unwrap();
        assert_eq!(resources(&verified(&ours)), resources(&manifest), "{bundle}");
        let same_root =
            ours.claim().unwrap().root_sha256() == theirs.claim().unwrap().root_sha256();
        assert_eq!(same_root, same_order, "{bundle}");
    }
}

#[test]
fn shards_of_the_default_size_are_those_of_the_reference_implementation() {
    let directory = written("shards");
    let manifest = manifest(&theirs("shards-default"));
    let report = directory.report(&Checking::new(), &manifest);
    assert_eq!(findings(&report), entries([("empty", Finding::Additional)]));
    assert!(!report.is_as_signed());
    let report = directory.report(&Checking::new().ignore_unsigned(), &manifest);
    assert!(report.is_as_signed());
}

#[test]
fn a_single_file_has_the_digest_of_the_reference_implementation() {
    let directory = written("single");
    let theirs = theirs("single");
    let manifest = manifest(&theirs);
    let file = directory.of("model.bin");
    let report = Checking::new().check(&manifest, &file).unwrap();
    assert_eq!((findings(&report), report.signed_as()), (Vec::new(), None));
    let ours = Signing::new().sign(&signing_key(1), &file).unwrap();
    assert_eq!(ours.claim().unwrap().root_sha256(), theirs.claim().unwrap().root_sha256());
}

/// It was told to sign what is left out otherwise.
#[test]
fn signed_files_of_git_are_checked() {
    let directory = written("git");
    let manifest = manifest(&theirs("git-included"));
    assert!(manifest.file(".git/config").is_some());
    assert_eq!(
        directory.findings(&manifest),
        entries([
            (".git", Finding::Ignored(IgnoredBy::Git)),
            (".github", Finding::Ignored(IgnoredBy::Git))
        ])
    );
    let config = fs::read(directory.of(".git/config")).unwrap();
    directory.write(".git/config", "");
    directory.write(".git/other", "");
    directory.write(".gitignore", "changed");
    let expected = [
        (".git", Finding::Ignored(IgnoredBy::Git)),
        (".git/config", Finding::Changed),
        (".github", Finding::Ignored(IgnoredBy::Git)),
        (".gitignore", Finding::Changed),
    ];
    assert_eq!(directory.findings(&manifest), entries(expected));
    directory.remove(".git/config");
    let found = directory.findings(&manifest);
    assert_eq!(found[1], (".git/config".to_owned(), Finding::Missing));
    // Not through a link.
    #[cfg(unix)]
    {
        let elsewhere = Directory::with([("config", config)]);
        fs::remove_dir_all(directory.of(".git")).unwrap();
        std::os::unix::fs::symlink(elsewhere.path(), directory.of(".git")).unwrap();
        let found = directory.findings(&manifest);
        assert_eq!(found[0].1, Finding::Refused(twinseal::ModelRefusal::Link));
        assert_eq!(found[1], (".git/config".to_owned(), Finding::Missing));
    }
}

/// The trees of the reference implementation's own tests. A link is written as the file that it leads to.
fn their_tree(name: &str) -> Directory {
    let file = |name: &str, content: &str| (name.to_owned(), content.to_owned());
    Directory::with(match name {
        "deep_model" => (0..4)
            .map(|i| file(&format!("d0/d1/d2/d3/d4/f{i}"), &format!("This is file f{i}.")))
            .collect(),
        "sample_model" => {
            let inner = (0..2).flat_map(|i| (0..3).map(move |j| (i, j)));
            let inner = inner.map(|(i, j)| {
                file(&format!("d{i}/f{i}{j}"), &format!("This is file f{i}{j} in d{i}."))
            });
            let root =
                (0..4).map(|i| file(&format!("f{i}"), &format!("This is file f{i} in root.")));
            inner.chain(root).collect()
        }
        "file_model" => vec![file("file_model", "This is a simple model")],
        "symlink_model" => vec![file("symlink_file", "This is a simple model")],
        "empty_file_model" => vec![file("empty_file_model", "")],
        "empty_file_inside_model" => vec![file("empty_file", "")],
        _ => Vec::new(),
    })
}

/// Name of the statement, method, and whether both orders of resources agree.
const STATEMENTS: [(&str, Method, bool); 14] = [
    ("deep_model_folder", Method::Files, true),
    ("deep_model_folder_shard", LARGE, true),
    ("empty_model_file", Method::Files, true),
    ("empty_model_file_small_shards", SMALL, true),
    ("empty_model_folder", Method::Files, true),
    ("empty_model_folder_small_shards", SMALL, true),
    ("model_folder_with_empty_file_shard", LARGE, true),
    ("model_folder_with_empty_file_small_shards", SMALL, true),
    ("sample_model_file", Method::Files, true),
    ("sample_model_file_shard", LARGE, true),
    ("sample_model_folder_shard", LARGE, true),
    ("sample_model_folder_small_shards", SMALL, false),
    ("symlink_model_folder", Method::Files, true),
    ("symlink_model_folder_shard", LARGE, true),
];

const SMALL: Method = Method::Shards(NonZeroU64::new(8).unwrap());
const LARGE: Method = Method::Shards(NonZeroU64::new(1_000_000_000).unwrap());

#[test]
fn statements_of_the_reference_implementation_are_those_of_its_trees() {
    let Some(vectors) = vectors() else { return };
    let folder = "sigstore-model-transparency/tests/_signing/testdata/signing/TestPayload";
    for (name, method, same_order) in STATEMENTS {
        let statement = vectors.read(&format!("{folder}/{name}"));
        let statement: serde_json::Value = serde_json::from_slice(&statement).unwrap();
        let subject = &statement["subject"][0];
        let model = subject["name"].as_str().unwrap();
        let theirs: BTreeMap<String, Vec<u8>> = statement["predicate"]["resources"]
            .as_array()
            .unwrap()
            .iter()
            .map(|resource| {
                let digest = hex::decode(resource["digest"].as_str().unwrap()).unwrap();
                let resource = resource["name"].as_str().unwrap();
                // A single file, which has its base name here.
                match resource.strip_prefix('.') {
                    Some(shard) => (format!("{model}{shard}"), digest),
                    None => (resource.to_owned(), digest),
                }
            })
            .collect();
        let directory = their_tree(model);
        let file = directory.of(model);
        let path = if file.is_file() { &file } else { directory.path() };
        let signing = Signing::new().method(method);
        let signed = signing.sign(&signing_key(1), path);
        if theirs.is_empty() {
            // Nothing is signed there. Here that is an error.
            signed.map(drop).unwrap_err();
            continue;
        }
        let ours = signed.unwrap();
        assert_eq!(resources(&verified(&ours)), theirs, "{name}");
        let root = hex::encode(ours.claim().unwrap().root_sha256());
        assert_eq!(root == subject["digest"]["sha256"].as_str().unwrap(), same_order, "{name}");
    }
}
