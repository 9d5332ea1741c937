//! Runs the examples as programs.

use std::{
    env,
    path::{Path, PathBuf},
    process::{Command, Output},
};

/// The directory into which `cargo test` builds programs.
pub(crate) fn directory() -> PathBuf {
    let test = env::current_exe().unwrap();
    test.parent().and_then(Path::parent).unwrap().to_path_buf()
}

/// Runs an example to its end.
pub(crate) fn run(name: &str, arguments: &[&str]) -> Output {
    output(&directory().join("examples"), name, arguments, "--examples")
}

/// Runs a program in this directory to its end.
pub(crate) fn output(directory: &Path, name: &str, arguments: &[&str], kind: &str) -> Output {
    let program = directory.join(format!("{name}{}", env::consts::EXE_SUFFIX));
    #[expect(clippy::disallowed_methods, reason = "the small examples wait for nothing")]
    let output = Command::new(&program).args(arguments).output();
    output.unwrap_or_else(|error| {
        panic!("{program:?}: {error}; run `cargo build --all-features {kind}` first")
    })
}

/// The output of a run that must succeed: plain lines that fit into a terminal.
pub(crate) fn printed(name: &str, arguments: &[&str]) -> String {
    let output = run(name, arguments);
    assert!(output.status.success(), "{output:?}");
    assert!(output.stderr.is_empty(), "{output:?}");
    let printed = String::from_utf8(output.stdout).unwrap();
    for line in printed.lines() {
        assert!(line.chars().count() <= 80 && line.trim_end() == line, "{line:?}");
    }
    printed
}
