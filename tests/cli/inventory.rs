//! Does `inspect --recursive` list every file of twinseal in a tree, and does the exit code say whether a key
//! or a suite is still in use?

use std::{
    collections::BTreeMap,
    ffi::OsString,
    fs,
    os::unix::{
        ffi::OsStringExt,
        fs::{PermissionsExt, symlink},
        net::UnixListener,
    },
    path::Path,
    process::Output,
};

use serde_json::{Value, json};

use crate::{
    common::{
        keys::{P384, X25519, kem_key, signing_key},
        process::ended,
    },
    desk::{Desk, data},
};

const RSA: &str = "-----BEGIN PUBLIC KEY-----\n\
    MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAMxMA8R4yBTlGrIqFZXF+LQmlqUp+1qW\n\
    9Gh6R3gRqR3eV1RbLQKy5FqTFbmxUz4DKaWq6QyHFQ5Pp0Yc3zkzZ3ECAwEAAQ==\n\
    -----END PUBLIC KEY-----\n";

/// A tree with a file of every kind, beside the keys of the desk.
fn desk() -> Desk {
    let desk = Desk::new();
    fs::create_dir_all(desk.path("tree/a/b")).unwrap();
    fs::create_dir(desk.path("outside")).unwrap();
    for (from, to) in [
        ("bob.pem", "tree/bob.pem"),
        ("bob.pub", "tree/a/bob.pub"),
        ("alice.pem", "tree/a/b/alice.pem"),
        ("carol.pem", "outside/carol.pem"),
    ] {
        fs::copy(desk.path(from), desk.path(to)).unwrap();
    }
    desk.write("dave.pub", kem_key(P384, 4).encapsulation_key().to_pem());
    desk.write(
        "tree/notes.txt",
        "A key:\n-----BEGIN nothing, really\nNot -----BEGIN TWINSEAL KEM PRIVATE KEY-----",
    );
    desk.write("tree/empty", "");
    desk.write("tree/about", "twinseal is a tool.\n");
    desk.write("tree/data", data(100_000));
    desk.write("tree/rsa.pem", RSA);
    desk.prints("seal -r bob.pub -r dave.pub -c x -o tree/a/b/sealed tree/data");
    desk.prints("sign -k alice.pem -c x -o tree/a/sig tree/data");
    desk.write("tree/hello", kem_key(X25519, 1).encapsulation_key().sender(b"x").unwrap().0);
    // A key far below a comment, and one under a name that is not UTF-8 and would change a terminal.
    let below = format!(
        "{}\n{}",
        "A comment. ".repeat(2_000),
        fs::read_to_string(desk.path("bob.pub")).unwrap()
    );
    desk.write("tree/below.txt", below);
    let name = OsString::from_vec(b"tree/\xff\x1b[1m\n\xe2\x80\xaeb".to_vec());
    fs::copy(desk.path("bob.pub"), desk.path("").join(name)).unwrap();
    symlink("../outside", desk.path("tree/link")).unwrap();
    symlink("..", desk.path("tree/a/loop")).unwrap();
    symlink("nowhere", desk.path("tree/dangling")).unwrap();
    assert!(ended(desk.shell(&["mkfifo", "tree/fifo"])).status.success());
    UnixListener::bind(desk.path("tree/socket")).unwrap();
    desk
}

fn listed(desk: &Desk, options: &str) -> (Output, BTreeMap<String, Value>) {
    let output = ended(desk.command(&format!("inspect --recursive --json {options}")));
    let lines = String::from_utf8(output.stdout.clone()).unwrap();
    assert!(
        lines.chars().all(|c| c == '\n' || !c.is_control()) && !lines.contains('\u{202e}'),
        "{lines:?}"
    );
    let records = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let records =
        records.map(|record| (record["path"].as_str().unwrap().to_string(), record)).collect();
    (output, records)
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

#[test]
fn everything_in_a_tree_is_listed() {
    let desk = desk();
    fs::set_permissions(desk.path("tree/bob.pem"), fs::Permissions::from_mode(0o640)).unwrap();
    let (output, records) = listed(&desk, "tree");
    assert_eq!(code(&output), 0, "{output:?}");
    assert!(output.stderr.is_empty());
    let kinds: Vec<_> = records
        .iter()
        .map(|(path, record)| (path.as_str(), record["kind"].as_str().unwrap()))
        .collect();
    let odd = "tree/\u{fffd}\u{1b}[1m\n\u{202e}b";
    let expected = [
        ("tree", "summary"),
        ("tree/a/b/alice.pem", "private_signing_key"),
        ("tree/a/b/sealed", "sealed_file"),
        ("tree/a/bob.pub", "public_kem_key"),
        ("tree/a/sig", "signature"),
        ("tree/below.txt", "public_kem_key"),
        ("tree/bob.pem", "private_kem_key"),
        ("tree/hello", "session_hello"),
        ("tree/rsa.pem", "other"),
        (odd, "public_kem_key"),
    ];
    assert_eq!(kinds, expected);

    let bob = kem_key(X25519, 1).encapsulation_key().key_id().to_string();
    let key = json!({ "suite": "X25519-ML-KEM-1024", "suite_id": 1, "key_id": bob });
    let record = &records["tree/bob.pem"];
    assert_eq!(record["keys"], json!([key]));
    assert_eq!(record["mode"], "0640");
    assert_eq!(record["size"], desk.read("bob.pem").len());
    assert!(
        record["age_seconds"].as_i64().unwrap() < 100_000
            && record["modified"].as_i64().unwrap() > 1_700_000_000
    );
    assert!(record.get("in_use").is_none());
    assert_eq!(records["tree/hello"]["recipient"], key);
    assert_eq!(records["tree/a/b/sealed"]["plaintext_length"], 100_000);
    assert_eq!(records["tree/a/b/sealed"]["recipients"].as_array().unwrap().len(), 2);
    assert_eq!(records["tree/rsa.pem"]["what"], "an RSA public key (SPKI)");
    assert_eq!(records[odd]["path_bytes"], "747265652fff1b5b316d0ae280ae62");
    let summary = &records["tree"];
    for (what, count) in [
        ("files", 13),
        ("directories", 3),
        ("links", 3),
        ("special_files", 2),
        ("key_files", 5),
        ("unreadable", 0),
        ("damaged", 0),
        ("vanished", 0),
    ] {
        assert_eq!(summary[what], count, "{what}");
    }
    assert_eq!(summary["complete"], true);

    // The same as text: a line for each file and each key, and the summary last.
    let text = String::from_utf8(desk.prints("inspect --recursive tree")).unwrap();
    assert!(text.contains("tree/bob.pem: private key to open with; "), "{text}");
    assert!(text.contains(", mode 0640, ") && text.contains(" old\n"), "{text}");
    assert!(text.contains("tree/\\xff\\u{1b}[1m\\n\\u{202e}b: public key"), "{text}");
    assert!(
        text.lines()
            .last()
            .unwrap()
            .starts_with("tree: 13 files in 3 directories: 1 sealed file, "),
        "{text}"
    );
    assert_eq!(text.matches(&format!("\n  {bob}  X25519-ML-KEM-1024\n")).count(), 6, "{text}");
}

#[test]
fn keys_beside_others_in_a_file_are_listed() {
    let desk = desk();
    let public = fs::read_to_string(desk.path("bob.pub")).unwrap();
    let signer = fs::read_to_string(desk.path("alice.pub")).unwrap();
    let broken = RSA.replacen("-----END", "----END", 1);
    let cases: [(Vec<u8>, Option<&str>, usize); 6] = [
        (format!("{RSA}{public}{RSA}").into(), Some("public_kem_key"), 1),
        (format!("{public}{signer}").into(), Some("keys"), 2),
        (format!("{RSA}{RSA}").into(), Some("other"), 0),
        (broken.replace("PUBLIC", "RSA PUBLIC").into(), Some("other"), 0),
        // It may be a twinseal key whose END line is broken.
        (broken.into(), Some("damaged"), 0),
        (b"-----BEGIN \xff\n\xfe".to_vec(), None, 0),
    ];
    for (content, kind, keys) in cases {
        desk.write("tree/several", &content);
        let (output, records) = listed(&desk, "tree");
        let record = records.get("tree/several");
        assert_eq!(record.map(|record| record["kind"].as_str().unwrap()), kind);
        let found = record.and_then(|record| record["keys"].as_array()).map_or(0, Vec::len);
        assert_eq!(found, keys, "{record:?}");
        assert_eq!(code(&output), if kind == Some("damaged") { 1 } else { 0 });
    }
}

#[test]
fn a_file_or_a_link_that_is_named_is_looked_at() {
    let desk = desk();
    for (named, path) in [
        ("tree/bob.pem", "tree/bob.pem"),
        ("tree/link", "tree/link/carol.pem"),
        ("outside/", "outside/carol.pem"),
    ] {
        let (output, records) = listed(&desk, named);
        assert_eq!(code(&output), 0, "{output:?}");
        assert!(records.contains_key(path), "{records:?}");
    }
    let error = desk.fails("inspect --recursive missing");
    assert!(error.contains("missing: no such file"), "{error}");
    let error = desk.fails("inspect tree");
    assert!(error.contains("tree: it is a directory; --recursive"), "{error}");
    desk.fails_with(2, "inspect --recursive -");
}

#[test]
fn what_is_still_used_decides_the_exit_code() {
    let desk = desk();
    let id = |key: &twinseal::DecapsulationKey| key.encapsulation_key().key_id().to_string();
    let (bob, carol, dave) =
        (id(&kem_key(X25519, 1)), id(&kem_key(X25519, 2)), id(&kem_key(P384, 4)));
    let alice = signing_key(3).verifying_key().key_id().to_string();
    let signing = "id-MLDSA87-ECDSA-P384-SHA512";
    for (names, files) in [
        (vec![bob.as_str()], 6),
        (vec![&bob.to_uppercase()], 6),
        (vec![&dave], 1),
        (vec![&carol], 0),
        (vec![&carol, &dave], 1),
        (vec![&alice], 1),
        (vec!["X25519-ML-KEM-1024"], 6),
        (vec!["mlkem1024-p384"], 1),
        (vec![signing], 2),
        (vec![signing, &bob], 8),
    ] {
        let options: String = names.iter().map(|name| format!("--in-use {name} ")).collect();
        let (output, records) = listed(&desk, &format!("{options} tree"));
        assert_eq!(code(&output), if files > 0 { 3 } else { 0 }, "{names:?}");
        assert_eq!(records["tree"]["in_use"], files, "{names:?}");
        let marked = records.values().filter(|record| record["in_use"] == true).count();
        assert_eq!(marked, files, "{names:?}");
        assert_eq!(output.stderr.is_empty(), files == 0);
        let output = ended(desk.command(&format!("inspect --recursive {options} tree")));
        let text = String::from_utf8(output.stdout).unwrap();
        assert_eq!(text.matches("; in use\n").count(), files, "{text}");
    }
    // Also for a single file.
    let used = |name: &str| {
        code(&ended(desk.command(&format!("inspect --in-use {name} tree/a/b/sealed"))))
    };
    assert_eq!((used(&bob), used(&carol)), (3, 0));
    // A name that is neither must not count as unused.
    for name in [&bob[1..], &format!("{bob}0"), "X25519", "bob.pem", &bob.replace(&bob[..1], "x")] {
        let output = ended(desk.command(&format!("inspect --recursive --in-use {name} tree")));
        assert_eq!(code(&output), 2, "{name}");
    }
}

#[test]
fn what_cannot_be_read_is_listed_and_nothing_is_taken_for_unused() {
    let desk = desk();
    let sealed = desk.read("tree/a/b/sealed");
    let bob = kem_key(X25519, 1).encapsulation_key().key_id().to_string();
    let carol = kem_key(X25519, 2).encapsulation_key().key_id().to_string();
    let pem = String::from_utf8(desk.read("alice.pem")).unwrap();
    let public = String::from_utf8(desk.read("bob.pub")).unwrap();
    let many = [&sealed[..10], &[0xff, 0xff], &sealed[12..]].concat();
    let line_end = [&desk.read("tree/a/sig")[..], b"\r\n"].concat();
    let wide: Vec<u8> =
        format!("\u{feff}{pem}").encode_utf16().flat_map(u16::to_le_bytes).collect();
    for (damaged, kind) in [
        (&sealed[..500], "damaged"),
        (b"twinseal", "damaged"),
        (b"twinseal\x02\x01\0\x01", "damaged"),
        (&many, "damaged"),
        (b"twinsess\x01", "damaged"),
        (&pem.as_bytes()[..100], "damaged"),
        (public.replacen('M', "*", 1).as_bytes(), "damaged"),
        (&line_end, "damaged"),
        (&wide, "damaged"),
        // Its recipients are known all the same.
        (&sealed[..sealed.len() - 20_000 - 7], "sealed_file"),
    ] {
        desk.write("tree/damaged", damaged);
        let (output, records) = listed(&desk, &format!("--in-use {carol} tree"));
        assert_eq!(records["tree/damaged"]["kind"], kind);
        let complete = kind == "sealed_file";
        assert_eq!(code(&output), if complete { 0 } else { 1 }, "{output:?}");
        assert_eq!(records["tree"]["complete"], complete);
        // A use that is found counts, although the list is incomplete.
        assert_eq!(code(&listed(&desk, &format!("--in-use {bob} tree")).0), 3);
    }
}

#[test]
fn a_directory_that_may_not_be_read_is_listed() {
    let desk = desk();
    fs::set_permissions(desk.path("tree/a/b"), fs::Permissions::from_mode(0o300)).unwrap();
    fs::set_permissions(desk.path("tree/bob.pem"), fs::Permissions::from_mode(0o200)).unwrap();
    if fs::read(desk.path("tree/bob.pem")).is_ok() {
        eprintln!("skipped: root may read everything");
        return;
    }
    let (output, records) = listed(&desk, "tree");
    assert_eq!(code(&output), 1);
    assert_eq!(records["tree"]["unreadable"], 2);
    for path in ["tree/a/b", "tree/bob.pem"] {
        assert_eq!(records[path]["kind"], "unreadable");
        assert_eq!(records[path]["reason"], "you do not have permission to read it");
    }
    fs::set_permissions(desk.path("tree/a/b"), fs::Permissions::from_mode(0o700)).unwrap();
}

#[test]
fn trees_are_deep() {
    let desk = Desk::new();
    let deep = |levels: usize| Path::new("deep").join("d/".repeat(levels));
    fs::create_dir_all(desk.path("").join(deep(1005))).unwrap();
    let within = deep(600).join("bob.pub");
    fs::copy(desk.path("bob.pub"), desk.path("").join(&within)).unwrap();
    let (output, records) = listed(&desk, "deep");
    // It is read as deep as is promised, and anything deeper does not count as read.
    assert!(records.contains_key(within.to_str().unwrap()));
    let unreadable: Vec<_> =
        records.values().filter(|record| record["kind"] == "unreadable").collect();
    assert_eq!(unreadable.len(), 1);
    assert!(unreadable[0]["reason"].as_str().unwrap().contains("1000 directories deep"));
    assert_eq!(code(&output), 1);
    assert!(ended(desk.shell(&["rm", "-r", "deep"])).status.success());
}

#[test]
fn a_list_that_nobody_reads_ends() {
    let desk = desk();
    for index in 0..2_000 {
        fs::hard_link(desk.path("bob.pub"), desk.path(&format!("tree/{index}"))).unwrap();
    }
    let line = "set -o pipefail; twinseal inspect --recursive tree | head -n 1";
    let output = ended(desk.shell(&["bash", "-c", line]));
    assert_eq!((code(&output), output.stderr), (141, Vec::new()));
}
