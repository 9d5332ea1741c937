//! Are the bundles of the reference implementation read and verified, each as tests/vectors/oms says?

use sha2::{Digest, Sha256};
use twinseal::{
    Error,
    ModelRefusal::{AnotherKey, Empty, Hash, KindOfKey, Links},
    model::{Bundle, Manifest, Method, TrustedKey},
};

use super::trees::{read, text, tree};

/// Name of the bundle, its tree, and the digest of the model.
const GOOD: [(&str, &str, &str); 11] = [
    ("simple", "simple", "6bb5f1e67f39a30765b5ce886a8d737da62c4c0f39d486a9f5cb2f8e8813b33a"),
    ("order", "order", "90f0c4d887dc9b0d87c2a33fe99eec0ae7c800ebbae41d04c6b4c1b7dd9bd3ae"),
    ("names", "names", "69192958be7210858591e5cf114a09524bd4a2de5cf966ffc34bfce7cb6ba325"),
    ("single", "single", "509ace2458c81d9f5d0c7b9710985c396b2af23c6f543f8fa96c6cb30be6297b"),
    ("git", "git", "d3edd015b73c299c02cf4cf59ab530fcb60d7126d427cf6e0c056b50bad75e3b"),
    ("git-included", "git", "c07be91e6298f3b1a361666c6141aaee06591c4c69b57b99e12fed131a1c6545"),
    ("ignore", "ignore", "db3bb26cb7db7f5583f7640bc2c31677bca4e16c8c4923e493c16f0d70b38fd2"),
    (
        "empty-files",
        "empty-files",
        "0484cb9b40fbbf357d36e3f897adb19d497c79a0a5019057071c8444eb402b65",
    ),
    ("deep", "deep", "b0abc13643e51e6fd3e6cc0908560f235b2195433686e51add36c3d52b087cb1"),
    ("shards-100", "shards", "8671f8c1d067939df3440995ce45a02bee37e207c822f705f67b9668fade89d2"),
    (
        "shards-default",
        "shards",
        "7379e47fe1f0bf3a7d49dd8bedb2cecf4bdd7ce3fe07eaf114815feb374a964c",
    ),
];

fn p384() -> TrustedKey {
    TrustedKey::from_pem(&text("p384.pub.pem")).unwrap()
}

fn verified(name: &str) -> Result<Manifest, Error> {
    Bundle::from_bytes(read(name))?.verify(&[p384()])
}

#[test]
fn good_bundles_verify_and_list_their_trees() {
    for (name, of_tree, root) in GOOD {
        let bundle = Bundle::from_bytes(read(&format!("{name}.p384.sig"))).unwrap();
        assert_eq!(hex::encode(bundle.claim().unwrap().root_sha256()), root, "{name}");
        let manifest = bundle.verify(&[p384()]).unwrap();
        assert_eq!(manifest.signer(), &p384());

        let tree = tree(of_tree);
        for file in manifest.files() {
            let content = &tree[file.name()];
            file.verify_reader(&content[..]).unwrap();
        }
        // What is not listed was left out, or is an empty file that shards cannot express.
        let ignored: Vec<_> = manifest.ignored().collect();
        for (path, content) in &tree {
            let is_left_out =
                ignored.iter().any(|out| path == out || path.starts_with(&format!("{out}/")));
            let is_empty_shard = content.is_empty() && manifest.method() != Method::Files;
            let is_listed = manifest.file(path).is_some();
            assert_ne!(is_listed, is_left_out || is_empty_shard, "{path} of {name}");
        }
    }
}

/// The digest in the manifest is that of the content, computed here.
#[test]
fn digests_are_those_of_the_files() {
    let manifest = verified("simple.p384.sig").unwrap();
    for (path, content) in tree("simple") {
        let file = manifest.file(&path).unwrap();
        let sha256: [u8; 32] = Sha256::digest(content).into();
        assert_eq!(file.digest().whole(), Some(&sha256), "{path}");
    }
}

#[test]
fn shards_have_their_ranges() {
    let manifest = verified("shards-100.p384.sig").unwrap();
    assert_eq!(manifest.method(), Method::Shards(100.try_into().unwrap()));
    let ranges = |name| {
        manifest.file(name).unwrap().digest().shards().unwrap().map(|shard| shard.range()).collect()
    };
    let big: Vec<_> = ranges("big");
    assert_eq!((big.len(), big[2].clone(), big[12].clone()), (13, 200..300, 1200..1280));
    let exact: Vec<_> = ranges("exact");
    assert_eq!(exact, [0..100, 100..200]);
    let whole = verified("shards-default.p384.sig").unwrap();
    assert_eq!(whole.method(), Method::Shards(1_000_000_000.try_into().unwrap()));
}

#[test]
fn a_single_file_has_the_name_of_the_model() {
    let bundle = Bundle::from_bytes(read("single.p384.sig")).unwrap();
    let claim = bundle.claim().unwrap();
    assert_eq!((claim.name(), claim.suite()), ("model.bin", None));
    let manifest = bundle.verify(&[p384()]).unwrap();
    let names: Vec<_> = manifest.files().map(|file| file.name()).collect();
    assert_eq!(names, ["model.bin"]);
}

#[test]
fn what_this_crate_leaves_out_is_refused_by_name() {
    let table = [
        ("empty-dir.p384.sig", Empty),
        ("blake2b.p384.sig", Hash),
        ("blake3.p384.sig", Hash),
        ("links.p384.sig", Links),
        ("simple.p256.sig", AnotherKey),
        ("simple.p521.sig", AnotherKey),
    ];
    for (name, expected) in table {
        let refusal = super::drafts::without_name(verified(name).unwrap_err());
        assert_eq!(refusal, Error::Model(expected), "{name}");
    }
    for name in ["p256.pub.pem", "p521.pub.pem"] {
        let refusal = TrustedKey::from_pem(&text(name)).unwrap_err();
        assert_eq!(refusal, Error::Model(KindOfKey), "{name}");
    }
}

#[test]
fn only_the_key_that_is_named_verifies() {
    let other = super::drafts::alices_key();
    let bundle = Bundle::from_bytes(read("simple.p384.sig")).unwrap();
    assert_eq!(bundle.claim().unwrap().hint(), Some(p384().hint().as_str()));
    for trusted in [&[][..], std::slice::from_ref(&other)] {
        let refusal = bundle.verify(trusted).unwrap_err();
        assert_eq!(refusal, Error::Model(AnotherKey));
    }
    assert!(bundle.verify(&[other, p384()]).is_ok());
}

/// One bit of each byte, and each length.
#[test]
fn changed_bundles_are_refused() {
    for name in ["simple.p384.sig", "shards-100.p384.sig"] {
        let bundle = read(name);
        for index in 0..bundle.len() {
            let mut changed = bundle.clone();
            changed[index] ^= 1 << (index % 8);
            let result = Bundle::from_bytes(changed).and_then(|bundle| bundle.verify(&[p384()]));
            assert!(result.is_err(), "{name}, byte {index}");
            assert!(Bundle::from_bytes(&bundle[..index]).is_err(), "{name}, {index} bytes");
        }
    }
}
