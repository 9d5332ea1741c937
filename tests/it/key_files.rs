//! Which key files are read and written, and how?

use std::{
    env, fs, io,
    path::{Path, PathBuf},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use twinseal::{
    DecapsulationKey, EncapsulationKey, Error, KemSuite, Recipients, SigningKey, VerifyingKey,
    VerifyingKeyring, key_files::PemDocument,
};

use crate::common::{
    der::pem,
    errors::{bad_pem, io_outcome, outcome},
    keys::{CTX, P384, X25519, kem_key, signing_key},
    parsers::pem_parsers,
    process,
};

/// A directory that is removed at the end.
struct Directory(tempfile::TempDir);

impl Directory {
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
    for &suite in KemSuite::ALL {
        let key = kem_key(suite, 1);
        let read = DecapsulationKey::from_pem(key.to_pem().as_str()).unwrap();
        assert_eq!(read.suite(), suite);
        // A file of suite 0x0051 has what the seed expands to.
        let seed = if suite == X25519 { key.seed() } else { None };
        assert_eq!(read.seed(), seed);
        assert_eq!(read.to_pem().as_str(), key.to_pem().as_str());
        assert_eq!(read.encapsulation_key(), key.encapsulation_key());
        let public: EncapsulationKey = key.encapsulation_key().to_string().parse().unwrap();
        assert_eq!(&public, key.encapsulation_key());
        let public = EncapsulationKey::from_pem(&key.encapsulation_key().to_pem()).unwrap();
        assert_eq!(&public, key.encapsulation_key());
    }
    let key = signing_key(1);
    let read = SigningKey::from_pem(key.to_pem().as_str()).unwrap();
    assert_eq!(read.secret_bytes(), key.secret_bytes());
    assert_eq!(read.verifying_key(), key.verifying_key());
    let public: VerifyingKey = key.verifying_key().to_string().parse().unwrap();
    assert_eq!(&public, key.verifying_key());
    let public = VerifyingKey::from_pem(&key.verifying_key().to_pem()).unwrap();
    assert_eq!(&public, key.verifying_key());
}

/// As the documentation of `key_files` lists them.
#[test]
fn lengths_of_the_contents() {
    let len = |pem: &str| PemDocument::split(pem).unwrap()[0].decode().unwrap().len();
    let kem = KemSuite::ALL.iter().map(|suite| {
        let key = kem_key(*suite, 1);
        (len(&key.encapsulation_key().to_pem()), len(key.to_pem().as_str()))
    });
    assert!(kem.eq([(1602, 34), (1686, 149)]));
    let key = signing_key(1);
    assert_eq!((len(&key.verifying_key().to_pem()), len(key.to_pem().as_str())), (2710, 115));
}

#[test]
fn recipients_in_one_file() {
    let keys = [(X25519, 1), (P384, 2)].map(|(suite, seed)| kem_key(suite, seed));
    let pem = |number: usize| keys[number].encapsulation_key().to_pem();
    let directory = Directory::new();
    fs::write(directory.file("list"), format!("# Alice\n{}\n# Bob\n{}", pem(0), pem(1))).unwrap();
    let to = Recipients::read_pem_file(directory.file("list")).unwrap();
    let sealed = to.seal(CTX, b"to both of them").unwrap();
    keys.iter()
        .for_each(|key| assert_eq!(&key.open(CTX, &sealed).unwrap()[..], b"to both of them"));

    let refused = |text: String| Recipients::from_pem(&text).unwrap_err();
    assert!(matches!(refused(String::new()), Error::NotPem { .. }));
    assert!(matches!(refused([pem(0), pem(0)].concat()), Error::Misuse { .. }));
    assert!(matches!(refused(pem(0).repeat(1001)), Error::Keyring { .. }));
    let private = keys[1].to_pem();
    assert!(matches!(refused(pem(0) + private.as_str()), Error::PemLabel { .. }));
}

#[test]
fn public_keys_are_read_from_files() {
    let directory = Directory::new();
    let (kem, sign) = (kem_key(X25519, 1), signing_key(1));
    fs::write(directory.file("kem"), kem.encapsulation_key().to_pem()).unwrap();
    fs::write(directory.file("sign"), sign.verifying_key().to_pem()).unwrap();
    let read = EncapsulationKey::read_pem_file(directory.file("kem")).unwrap();
    assert_eq!(&read, kem.encapsulation_key());
    let read = VerifyingKey::read_pem_file(directory.file("sign")).unwrap();
    assert_eq!(&read, sign.verifying_key());
    let read = VerifyingKeyring::read_pem_file(directory.file("sign")).unwrap();
    assert!(read.keys().eq([sign.verifying_key()]));
    let error = VerifyingKey::read_pem_file(directory.file("kem")).unwrap_err();
    assert!(matches!(Error::inside(&error), Some(Error::PemLabel { .. })));
}

/// A whole private file, byte for byte, so that the format cannot drift.
#[test]
fn the_text_of_a_private_key() {
    let content = BASE64_STANDARD.encode([&[0x00, 0x01], &[2; 32][..]].concat());
    let expected = format!(
        "-----BEGIN TWINSEAL KEM PRIVATE KEY-----\n{content}\n-----END TWINSEAL KEM PRIVATE KEY-----\n"
    );
    assert_eq!(kem_key(X25519, 2).to_pem().as_str(), expected);
}

/// RFC 7468 §3, lax: lines of any length, white space between the characters, text around the
/// document. One file is the same key to every constructor.
#[test]
fn forms_that_are_read() {
    for parser in pem_parsers() {
        let text = String::from_utf8(parser.valid.clone()).unwrap();
        let body: Vec<_> = text.lines().filter(|line| !line.starts_with('-')).collect();
        let (last, full) = body.split_last().unwrap();
        assert!(full.iter().all(|line| line.len() == 64) && (1..=64).contains(&last.len()));
        let (first, rest) = text.split_once('\n').unwrap();
        let first_line = body[0];
        let mut forms = vec![
            text.clone(),
            text.replace('\n', "\r\n"),
            text.replace('\n', "\r"),
            text.replace('\n', "\n\r\n"),
            text.trim_end().to_string(),
            format!("\n\r\n \t{text}\n \t\r\n"),
            format!("\x0c{text}\x0b"),
            format!("\u{feff}{text}"),
            format!("\u{feff}\r\n# Alice's key, made yesterday\r\n{text}"),
            format!("Subject: CN=example\n\n{text}"),
            format!("{text}the end"),
            format!("{text}\u{a0}\u{feff}"),
            format!("---- a comment ----\n{text}\n---- another ----"),
            format!("{first}\n\n{rest}"),
            text.replace("\n-----END", "\n\n \n-----END"),
            text.replace('\n', "\n    "),
            text.replace('\n', " \t\n"),
            text.replacen(first_line, &format!("{} {}", &first_line[..4], &first_line[4..]), 1),
        ];
        let characters: Vec<_> = body.concat().chars().collect();
        for width in [1, 32, 63, 65, 76, characters.len()] {
            let lines: Vec<String> =
                characters.chunks(width).map(|line| line.iter().collect()).collect();
            forms.push(format!("{first}\n{}\n{}", lines.join("\n"), text.lines().last().unwrap()));
        }
        for form in forms {
            assert_eq!(parser.parse(form.as_bytes()), "Ok", "{form:?}");
            let documents = PemDocument::split(&form).unwrap();
            assert_eq!(documents.len(), 1);
            assert_eq!(
                documents[0].decode().unwrap()[..],
                BASE64_STANDARD.decode(body.concat()).unwrap()
            );
        }
    }
}

/// The error names the line and the reason.
#[test]
fn forms_that_are_refused() {
    let certificate = pem("CERTIFICATE", b"anything");
    let several = |found| format!("{:?}", Error::PemCount { found });
    for parser in pem_parsers() {
        let text = String::from_utf8(parser.valid.clone()).unwrap();
        let (first, rest) = text.split_once('\n').unwrap();
        let (body, last) = rest.trim_end().rsplit_once('\n').unwrap();
        let end = text.lines().count();
        let boundary = "it has five hyphens, and is neither a BEGIN nor an END line";
        let foreign = "a character that is not base64";
        let ends = "its base64 is incomplete, or ends wrongly";
        let forms = [
            ("twice", format!("{text}{text}"), several(2)),
            ("a certificate behind it", format!("{text}{certificate}"), several(2)),
            ("a certificate before it", format!("{certificate}{text}"), several(2)),
            ("text on the same line", format!("Alice's key: {text}"), bad_pem(1, boundary)),
            (
                "text behind its end",
                format!("{}, the end", text.trim_end()),
                bad_pem(end, boundary),
            ),
            ("text in it", text.replacen('\n', "\n# mine\n", 1), bad_pem(2, foreign)),
            (
                "another label at the end",
                format!("{first}\n{body}\n{}\n", last.replace("KEY", "LOCK")),
                bad_pem(end, "its label differs from that of the BEGIN line"),
            ),
            ("base64 for URLs", text.replacen(&body[..1], "_", 1), bad_pem(2, foreign)),
            ("a space that is not ASCII", text.replacen('\n', "\n\u{a0}", 1), bad_pem(2, foreign)),
            ("a character too many", format!("{first}\nA{rest}"), bad_pem(end - 1, ends)),
            (
                "padding at the start",
                format!("\r\n\r\n{first}\r\n={rest}"),
                bad_pem(4, "base64 that continues after its padding"),
            ),
            (
                "only its end",
                format!("comment\n{last}\n"),
                bad_pem(2, "an END line without a BEGIN line"),
            ),
        ];
        for (form, text, expected) in forms {
            // A label of one of ours may be in another place.
            if form == "base64 for URLs" && first.contains(&body[..1]) {
                continue;
            }
            assert_eq!(parser.parse(text.as_bytes()), expected, "{form}:\n{text}");
        }
        if parser.valid.contains(&b'=') {
            let unpadded = text.replace('=', "");
            assert_eq!(parser.parse(unpadded.as_bytes()), bad_pem(end - 1, ends));
        }
    }
}

/// A character of another kind in any line is found there.
#[test]
fn damage_is_found_in_its_line() {
    let text = kem_key(X25519, 1).encapsulation_key().to_pem();
    let lines: Vec<_> = text.lines().collect();
    for number in 2..lines.len() {
        let mut damaged = lines.clone();
        let line = lines[number - 1].replacen(|character: char| character != '*', "*", 1);
        damaged[number - 1] = &line;
        for end in ["\n", "\r\n", "\r"] {
            let found = outcome(EncapsulationKey::from_pem(&damaged.join(end)));
            assert_eq!(found, bad_pem(number, "a character that is not base64"));
        }
    }
}

/// A label may be as long as its file; an error is a line of a log.
#[test]
fn a_long_label_is_cut_in_the_error() {
    for length in [63, 64, 65, 100_000] {
        let label = "A".repeat(length);
        let text = format!("-----BEGIN {label}-----\nAAAA\n-----END {label}-----\n");
        for parser in pem_parsers() {
            let outcome = parser.parse(text.as_bytes());
            assert!(outcome.contains(&"A".repeat(length.min(64))), "{outcome}");
            assert!(!outcome.contains(&"A".repeat(65)), "{} bytes", outcome.len());
        }
        assert_eq!(PemDocument::split(&text).unwrap()[0].label(), label);
    }
}

#[test]
fn documents_of_several_kinds() {
    let (kem, sign) = (kem_key(X25519, 1), signing_key(1));
    let text = format!(
        "opens:\n{}signs:\n{}public:\n{}\r\n{}{}",
        kem.to_pem().as_str(),
        sign.to_pem().as_str(),
        kem.encapsulation_key().to_pem(),
        sign.verifying_key().to_pem(),
        pem("X OTHER THING", b"anything").replace("X OTHER", "X-OTHER"),
    );
    let documents = PemDocument::split(&text).unwrap();
    let labels: Vec<_> = documents.iter().map(PemDocument::label).collect();
    let expected = [
        "TWINSEAL KEM PRIVATE KEY",
        "PRIVATE KEY",
        "TWINSEAL KEM PUBLIC KEY",
        "PUBLIC KEY",
        "X-OTHER THING",
    ];
    assert_eq!(labels, expected);
    for document in &documents {
        let line = text.lines().nth(document.line() - 1).unwrap();
        assert_eq!(line, format!("-----BEGIN {}-----", document.label()));
    }
    let debug = format!("{:?}", documents[0]);
    assert_eq!(debug, "PemDocument(\"TWINSEAL KEM PRIVATE KEY\", line 2)");
    let [opens, signs, seals, verifies, other] = documents[..] else { panic!("{documents:?}") };
    assert_eq!(DecapsulationKey::try_from(opens).unwrap().seed().unwrap(), kem.seed().unwrap());
    assert_eq!(SigningKey::try_from(signs).unwrap().secret_bytes(), sign.secret_bytes());
    assert_eq!(&EncapsulationKey::try_from(seals).unwrap(), kem.encapsulation_key());
    assert_eq!(&VerifyingKey::try_from(verifies).unwrap(), sign.verifying_key());
    assert_eq!(other.decode().unwrap()[..], *b"anything");
    // The line of a damaged one is that of the whole text.
    let damaged = text.replacen("public:\n", "public:\n\n", 1).replacen("\nAAE", "\n*AE", 2);
    let found = PemDocument::split(&damaged).unwrap().iter().find_map(|it| it.decode().err());
    assert_eq!(format!("{:?}", found.unwrap()), bad_pem(3, "a character that is not base64"));
}

// Files.

#[test]
fn keys_survive_files() {
    let directory = Directory::new();
    for &suite in KemSuite::ALL {
        let (key, file) = (kem_key(suite, 3), directory.file(suite.name()));
        key.write_pem_file(&file).unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), key.to_pem().as_str());
        let read = DecapsulationKey::read_pem_file(&file).unwrap();
        assert_eq!(read.encapsulation_key(), key.encapsulation_key());
    }
    let (key, file) = (signing_key(3), directory.file("sign"));
    key.write_pem_file(&file).unwrap();
    assert_eq!(fs::read_to_string(&file).unwrap(), key.to_pem().as_str());
    let read = SigningKey::read_pem_file(&file).unwrap();
    assert_eq!(read.verifying_key(), key.verifying_key());
}

#[test]
fn existing_files_are_not_overwritten() {
    let directory = Directory::new();
    let file = directory.file("key.pem");
    kem_key(X25519, 4).write_pem_file(&file).unwrap();
    let before = fs::read(&file).unwrap();
    let again = [
        kem_key(X25519, 5).write_pem_file(&file),
        signing_key(5).write_pem_file(&file),
        kem_key(X25519, 5).write_pem_file(directory.0.path()),
    ];
    for result in again {
        let error = result.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        assert!(
            error.to_string().ends_with(": it exists already, and is not overwritten"),
            "{error}"
        );
    }
    assert_eq!(fs::read(&file).unwrap(), before);
    let missing = directory.file("missing").join("key.pem");
    let error = kem_key(X25519, 5).write_pem_file(missing).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::NotFound);
    assert_eq!(directory.names(), ["key.pem"]);
}

/// A link that somebody put there beforehand would say where the key goes.
#[cfg(unix)]
#[test]
fn links_are_not_followed_on_writing() {
    let directory = Directory::new();
    let (link, target) = (directory.file("key.pem"), directory.file("target"));
    std::os::unix::fs::symlink(&target, &link).unwrap();
    let error = kem_key(X25519, 6).write_pem_file(&link).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
    assert_eq!(directory.names(), ["key.pem"], "nothing behind the link");
}

/// Runs one of the tests below in a shell that first does `prepare`; they write into `directory`.
/// False if the system has no such shell.
#[cfg(unix)]
fn in_a_shell(prepare: &str, test: &str, directory: &Path) -> bool {
    let mut shell = process::command("sh");
    shell
        .arg("-c")
        .arg(format!("{prepare} || exit 99; exec \"$0\" \"$@\""))
        .arg(env::current_exe().unwrap())
        .args(["--ignored", "--exact", test])
        .env(DIRECTORY, directory);
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

const DIRECTORY: &str = "TWINSEAL_KEY_FILES";

/// In the process that [`in_a_shell`] starts.
fn given_directory() -> Option<PathBuf> {
    env::var_os(DIRECTORY).map(PathBuf::from)
}

#[cfg(unix)]
#[test]
fn only_the_owner_can_read() {
    use std::os::unix::fs::PermissionsExt;

    for umask in ["000", "022", "077"] {
        let directory = Directory::new();
        let prepare = format!("umask {umask}");
        if !in_a_shell(&prepare, "key_files::writes_two_keys", directory.0.path()) {
            continue;
        }
        assert_eq!(directory.names(), ["kem.pem", "sign.pem"]);
        for name in directory.names() {
            let mode = fs::metadata(directory.file(&name)).unwrap().permissions().mode();
            assert_eq!(mode & 0o7777, 0o600, "{name} under umask {umask}");
        }
    }
}

#[test]
#[ignore = "run by only_the_owner_can_read"]
fn writes_two_keys() {
    let Some(directory) = given_directory() else { return };
    kem_key(X25519, 7).write_pem_file(directory.join("kem.pem")).unwrap();
    signing_key(7).write_pem_file(directory.join("sign.pem")).unwrap();
}

/// A limit of 0 on the size of files makes every write fail, after the file was made.
#[cfg(unix)]
#[test]
fn a_failed_write_leaves_nothing() {
    let directory = Directory::new();
    let prepare = "trap '' XFSZ && ulimit -f 0";
    if in_a_shell(prepare, "key_files::fails_to_write_two_keys", directory.0.path()) {
        assert_eq!(directory.names(), ["tried"]);
    }
}

#[test]
#[ignore = "run by a_failed_write_leaves_nothing"]
fn fails_to_write_two_keys() {
    let Some(directory) = given_directory() else { return };
    fs::create_dir(directory.join("tried")).unwrap();
    let results = [
        kem_key(X25519, 8).write_pem_file(directory.join("kem.pem")),
        signing_key(8).write_pem_file(directory.join("sign.pem")),
    ];
    for result in results {
        assert_eq!(result.unwrap_err().kind(), io::ErrorKind::FileTooLarge);
    }
}

#[test]
fn files_that_are_no_keys() {
    let directory = Directory::new();
    let file = |name: &str, content: &[u8]| {
        fs::write(directory.file(name), content).unwrap();
        directory.file(name)
    };
    let pem = kem_key(X25519, 9).to_pem();
    let pem = pem.as_str().as_bytes();
    let padded = |length: usize| {
        let mut content = pem.to_vec();
        content.resize(length, b'\n');
        content
    };
    let document = |reason| format!("InvalidData: {:?}", Error::NotPem { reason });
    let cut = bad_pem(1, "its document is cut off, it has no END line");
    let not_text = document("it is not text");
    let too_long = document("it is longer than 4 MiB");
    let four_mib = 4 * 1024 * 1024;
    let table = [
        (directory.file("missing"), "NotFound".into()),
        (directory.0.path().to_path_buf(), "IsADirectory".into()),
        (file("nothing", b""), document("it is empty")),
        (file("half", &pem[..60]), format!("InvalidData: {cut}")),
        (file("BOM", &[b"\xef\xbb\xbf", pem].concat()), "Ok".into()),
        (file("UTF-16", b"\xff\xfe-\0-\0"), document("it is UTF-16; save it as UTF-8")),
        (
            file("UTF-16, high byte first", b"\xfe\xff\0-\0-"),
            document("it is UTF-16; save it as UTF-8"),
        ),
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
    let path = file("another type", pem);
    let error = SigningKey::read_pem_file(&path).unwrap_err();
    let reason = "expected a PEM document labelled \"PRIVATE KEY\", \
                  found \"TWINSEAL KEM PRIVATE KEY\"";
    assert_eq!(error.to_string(), format!("{}: {reason}", path.display()));
}

/// A file without an end is not read to its end.
#[cfg(target_os = "linux")]
#[test]
fn endless_files() {
    let found = io_outcome(DecapsulationKey::read_pem_file("/dev/zero"));
    let reason = "it is longer than 4 MiB";
    assert_eq!(found, format!("InvalidData: {:?}", Error::NotPem { reason }));
}
