//! Do tests/README.md and CONTRIBUTING.md name only files that exist, and does the former name every module?

use std::path::Path;

const README: &str = include_str!("../README.md");
const CONTRIBUTING: &str = include_str!("../../CONTRIBUTING.md");

/// The words in backticks, outside blocks of code.
fn named(document: &str) -> impl Iterator<Item = &str> {
    document.split("```").step_by(2).flat_map(|text| text.split('`').skip(1).step_by(2))
}

#[test]
fn the_files_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    // A published package has neither this file nor all that the documents name.
    if !root.join("deny.toml").exists() {
        return;
    }
    let here = root.join("tests");
    // Capital letters stand for a name.
    let is_path = |name: &&str| {
        let ends = name.ends_with(".rs") || name.ends_with('/');
        ends && name.contains('/') && !name.contains(char::is_uppercase)
    };
    for (document, directory) in [(README, &*here), (CONTRIBUTING, root)] {
        let paths: Vec<_> = named(document).filter(is_path).collect();
        assert!(paths.len() > 10, "{paths:?}");
        for path in paths {
            let exists = [directory, root].iter().any(|base| base.join(path).exists());
            assert!(exists, "{path} does not exist");
        }
    }
}

#[test]
fn every_module_is_named() {
    let lines = include_str!("main.rs").lines();
    let modules = lines.filter_map(|line| line.strip_prefix("mod ")?.strip_suffix(';'));
    for module in modules.filter(|module| *module != "common") {
        let (file, directory) = (format!("it/{module}.rs"), format!("it/{module}/"));
        let is_named = named(README).any(|name| name == file || name.starts_with(&directory));
        assert!(is_named, "tests/README.md does not name {module}");
    }
}
