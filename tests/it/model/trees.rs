//! The trees of `made-here/trees.json`, and the other files beside it.

use std::{collections::BTreeMap, fs, path::PathBuf};

/// A file of tests/vectors/oms/made-here.
pub(super) fn read(name: &str) -> Vec<u8> {
    let path = directory().join(name);
    fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

pub(super) fn text(name: &str) -> String {
    String::from_utf8(read(name)).unwrap()
}

fn directory() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/oms/made-here")
}

/// The regular files of a tree, by path. Links are left out.
pub(super) fn tree(name: &str) -> BTreeMap<String, Vec<u8>> {
    let trees: serde_json::Value = serde_json::from_slice(&read("trees.json")).unwrap();
    let entries = trees[name].as_array().unwrap_or_else(|| panic!("no tree {name}"));
    let file = |entry: &serde_json::Value| {
        let content = hex::decode(entry["hex"].as_str()?).unwrap();
        Some((entry["path"].as_str().unwrap().to_owned(), content))
    };
    entries.iter().filter_map(file).collect()
}
