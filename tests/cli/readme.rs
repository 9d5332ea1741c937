//! The session in the README works as it stands there.

use std::fs;

use crate::{desk::Desk, process::ended};

#[test]
fn the_session_of_the_readme() {
    let readme = include_str!("../../README.md");
    let (_, section) = readme.split_once("\n## The command line\n").unwrap();
    let (_, rest) = section.split_once("```sh\n").unwrap();
    let (install, rest) = rest.split_once("```\n").unwrap();
    assert!(install.starts_with("cargo install twinseal --features cli"));
    let (_, rest) = rest.split_once("```sh\n").unwrap();
    let (session, _) = rest.split_once("```\n").unwrap();

    let desk = Desk::new();
    fs::create_dir(desk.path("session")).unwrap();
    let mut shell = desk.shell(&["sh", "-eux", "-c", session]);
    let output = ended(shell.current_dir(desk.path("session")));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}");
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(printed.contains("opened.txt: signed by "), "{printed}");
    assert!(printed.contains("2 recipients"), "{printed}");
    assert!(printed.ends_with("Meet me at the usual place.\n"), "{printed}");
}
