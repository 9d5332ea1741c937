//! Is a passphrase changed, set and removed in place, and does nothing else of the file change?

use std::fs;

use twinseal::{DecapsulationKey, key_files::PemDocument, passphrase::PrivateKey};

use crate::{
    common::{
        keys::{P384, X25519, kem_key, signing_key},
        process::ended,
    },
    desk::Desk,
};

/// A desk with the passphrases `one` and `two` in files of these names.
fn desk() -> Desk {
    let desk = Desk::new();
    for name in ["one", "two"] {
        desk.write_secret(name, name);
    }
    desk
}

const SET: &str = "passwd -q --scrypt 16,8,1 --new-passphrase-file one";
const CHANGE: &str = "passwd -q --scrypt 16,8,1 --passphrase-file one --new-passphrase-file two";
const REMOVE: &str = "passwd -q --passphrase-file two --no-passphrase";

#[test]
fn a_passphrase_is_set_changed_and_removed() {
    let desk = desk();
    kem_key(P384, 5).write_pem_file(desk.path("p384.pem")).unwrap();
    for name in ["bob.pem", "alice.pem", "p384.pem"] {
        let before = desk.files();
        desk.prints(&format!("{SET} {name}"));
        let first = desk.text(name);
        desk.prints(&format!("{CHANGE} {name}"));
        let second = desk.text(name);
        assert!(first != second);
        desk.fails(&format!("public --passphrase-file one {name}"));
        desk.prints(&format!("public --passphrase-file two {name}"));
        for (file, passphrase) in [(first, "one"), (second, "two")] {
            let document = PemDocument::split(&file).unwrap()[0];
            PrivateKey::from_encrypted(document, passphrase).unwrap();
        }
        desk.prints(&format!("{REMOVE} {name}"));
        assert!(desk.files() == before, "{name}");
    }
}

#[test]
fn only_the_keys_in_a_file_change() {
    let desk = desk();
    let (new, old, sign) = (kem_key(P384, 5), kem_key(X25519, 1), signing_key(3));
    for end in ["\n", "\r\n", "\r"] {
        let file = format!(
            "# Mine\n{}between\n\n  {}{}the end",
            new.to_pem().as_str(),
            old.to_pem().as_str(),
            sign.to_pem().as_str(),
        );
        let file = file.replace('\n', end);
        desk.write_secret("keys.pem", &file);
        desk.prints(&format!("{SET} keys.pem"));
        let changed = desk.text("keys.pem");
        for (kept, part) in [("# Mine", 0), ("between", 1), ("the end", 3)] {
            assert_eq!(changed.matches(kept).count(), 1, "{changed}");
            let before = changed.split(kept).next().unwrap();
            assert_eq!(before.matches("-----END").count(), part, "{changed}");
        }
        desk.prints(&format!("{CHANGE} keys.pem"));
        desk.prints(&format!("{REMOVE} keys.pem"));
        let removed = desk.text("keys.pem");
        assert_eq!(removed.replace(end, "\n"), file.replace(end, "\n").replace("  ", ""));
    }

    // Some of them encrypted: they are one file, so they get one passphrase.
    let one =
        old.to_encrypted_pem_with("one", twinseal::passphrase::Scrypt::new(16, 8, 1).unwrap());
    desk.write_secret("mixed.pem", [one.unwrap(), new.to_pem().as_str().into()].concat());
    desk.prints(&format!("{CHANGE} mixed.pem"));
    let mixed = desk.text("mixed.pem");
    assert!(PemDocument::split(&mixed).unwrap().iter().all(PemDocument::is_encrypted));
}

#[test]
fn a_key_is_written_to_a_new_file_if_asked() {
    let desk = desk();
    let before = desk.read("bob.pem");
    desk.prints(&format!("{SET} bob.pem -o new.pem"));
    assert_eq!(desk.read("bob.pem"), before);
    let key = DecapsulationKey::from_encrypted_pem(&desk.text("new.pem"), "one").unwrap();
    assert_eq!(key.encapsulation_key(), kem_key(X25519, 1).encapsulation_key());
    let error = desk.fails(&format!("{SET} bob.pem -o alice.pem"));
    assert!(error.contains("alice.pem: it already exists"), "{error}");
    let error = desk.fails(&format!("{SET} bob.pem -o bob.pem"));
    assert!(error.contains("bob.pem: it is the key itself; leave out -o"), "{error}");
}

#[test]
fn what_cannot_be_done_is_refused_and_changes_nothing() {
    let desk = desk();
    fs::create_dir(desk.path("keys")).unwrap();
    desk.write("two.pem", [desk.read("bob.pem"), desk.read("alice.pub")].concat());
    for (line, what) in [
        ("passwd --new-passphrase-file one bob.pub", "it is already a public key"),
        ("passwd --new-passphrase-file one two.pem", "two.pem: it holds"),
        ("passwd --new-passphrase-file one missing", "missing: no such file"),
        ("passwd --new-passphrase-file one keys", "keys: it is a directory"),
        ("passwd --new-passphrase-file one -", "standard input: it cannot be replaced"),
        ("passwd --new-passphrase-file bob.pem bob.pem", "it would be both read and written"),
    ] {
        let error = desk.fails(line);
        assert!(error.contains(what), "{line}: {error}");
    }
    for line in ["--no-passphrase --new-passphrase-file one", "--no-passphrase --scrypt 16,8,1", ""]
    {
        let output = ended(desk.command(&format!("passwd {line}")));
        assert_eq!(output.status.code(), Some(2), "{line}");
    }
}

/// A script can run twice.
#[test]
fn a_passphrase_that_is_not_there_can_be_removed() {
    let desk = desk();
    let before = desk.files();
    let output = ended(desk.command("passwd --no-passphrase bob.pem"));
    let note = String::from_utf8(output.stderr).unwrap();
    assert_eq!(note, "twinseal: bob.pem: it has no passphrase, and was left as it is\n");
    assert!(output.status.success() && desk.files() == before);
    desk.prints("passwd -q --no-passphrase bob.pem -o copy.pem");
    assert_eq!(desk.read("copy.pem"), desk.read("bob.pem"));
}

#[test]
fn an_option_of_keygen_does_not_lead_to_the_one_that_removes_a_passphrase() {
    let desk = desk();
    for option in ["--passphrase", "--new-passphrase"] {
        let output = ended(desk.command(&format!("passwd {option} bob.pem")));
        let error = String::from_utf8(output.stderr).unwrap();
        let tip = "tip: `passwd` asks for the passphrases on the terminal, without an option";
        assert!(error.contains(tip) && !error.contains("--no-passphrase"), "{error}");
    }
}

#[test]
fn a_note_says_what_copies_still_allow() {
    let desk = desk();
    for (line, what) in [
        (SET, "encrypted; copies of the old file are not"),
        (CHANGE, "still open with the old one"),
        (REMOVE, "not encrypted any longer; keep it secret"),
    ] {
        let output = ended(desk.command(&format!("{} bob.pem", line.replace(" -q", ""))));
        let note = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success() && note.contains(what), "{note}");
        assert_eq!(note.lines().count(), 1, "{note}");
    }
}

#[cfg(unix)]
#[test]
fn the_file_keeps_its_mode_and_its_links() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

    let desk = desk();
    let key = desk.path("bob.pem");
    for mode in [0o600, 0o640, 0o660] {
        fs::set_permissions(&key, fs::Permissions::from_mode(mode)).unwrap();
        desk.prints(&format!("{SET} bob.pem"));
        assert_eq!(fs::metadata(&key).unwrap().mode() & 0o7777, mode);
        desk.prints("passwd -q --passphrase-file one --no-passphrase bob.pem");
        assert_eq!(fs::metadata(&key).unwrap().mode() & 0o7777, mode);
    }
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    symlink("bob.pem", desk.path("primary.pem")).unwrap();
    desk.prints(&format!("{SET} primary.pem"));
    assert!(fs::symlink_metadata(desk.path("primary.pem")).unwrap().is_symlink());
    assert!(desk.text("bob.pem").contains("ENCRYPTED"));

    // A hard link is another file afterwards.
    fs::hard_link(desk.path("alice.pem"), desk.path("old.pem")).unwrap();
    let output = ended(desk.command(&format!("{} alice.pem", SET.replace(" -q", ""))));
    let warning = String::from_utf8(output.stderr).unwrap();
    assert!(warning.contains("warning: alice.pem: the old file has another name"), "{warning}");
    assert!(!desk.text("old.pem").contains("ENCRYPTED"));

    fs::set_permissions(desk.path("carol.pem"), fs::Permissions::from_mode(0o400)).unwrap();
    let error = desk.fails(&format!("{SET} carol.pem"));
    assert!(error.contains("carol.pem: it is write-protected"), "{error}");
    assert!(ended(desk.shell(&["mkfifo", "fifo"])).status.success());
    let error = desk.fails(&format!("{SET} fifo"));
    assert!(error.contains("fifo: it is not a file that can be replaced"), "{error}");
}

/// A rotation, for example, while the passphrase was typed.
#[cfg(unix)]
#[test]
fn a_file_that_changes_meanwhile_is_left_as_it_is() {
    use crate::{common::process::within_deadline, desk::message};

    let desk = desk();
    assert!(ended(desk.shell(&["mkfifo", "fifo"])).status.success());
    for in_place in [true, false] {
        let line = "passwd bob.pem --scrypt 16,8,1 --new-passphrase-file fifo";
        let child = desk.spawn(line);
        let fifo = desk.path("fifo");
        // Opening it waits until the tool reads the passphrase, so the key was read.
        let (bob, other) = (desk.path("bob.pem"), desk.path("other"));
        let new = kem_key(X25519, 9).to_pem();
        within_deadline("a passphrase", move || {
            let opened = fs::OpenOptions::new().write(true).open(fifo).unwrap();
            if in_place {
                fs::write(&bob, new.as_str()).unwrap();
            } else {
                fs::write(&other, new.as_str()).unwrap();
                fs::rename(&other, &bob).unwrap();
            }
            std::io::Write::write_all(&mut &opened, b"one\n").unwrap();
        });
        let output = crate::common::process::end_of(child);
        let error = message(1, &output);
        assert!(error.contains("changed") || error.contains("another file took"), "{error}");
        assert_eq!(desk.text("bob.pem"), kem_key(X25519, 9).to_pem().as_str());
        kem_key(X25519, 1).write_pem_file(desk.path("fresh")).unwrap();
        fs::rename(desk.path("fresh"), desk.path("bob.pem")).unwrap();
    }
}
