//! Is every file of the kit still what it was?

use std::{collections::BTreeMap, fs};

use sha2::{Digest, Sha256};

use super::case::{KIT, files, is_published};

/// What SHA256SUMS says, by path.
fn listed() -> BTreeMap<String, String> {
    let text = fs::read_to_string(KIT.join("SHA256SUMS")).unwrap();
    let lines = text.lines().map(|line| line.split_once("  ").unwrap());
    lines.map(|(hash, path)| (path.into(), hash.into())).collect()
}

/// A case that is there is never changed, only others are added: what a version wrote, every later one opens.
#[test]
fn no_file_has_changed() {
    if is_published() {
        return;
    }
    let listed = listed();
    let paths = ["cases", "keys", "shared", "written"].map(files).concat();
    let found: BTreeMap<_, _> = paths
        .into_iter()
        .map(|path| (path.clone(), hex::encode(Sha256::digest(fs::read(KIT.join(path)).unwrap()))))
        .collect();
    for (path, hash) in &listed {
        assert_eq!(found.get(path), Some(hash), "{path} was changed or removed");
    }
    for path in found.keys() {
        assert!(listed.contains_key(path), "{path} is not in SHA256SUMS");
    }
}
