//! Does the Dockerfile build existing targets, and do its images have the programs of the
//! manifests?

use std::collections::BTreeSet;

use crate::{project, root};

/// The lines of the Dockerfile, continued ones joined, in words.
fn instructions() -> Vec<Vec<String>> {
    let text = project("examples/kubernetes/Dockerfile").replace("\\\n", " ");
    let lines = text.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty());
    lines.map(|line| line.split_whitespace().map(str::to_owned).collect()).collect()
}

/// The instructions of a stage, and of those it is made from.
fn stage(name: &str) -> Vec<Vec<String>> {
    let instructions = instructions();
    let is_start = |words: &&Vec<String>| words[0] == "FROM" && words.last().unwrap() == name;
    let start = instructions.iter().position(|words| is_start(&words));
    let start = start.unwrap_or_else(|| panic!("there is no stage {name}"));
    let end = instructions[start + 1..].iter().position(|words| words[0] == "FROM");
    let end = end.map_or(instructions.len(), |end| start + 1 + end);
    let base = &instructions[start][1];
    let inherited = if base.starts_with('$') { Vec::new() } else { stage(base) };
    [inherited, instructions[start + 1..end].to_vec()].concat()
}

/// The stage that becomes an image, by the command in the README that builds it.
fn stage_of(image: &str) -> String {
    let readme = project("examples/kubernetes/README.md");
    let tag = format!(" -t {image}:");
    let is_build = |line: &&str| line.starts_with("docker build ") && line.contains(&tag);
    let build = readme.lines().find(is_build).unwrap_or_else(|| panic!("nobody builds {image}"));
    assert!(build.contains("-f examples/kubernetes/Dockerfile "));
    match build.split_once("--target ") {
        Some((_, rest)) => rest.split(' ').next().unwrap().to_owned(),
        None => {
            let last = instructions().into_iter().rfind(|words| words[0] == "FROM");
            last.unwrap().last().unwrap().clone()
        }
    }
}

/// The programs of an image.
pub(crate) fn programs(image: &str) -> BTreeSet<String> {
    let copies = stage(&stage_of(image)).into_iter().filter(|words| words[0] == "COPY");
    let targets = copies.map(|words| words.last().unwrap().clone());
    targets.filter_map(|target| Some(target.strip_prefix("/usr/local/bin/")?.to_owned())).collect()
}

/// The user of all images.
pub(crate) fn user() -> u32 {
    let users = ["twinseal", "twinseal-rotation"].map(|image| {
        let stage = stage(&stage_of(image));
        let last = stage.iter().rfind(|words| words[0] == "USER").unwrap().clone();
        last[1].split_once(':').unwrap().0.parse().unwrap()
    });
    assert_eq!(users[0], users[1]);
    assert_ne!(users[0], 0);
    users[0]
}

/// The values of an option of the build's `cargo build`.
fn built(option: &str) -> Vec<String> {
    let build = stage("build").into_iter().find(|words| words[0] == "RUN").unwrap();
    assert!(build.contains(&"--locked".to_owned()));
    let values = build.windows(2).filter(|words| words[0] == option);
    values.flat_map(|words| words[1].split(',').map(str::to_owned).collect::<Vec<_>>()).collect()
}

#[test]
fn it_copies_what_it_builds() {
    let targets = [built("--bin"), built("--example")].concat();
    assert_eq!(targets.len(), 3);
    for image in ["twinseal", "twinseal-rotation"] {
        for words in stage(&stage_of(image)).iter().filter(|words| words[0] == "COPY") {
            let [.., from, to] = words.as_slice() else { panic!("{words:?}") };
            let (source, name) = from.rsplit_once('/').unwrap();
            match words[1].as_str() {
                "--from=build" => {
                    assert!(targets.contains(&name.to_owned()), "{name} is not built");
                    let directory = if built("--bin").contains(&name.to_owned()) {
                        "/src/target/release"
                    } else {
                        "/src/target/release/examples"
                    };
                    assert_eq!(source, directory);
                    assert_eq!(*to, format!("/usr/local/bin/{name}"));
                }
                "--from=kubectl" => assert_eq!(name, "kubectl"),
                _ => drop(project(from)),
            }
        }
    }
}

/// `.git` and `target` are gigabytes, and keys and sealed files must not get into an image from any
/// directory: a pattern without `**/` is for the top one only.
#[test]
fn it_copies_neither_keys_nor_builds() {
    let ignored = project("examples/kubernetes/Dockerfile.dockerignore");
    for pattern in [".git", "**/target", "**/*.pem", "**/*.key", "**/*.sealed"] {
        assert!(ignored.lines().any(|line| line == pattern), "{pattern}");
    }
    assert!(ignored.lines().all(|line| line == ".git" || line.starts_with("**/")), "{ignored}");
}

#[test]
fn the_features_of_the_store_exist() {
    let lock = project("Cargo.lock");
    for feature in built("--features") {
        if let Some((dependency, _)) = feature.split_once('/') {
            assert!(lock.contains(&format!("name = \"{dependency}\"")), "{feature}");
        }
    }
}

#[test]
fn its_targets_exist() {
    for name in built("--example") {
        let directory = root().join("examples").join(&name);
        assert!(
            directory.join("main.rs").exists() || directory.with_extension("rs").exists(),
            "{name}"
        );
    }
    for name in built("--bin") {
        let directory = root().join("src/bin").join(&name);
        assert!(
            directory.join("main.rs").exists() || directory.with_extension("rs").exists(),
            "{name}"
        );
    }
    let manifest = project("Cargo.toml");
    for feature in built("--features").iter().filter(|feature| !feature.contains('/')) {
        assert!(
            manifest.lines().any(|line| line.starts_with(&format!("{feature} = "))),
            "{feature}"
        );
    }
}
