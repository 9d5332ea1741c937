//! Model directories.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::LazyLock,
};

use tempfile::TempDir;
use twinseal::{
    ModelRefusal,
    model::{Checking, Finding, Manifest, Method, Signing, TrustedKey},
};

use super::{people::ALICE, script::Script};

/// Names that a change can be about: signed ones, new ones, and directories of both.
const NAMES: [&str; 14] = [
    "a",
    "b/c",
    "b/d e",
    "é/x",
    "x/y/z",
    "w",
    "b",
    "x",
    "x/y",
    "a/below",
    "new",
    "x/new",
    "b/\n",
    ".git/HEAD",
];
const SIGNED: usize = 6;

#[derive(Clone, Debug, PartialEq)]
enum Node {
    File(Vec<u8>),
    #[cfg(unix)]
    Link,
}

type Tree = BTreeMap<&'static str, Node>;

fn content(index: usize) -> Vec<u8> {
    vec![7; [0, 1, 99, 100, 101, 2500][index]]
}

/// Signed whole, and by shards of 100 bytes, which an empty file cannot be.
static MANIFESTS: LazyLock<[(Tree, Manifest); 2]> = LazyLock::new(|| {
    let methods = [(Method::Files, 0), (Method::Shards(100.try_into().unwrap()), 1)];
    methods.map(|(method, first)| {
        let files = NAMES.iter().enumerate().take(SIGNED).skip(first);
        let tree: Tree = files.map(|(index, name)| (*name, Node::File(content(index)))).collect();
        let bundle = Signing::new().method(method).sign(&*ALICE, written(&tree).path()).unwrap();
        (tree, bundle.verify(&[TrustedKey::from(ALICE.verifying_key())]).unwrap())
    })
});

fn written(tree: &Tree) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (name, node) in tree {
        let path = directory.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        match node {
            Node::File(bytes) => fs::write(path, bytes).unwrap(),
            #[cfg(unix)]
            Node::Link => std::os::unix::fs::symlink("w", path).unwrap(),
        }
    }
    directory
}

/// Puts it there in place of everything that is in the way.
fn put(tree: &mut Tree, name: &'static str, node: Node) {
    tree.retain(|other, _| {
        !Path::new(other).starts_with(name) && !Path::new(name).starts_with(other)
    });
    tree.insert(name, node);
}

fn change(tree: &mut Tree, script: &mut Script<'_>) {
    let name = *script.one_of(&NAMES);
    match script.byte() % 6 {
        0 => tree.retain(|other, _| !Path::new(other).starts_with(name)),
        1 => {
            let length = usize::from(script.byte());
            put(tree, name, Node::File(vec![7; length]));
        }
        2 => {
            if let Some(Node::File(bytes)) = tree.get_mut(name) {
                let at = script.number();
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= script.byte();
                }
            }
        }
        3 => {
            if let Some(Node::File(bytes)) = tree.get_mut(name) {
                bytes.extend_from_slice(script.bytes(16));
            }
        }
        4 => {
            if let Some(node) = tree.remove(name) {
                let other = *script.one_of(&NAMES);
                put(tree, other, node);
            }
        }
        #[cfg(unix)]
        _ => put(tree, name, Node::Link),
        #[cfg(not(unix))]
        _ => {}
    }
}

/// All that differs, by path.
fn expected(signed: &Tree, tree: &Tree, unsigned_may_be: bool) -> BTreeMap<PathBuf, Finding> {
    let mut findings = BTreeMap::new();
    for (name, node) in tree {
        let finding = match (node, signed.get(name)) {
            _ if name.starts_with(".git/") => continue,
            #[cfg(unix)]
            (Node::Link, _) => Finding::Refused(ModelRefusal::Link),
            (node, Some(signed)) if node == signed => continue,
            (_, Some(_)) => Finding::Changed,
            (_, None) if unsigned_may_be => continue,
            (_, None) => Finding::Additional,
        };
        findings.insert(name.into(), finding);
    }
    for name in signed.keys().filter(|name| !tree.contains_key(*name)) {
        findings.insert(name.into(), Finding::Missing);
    }
    findings
}

/// A changed directory: the report has each difference, and nothing else.
pub fn model_directory(data: &[u8]) {
    let mut script = Script::new(data);
    let choice = script.byte();
    let (signed, manifest) = &MANIFESTS[usize::from(choice & 1)];
    let mut tree = signed.clone();
    while !script.is_empty() {
        change(&mut tree, &mut script);
    }
    let directory = written(&tree);
    let unsigned_may_be = choice & 2 != 0;
    let mut checking = Checking::new();
    if unsigned_may_be {
        checking = checking.ignore_unsigned();
    }
    let report = checking.check(manifest, directory.path()).unwrap();
    let found: BTreeMap<_, _> =
        report.failures().map(|(path, finding)| (path.to_owned(), finding)).collect();
    assert_eq!(expected(signed, &tree, unsigned_may_be), found, "{tree:?}");
    assert_eq!(report.result().is_ok(), found.is_empty());
}
