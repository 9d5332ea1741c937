//! Does the second implementation, in Python, come to the same outcomes, and does it still make the kit?

use std::{env, path::Path};

use crate::common::process::{command, ended};

fn run(script: &str, arguments: &[&str]) {
    let python = env::var("PYTHON").unwrap_or_else(|_| "python3".into());
    let mut python = command(python);
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop");
    python.arg(directory.join(script)).args(arguments);
    let output = ended(python);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

#[test]
#[ignore = "needs Python 3.9 and packages of PyPI, see tests/interop/README.md"]
fn python_reads_every_case() {
    run("testkit.py", &[]);
}

#[test]
#[ignore = "needs Python 3.9 and packages of PyPI, see tests/interop/README.md"]
fn python_makes_the_same_kit() {
    run("make_testkit.py", &["--check"]);
}

#[test]
#[ignore = "needs Python 3.9 and packages of PyPI, see tests/interop/README.md"]
fn python_computes_the_vectors() {
    run("verify.py", &[]);
}
