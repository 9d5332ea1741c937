//! Does the example `key_management` do what it promises, also when something goes wrong?

#![cfg(unix)] // elsewhere it only reports that it needs Unix sockets

mod commands;
mod faults;

use support::example::{example, prints_help};

/// The arguments that it does not understand are refused by name, with exit code 2.
#[test]
fn wrong_arguments() {
    let cases: [(&[&str], &str); 3] = [
        (&["serve"], "--socket"),
        (&["sign", "file"], "--socket"),
        (&["public", "--socket", "s", "--timeout", "0"], "1 to 600000"),
    ];
    for (arguments, expected) in cases {
        let outcome = example("key_management", arguments).run();
        assert_eq!(outcome.code, Some(2), "{arguments:?}");
        assert_eq!(outcome.stdout, "");
        assert!(outcome.stderr.contains(expected), "{arguments:?}: {}", outcome.stderr);
    }
}

#[test]
fn help_is_printed() {
    prints_help("key_management", &["serve", "public", "sign", "open"]);
}

#[test]
fn a_closed_pipe_is_not_an_error() {
    example("key_management", [""; 0]).takes_a_closed_pipe();
}
