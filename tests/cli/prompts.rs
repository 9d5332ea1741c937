//! Is a passphrase asked for on the terminal, where nobody sees it, and is the terminal given back?

use std::fs;

use twinseal::SigningKey;

use crate::{
    common::{
        keys::{P384, X25519, kem_key},
        process::{ended_if_present, signal},
    },
    desk::message,
    passphrase::{PASSPHRASE, desk, encrypted},
    terminal::Terminal,
};

#[test]
fn a_passphrase_is_typed_on_the_terminal_and_not_shown() {
    let desk = desk();
    let line = "twinseal keygen --sign --passphrase --scrypt 16,8,1 -o new.pem </dev/null >id 2>&1";
    let Some(mut terminal) = Terminal::new(&desk, line) else { return };
    terminal.wait_for("New passphrase for new.pem: ");
    terminal.type_keys("sesame xx\x7f\x7fé\n");
    terminal.wait_for("The same again: ");
    terminal.type_keys("sesame é\n");
    let (shown, code) = terminal.end();
    assert_eq!((code, shown.contains("sesame")), (Some(0), false), "{shown}");
    SigningKey::from_encrypted_pem(&desk.text("new.pem"), "sesame é").unwrap();

    // A file of two keys asks once.
    let (new, old) = (kem_key(P384, 5), kem_key(X25519, 1));
    desk.write_secret("ring.key", [encrypted(&new), encrypted(&old)].concat());
    let line = "twinseal open -k ring.key -c x <sealed >opened";
    let mut terminal = Terminal::new(&desk, line).unwrap();
    terminal.wait_for("Passphrase of ring.key: ");
    terminal.type_keys(&format!("{PASSPHRASE}\n"));
    let (shown, code) = terminal.end();
    assert_eq!(shown.trim(), "Passphrase of ring.key:");
    assert_eq!((code, desk.read("opened")), (Some(0), b"hello".to_vec()));
}

/// Nothing is typed in vain.
#[test]
fn a_terminal_is_refused_before_a_passphrase_is_asked_for() {
    let desk = desk();
    for (line, what) in [
        ("open -k bob.key -c x sealed", "it is a terminal, which obeys escape sequences"),
        ("sign -k alice.key -c x letter", "it is a terminal, but the result is not text"),
        ("rewrap -k bob.key -r carol.pub sealed", "it is a terminal, but the result is not text"),
    ] {
        let Some(terminal) = Terminal::new(&desk, &format!("twinseal {line}")) else { return };
        let (shown, code) = terminal.end();
        assert!(code == Some(1) && shown.contains(what), "{line}: {shown}");
        assert!(!shown.contains("Passphrase of"), "{line}: {shown}");
    }
}

#[test]
fn what_is_typed_wrongly_changes_nothing() {
    let desk = desk();
    for (line, typed, what) in [
        ("keygen --kem --passphrase", &["one\n", "two\n"][..], "the two passphrases differ"),
        ("keygen --kem --passphrase", &["\n"], "the passphrase is empty"),
        ("keygen --kem --passphrase", &["\x04"], "no passphrase was typed"),
        ("passwd bob.pem", &["one\n", "two\n"], "the two passphrases differ"),
        ("passwd bob.pem", &["a\tb\n"], "the passphrase contains a control character"),
        ("passwd bob.pem", &["a\x1b[Db\n"], "the passphrase contains a control character"),
        ("passwd bob.key", &["wrong\n"], "wrong passphrase, or a changed file; run the command"),
        ("public bob.key", &["wrong\n"], "wrong passphrase, or a changed file; run the command"),
    ] {
        let before = desk.files();
        let line = format!("twinseal {line}");
        let Some(mut terminal) = Terminal::new(&desk, &line) else { return };
        for typed in typed {
            terminal.wait_for(": ");
            terminal.type_keys(typed);
        }
        let (shown, code) = terminal.end();
        assert!(code == Some(1) && shown.contains(what), "{line}: {shown}");
        fs::remove_file(desk.path("typed")).unwrap();
        assert!(desk.files() == before, "{line}");
    }
}

#[test]
fn a_run_that_is_stopped_gives_the_terminal_back() {
    let desk = desk();
    for stopped_by in ["INT", "TERM", "HUP"] {
        let line = "twinseal public bob.key & echo \"[$!]\"; wait $!; stty -a";
        // A shell ignores SIGINT for what it runs in the background.
        let foreground = "trap : INT; twinseal public bob.key; stty -a";
        let line = if stopped_by == "INT" { foreground } else { line };
        let Some(mut terminal) = Terminal::new(&desk, line) else { return };
        terminal.wait_for("Passphrase of bob.key: ");
        if stopped_by == "INT" {
            terminal.type_keys("half\x03");
        } else {
            let shown = terminal.shown();
            let (_, pid) = shown.split_once('[').unwrap();
            let (pid, _) = pid.split_once(']').unwrap();
            signal(stopped_by, pid.parse().unwrap());
        }
        terminal.wait_for(&format!("stopped by SIG{stopped_by}"));
        let (shown, _) = terminal.end();
        for mode in [" echo ", " icanon ", "isig "] {
            assert!(shown.contains(mode), "{stopped_by}: {shown}");
        }
        assert!(!shown.contains("half"), "{shown}");
    }
}

/// A shell switches the echo on when it gets the terminal back.
#[test]
fn a_run_that_was_suspended_asks_again_and_shows_nothing() {
    let desk = desk();
    let line = "twinseal public bob.key >public & while stty -a | grep -q ' echo '; do sleep 0.05; done; kill \
                -STOP $!; stty echo; kill -CONT $!; wait $!";
    let Some(mut terminal) = Terminal::new(&desk, line) else { return };
    terminal.wait_for("Passphrase of bob.key: ");
    terminal.wait_for("Passphrase of bob.key: ");
    terminal.type_keys(&format!("{PASSPHRASE}\n"));
    let (shown, code) = terminal.end();
    assert_eq!((code, shown.contains(PASSPHRASE)), (Some(0), false), "{shown}");
    assert_eq!(desk.read("public"), desk.read("bob.pub"));
}

#[test]
fn without_a_terminal_a_file_is_asked_for() {
    let desk = desk();
    for (line, what) in [
        ("public bob.key", "bob.key: there is no terminal to ask for its passphrase; name a file"),
        ("keygen --kem --passphrase", "key.pem: there is no terminal to ask"),
        (
            "passwd bob.pem",
            "a new passphrase; name a file that holds it with --new-passphrase-file",
        ),
        ("passwd bob.key", "that holds it with --passphrase-file"),
    ] {
        let words: Vec<_> =
            ["setsid", "-w", "twinseal"].into_iter().chain(line.split(' ')).collect();
        let Some(output) = ended_if_present(desk.shell(&words)) else {
            eprintln!("skipped: setsid is not installed");
            return;
        };
        let error = message(1, &output);
        assert!(error.contains(what), "{line}: {error}");
    }
}
