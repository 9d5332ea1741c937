//! Are keys made safely, and does a message say why a key file cannot be used?

use std::fs;

use twinseal::{DecapsulationKey, EncapsulationKey, KemSuite, SigningKey, VerifyingKey};

use crate::{
    common::{
        keys::{P384, kem_key},
        process::ended,
    },
    desk::Desk,
};

#[test]
fn keys_are_readable_only_by_their_owner() {
    let desk = Desk::new();
    let id = desk.prints("keygen --kem -o new.pem -q");
    let key = DecapsulationKey::read_pem_file(desk.path("new.pem")).unwrap();
    assert_eq!(id, format!("{}\n", key.encapsulation_key().key_id()).into_bytes());
    assert_eq!(key.suite(), KemSuite::X25519_ML_KEM_1024);
    let public = EncapsulationKey::from_pem(&text(desk.prints("public new.pem"))).unwrap();
    assert_eq!(&public, key.encapsulation_key());

    let id = desk.prints("-q keygen --sign");
    let key = SigningKey::read_pem_file(desk.path("key.pem")).unwrap();
    assert_eq!(id, format!("{}\n", key.verifying_key().key_id()).into_bytes());
    assert_eq!(desk.prints("public key.pem -o key.pub"), b"");
    let public = VerifyingKey::from_pem(&text(desk.read("key.pub"))).unwrap();
    assert_eq!(&public, key.verifying_key());

    #[cfg(unix)]
    for (name, mode) in [("new.pem", 0o600), ("key.pem", 0o600)] {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(desk.path(name)).unwrap().permissions().mode() & 0o777, mode);
    }
}

#[test]
fn every_suite_has_its_name() {
    let desk = Desk::new();
    desk.prints("keygen -q --kem --suite MLKEM1024-P384 -o a.pem");
    assert_eq!(DecapsulationKey::read_pem_file(desk.path("a.pem")).unwrap().suite(), P384);
    desk.prints("keygen -q --sign --suite id-mldsa87-ecdsa-p384-sha512 -o b.pem");
    SigningKey::read_pem_file(desk.path("b.pem")).unwrap();

    let error = desk.fails_with(2, "keygen --sign --suite MLKEM1024-P384");
    assert!(error.contains("id-MLDSA87-ECDSA-P384-SHA512"), "{error}");
    for line in ["keygen", "keygen --kem --sign", "keygen --kem --suite RSA"] {
        let output = ended(desk.command(line));
        assert_eq!(output.status.code(), Some(2), "{line}");
    }
    assert!(!desk.path("key.pem").exists());
}

#[test]
fn a_note_says_what_to_do_with_a_new_key() {
    let desk = Desk::new();
    let output = ended(desk.command("keygen --kem"));
    let note = text(output.stderr);
    assert!(note.contains("key.pem") && note.contains("keep it secret"), "{note}");
}

#[test]
fn private_keys_are_neither_overwritten_nor_printed() {
    let desk = Desk::new();
    for name in ["bob.pem", "bob.pub"] {
        let error = desk.fails(&format!("keygen --kem -o {name}"));
        assert!(error.contains(name) && error.contains("already exists"), "{error}");
    }
    let error = desk.fails("keygen --kem -o -");
    assert!(error.contains("private keys are not written"), "{error}");
    if cfg!(unix) {
        desk.fails("keygen --kem -o /dev/stdout");
        desk.fails("keygen --kem -o /dev/null");
    }
    let error = desk.fails("public bob.pem -o bob.pem");
    assert!(error.contains("both read and"), "{error}");
}

#[cfg(unix)]
#[test]
fn keys_that_others_can_read_are_warned_of() {
    use std::os::unix::fs::PermissionsExt;

    let desk = Desk::new();
    desk.write("letter", "hello");
    desk.prints("seal -r bob.pub -c x -o sealed letter");
    fs::create_dir(desk.path("keys")).unwrap();
    kem_key(P384, 1).write_pem_file(desk.path("keys/primary.pem")).unwrap();
    fs::copy(desk.path("bob.pem"), desk.path("keys/old.pem")).unwrap();
    let lines = [
        ("alice.pem", "sign -k alice.pem -c x letter"),
        ("bob.pem", "open -k bob.pem -c x sealed"),
        ("bob.pem", "public bob.pem"),
        ("alice.pem", "public alice.pem"),
        ("bob.pem", "rewrap -k bob.pem -r bob.pub sealed"),
        ("keys/old.pem", "open -k keys -c x sealed"),
    ];
    for (name, line) in lines {
        let permit = |mode| {
            fs::set_permissions(desk.path(name), fs::Permissions::from_mode(mode)).unwrap();
        };
        for mode in [0o640, 0o604, 0o644] {
            permit(mode);
            let output = ended(desk.command(line));
            assert_eq!(output.status.code(), Some(0), "{line}");
            let warning = text(output.stderr);
            assert_eq!(warning.lines().count(), 1, "{line}: {warning}");
            assert!(warning.contains(name) && warning.contains("chmod 600"), "{warning}");
            desk.prints(&format!("-q {line}"));
        }
        permit(0o600);
        desk.prints(line);
    }
}

/// Anyone who can change a key chooses it.
#[cfg(unix)]
#[test]
fn keys_that_others_can_change_are_warned_of() {
    use std::os::unix::fs::PermissionsExt;

    let desk = Desk::new();
    desk.write("letter", "hello");
    desk.prints("sign -k alice.pem -c x -o sig letter");
    fs::create_dir(desk.path("keys")).unwrap();
    fs::copy(desk.path("alice.pub"), desk.path("keys/alice.pem")).unwrap();
    for (name, line, fine, warned) in [
        ("bob.pem", "public bob.pem", [0o600, 0o400], [0o602, 0o620]),
        ("bob.pub", "seal -r bob.pub -c x letter", [0o644, 0o444], [0o646, 0o666]),
        ("alice.pub", "verify -p alice.pub -c x -s sig letter", [0o644, 0o444], [0o602, 0o666]),
        ("keys/alice.pem", "verify -p keys -c x -s sig letter", [0o644, 0o444], [0o602, 0o666]),
    ] {
        let permit = |mode| {
            fs::set_permissions(desk.path(name), fs::Permissions::from_mode(mode)).unwrap();
        };
        for mode in fine {
            permit(mode);
            desk.prints(line);
        }
        for mode in warned {
            permit(mode);
            let output = ended(desk.command(line));
            assert_eq!(output.status.code(), Some(0), "{line}");
            let warning = text(output.stderr);
            assert_eq!(warning.lines().count(), 1, "{line}: {warning}");
            assert!(warning.contains(name) && warning.contains("others can change"), "{warning}");
        }
        permit(0o600);
    }
}

#[test]
fn a_key_of_the_wrong_kind_is_called_what_it_is() {
    let desk = Desk::new();
    desk.write("letter", "hello");
    desk.prints("seal -r bob.pub -c x -o sealed letter");
    desk.prints("sign -k alice.pem -c x -o sig letter");
    desk.write("certificate.pem", "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n");
    desk.write("empty.pem", "");
    let (open, seal) = ("a private key to open with", "a public key to seal to");
    let (sign, verify) = ("a private key to sign with", "a public key to verify with");
    let cases = [
        ("seal -c x letter -r bob.pem", open),
        ("seal -c x letter -r alice.pub", verify),
        ("seal -c x letter -r alice.pem", sign),
        ("seal -c x letter -r certificate.pem", "damaged certificate"),
        ("seal -c x letter -r empty.pem", "it is empty"),
        ("seal -c x letter -r letter", "not a key file"),
        ("seal -c x letter -r sealed", "it is a sealed file, but a recipient's public key"),
        ("open -c x sealed -k bob.pub", seal),
        ("open -c x sealed -k alice.pem", sign),
        ("open -c x sealed -k letter", "not a key file"),
        ("open -c x sealed -k empty.pem", "it is empty"),
        ("sign -c x letter -k bob.pem", open),
        ("sign -c x letter -k alice.pub", verify),
        ("verify -c x letter -s sig -p bob.pub", seal),
        ("verify -c x letter -s sig -p alice.pem", sign),
        ("public alice.pub", "it is already a public key"),
        ("public bob.pub", "it is already a public key"),
        ("public letter", "not a key file"),
        ("public certificate.pem", "its label is CERTIFICATE"),
    ];
    for (line, what) in cases {
        let error = desk.fails(line);
        let key = line.split_whitespace().last().unwrap();
        assert!(error.contains(&format!("{key}: ")) && error.contains(what), "{line}: {error}");
    }
}

#[test]
fn keys_that_cannot_be_read_are_named() {
    let desk = Desk::new();
    desk.write("letter", "hello");
    fs::create_dir(desk.path("directory")).unwrap();
    let cases = [
        ("seal -c x letter -r missing", "no such file"),
        ("seal -c x letter -r directory", "it is a directory"),
        ("open -c x letter -k missing", "no such file"),
        ("open -c x letter -k directory", "primary.pem"),
        ("sign -c x letter -k missing", "no such file"),
        ("sign -c x letter -k directory", "it is a directory"),
        ("public directory", "it is a directory"),
        ("public letter/key.pem", "not a directory"),
    ];
    for (line, what) in cases {
        let error = desk.fails(line);
        let key = line.split_whitespace().last().unwrap();
        assert!(error.contains(&format!("{key}: ")) && error.contains(what), "{line}: {error}");
    }
}

#[test]
fn damaged_keys_are_refused() {
    let desk = Desk::new();
    desk.write("letter", "hello");
    let pem = text(desk.read("bob.pub"));
    let changed = pem.replacen("\nAAF", "\nAAJ", 1); // an unknown suite
    assert!(pem != changed);
    desk.write("other.pub", changed);
    let error = desk.fails("seal -c x letter -r other.pub");
    assert!(error.contains("other.pub: unknown KEM suite 0x0002; a newer"), "{error}");

    let (cut, _) = pem.split_at(pem.len() / 2);
    desk.write("cut.pub", cut);
    desk.fails("seal -c x letter -r cut.pub");

    fs::create_dir(desk.path("keys")).unwrap();
    fs::copy(desk.path("bob.pem"), desk.path("keys/primary.pem")).unwrap();
    desk.write("keys/broken.pem", "no key");
    let error = desk.fails("open -c x letter -k keys");
    assert!(error.contains("broken.pem"), "{error}");
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}
