//! Do custodians use their halves for clients, and does the demonstration work?

use std::{process::Stdio, thread};

use support::{
    example::example,
    process::{signal, within_deadline},
    running::end_of,
};

use crate::pair::{Pair, ask, custodian, serve};

#[test]
fn the_demonstration() {
    let printed = example("key_management", [""; 0]).prints();
    for expected in [
        "  in memory: opening takes ",
        "  what was sealed before opens\n",
        "  in two custodians: opening takes ",
        " main-1 decapsulate post-quantum half (ML-KEM-1024) ",
        "\n    the post-quantum half of the external key failed: it refuses: this key does not sign for",
        "the service opens\n    the traditional half of the external key failed: nobody answers at ",
        "the service signs\n    the traditional half of the external key failed: nobody answers at ",
        " ms; it answers: later (503)\n  it is started again: the service opens, after ",
        "hangs\n    the post-quantum half of the external key failed: no answer within 300 ms\n",
        "of ML-KEM-1024 and ML-DSA-87\n    it opens in 0 of 104 tries\n    it signs in 0 of 5\n",
        "of X25519 and ECDSA-P384\n    it opens in 0 of 104 tries\n    it signs in 0 of 5\n",
        "to show that the tries are real\n    it opens in 1 of 104 tries\n    it signs in 2 of 5\n",
        "  what was sealed to either key opens\n",
        "sealed to it\n    not addressed to this key\n",
        "rotates to one\n    invalid keyring: ",
        "with a copied ML-DSA half\n    invalid keyring: ",
        "  P-384 decapsulate: 3 done, 0 refused\n",
        "a file is damaged\n    primary.pem of the mount: invalid PEM in line 1: ",
        "there is no primary.pem\n    the mount: invalid keyring: a directory needs a primary.pem\n",
        "does not list\n    the mount: the policy does not accept the KEM suite MLKEM1024-P384\n",
        " times, and failed 0 times\n",
        "data sealed to it: not addressed to this key\n",
    ] {
        assert!(printed.contains(expected), "{expected:?} is not in {printed}");
    }
}

#[test]
fn they_open_and_sign() {
    let mut pair = Pair::start();
    pair.opens();
    pair.signs();
    let other = pair.ask("open", &["-c", "example.com/other", &pair.sealed()]).refuses();
    assert!(other.contains("opening failed: wrong key, wrong context"), "{other}");

    // One line for each use, which names key, task, half and purpose.
    let signed = " ms: done for \"example.com/releases/v1\"";
    pair.post_quantum
        .wait_for(&[" main decapsulate post-quantum half (ML-KEM-1024) ", " ms: done"]);
    pair.post_quantum.wait_for(&[" main sign post-quantum half (ML-DSA-87) ", signed]);
    pair.traditional.wait_for(&[" main decapsulate traditional half (X25519) ", " ms: done"]);
    pair.traditional.wait_for(&[" main sign traditional half (ECDSA-P384) ", signed]);
}

/// A custodian signs for no context that it was not started for, and none of the library's own.
#[test]
fn a_purpose_that_is_not_allowed() {
    let mut pair = Pair::start();
    let file = pair.file(b"message");
    for context in ["example.com/", "example.com/releases/v10", "twinseal/session/v1", "a\x1b[31m"]
    {
        let refused = pair.ask("sign", &["-c", context, &file]).refuses();
        let context = context.replace('\x1b', "\\u{1b}");
        let said = format!("it refuses: this key does not sign for \"{context}\"");
        let expected = format!("the post-quantum half of the external key failed: {said}\n");
        assert!(refused.ends_with(&expected) || refused.contains("reserved"), "{refused}");
    }
    // Both custodians are asked, and each refuses by itself.
    for custodian in [&mut pair.post_quantum, &mut pair.traditional] {
        custodian.wait_for(&["this key does not sign for \"a\\u{1b}[31m\""]);
    }
}

/// While a custodian is killed or ended and started again, and replaces the socket that the killed one
/// has left, it has the same halves: clients get what they want or a failure that
/// passes, and nothing else.
#[test]
fn restarts_under_load() {
    let mut pair = Pair::start();
    let (directories, sealed) = (pair.directories(), pair.sealed());
    let (stop, stopped) = std::sync::mpsc::channel::<()>();
    let asking = thread::spawn(move || {
        let mut outcomes = Vec::new();
        while stopped.try_recv().is_err() {
            outcomes.push(ask(&directories, "open", &[&sealed]).run());
        }
        outcomes
    });
    for restart in 0..6 {
        if restart % 2 == 0 {
            pair.traditional.kill();
        } else {
            signal("TERM", pair.traditional.id());
        }
        pair.traditional.end();
        pair.traditional = custodian(&pair.directories().traditional, "traditional");
        pair.opens();
    }
    stop.send(()).unwrap();
    let outcomes = within_deadline("the client ends", move || asking.join().unwrap());
    assert!(outcomes.iter().any(|outcome| outcome.code == Some(0)));
    for outcome in outcomes.iter().filter(|outcome| outcome.code != Some(0)) {
        let passes = ["nobody answers at ", "it disconnected before it answered"];
        let text = &outcome.stderr;
        assert!(passes.iter().any(|failure| text.contains(failure)), "{text}");
    }
}

/// However the parent ends, its custodian ends with it, and counts what it did; so it does when it is
/// asked to end.
#[test]
fn it_ends_with_its_parent_and_by_a_signal() {
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("a");
    let mut pair = Pair::start();
    signal("TERM", pair.post_quantum.id());
    assert_eq!(pair.post_quantum.end(), Some(0));
    let counts = "ML-KEM-1024 decapsulate: 1 done, 0 refused";
    assert!(
        pair.post_quantum.seen.iter().any(|line| line == counts),
        "{}",
        pair.post_quantum.all()
    );

    let mut command = serve(&directory, "traditional");
    let child = command.stdin(Stdio::piped()).spawn().unwrap();
    assert_eq!(end_of(child).code, Some(0));
}
