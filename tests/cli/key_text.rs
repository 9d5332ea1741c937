//! Do all commands agree on which text is a key file, and is each file read only once?

use crate::{
    common::process::ended,
    desk::{Desk, given, message},
};

/// A key file in another form.
type Form = fn(&str) -> Vec<u8>;

fn bytes(text: impl Into<String>) -> Vec<u8> {
    text.into().into_bytes()
}

/// Either every command takes a form, or every command refuses it.
#[test]
fn commands_agree_on_every_form() {
    let desk = Desk::new();
    desk.write("in", "hello");
    desk.prints("seal -r bob.pub -c x -o sealed in");
    desk.prints("sign -k alice.pem -c x -o sig in");
    let accepted: [(&str, Form); 9] = [
        ("comments", |text| bytes(format!("# mine\n\n{text}\nthe end"))),
        ("BOM", |text| bytes(format!("\u{feff}{text}"))),
        ("CRLF", |text| bytes(text.replace('\n', "\r\n"))),
        ("CR", |text| bytes(text.replace('\n', "\r"))),
        ("indented", |text| bytes(format!("  {}", text.replace('\n', "\n  ")))),
        ("trailing spaces", |text| bytes(text.replace('\n', " \t\n"))),
        ("blank lines", |text| bytes(text.replace('\n', "\n\n"))),
        ("short lines", |text| {
            let wrapped = |line: &str| match line.starts_with('-') {
                true => format!("{line}\n"),
                false => line.chars().map(|letter| format!("{letter}\n")).collect(),
            };
            bytes(text.lines().map(wrapped).collect::<String>())
        }),
        ("one line", |text| {
            let (first, rest) = text.split_once('\n').unwrap();
            let (body, last) = rest.trim_end().rsplit_once('\n').unwrap();
            bytes(format!("{first}\n{}\n{last}\n", body.replace('\n', "")))
        }),
    ];
    let refused: [(&str, Form, &str); 10] = [
        ("UTF-16", |text| wide(text, u16::to_le_bytes, true), "UTF-16"),
        ("UTF-16, high byte first", |text| wide(text, u16::to_be_bytes, true), "UTF-16"),
        ("UTF-16 without a mark", |text| wide(text, u16::to_le_bytes, false), "UTF-16"),
        ("Latin-1", |text| [b"# Schl\xfcssel\n", text.as_bytes()].concat(), "UTF-8"),
        ("a NUL byte", |text| bytes(format!("{text}\0")), "NUL bytes"),
        (
            "a header",
            |text| bytes(text.replacen('\n', "\nComment: mine\n\n", 1)),
            "line 2: a header",
        ),
        (
            "a comment in it",
            |text| bytes(text.replacen('\n', "\n# mine\n", 1)),
            "line 2: a character",
        ),
        ("no line ends", |text| bytes(text.replace('\n', " ")), "line 1: it has five hyphens"),
        (
            "its first half",
            |text| bytes(&text[..text.len() / 2]),
            "line 1: its document is cut off",
        ),
        (
            "another end",
            |text| bytes(text.replace("-----END ", "-----END X ")),
            ": its label differs",
        ),
    ];
    let lines = [
        ("bob.pem", "public KEY"),
        ("bob.pem", "inspect KEY"),
        ("bob.pem", "open -k KEY -c x sealed"),
        ("bob.pem", "rewrap -k KEY -r bob.pub sealed"),
        ("bob.pub", "inspect KEY"),
        ("bob.pub", "seal -r KEY -c x in"),
        ("bob.pub", "rewrap -k bob.pem -r KEY sealed"),
        ("alice.pem", "public KEY"),
        ("alice.pem", "inspect KEY"),
        ("alice.pem", "sign -k KEY -c x in"),
        ("alice.pub", "inspect KEY"),
        ("alice.pub", "verify -p KEY -c x -s sig in"),
    ];
    for (key, line) in lines {
        let text = String::from_utf8(desk.read(key)).unwrap();
        for (name, form) in accepted {
            desk.write("form", form(&text));
            let output = ended(desk.command(&format!("-q {}", line.replace("KEY", "form"))));
            let error = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!(output.status.code(), Some(0), "{name}, {line}: {error}");
        }
        for (name, form, what) in refused {
            desk.write("form", form(&text));
            let error = desk.fails(&line.replace("KEY", "form"));
            assert!(error.contains("form: ") && error.contains(what), "{name}, {line}: {error}");
        }
    }
}

fn wide(text: &str, encode: fn(u16) -> [u8; 2], mark: bool) -> Vec<u8> {
    let mark = mark.then_some('\u{feff}');
    let text: String = mark.into_iter().chain(text.chars()).collect();
    text.encode_utf16().flat_map(encode).collect()
}

#[test]
fn several_keys_are_counted() {
    let desk = Desk::new();
    desk.write("in", "hello");
    desk.prints("sign -k alice.pem -c x -o sig in");
    desk.prints("seal -r bob.pub -c x -o sealed in");
    let write = |name: &str, files: &[&str]| {
        desk.write(name, files.iter().map(|file| desk.read(file)).collect::<Vec<_>>().concat());
    };
    write("ring", &["bob.pem", "carol.pem"]);
    write("publics", &["bob.pub", "carol.pub"]);
    write("signers", &["alice.pem", "alice.pem"]);
    write("mixed", &["alice.pem", "bob.pem", "carol.pem"]);
    desk.prints("-q open -k ring -c x -o out sealed");
    for (line, what) in [
        ("public ring", "it holds 2 private keys to open with, but a twinseal private key"),
        ("seal -c x in -r publics", "it holds 2 public keys to seal to, but"),
        ("sign -c x in -k signers", "it holds 2 private keys to sign with, but"),
        ("open -c x sealed -k publics", "it holds 2 public keys to seal to, but a private key"),
        (
            "open -c x sealed -k mixed",
            "it holds a private key to sign with and 2 private keys to open with, but",
        ),
        ("verify -c x -s sig in -p publics", "it holds 2 public keys to seal to, but a signer's"),
    ] {
        let error = desk.fails(line);
        // The rest may be the only copy of a private key.
        assert!(error.contains(what) && !error.contains("remove"), "{line}: {error}");
    }
}

/// The message names the line in the whole file, and concludes nothing from a label.
#[test]
fn damage_is_named_by_its_line() {
    let desk = Desk::new();
    desk.write("in", "hello");
    let text = String::from_utf8(desk.read("bob.pub")).unwrap();
    let mut lines: Vec<_> = text.lines().map(str::to_string).collect();
    lines[11].replace_range(20..21, "*");
    desk.write("damaged", lines.join("\n"));
    desk.write(
        "bundle",
        [desk.read("bob.pem"), b"\n\n-----BEGIN PRIVATE KEY-----\nMI".into()].concat(),
    );
    for (line, what) in [
        ("inspect damaged", "damaged key file, line 12: a character that is not base64"),
        ("seal -c x in -r damaged", "damaged key file, line 12: a character that is not base64"),
        ("inspect bundle", "damaged key file, line 6: its document is cut off"),
        ("open -c x in -k bundle", "damaged key file, line 6: its document is cut off"),
    ] {
        let error = desk.fails(line);
        assert!(error.contains(what) && !error.contains("own suites"), "{line}: {error}");
    }
}

/// `-` is standard input wherever a file is read.
#[test]
fn keys_and_signatures_from_standard_input() {
    let desk = Desk::new();
    desk.write("in", "hello");
    desk.prints("seal -r bob.pub -c x -o sealed in");
    desk.prints("sign -k alice.pem -c x -o sig in");
    let lines = [
        ("public -", "bob.pem"),
        ("public -", "alice.pem"),
        ("inspect -", "alice.pub"),
        ("open -k - -c x sealed", "bob.pem"),
        ("seal -r - -c x in", "bob.pub"),
        ("sign -k - -c x in", "alice.pem"),
        ("verify -p - -c x -s sig in", "alice.pub"),
        ("verify -p alice.pub -c x -s - in", "sig"),
        ("rewrap -k - -r bob.pub sealed", "bob.pem"),
        ("rewrap -k bob.pem -r - sealed", "bob.pub"),
    ];
    for (line, input) in lines {
        assert!(!desk.prints_given(line, &desk.read(input)).is_empty(), "{line}");
    }
    assert_eq!(desk.prints_given("public -", &desk.read("alice.pem")), desk.read("alice.pub"));
    // A pipe gives its bytes only once, also to a command that tries one kind of key after the other.
    #[cfg(unix)]
    for (key, public) in [("alice.pem", "alice.pub"), ("bob.pem", "bob.pub")] {
        let printed = desk.prints_given("public /dev/stdin", &desk.read(key));
        assert_eq!(printed, desk.read(public));
    }
    let output = given(desk.spawn("public -"), b"hello");
    assert!(message(1, &output).contains("standard input: it is not a key file"));
    let output = given(desk.spawn("open -k - -c x sealed"), b"");
    assert!(message(1, &output).contains("standard input: it is empty"));
}

#[test]
fn no_stream_has_two_readers() {
    let desk = Desk::new();
    desk.write("in", "hello");
    let mut lines = vec![
        "seal -r - -c x",
        "seal -r - -c x -",
        "seal -r - -r - -c x in",
        "open -k - -c x",
        "open -k - -c x -",
        "rewrap -k - -r bob.pub -",
        "rewrap -k - -r - in",
        "sign -k - -c x",
        "verify -p - -c x -s - in",
        "verify -p alice.pub -c x -s - -",
        "verify -p alice.pub -c x -s -",
    ];
    if cfg!(unix) {
        lines.extend([
            "seal -r /dev/stdin -c x",
            "seal -r /dev/fd/0 -c x -",
            "sign -k /dev/stdin -c x /dev/fd/0",
            "open -k - -c x /dev/stdin",
        ]);
    }
    for line in lines {
        let output = given(desk.spawn(line), &desk.read("bob.pub"));
        let error = message(2, &output);
        assert!(error.contains("standard input would be read twice"), "{line}: {error}");
        assert_eq!(output.stdout, b"");
    }
}

/// Two names for the same pipe, which is not standard input.
#[cfg(unix)]
#[test]
fn no_pipe_has_two_readers() {
    let desk = Desk::new();
    desk.write("in", "hello");
    for line in [
        "twinseal seal -r /dev/fd/3 -c x /dev/fd/3 3< pipe",
        "twinseal seal -r /dev/fd/3 -c x < pipe 3<&0",
        "twinseal sign -k pipe -c x pipe",
    ] {
        let script = format!(
            "mkfifo pipe; cat bob.pub > pipe & {line}; code=$?; kill %1 2>&-; rm pipe; exit $code"
        );
        let output = ended(desk.shell(&["bash", "-c", &script]));
        assert!(message(2, &output).contains("read twice"), "{line}");
    }
}
