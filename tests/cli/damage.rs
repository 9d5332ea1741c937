//! Is every damaged or wrong file refused, with nothing left on the disk?

use crate::{
    common::process::ended,
    desk::{Desk, data, given, message},
};

const HEADER: usize = 1712;
const PREFIX: usize = 56;
const CHUNK: usize = 16 * 1024 + 16;
const PLAINTEXT: usize = 40_000;

/// A desk with a sealed file of three chunks, and an older result.
fn desk() -> (Desk, Vec<u8>) {
    let desk = Desk::new();
    desk.write("in", data(PLAINTEXT));
    desk.prints("seal -r bob.pub -c x -o sealed in");
    desk.write("old", "what was there before");
    let sealed = desk.read("sealed");
    (desk, sealed)
}

/// Opening fails however the tool is called, with a message that names the file.
fn refused(desk: &Desk, damaged: &[u8], what: &str) {
    desk.write("damaged", damaged);
    for line in ["open -k bob.pem -c x -o out damaged", "open -k bob.pem -c x -o old damaged"] {
        let error = desk.fails(line);
        assert!(error.starts_with("twinseal: damaged: "), "{what}: {error}");
    }
    // A stream gets only authentic data, and the message says that it is incomplete.
    let output = given(desk.spawn("open -k bob.pem -c x"), damaged);
    let error = message(1, &output);
    assert!(error.starts_with("twinseal: standard input: "), "{what}: {error}");
    assert!(data(PLAINTEXT).starts_with(&output.stdout), "{what}");
    assert_eq!(
        error.contains("do not use the data written to standard output"),
        !output.stdout.is_empty()
    );
    assert!(output.stdout.len() < PLAINTEXT, "{what}");
}

#[test]
fn every_cut_is_noticed() {
    let (desk, sealed) = desk();
    let chunks = HEADER + PREFIX;
    let cuts = [
        0,
        1,
        8,
        11,
        12,
        100,
        HEADER - 32,
        HEADER - 1,
        HEADER,
        HEADER + 24,
        chunks - 1,
        chunks,
        chunks + 15,
        chunks + 16,
        chunks + 17,
        chunks + CHUNK - 1,
        chunks + CHUNK,
        chunks + CHUNK + 16,
        chunks + CHUNK + 100,
        chunks + 2 * CHUNK,
        chunks + 2 * CHUNK + 16,
        sealed.len() - 16,
        sealed.len() - 1,
    ];
    for cut in cuts {
        refused(&desk, &sealed[..cut], &format!("cut after {cut}"));
    }
    for more in [&b"\0"[..], &sealed[sealed.len() - 16..], &sealed] {
        refused(&desk, &[&sealed, more].concat(), "extended");
    }
}

#[test]
fn every_changed_part_is_noticed() {
    let (desk, sealed) = desk();
    let chunks = HEADER + PREFIX;
    let places = [
        0,
        8,
        9,
        10,
        11,
        12,
        13,
        14,
        29,
        30,
        32,
        1599,
        1631,
        1632,
        HEADER - 33,
        HEADER - 32,
        HEADER - 1,
        HEADER,
        HEADER + 23,
        HEADER + 24,
        chunks - 1,
        chunks,
        chunks + CHUNK - 16,
        chunks + CHUNK,
        chunks + 2 * CHUNK,
        sealed.len() - 16,
        sealed.len() - 1,
    ];
    for place in places {
        let mut changed = sealed.clone();
        changed[place] ^= 1;
        refused(&desk, &changed, &format!("a bit of byte {place}"));
    }
    let mut swapped = sealed.clone();
    let (first, second) = swapped[chunks..].split_at_mut(CHUNK);
    first.swap_with_slice(&mut second[..CHUNK]);
    refused(&desk, &swapped, "swapped chunks");
}

#[test]
fn chunks_before_the_damage_are_given_to_streams() {
    let (desk, mut sealed) = desk();
    let last = sealed.len() - 1;
    sealed[last] ^= 1;
    // All chunks of the small file may come in one piece. Of two pieces the first is written.
    let mut long = data(3_000_000);
    desk.write("in", &long);
    desk.prints("seal -r bob.pub -c x -o sealed in");
    let mut sealed = desk.read("sealed");
    let last = sealed.len() - 1;
    sealed[last] ^= 1;
    let output = given(desk.spawn("open -k bob.pem -c x"), &sealed);
    let error = message(1, &output);
    assert!(output.stdout.len() > 1_000_000);
    long.truncate(output.stdout.len());
    assert!(output.stdout == long);
    assert!(error.contains("do not use the data written to standard output"), "{error}");
}

#[test]
fn other_files_are_called_what_they_are() {
    let (desk, _) = desk();
    desk.prints("sign -k alice.pem -c x -o sig in");
    desk.write("empty", "");
    for (name, what) in [
        ("in", "not a sealed file"),
        ("sig", "not a sealed file"),
        ("bob.pem", "not a sealed file"),
        ("empty", "it is empty"),
        ("missing", "no such file"),
        ("in/sealed", "not a directory"),
    ] {
        for line in [
            format!("open -k bob.pem -c x -o out {name}"),
            format!("rewrap -k bob.pem -r carol.pub -o out {name}"),
        ] {
            let error = desk.fails(&line);
            assert!(error.starts_with(&format!("twinseal: {name}: ")), "{error}");
            assert!(error.contains(what), "{line}: {error}");
        }
    }
    for line in ["seal -r bob.pub -c x -o out missing", "sign -k alice.pem -c x -o out missing"] {
        assert!(desk.fails(line).contains("missing: no such file"));
    }
    std::fs::create_dir(desk.path("directory")).unwrap();
    for command in [
        "seal -r bob.pub -c x",
        "open -k bob.pem -c x",
        "sign -k alice.pem -c x",
        "rewrap -k bob.pem -r carol.pub",
        "verify -p alice.pub -c x -s sig",
        "inspect",
    ] {
        let error = desk.fails(&format!("{command} directory"));
        assert!(error.contains("directory: it is a directory"), "{error}");
    }
}

#[test]
fn a_file_of_impossible_length_is_not_rewrapped() {
    let (desk, sealed) = desk();
    desk.write("cut", &sealed[..HEADER + PREFIX + 2 * CHUNK]);
    let error = desk.fails("rewrap -k bob.pem -r carol.pub -o out cut");
    assert!(error.contains("cut: no sealed file has this length"), "{error}");
    desk.write("text", "hello");
    let error = desk.fails("open -k bob.pem -c x -o out text");
    assert!(error.contains("not a sealed file"), "short, and no part of a sealed file: {error}");
}

#[test]
fn labels_do_not_reach_the_terminal_as_commands() {
    let desk = Desk::new();
    desk.write("odd.pem", "-----BEGIN A\x1b[2J-----\nMAA=\n-----END A\x1b[2J-----\n");
    for line in ["public odd.pem", "inspect odd.pem", "seal -r odd.pem -c x odd.pem"] {
        assert!(!desk.fails(line).contains('\x1b'), "{line}");
    }
}

#[test]
fn names_do_not_reach_the_terminal_as_commands() {
    let desk = Desk::new();
    let arguments = ["open", "-k", "bob.pem", "-c", "x", "a\x1b[2Jb\nc"];
    let error = desk.refused(1, desk.command_with(&arguments));
    assert!(error.contains("a\\u{1b}[2Jb\\nc: no such file"), "{error}");
}

/// Data before a damaged or missing part goes to a stream, wherever it is read from, but never to a file.
#[test]
fn what_precedes_the_fault_is_given_to_a_stream() {
    let desk = Desk::new();
    let content = data(1_000_000);
    desk.write("in", &content);
    desk.prints("seal -r bob.pub -c x -o sealed in");
    let sealed = desk.read("sealed");
    let fault = |chunk: usize| HEADER + PREFIX + chunk * CHUNK + 5;
    for chunk in [0, 1, 8, 10, 33, 60] {
        let mut changed = sealed.clone();
        changed[fault(chunk)] ^= 1;
        for damaged in [changed, sealed[..fault(chunk)].to_vec()] {
            desk.write("damaged", &damaged);
            let expected = &content[..chunk * 16_384];
            let from_file = ended(desk.command("open -k bob.pem -c x damaged"));
            let piped = given(desk.spawn("open -k bob.pem -c x"), &damaged);
            for output in [from_file, piped] {
                assert!(output.stdout == expected, "{chunk}: {}", output.stdout.len());
                message(1, &output);
            }
            desk.fails("open -k bob.pem -c x -o out damaged");
        }
    }
}
