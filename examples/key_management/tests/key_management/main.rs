//! Does the example `key_management` do what it promises, also when something goes wrong?

#![cfg(unix)] // elsewhere it only reports that it needs Unix sockets

mod commands;
mod directories;
mod faults;
mod pair;

use support::example::{example, prints_help};

/// The arguments that it does not understand are refused by name, with exit code 2.
#[test]
fn wrong_arguments() {
    let client = ["public", "--post-quantum", "a", "--traditional", "b", "--key"];
    let cases: [(&[&str], &str); 5] = [
        (&["serve"], "--directory"),
        (&["serve", "--directory", "d", "--half", "both"], "`post-quantum` or `traditional`"),
        (&["sign", "file"], "--post-quantum"),
        (&[&client[..], &["../x"]].concat(), "1 to 32 of a-z, 0-9 and -"),
        (&[&client[..], &["k", "--timeout", "0"]].concat(), "1 to 600000"),
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
    prints_help("key_management", &["serve", "generate", "public", "sign", "open"]);
}

#[test]
fn a_closed_pipe_is_not_an_error() {
    example("key_management", [""; 0]).takes_a_closed_pipe();
}
