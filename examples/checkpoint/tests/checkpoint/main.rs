//! Does the example `checkpoint` do what it promises, also when something goes wrong?

mod commands;
mod faults;
mod fixture;

use support::example::{example, prints_help};

/// The arguments that it does not understand are refused by name, with exit code 2.
#[test]
fn wrong_arguments() {
    let cases: [(&[&str], &str); 6] = [
        (&["--verbose"], "--verbose"),
        (&["--size", "0"], "--size"),
        (&["seal", "store", "name", "model"], "--key"),
        (&["read", "store", "name", "-k", "key"], "--pin"),
        (&["read", "store", "name", "-k", "key", "-p", "pin", "-o", "file"], "--owner"),
        (&["unseal"], "unseal"),
    ];
    for (arguments, expected) in cases {
        let outcome = example("checkpoint", arguments).run();
        assert_eq!(outcome.code, Some(2), "{arguments:?}");
        assert_eq!(outcome.stdout, "");
        assert!(outcome.stderr.contains(expected), "{arguments:?}: {}", outcome.stderr);
    }
}

#[test]
fn help_is_printed() {
    let commands = ["create", "seal", "read", "grant", "revoke", "retire"];
    prints_help("checkpoint", &commands);
}

#[test]
fn a_closed_pipe_is_not_an_error() {
    example("checkpoint", ["--size", "9"]).takes_a_closed_pipe();
}
