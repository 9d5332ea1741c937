//! Is every change of a bundle refused?

use std::io::Write;

use rayon::prelude::*;
use twinseal::model::{Bundle, FileHasher, ManifestBuilder, Method};

use super::drafts::{alice, verified};

fn small() -> Vec<u8> {
    let mut builder = ManifestBuilder::new("model").unwrap();
    let mut hasher = FileHasher::new(Method::Files);
    hasher.write_all(b"weights").unwrap();
    builder.add("weights", hasher.finish().unwrap()).unwrap();
    builder.sign(&alice()).unwrap().as_bytes().to_vec()
}

/// Each byte, changed in these ways.
fn assert_changes_are_refused(ways: impl Fn(usize) -> Vec<u8> + Sync) {
    let bundle = small();
    verified(bundle.clone()).unwrap();
    (0..bundle.len()).into_par_iter().for_each(|index| {
        for change in ways(index) {
            let mut changed = bundle.clone();
            changed[index] ^= change;
            assert!(verified(changed).is_err(), "byte {index} changed by {change:#04x}");
        }
    });
}

/// The lowest bit, the case of a letter, and another bit.
#[test]
fn every_byte() {
    assert_changes_are_refused(|index| vec![0x01, 0x20, 1 << (index % 8)]);
}

/// To each other value.
#[test]
#[ignore = "a minute or two"]
fn every_byte_to_every_value() {
    assert_changes_are_refused(|_| (1..=255).collect());
}

/// To each length. Only the last line feed is not a part of the JSON: other tools write none.
#[test]
fn every_truncation() {
    let bundle = small();
    let end = bundle.len() - 1;
    for length in 0..end {
        assert!(Bundle::from_bytes(&bundle[..length]).is_err(), "{length} bytes");
    }
    verified(&bundle[..end]).unwrap();
}

/// A byte more, at each place: white space between tokens is all that JSON has too much.
#[test]
fn every_insertion() {
    let bundle = small();
    for index in 0..=bundle.len() {
        for byte in *b"0 \n\",{}" {
            let (before, after) = bundle.split_at(index);
            if let Ok(manifest) = verified([before, &[byte], after].concat()) {
                assert!(byte.is_ascii_whitespace(), "{byte} at {index}");
                assert_eq!(manifest.name(), "model");
            }
        }
    }
}
