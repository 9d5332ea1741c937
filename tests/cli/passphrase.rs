//! Does an encrypted key work wherever a private key does, with a passphrase from a file?

use std::fs;

use pkcs5::{EncryptionScheme, pbes2::Parameters};
use pkcs8::der::Encode;
use twinseal::{
    DecapsulationKey,
    key_files::PemDocument,
    passphrase::{PrivateKey, Scrypt},
};

use crate::{
    common::{
        der::{pem, tlv},
        keys::{P384, X25519, kem_key, signing_key},
        process::ended,
    },
    desk::Desk,
};

pub(crate) const PASSPHRASE: &str = "correct horse battery staple";

fn cheap() -> Scrypt {
    Scrypt::new(1 << 4, 8, 1).unwrap()
}

/// A desk whose keys are encrypted, in `NAME.key`; `pass` holds their passphrase, and `wrong` another one.
pub(crate) fn desk() -> Desk {
    let desk = Desk::new();
    desk.write_secret("pass", PASSPHRASE);
    desk.write_secret("wrong", "incorrect horse");
    desk.write_secret("bob.key", encrypted(&kem_key(X25519, 1)));
    desk.write_secret(
        "alice.key",
        signing_key(3).to_encrypted_pem_with(PASSPHRASE, cheap()).unwrap(),
    );
    desk.write("letter", "hello");
    desk.prints("seal -r bob.pub -c x -o sealed letter");
    desk
}

pub(crate) fn encrypted(key: &DecapsulationKey) -> String {
    key.to_encrypted_pem_with(PASSPHRASE, cheap()).unwrap()
}

#[test]
fn a_new_key_is_encrypted_and_works_everywhere() {
    let desk = desk();
    for (line, label) in [
        ("--kem", "TWINSEAL ENCRYPTED KEM PRIVATE KEY"),
        ("--kem --suite MLKEM1024-P384", "ENCRYPTED PRIVATE KEY"),
        ("--sign", "ENCRYPTED PRIVATE KEY"),
    ] {
        let _ = fs::remove_file(desk.path("new.pem"));
        let made = format!("keygen {line} --passphrase-file pass --scrypt 16,8,1 -o new.pem");
        let output = ended(desk.command(&made));
        let note = String::from_utf8(output.stderr).unwrap();
        assert!(note.contains("new.pem: ") && note.contains(", encrypted under"), "{note}");
        let id = output.stdout;
        let file = desk.text("new.pem");
        let documents = PemDocument::split(&file).unwrap();
        assert_eq!((documents.len(), documents[0].label()), (1, label));
        let key = PrivateKey::from_encrypted(documents[0], PASSPHRASE).unwrap();
        assert_eq!(id, format!("{}\n", key.key_id()).as_bytes());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(desk.path("new.pem")).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }

        desk.prints("public new.pem --passphrase-file pass -o new.pub");
        let with = "-k new.pem --passphrase-file pass";
        if line == "--sign" {
            desk.prints(&format!("sign {with} -c x -o sig letter"));
            desk.prints("verify -p new.pub -c x -s sig letter");
            desk.prints(&format!("certificate {with} --subject CN=Alice"));
        } else {
            desk.prints("seal -r new.pub -c x -o for-new letter");
            assert_eq!(desk.prints(&format!("open {with} -c x for-new")), b"hello");
            desk.prints(&format!("rewrap {with} -r bob.pub -o for-bob for-new"));
            assert_eq!(desk.prints("open -k bob.pem -c x for-bob"), b"hello");
        }
    }
}

#[test]
fn the_cost_of_a_guess_is_the_default_unless_another_is_named() {
    let desk = desk();
    desk.prints("keygen -q --sign --passphrase-file pass");
    let file = desk.text("key.pem");
    let content = PemDocument::split(&file).unwrap()[0].decode().unwrap();
    // The integers N = 2^17, r = 8 and p = 1.
    let default = b"\x02\x03\x02\x00\x00\x02\x01\x08\x02\x01\x01";
    assert!(content.windows(default.len()).any(|window| window == default));
    for scrypt in ["131073,8,1", "1073741824,8,1", "16,8", "16,8,1,1", "16,8,x", ""] {
        let scrypt = ["keygen", "--kem", "--passphrase-file=pass", "-o", "n", "--scrypt", scrypt];
        let output = ended(desk.command_with(&scrypt));
        assert_eq!(output.status.code(), Some(2), "{scrypt:?}");
    }
    for line in ["--scrypt 16,8,1", "--passphrase --passphrase-file pass"] {
        let output = ended(desk.command(&format!("keygen --kem {line} -o n")));
        assert_eq!(output.status.code(), Some(2), "{line}");
    }
    assert!(!desk.path("n").exists());
}

#[test]
fn a_passphrase_is_the_first_line_of_a_file() {
    let desk = desk();
    for end in ["", "\n", "\r\n", "\nmore\n", "\n\n"] {
        desk.write_secret("pass", format!("{PASSPHRASE}{end}"));
        desk.prints("public --passphrase-file pass bob.key");
    }
    // Spaces, a carriage return without a line feed, and a byte order mark are a part of it.
    for other in [
        format!("{PASSPHRASE} \n"),
        format!(" {PASSPHRASE}"),
        format!("{PASSPHRASE}\r"),
        format!("\u{feff}{PASSPHRASE}"),
    ] {
        desk.write_secret("pass", other);
        let error = desk.fails("public --passphrase-file pass bob.key");
        assert!(error.contains("bob.key: wrong passphrase, or a changed file; "), "{error}");
    }
    for (content, what) in [
        ("", "pass: its first line is empty; "),
        ("\n", "pass: its first line is empty; "),
        ("\r\nmore", "pass: its first line is empty; "),
        (&"x".repeat(1025), "pass: its first line is longer than 1024 bytes; "),
        (&"x".repeat(9000), "pass: its first line is longer than 1024 bytes; "),
    ] {
        desk.write_secret("pass", content);
        for line in ["public --passphrase-file pass bob.key", "keygen --kem --passphrase-file pass"]
        {
            let error = desk.fails(line);
            assert!(error.contains(what), "{line}: {error}");
        }
    }
    for (file, what) in [(".", "it is a directory; name a file in it"), ("no", "no such file")] {
        let error = desk.fails(&format!("public --passphrase-file {file} bob.key"));
        assert!(error.contains(&format!("{file}: {what}")), "{error}");
    }
}

/// Nobody could type it, or meant it: random bytes up to a line end, UTF-16, or the file of a key.
#[test]
fn a_new_passphrase_is_text() {
    let desk = desk();
    desk.write_secret("long", "é".repeat(512));
    desk.prints("keygen -q --kem --passphrase-file long --scrypt 16,8,1");
    desk.prints("public --passphrase-file long key.pem");
    for (bytes, fault) in [
        (&b"\xff\xfeh\0i\0\r\0\n\0"[..], "is not text in UTF-8; "),
        (b"caf\xe9\n", "is not text in UTF-8; "),
        (b"h\0i", "contains a control character; "),
        (b"a\tb\n", "contains a control character; "),
        (b"\xef\xbb\xbfab\n", "starts with a byte order mark; "),
        (&desk.read("alice.pem"), "is that of a PEM file; "),
    ] {
        desk.write_secret("pass", bytes);
        for line in ["keygen --kem -o n --passphrase-file", "passwd bob.pem --new-passphrase-file"]
        {
            let error = desk.fails(&format!("{line} pass"));
            assert!(error.contains(&format!("pass: its first line {fault}")), "{error}");
        }
    }
}

#[test]
fn a_wrong_passphrase_and_a_changed_file_have_one_message() {
    let desk = desk();
    let file = desk.text("bob.key");
    // A bit in the first of the encrypted blocks.
    let (head, encrypted) = file.split_at(file.len() - 132);
    let changed = if encrypted.starts_with('A') { "B" } else { "A" };
    desk.write_secret("changed.key", [head, changed, &encrypted[1..]].concat());
    let expected = "wrong passphrase, or a changed file; check --passphrase-file, or fetch the key \
                    file again; if other software encrypted it, use `twinseal import`\n";
    for (line, key) in [
        ("public bob.key --passphrase-file wrong", "bob.key"),
        ("public changed.key --passphrase-file pass", "changed.key"),
        ("open -k bob.key -c x --passphrase-file wrong sealed", "bob.key"),
        ("rewrap -k bob.key -r carol.pub --passphrase-file wrong sealed", "bob.key"),
        ("sign -k alice.key -c x --passphrase-file wrong letter", "alice.key"),
        ("certificate -k alice.key --subject CN=A --passphrase-file wrong", "alice.key"),
        ("passwd bob.key --passphrase-file wrong --new-passphrase-file pass", "bob.key"),
        ("passwd bob.key --passphrase-file wrong --no-passphrase", "bob.key"),
    ] {
        assert_eq!(desk.fails(line), format!("twinseal: {key}: {expected}"), "{line}");
    }
}

#[test]
fn an_encrypted_key_that_cannot_be_used_is_called_what_it_is() {
    let desk = desk();
    for (line, what) in [
        ("open -k alice.key -c x sealed", "alice.key: it holds a private key to sign with, but"),
        ("sign -k bob.key -c x letter", "bob.key: it holds a private key to open with, but"),
    ] {
        let error = desk.fails(&format!("{line} --passphrase-file pass"));
        assert!(error.contains(what), "{error}");
    }
    // PBKDF2, as other software uses it.
    let other = Parameters::generate_pbkdf2_sha256_aes128cbc(1000, &[7; 16], [9; 16]).unwrap();
    let data = other.encrypt(PASSPHRASE, b"any").unwrap();
    let scheme = EncryptionScheme::from(other).to_der().unwrap();
    let other = tlv(0x30, &[&scheme, &tlv(0x04, &[&data])]);
    desk.write_secret("other.key", pem("ENCRYPTED PRIVATE KEY", &other));
    let error = desk.fails("sign -k other.key -c x --passphrase-file no letter");
    let expected = "other.key: it is an encrypted private key (PKCS#8), and not encrypted as by \
                    twinseal; `twinseal import` reads keys";
    assert!(error.contains(expected), "{error}");

    // Its cost is beyond what is read, so it is not even asked for.
    let file = desk.text("alice.key");
    let mut content = PemDocument::split(&file).unwrap()[0].decode().unwrap();
    let cost = content.windows(6).position(|part| part == b"\x02\x01\x10\x02\x01\x08").unwrap();
    content[cost + 5] = 33;
    desk.write_secret("costly.key", pem("ENCRYPTED PRIVATE KEY", &content));
    let error = desk.fails("sign -k costly.key -c x --passphrase-file no letter");
    assert!(error.contains("cannot be decrypted: invalid scrypt parameters: r is not"), "{error}");
}

#[test]
fn several_encrypted_keys_have_one_passphrase() {
    let desk = desk();
    let (new, old) = (kem_key(P384, 5), kem_key(X25519, 1));
    let ring = [encrypted(&new), "For old files:\n".into(), encrypted(&old)].concat();
    desk.write_secret("ring.key", ring);
    fs::create_dir(desk.path("keys")).unwrap();
    desk.write_secret("keys/primary.pem", encrypted(&new));
    desk.write_secret("keys/old.pem", encrypted(&old));
    old.write_pem_file(desk.path("keys/plain.pem")).unwrap();
    for keys in ["ring.key", "keys"] {
        let opened = desk.prints(&format!("open -k {keys} --passphrase-file pass -c x sealed"));
        assert_eq!(opened, b"hello");
    }

    let other = kem_key(X25519, 6).to_encrypted_pem_with("o", cheap()).unwrap();
    let open = "open -k keys --passphrase-file pass -c x sealed";
    for (content, what) in [
        (
            other.clone().into_bytes(),
            "keys: keys/other.pem: wrong passphrase, or a changed file; check",
        ),
        (desk.read("alice.key"), "keys: keys/other.pem: it holds a private key to sign with, but"),
    ] {
        desk.write_secret("keys/other.pem", content);
        let error = desk.fails(open);
        assert!(error.contains(what), "{error}");
    }
    desk.write_secret("other.key", [encrypted(&new), other].concat());
    let error = desk.fails("open -k other.key --passphrase-file pass -c x sealed");
    let line = encrypted(&new).lines().count() + 1;
    let what = format!("other.key: the key in line {line}: wrong passphrase, or a changed file; ");
    assert!(error.contains(&what) && error.contains("in a file must have the same"), "{error}");
    let error = desk.fails(&open.replace("pass ", "missing "));
    assert!(error.contains("twinseal: missing: no such file"), "{error}");
    desk.write_secret("twice.key", [encrypted(&old), encrypted(&old)].concat());
    let error = desk.fails("open -k twice.key --passphrase-file pass -c x sealed");
    assert!(error.contains("a key is listed twice"), "{error}");
}

#[test]
fn a_passphrase_that_no_key_needs_is_noted() {
    let desk = desk();
    for line in ["public bob.pem", "sign -k alice.pem -c x letter", "open -k bob.pem -c x sealed"] {
        let output = ended(desk.command(&format!("{line} --passphrase-file wrong")));
        assert_eq!(output.status.code(), Some(0));
        let note = String::from_utf8(output.stderr).unwrap();
        assert!(note.contains("not encrypted, so --passphrase-file was not read"), "{note}");
    }
}

#[cfg(unix)]
#[test]
fn a_passphrase_that_others_can_read_is_warned_of() {
    use std::os::unix::fs::PermissionsExt;

    let desk = desk();
    fs::set_permissions(desk.path("pass"), fs::Permissions::from_mode(0o644)).unwrap();
    let output = ended(desk.command("public bob.key --passphrase-file pass"));
    let warning = String::from_utf8(output.stderr).unwrap();
    assert!(
        warning.contains("pass: others can read this passphrase; run `chmod 600`"),
        "{warning}"
    );
}

#[test]
fn a_passphrase_may_come_from_a_stream_but_not_with_the_data() {
    let desk = desk();
    let passphrase = format!("{PASSPHRASE}\n");
    let open = "open -k bob.key --passphrase-file - -c x";
    assert_eq!(desk.prints_given(&format!("{open} sealed"), passphrase.as_bytes()), b"hello");
    for line in [
        open,
        "public --passphrase-file - -",
        "sign -k alice.key --passphrase-file - -c x",
        "passwd bob.key --passphrase-file - --new-passphrase-file -",
    ] {
        let error = desk.fails_with(2, line);
        assert!(error.contains("standard input would be read twice"), "{line}: {error}");
    }
    for line in [
        "open -k bob.key --passphrase-file pass -c x -o pass sealed",
        "public bob.key --passphrase-file pass -o pass",
    ] {
        let error = desk.fails(line);
        assert!(error.contains("pass: it would be both read and written"), "{line}: {error}");
    }
}

#[cfg(feature = "experimental-falcon")]
#[test]
fn a_key_that_has_no_encrypted_form_is_refused() {
    let desk = desk();
    let suite = "--suite experimental-ECDSA-P384-Falcon-1024";
    let error = desk.fails(&format!("keygen --sign {suite} --passphrase-file no"));
    assert!(error.contains("there is no encrypted form of keys of experimental"), "{error}");
    desk.prints(&format!("keygen -q --sign {suite}"));
    let error = desk.fails("passwd key.pem --new-passphrase-file no");
    assert!(error.contains("there is no encrypted form of keys of experimental"), "{error}");
}
