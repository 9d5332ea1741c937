//! Do the manifests, the Dockerfile and the rotation of keys fit each other, and the programs that they start?

mod image;
mod manifests;
#[cfg(unix)]
mod rotation;

use std::{fs, path::Path};

/// The root of the project, from which the image is built.
fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// A file of the project.
fn project(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}
