//! Are errors noticed that the disk reports late, when a file is closed or synced?

use std::{fs, process::Command};

use crate::{
    common::process::{self, ended, ended_if_present},
    desk::{Desk, data, message},
};

/// A desk with the library that makes calls fail. `None` (with a message) without a C compiler.
fn desk() -> Option<Desk> {
    let desk = Desk::new();
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cli/failing_disk.c");
    let mut compiler = process::command("cc");
    compiler.args(["-shared", "-fPIC", "-o"]).arg(desk.path("failing.so")).arg(source);
    if !ended_if_present(&mut compiler).is_some_and(|output| output.status.success()) {
        eprintln!("skipped: no C compiler for a disk that fails");
        return None;
    }
    desk.write("in", data(100_000));
    desk.prints("seal -r bob.pub -c x -o sealed in");
    Some(desk)
}

fn failing(desk: &Desk, call: &str, line: &str) -> Command {
    let mut command = desk.command(line);
    command.env("LD_PRELOAD", desk.path("failing.so")).env("FAIL", call);
    command
}

const LINES: [&str; 6] = [
    "keygen --kem -o out",
    "public bob.pem -o out",
    "seal -r bob.pub -c x -o out in",
    "open -k bob.pem -c x -o out sealed",
    "sign -k alice.pem -c x -o out in",
    "rewrap -k bob.pem -r carol.pub -o out sealed",
];

#[test]
fn what_is_lost_at_the_end_gets_no_name() {
    let Some(desk) = desk() else { return };
    for line in LINES {
        let error = desk.refused(1, failing(&desk, "close", line));
        assert!(error.contains("out: it could not be written"), "{line}: {error}");
        let mut command = failing(&desk, "close", line);
        command.env("QUOTA", "1");
        let error = desk.refused(1, command);
        assert!(error.contains("out: no space is left"), "{line}: {error}");
    }
    // It does not replace anything, either.
    desk.write("out", "old");
    for line in &LINES[1..] {
        desk.refused(1, failing(&desk, "close", line));
    }
    fs::remove_file(desk.path("out")).unwrap();
    desk.refused(1, failing(&desk, "fsync", "keygen --sign -o out"));
}

#[test]
fn nor_is_it_done_on_standard_output() {
    let Some(desk) = desk() else { return };
    for line in [
        "public bob.pem",
        "seal -r bob.pub -c x in",
        "open -k bob.pem -c x sealed",
        "sign -k alice.pem -c x in",
        "rewrap -k bob.pem -r carol.pub sealed",
        "inspect sealed",
        "man",
        "completions bash",
    ] {
        let mut command = failing(&desk, "close", line);
        command.stdout(fs::File::create(desk.path("stdout")).unwrap());
        let error = message(1, &ended(command));
        assert!(error.contains("standard output: it could not be written"), "{line}: {error}");
    }
    let mut command = failing(&desk, "close", "-q keygen --kem -o new.pem");
    command.stdout(fs::File::create(desk.path("stdout")).unwrap());
    let error = message(1, &ended(command));
    assert!(error.contains("new.pem: it could not be written"), "{error}");
    assert!(!desk.path("new.pem").exists());
}

/// First the key and then its name are synced, both before its id is printed.
#[test]
fn a_new_key_is_on_the_disk_before_its_id_is_printed() {
    let desk = Desk::new();
    let mut traced =
        desk.shell(&["strace", "-f", "-e", "trace=write,fsync,renameat2", "-o", "calls"]);
    traced.args(["twinseal", "-q", "keygen", "--kem", "-o", "new.pem"]);
    let Some(output) = ended_if_present(traced).filter(|output| output.status.success()) else {
        eprintln!("skipped: no strace");
        return;
    };
    let id = String::from_utf8(output.stdout).unwrap();
    let calls = String::from_utf8(desk.read("calls")).unwrap();
    let position = |what: &str, from: usize| {
        let found = calls[from..].find(what).unwrap_or_else(|| panic!("no {what}: {calls}"));
        from + found
    };
    let key = position("fsync(", 0);
    let name = position("renameat2(", key);
    let directory = position("fsync(", name);
    let printed = calls.find(&id[..16]).unwrap();
    assert!(directory < printed, "{calls}");
}
