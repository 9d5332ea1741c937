//! Do the targets hold for every input that a fuzzer kept?
//!
//! A directory of `tests/corpus` has one file, which `fuzz/run --minimise` writes: each input behind its length (2).

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::TARGETS;

/// A published package has no corpus, nor this file.
fn directory() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    root.join("deny.toml").exists().then(|| root.join("tests").join("corpus"))
}

fn inputs(packed: &[u8]) -> Vec<&[u8]> {
    let mut inputs = Vec::new();
    let mut rest = packed;
    while let Some((length, behind)) = rest.split_first_chunk() {
        let (input, behind) = behind.split_at(u16::from_be_bytes(*length).into());
        inputs.push(input);
        rest = behind;
    }
    assert_eq!(rest, b"", "nothing is left");
    inputs
}

/// Runs a target over its inputs, of which there must be some.
pub(super) fn run(name: &str, target: fn(&[u8])) {
    let Some(directory) = directory() else { return };
    let path = directory.join(name).join("packed");
    let packed = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let inputs = inputs(&packed);
    assert!(!inputs.is_empty(), "{name} has no corpus");
    for input in inputs {
        let caught = std::panic::catch_unwind(|| target(input));
        assert!(caught.is_ok(), "{name} fails for {input:02x?}");
    }
}

#[test]
fn each_directory_is_of_a_target() {
    let Some(directory) = directory() else { return };
    // The tool has a target of its own.
    let names: Vec<_> = TARGETS.iter().map(|(name, _)| *name).chain(["inspect"]).collect();
    for entry in fs::read_dir(directory).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(names.contains(&&*name), "there is no target {name}");
    }
}

/// Each object as it is, and the same with all choices alike.
#[test]
fn unchanged_objects() {
    for (name, target) in TARGETS {
        for index in 0..20 {
            for choices in [0, 1, 0xf1, 0xff] {
                let input = [&[index][..], &[choices; 40]].concat();
                for input in [&input[..1], &input[..2], &input] {
                    let caught = std::panic::catch_unwind(|| target(input));
                    assert!(caught.is_ok(), "{name} fails for {input:02x?}");
                }
            }
        }
    }
}
