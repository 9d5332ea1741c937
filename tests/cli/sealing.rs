//! Do `seal`, `open` and `rewrap` return the same data, and only to the recipients?

use std::fs;

use twinseal::Keyring;

use crate::{
    common::{
        keys::{P384, X25519, kem_key},
        process::ended,
    },
    desk::{Desk, data},
};

/// Lengths around the end of a chunk, around the ends of the tool's pieces before and after sealing, and longer than
/// all pieces that are under way.
const SIZES: [usize; 14] = [
    0, 1, 16_383, 16_384, 16_385, 245_760, 260_100, 260_101, 262_143, 262_144, 262_145, 1_048_576,
    1_048_577, 3_500_000,
];

#[test]
fn every_size_comes_back() {
    let desk = Desk::new();
    for size in SIZES {
        let content = data(size);
        desk.write("in", &content);
        assert_eq!(desk.prints("seal -r bob.pub -c example.com/x -o sealed in"), b"");
        let sealed = desk.read("sealed");
        assert!(kem_key(X25519, 1).open(b"example.com/x", &sealed).unwrap()[..] == content);
        assert_eq!(desk.prints("open -k bob.pem -c example.com/x -o out sealed"), b"");
        assert!(desk.read("out") == content);

        // Through pipes.
        let sealed = desk.prints_given("seal -r bob.pub -c example.com/x", &content);
        assert!(desk.prints_given("open -k bob.pem -c example.com/x -", &sealed) == content);
    }
    assert!(!desk.names().iter().any(|name| name.contains("partial")));
}

#[test]
fn each_recipient_can_open() {
    let desk = Desk::new();
    desk.write("in", "for both");
    kem_key(P384, 9).write_pem_file(desk.path("dave.pem")).unwrap();
    desk.prints("public dave.pem -o dave.pub");
    desk.prints("seal -r bob.pub -r dave.pub -c x -o sealed in");
    assert_eq!(desk.prints("open -k bob.pem -c x sealed"), b"for both");
    assert_eq!(desk.prints("open -k dave.pem -c x sealed"), b"for both");
    let error = desk.fails("open -k carol.pem -c x -o out sealed");
    assert!(error.contains("sealed: not sealed for your key"), "{error}");
    assert!(error.contains(&kem_key(X25519, 2).encapsulation_key().key_id().to_string()));

    let error = desk.fails_with(2, "seal -r bob.pub -r dave.pub -r bob.pub -c x in");
    assert!(error.contains("bob.pub and bob.pub are the same recipient"), "{error}");
}

#[test]
fn keys_come_from_files_bundles_and_directories() {
    let desk = Desk::new();
    desk.write("in", "rotated");
    desk.prints("seal -r bob.pub -c x -o sealed in");
    let mut ring = Keyring::new(kem_key(X25519, 2));
    ring.add_older(kem_key(X25519, 1)).unwrap();
    ring.write_pem_file(desk.path("ring.pem")).unwrap();
    assert_eq!(desk.prints("open -k ring.pem -c x sealed"), b"rotated");

    fs::create_dir(desk.path("keys")).unwrap();
    fs::copy(desk.path("carol.pem"), desk.path("keys/primary.pem")).unwrap();
    desk.fails("open -k keys -c x sealed");
    fs::copy(desk.path("bob.pem"), desk.path("keys/2025.pem")).unwrap();
    assert_eq!(desk.prints("open -k keys -c x sealed"), b"rotated");
    assert_eq!(desk.prints("rewrap -k keys -r carol.pub -o moved sealed"), b"");
    assert_eq!(desk.prints("open -k carol.pem -c x moved"), b"rotated");
}

#[test]
fn rewrapping_changes_only_the_recipients() {
    let desk = Desk::new();
    let content = data(3_000_000);
    desk.write("in", &content);
    desk.prints("seal -r bob.pub -c x -o sealed in");
    let sealed = desk.read("sealed");
    desk.prints("rewrap -k bob.pem -r carol.pub -o moved sealed");
    assert_eq!(desk.read("sealed"), sealed);
    let moved = desk.read("moved");
    assert_eq!(moved.len(), sealed.len());
    assert!(moved[1712..] == sealed[1712..]);
    assert!(desk.prints("open -k carol.pem -c x moved") == content);
    desk.fails("open -k bob.pem -c x moved");
    assert_eq!(
        desk.prints_given("rewrap -k bob.pem -r carol.pub -r bob.pub -", &sealed).len(),
        moved.len() + 1668
    );

    let error = desk.fails("rewrap -k carol.pem -r carol.pub -o other sealed");
    assert!(error.contains("not sealed for your key"), "{error}");
    let error = desk.fails("rewrap -k bob.pem -r carol.pub -o sealed sealed");
    assert!(error.contains("sealed: it would be both read and"), "{error}");
}

#[test]
fn the_context_must_be_the_same_and_one() {
    let desk = Desk::new();
    desk.write("in", "hello");
    desk.prints("seal -r bob.pub -c x -o sealed in");
    let error = desk.fails("open -k bob.pem -c y -o out sealed");
    assert!(error.contains("sealed: cannot be opened") && error.contains("-c"), "{error}");

    let long = "x".repeat(256);
    for context in ["", "twinseal/x", long.as_str()] {
        let commands = [
            vec!["seal", "-r", "bob.pub", "-c", context, "-o", "out", "in"],
            vec!["open", "-k", "bob.pem", "-c", context, "-o", "out", "sealed"],
            vec!["sign", "-k", "alice.pem", "-c", context, "-o", "out", "in"],
        ];
        for arguments in commands {
            let error = desk.refused(2, desk.command_with(&arguments));
            assert!(error.contains("invalid context (-c)"), "{error}");
        }
    }
    let longest = "ü".repeat(127);
    let arguments = ["seal", "-r", "bob.pub", "-c", &longest, "-o", "out", "in"];
    assert!(ended(desk.command_with(&arguments)).status.success());
    let opened = kem_key(X25519, 1).open(longest.as_bytes(), &desk.read("out")).unwrap();
    assert_eq!(&opened[..], b"hello");
}

#[test]
fn a_missing_argument_is_named() {
    let desk = Desk::new();
    desk.write("in", "hello");
    let before = desk.files();
    for line in [
        "",
        "seal",
        "seal -c x in",
        "seal -r bob.pub in",
        "open -k bob.pem in",
        "open -c x in",
        "rewrap -k bob.pem -r bob.pub",
        "verify -p alice.pub -c x in",
        "inspect",
        "unseal",
        "seal --recipients bob.pub -c x in",
        "seal -r bob.pub -c x in two",
    ] {
        let output = ended(desk.command(line));
        assert_eq!(output.status.code(), Some(2), "{line}");
        assert_eq!(output.stdout, b"");
        assert!(String::from_utf8(output.stderr).unwrap().contains("Usage"), "{line}");
    }
    assert!(desk.files() == before);
}
