//! Which key files are read and written, and how?

mod common;
#[path = "common/process.rs"]
mod process;

use std::{
    env, fs, io,
    path::{Path, PathBuf},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use common::{P384, X25519, invalid, io_outcome, kem_key, pem_parsers, signing_key};
use twinseal::{DecapsulationKey, EncapsulationKey, KemSuite, SigningKey, VerifyingKey};

/// A folder that is removed at the end.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.0.path()).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

// The text.

#[test]
fn keys_survive_pem() {
    for suite in KemSuite::ALL {
        let key = kem_key(suite, 1);
        let read = DecapsulationKey::from_pem(key.to_pem().as_str()).unwrap();
        assert_eq!((read.suite(), read.seed()), (suite, key.seed()));
        assert_eq!(read.encapsulation_key(), key.encapsulation_key());
        let public = EncapsulationKey::from_pem(&key.encapsulation_key().to_pem()).unwrap();
        assert_eq!(&public, key.encapsulation_key());
    }
    let key = signing_key(1);
    let read = SigningKey::from_pem(key.to_pem().as_str()).unwrap();
    assert_eq!(read.secret_bytes(), key.secret_bytes());
    assert_eq!(read.verifying_key(), key.verifying_key());
    let public = VerifyingKey::from_pem(&key.verifying_key().to_pem()).unwrap();
    assert_eq!(&public, key.verifying_key());
}

/// A whole private file, byte for byte, so that the format cannot drift.
#[test]
fn the_text_of_a_private_key() {
    let content = BASE64_STANDARD.encode([&[0x00, 0x51], &[2; 32][..]].concat());
    let expected = format!(
        "-----BEGIN TWINSEAL KEM PRIVATE KEY-----\n{content}\n-----END TWINSEAL KEM PRIVATE KEY-----\n"
    );
    assert_eq!(kem_key(P384, 2).to_pem().as_str(), expected);
}

/// RFC 7468 §3, strict: lines of 64 characters, nothing but base64 between the boundaries. Line ends
/// may be of any kind, white space may surround the document, and text may precede it (§2).
#[test]
fn forms_that_are_read() {
    for parser in pem_parsers() {
        let text = String::from_utf8(parser.valid.clone()).unwrap();
        let body: Vec<_> = text.lines().filter(|line| !line.starts_with('-')).collect();
        let (last, full) = body.split_last().unwrap();
        assert!(full.iter().all(|line| line.len() == 64) && (1..=64).contains(&last.len()));
        let forms = [
            text.clone(),
            text.replace('\n', "\r\n"),
            text.replace('\n', "\r"),
            text.trim_end().to_string(),
            format!("\n\r\n \t{text}\n \t\r\n"),
            format!("\x0c{text}\x0c"),
            format!("Alice's key, made yesterday:\n{text}"),
            format!("Subject: CN=example\n\n{text}"),
            // Not in the grammar, but harmless: one blank line after the base64.
            text.replace("\n-----END", "\n\n-----END"),
        ];
        for form in forms {
            assert_eq!(parser.parse(form.as_bytes()), "Ok", "{form:?}");
        }
    }
}

#[test]
fn forms_that_are_refused() {
    let certificate = common::pem("CERTIFICATE", b"anything");
    for parser in pem_parsers() {
        let text = String::from_utf8(parser.valid.clone()).unwrap();
        let (first, rest) = text.split_once('\n').unwrap();
        let (body, last) = rest.trim_end().rsplit_once('\n').unwrap();
        let characters: Vec<_> = body.chars().filter(|end| *end != '\n').collect();
        let wrapped_at = |width: usize| {
            let lines: Vec<String> =
                characters.chunks(width).map(|line| line.iter().collect()).collect();
            format!("{first}\n{}\n{last}\n", lines.join("\n"))
        };
        let forms = [
            ("text behind it", format!("{text}the end\n")),
            ("twice", format!("{text}{text}")),
            ("a certificate behind it", format!("{text}{certificate}")),
            ("a certificate before it", format!("{certificate}{text}")),
            ("text on the same line", format!("Alice's key: {text}")),
            ("a byte order mark", format!("\u{feff}{text}")),
            ("a space that is not ASCII", format!("{text}\u{a0}")),
            ("a blank line at the start", format!("{first}\n\n{rest}")),
            ("two blank lines at the end", format!("{first}\n{body}\n\n\n{last}\n")),
            ("an indent", text.replace('\n', "\n ")),
            ("white space in a line", text.replacen(&body[..4], &format!("{} ", &body[..4]), 1)),
            ("a boundary in lower case", text.replace("BEGIN", "begin")),
            (
                "another label at the end",
                format!("{first}\n{body}\n{}\n", last.replace("KEY", "LOCK")),
            ),
            ("base64 for URLs", text.replacen(&body[..1], "_", 1)),
            ("no padding", text.replace('=', "")),
        ];
        for (form, text) in forms {
            if form == "no padding" && !parser.valid.contains(&b'=') {
                continue;
            }
            let expected = invalid("PEM document", "it is not PEM (RFC 7468)");
            assert_eq!(parser.parse(text.as_bytes()), expected, "{form}:\n{text}");
        }
        for width in [1, 32, 63, 65, 76, characters.len()] {
            let other = wrapped_at(width);
            if other != text {
                let expected = invalid("PEM document", "it is not PEM (RFC 7468)");
                assert_eq!(parser.parse(other.as_bytes()), expected, "{other}");
            }
        }
    }
}

// Files.

#[test]
fn keys_survive_files() {
    let folder = Folder::new();
    for suite in KemSuite::ALL {
        let (key, file) = (kem_key(suite, 3), folder.file(suite.name()));
        key.write_pem_file(&file).unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), key.to_pem().as_str());
        let read = DecapsulationKey::read_pem_file(&file).unwrap();
        assert_eq!(read.encapsulation_key(), key.encapsulation_key());
    }
    let (key, file) = (signing_key(3), folder.file("sign"));
    key.write_pem_file(&file).unwrap();
    assert_eq!(fs::read_to_string(&file).unwrap(), key.to_pem().as_str());
    let read = SigningKey::read_pem_file(&file).unwrap();
    assert_eq!(read.verifying_key(), key.verifying_key());
}

#[test]
fn existing_files_are_not_overwritten() {
    let folder = Folder::new();
    let file = folder.file("key.pem");
    kem_key(X25519, 4).write_pem_file(&file).unwrap();
    let before = fs::read(&file).unwrap();
    let again = [
        kem_key(X25519, 5).write_pem_file(&file),
        signing_key(5).write_pem_file(&file),
        kem_key(X25519, 5).write_pem_file(folder.0.path()),
    ];
    for result in again {
        assert_eq!(result.unwrap_err().kind(), io::ErrorKind::AlreadyExists);
    }
    assert_eq!(fs::read(&file).unwrap(), before);
    let missing = folder.file("missing").join("key.pem");
    let error = kem_key(X25519, 5).write_pem_file(missing).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::NotFound);
    assert_eq!(folder.names(), ["key.pem"]);
}

/// A link that somebody put there beforehand would say where the key goes.
#[cfg(unix)]
#[test]
fn links_are_not_followed_on_writing() {
    let folder = Folder::new();
    let (link, target) = (folder.file("key.pem"), folder.file("target"));
    std::os::unix::fs::symlink(&target, &link).unwrap();
    let error = kem_key(X25519, 6).write_pem_file(&link).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
    assert_eq!(folder.names(), ["key.pem"], "nothing behind the link");
}

/// Runs one of the tests below in a shell that first does `prepare`; they write into `folder`.
/// False if the system has no such shell.
#[cfg(unix)]
fn in_a_shell(prepare: &str, test: &str, folder: &Path) -> bool {
    let mut shell = process::command("sh");
    shell
        .arg("-c")
        .arg(format!("{prepare} || exit 99; exec \"$0\" \"$@\""))
        .arg(env::current_exe().unwrap())
        .args(["--ignored", "--exact", test])
        .env(FOLDER, folder);
    match process::ended_if_present(shell) {
        Some(output) if output.status.code() != Some(99) => {
            assert!(output.status.success(), "{output:?}");
            true
        }
        other => {
            println!("skipped, the shell cannot {prepare:?}: {other:?}");
            false
        }
    }
}

const FOLDER: &str = "TWINSEAL_KEY_FILES";

/// In the process that [`in_a_shell`] starts.
fn given_folder() -> Option<PathBuf> {
    env::var_os(FOLDER).map(PathBuf::from)
}

#[cfg(unix)]
#[test]
fn only_the_owner_can_read() {
    use std::os::unix::fs::PermissionsExt;

    for umask in ["000", "022", "077"] {
        let folder = Folder::new();
        let prepare = format!("umask {umask}");
        if !in_a_shell(&prepare, "writes_two_keys", folder.0.path()) {
            continue;
        }
        assert_eq!(folder.names(), ["kem.pem", "sign.pem"]);
        for name in folder.names() {
            let mode = fs::metadata(folder.file(&name)).unwrap().permissions().mode();
            assert_eq!(mode & 0o7777, 0o600, "{name} under umask {umask}");
        }
    }
}

#[test]
#[ignore = "run by only_the_owner_can_read"]
fn writes_two_keys() {
    let Some(folder) = given_folder() else { return };
    kem_key(X25519, 7).write_pem_file(folder.join("kem.pem")).unwrap();
    signing_key(7).write_pem_file(folder.join("sign.pem")).unwrap();
}

/// A limit of 0 on the size of files makes every write fail, after the file was made.
#[cfg(unix)]
#[test]
fn a_failed_write_leaves_nothing() {
    let folder = Folder::new();
    let prepare = "trap '' XFSZ && ulimit -f 0";
    if in_a_shell(prepare, "fails_to_write_two_keys", folder.0.path()) {
        assert_eq!(folder.names(), ["tried"]);
    }
}

#[test]
#[ignore = "run by a_failed_write_leaves_nothing"]
fn fails_to_write_two_keys() {
    let Some(folder) = given_folder() else { return };
    fs::create_dir(folder.join("tried")).unwrap();
    let results = [
        kem_key(X25519, 8).write_pem_file(folder.join("kem.pem")),
        signing_key(8).write_pem_file(folder.join("sign.pem")),
    ];
    for result in results {
        assert_eq!(result.unwrap_err().kind(), io::ErrorKind::FileTooLarge);
    }
}

#[test]
fn files_that_are_no_keys() {
    let folder = Folder::new();
    let file = |name: &str, content: &[u8]| {
        fs::write(folder.file(name), content).unwrap();
        folder.file(name)
    };
    let pem = kem_key(X25519, 9).to_pem();
    let pem = pem.as_str().as_bytes();
    let padded = |length: usize| {
        let mut content = pem.to_vec();
        content.resize(length, b'\n');
        content
    };
    let document = |reason| format!("InvalidData: {}", invalid("PEM document", reason));
    let not_pem = document("it is not PEM (RFC 7468)");
    let not_text = document("it is not text");
    let too_long = document("it is longer than 4 MiB");
    let four_mib = 4 * 1024 * 1024;
    let table = [
        (folder.file("missing"), "NotFound".into()),
        (folder.0.path().to_path_buf(), "IsADirectory".into()),
        (file("nothing", b""), not_pem.clone()),
        (file("half", &pem[..60]), not_pem),
        (file("not UTF-8", &[pem, &[0xff]].concat()), not_text.clone()),
        (file("binary", &[0xff; 1000]), not_text),
        (file("as long as can be", &padded(four_mib)), "Ok".into()),
        (file("too long", &padded(four_mib + 1)), too_long.clone()),
        (file("much too long", &padded(5_000_000)), too_long.clone()),
        (file("long and binary", &vec![0xff; 5_000_000]), too_long.clone()),
        (file("text far behind", &[&padded(5_000_000), pem].concat()), too_long),
    ];
    for (path, expected) in table {
        let found = io_outcome(DecapsulationKey::read_pem_file(&path));
        assert_eq!(found, expected, "{}", path.display());
        if expected != "Ok" {
            assert_eq!(io_outcome(SigningKey::read_pem_file(&path)), expected);
        }
    }
    let error = SigningKey::read_pem_file(file("another type", pem)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "expected a PEM document labelled \"PRIVATE KEY\", found \"TWINSEAL KEM PRIVATE KEY\""
    );
}

/// A file without an end is not read to its end.
#[cfg(target_os = "linux")]
#[test]
fn endless_files() {
    let found = io_outcome(DecapsulationKey::read_pem_file("/dev/zero"));
    let reason = "it is longer than 4 MiB";
    assert_eq!(found, format!("InvalidData: {}", invalid("PEM document", reason)));
}
