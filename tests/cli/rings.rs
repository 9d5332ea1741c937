//! Which directories and bundles of keys are accepted, and are the others refused at once?

use std::fs;

use crate::{
    common::{
        der::pem,
        keys::{P384, X25519, kem_key, signing_key},
        process::ended,
    },
    desk::Desk,
};

/// A directory `keys` with these files, and a file `N.sealed` for each key.
fn desk(files: &[(&str, u8)]) -> Desk {
    let desk = Desk::new();
    fs::create_dir(desk.path("keys")).unwrap();
    for (name, number) in files {
        let key = kem_key(P384, *number);
        key.write_pem_file(desk.path(&format!("keys/{name}"))).unwrap();
        desk.write("public", key.encapsulation_key().to_pem());
        desk.write("letter", number.to_string());
        desk.prints(&format!("seal -r public -c x -o {number}.sealed letter"));
    }
    desk
}

fn opens(desk: &Desk, number: u8) {
    let opened = desk.prints(&format!("open -k keys -c x {number}.sealed"));
    assert_eq!(opened, number.to_string().as_bytes());
}

#[cfg(unix)]
#[test]
fn a_key_under_several_names_counts_once() {
    use std::os::unix::fs::symlink;

    let desk = desk(&[("2026-01.pem", 1), ("2026-02.pem", 2)]);
    let at = |name: &str| desk.path(&format!("keys/{name}"));
    symlink("2026-01.pem", at("primary.pem")).unwrap();
    opens(&desk, 1);
    symlink("2026-02.pem", at("new")).unwrap();
    fs::rename(at("new"), at("primary.pem")).unwrap();
    opens(&desk, 2);
    fs::copy(at("2026-01.pem"), at("copy.pem")).unwrap();
    fs::hard_link(at("2026-02.pem"), at("link.pem")).unwrap();
    opens(&desk, 1);
    opens(&desk, 2);
}

#[cfg(unix)]
#[test]
fn a_fifo_among_the_keys_is_named_at_once() {
    let desk = desk(&[("primary.pem", 1)]);
    fs::create_dir(desk.path("signers")).unwrap();
    desk.write("signers/alice.pem", signing_key(3).verifying_key().to_pem());
    desk.prints("sign -k alice.pem -c x -o letter.sig letter");
    for name in ["keys/old.pem", "signers/old.pem"] {
        let mkfifo = ended(desk.shell(&["mkfifo", name]));
        assert!(mkfifo.status.success());
    }
    for line in ["open -k keys -c x 1.sealed", "verify -p signers -c x -s letter.sig letter"] {
        let error = desk.fails(line);
        assert!(error.contains("old.pem") && error.contains("FIFO"), "{error}");
    }
}

#[test]
fn a_bundle_of_too_many_keys_is_refused() {
    let desk = desk(&[("primary.pem", 1)]);
    let bundle = |count: u16| -> String {
        let seed = |number: u16| [&[0, 1][..], &[number.to_be_bytes(); 16].concat()].concat();
        (0..count).map(|number| pem("TWINSEAL KEM PRIVATE KEY", &seed(number))).collect()
    };
    desk.write("thousand", bundle(1000));
    let error = desk.fails("-q open -k thousand -c x 1.sealed");
    assert!(error.contains("not sealed for"), "{error}");
    desk.write("more", bundle(30_000));
    for line in ["-q open -k more -c x 1.sealed", "inspect more"] {
        let error = desk.fails(line);
        assert!(error.contains("at most 1000 keys") || error.contains("30000"), "{error}");
    }
}

#[test]
fn headers_have_a_bound() {
    let desk = Desk::new();
    let header = |recipients: u16, ciphertext: u16| {
        let mut bytes = [b"twinseal\x01\x01", &recipients.to_be_bytes()[..]].concat();
        for number in 0..u128::from(recipients) {
            bytes.extend([&[0x7f, 0xff][..], &number.to_be_bytes()].concat());
            bytes.extend(ciphertext.to_be_bytes());
            bytes.resize(bytes.len() + usize::from(ciphertext) + 48, 0);
        }
        bytes.resize(bytes.len() + 32 + 56 + 16, 0);
        bytes
    };
    for (recipients, ciphertext) in [(1, 8192), (1000, 4000)] {
        desk.write("sealed", header(recipients, ciphertext));
        desk.prints("inspect sealed");
    }
    for (recipients, ciphertext) in [(1, 8193), (1000, 4200), (1000, 65535)] {
        desk.write("sealed", header(recipients, ciphertext));
        for line in
            ["inspect sealed", "open -k bob.pem -c x sealed", "rewrap -k bob.pem -r bob.pub sealed"]
        {
            let error = desk.fails(line);
            assert!(error.contains("longer than"), "{error}");
        }
    }
}

/// An error about a key file names it only once.
#[test]
fn key_files_are_named_once() {
    let desk = desk(&[("primary.pem", 1)]);
    kem_key(X25519, 9).write_pem_file(desk.path("key.pem")).unwrap();
    desk.write("key.pem.cut", &desk.read("key.pem")[..60]);
    for name in ["absent.pem", "key.pem.cut", "keys/absent.pem"] {
        let error = desk.fails(&format!("open -k {name} -c x 1.sealed"));
        assert_eq!(error.matches(name).count(), 1, "{error}");
    }
}
