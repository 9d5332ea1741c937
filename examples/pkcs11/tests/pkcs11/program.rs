//! The program, as a person uses it: with SoftHSM for the traditional half and a file for the other.

use std::{
    ffi::OsStr,
    fs,
    os::unix::{ffi::OsStrExt, fs::PermissionsExt},
};

use support::example::{example, prints_help};
use twinseal::{DecapsulationKey, KemSuite, SigningKey};

use crate::tokens::Tokens;

#[test]
fn help_is_printed() {
    prints_help(
        "pkcs11",
        &["tokens", "keygen", "import", "check", "seal", "open", "sign", "verify"],
    );
    for arguments in [&["--help"][..], &["open", "--help"]] {
        let help = example("pkcs11", arguments).prints();
        assert!(
            help.contains("code runs in this program") || help.contains("it names run"),
            "{help}"
        );
    }
}

/// The arguments that it does not understand are refused by name, with exit code 2.
#[test]
fn wrong_arguments() {
    let cases: [(&[&str], &str); 6] = [
        (&[], "Usage:"),
        (&["keygen", "--post-quantum", "file", "-o", "key"], "--traditional"),
        (
            &["keygen", "--post-quantum", "pkcs11:token=a", "--traditional", "x", "-o", "key"],
            "names no key",
        ),
        (&["open", "-k", "key.halves", "-o", "opened", "sealed"], "--context"),
        (&["seal", "-c", "test", "-o", "sealed", "data"], "--recipient"),
        (&["destroy"], "destroy"),
    ];
    for (arguments, expected) in cases {
        let outcome = example("pkcs11", arguments).run();
        assert_eq!(outcome.code, Some(2), "{arguments:?}");
        assert_eq!(outcome.stdout, "");
        assert!(outcome.stderr.contains(expected), "{arguments:?}: {}", outcome.stderr);
    }
}

/// What is refused is not repeated if it could be a PIN.
#[test]
fn no_pin_is_printed() {
    let uri = "pkcs11:token=t;object=o?module-path=/m&";
    let place = |value: &str| format!("{uri}{value}");
    for (value, reason) in [
        ("pin-value=c0ffee", "use pin-source="),
        ("PIN-VALUE=c0ffee", "use pin-source="),
        ("pin_value=c0ffee", "pin_value= is not supported"),
        ("c0ffee", "an attribute has no ="),
        ("pin-source=/p&pin=c0ffee 7", "pin= has ' ', which must be written as %20"),
    ] {
        let place = place(value);
        for [post_quantum, traditional] in [["p", &*place], [&*place, "t"]] {
            let arguments =
                ["keygen", "--post-quantum", post_quantum, "--traditional", traditional, "-o", "k"];
            let outcome = example("pkcs11", arguments).run();
            assert_eq!(outcome.code, Some(2), "{value}");
            assert!(outcome.stderr.contains(reason), "{value}: {}", outcome.stderr);
            assert!(!outcome.stderr.contains("c0ffee"), "{value}: {}", outcome.stderr);
        }
    }
    // Where no URI is expected.
    let pin = place("pin-value=c0ffee");
    let upper = pin.replace("pkcs11:", "PKCS11:");
    for arguments in [
        &["keygen", &*pin][..],
        &[&pin],
        &["check", "-k", &pin],
        &["keygen", "--post-quantum", &upper, "--traditional", "t", "-o", "k"],
    ] {
        let outcome = example("pkcs11", arguments).run();
        assert_eq!(outcome.code, Some(2), "{arguments:?}");
        assert!(outcome.stderr.contains("use pin-source="), "{}", outcome.stderr);
        assert!(!outcome.stderr.contains("c0ffee"), "{}", outcome.stderr);
    }

    let Some(tokens) = Tokens::soft_hsm() else { return };
    keys(&tokens);
    let halves = fs::read_to_string(tokens.path("open.halves")).unwrap();
    let source = format!("pin-source=file://{}", tokens.text("first.pin"));
    assert!(halves.contains(&source), "{halves}");
    let check = |new: &str| {
        fs::write(tokens.path("other.halves"), halves.replace(&source, new)).unwrap();
        tokens.program(&["check", "-k", "other.halves"])
    };
    let error = check("pin-value=c0ffee").refuses();
    assert!(error.contains("use pin-source=") && !error.contains("c0ffee"), "{error}");
    // A variable that is not text, and a file.
    let mut program = check("pin-source=env:TWINSEAL_TEST_PIN");
    program.command.env("TWINSEAL_TEST_PIN", OsStr::from_bytes(b"c0ffee\xff"));
    let error = program.refuses();
    assert!(error.ends_with("from the variable TWINSEAL_TEST_PIN: it is not text\n"), "{error}");
    let error = check("pin-source=env:TWINSEAL_TEST_PIN").refuses();
    assert!(error.ends_with("there is no such variable\n"), "{error}");
    fs::write(tokens.path("first.pin"), b"c0ffee\xff").unwrap();
    let error = tokens.program(&["check", "-k", "open.halves"]).refuses();
    assert!(error.ends_with("first.pin: it is not text\n"), "{error}");
}

/// Keys of both kinds: `open` and `sign`, each with its traditional half in a token of its own.
fn keys(tokens: &Tokens) {
    let (open, sign) = (tokens.uri("first", "open"), tokens.uri("second", "sign"));
    let made = tokens.program(&[
        "keygen",
        "--post-quantum",
        "open.pem",
        "--traditional",
        &open,
        "-o",
        "open",
    ]);
    let made = made.prints();
    assert!(
        made.starts_with("MLKEM1024-P384 ") && made.ends_with(": open.pub.pem, open.halves\n"),
        "{made}"
    );
    let arguments =
        ["keygen", "--sign", "--post-quantum", "sign.pem", "--traditional", &sign, "-o", "sign"];
    let made = tokens.program(&arguments).prints();
    assert!(made.starts_with("id-MLDSA87-ECDSA-P384-SHA512 "), "{made}");
}

#[test]
fn halves_in_a_token_and_a_file() {
    let Some(tokens) = Tokens::soft_hsm() else { return };
    let listed = tokens.program(&["tokens", "softhsm.so"]).prints();
    let lines: Vec<_> = listed.lines().collect();
    assert_eq!(lines.len(), 6, "{listed}");
    assert!(listed.contains("\"first\"") && listed.contains("\"second\""), "{listed}");
    assert_eq!(lines[1..3], ["  ECDH on P-384", "  ECDSA on P-384"]);

    keys(&tokens);
    for (name, mode) in [("open.pem", 0o600), ("sign.pem", 0o600)] {
        let found = fs::metadata(tokens.path(name)).unwrap().permissions().mode() & 0o777;
        assert_eq!(found, mode, "{name}");
    }
    // Empty data, too.
    for data in [&b""[..], b"hello", &[7; 300_000]] {
        fs::write(tokens.path("data"), data).unwrap();
        tokens
            .program(&["seal", "-r", "open.pub.pem", "-c", "test", "-o", "sealed", "data"])
            .prints();
        tokens
            .program(&["open", "-k", "open.halves", "-c", "test", "-o", "opened", "sealed"])
            .prints();
        assert_eq!(fs::read(tokens.path("opened")).unwrap(), data);
        tokens
            .program(&["sign", "-k", "sign.halves", "-c", "test", "-o", "signature", "data"])
            .prints();
        let verify = ["verify", "-k", "sign.pub.pem", "-s", "signature", "-c", "test", "data"];
        assert!(tokens.program(&verify).prints().starts_with("data: signed by "));
    }
    let mode = fs::metadata(tokens.path("opened")).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o600, "what was opened");
    assert_eq!(tokens.program(&["check", "-k", "open.halves"]).prints(), "");
    assert_eq!(tokens.program(&["check", "--sign", "-k", "sign.halves"]).prints(), "");

    // Another context, other data, and a half of another key.
    let error = tokens
        .program(&["open", "-k", "open.halves", "-c", "other", "-o", "no", "sealed"])
        .refuses();
    assert!(error.contains("sealed: opening failed"), "{error}");
    fs::write(tokens.path("data"), "changed").unwrap();
    let verify = ["verify", "-k", "sign.pub.pem", "-s", "signature", "-c", "test", "data"];
    let error = tokens.program(&verify).refuses();
    assert!(error.contains("data: verification failed"), "{error}");
    assert!(!tokens.path("no").exists());
}

/// The public key of a key that moves stays the same, and so does what was sealed to it before.
#[test]
fn a_whole_key_moves() {
    let Some(tokens) = Tokens::soft_hsm() else { return };
    let opening = DecapsulationKey::generate_for(KemSuite::ML_KEM_1024_P384).unwrap();
    let signing = SigningKey::generate().unwrap();
    opening.write_pem_file(tokens.path("whole.pem")).unwrap();
    signing.write_pem_file(tokens.path("whole-sign.pem")).unwrap();
    fs::write(
        tokens.path("sealed"),
        opening.encapsulation_key().seal(b"test", b"from before").unwrap(),
    )
    .unwrap();
    fs::write(tokens.path("data"), "hello").unwrap();

    let (open, sign) = (tokens.uri("first", "open"), tokens.uri("first", "sign"));
    let place = ["--post-quantum", "open.pem", "--traditional", &open, "-o", "open"];
    // Of the two kinds, only one is right.
    let error = tokens.program(&[&["import", "whole-sign.pem"], &place[..]].concat()).refuses();
    assert!(error.contains("whole-sign.pem: "), "{error}");
    let error =
        tokens.program(&[&["import", "--sign", "whole.pem"], &place[..]].concat()).refuses();
    assert!(error.contains("whole.pem: "), "{error}");
    tokens.program(&[&["import", "whole.pem"], &place[..]].concat()).prints();
    tokens.program(&["open", "-k", "open.halves", "-c", "test", "-o", "opened", "sealed"]).prints();
    assert_eq!(fs::read(tokens.path("opened")).unwrap(), b"from before");
    assert_eq!(
        fs::read_to_string(tokens.path("open.pub.pem")).unwrap(),
        opening.encapsulation_key().to_pem()
    );

    let place = ["--post-quantum", "sign.pem", "--traditional", &sign, "-o", "sign"];
    tokens.program(&[&["import", "--sign", "whole-sign.pem"], &place[..]].concat()).prints();
    tokens
        .program(&["sign", "-k", "sign.halves", "-c", "test", "-o", "signature", "data"])
        .prints();
    let signature = fs::read(tokens.path("signature")).unwrap();
    let public = signing.verifying_key();
    let signature = twinseal::Signature::from_bytes(public.suite(), &signature).unwrap();
    public.verify(b"test", b"hello", &signature).unwrap();

    // No token here has X25519.
    DecapsulationKey::generate().unwrap().write_pem_file(tokens.path("x25519.pem")).unwrap();
    let place = ["--post-quantum", "x.pem", "--traditional", &open, "-o", "x"];
    let error = tokens.program(&[&["import", "x25519.pem"], &place[..]].concat()).refuses();
    assert!(
        error.contains("tokens hold keys of MLKEM1024-P384, and this one is of X25519-ML-KEM-1024"),
        "{error}"
    );
    assert!(!tokens.path("x.pem").exists());
}

/// Whoever uses a file of halves, from whatever directory, gets the module and the PIN that its maker meant.
#[test]
fn a_file_of_halves_does_not_depend_on_the_directory() {
    let Some(tokens) = Tokens::soft_hsm() else { return };
    let uri = "pkcs11:token=first;object=open?module-path=softhsm.so&pin-source=first.pin";
    let place = ["--post-quantum", "open.pem", "--traditional", uri, "-o", "open"];
    tokens.program(&[&["keygen"], &place[..]].concat()).prints();
    let halves = fs::read_to_string(tokens.path("open.halves")).unwrap();
    let [module, pin] = ["softhsm.so", "first.pin"].map(|name| tokens.text(name));
    let line = format!(
        "traditional = pkcs11:token=first;object=open?module-path={module}&pin-source=file://{pin}\n"
    );
    assert!(halves.ends_with(&line), "{halves}");
    assert!(halves.contains("runs the library that module-path= names"), "{halves}");
    fs::create_dir(tokens.path("elsewhere")).unwrap();
    let elsewhere = |halves: &str| {
        let mut program = tokens.program(&["check", "-k", halves]);
        program.command.current_dir(tokens.path("elsewhere"));
        program
    };
    elsewhere("../open.halves").prints();

    // Relative ones are refused before anything is loaded: here is a file that would be.
    fs::write(tokens.path("elsewhere/softhsm.so"), "no library").unwrap();
    for (old, new) in [(&module, "softhsm.so"), (&pin, "first.pin"), (&pin, "localhost")] {
        let other = halves.replace(&format!("file://{old}"), new).replace(old.as_str(), new);
        fs::write(tokens.path("other.halves"), other).unwrap();
        let error = elsewhere("../other.halves").refuses();
        assert!(error.contains("other.halves: module-path= and the file of"), "{error}");
        assert!(error.contains("must be absolute"), "{error}");
    }
}

/// Who can write the file decides what code runs.
#[test]
fn only_the_owner_can_write() {
    let Some(tokens) = Tokens::soft_hsm() else { return };
    let (place, given) = (tokens.uri("first", "open"), ["open.pem", "open"]);
    let arguments = ["keygen", "--post-quantum", given[0], "--traditional", &place, "-o", given[1]];
    let mut program = tokens.program(&arguments);
    let mut shell = support::process::command("sh");
    shell.args(["-c", "umask 0; exec \"$@\"", "sh"]).arg(program.command.get_program());
    shell.args(program.command.get_args()).current_dir(tokens.path(""));
    let set = program.command.get_envs().filter_map(|(name, value)| Some((name, value?)));
    shell.envs(set.map(|(name, value)| (name.to_owned(), value.to_owned())).collect::<Vec<_>>());
    program.command = shell;
    program.prints();
    for (name, mode) in [("open.halves", 0o644), ("open.pub.pem", 0o644), ("open.pem", 0o600)] {
        let found = fs::metadata(tokens.path(name)).unwrap().permissions().mode() & 0o777;
        assert_eq!(found, mode, "{name}");
    }
}

/// A path that would be read back as another one.
#[test]
fn a_path_that_is_no_line() {
    let Some(tokens) = Tokens::soft_hsm() else { return };
    let traditional = tokens.uri("first", "open");
    for path in ["open.pem ", "open.pem\t", "open.pem\u{a0}", "open\n.pem"] {
        let arguments =
            ["keygen", "--post-quantum", path, "--traditional", &traditional, "-o", "open"];
        let error = tokens.program(&arguments).refuses();
        assert!(error.contains("text of one line, without a space at its end"), "{error}");
    }
    assert_eq!(tokens.files(), [""; 0]);
    // Others are.
    let path = " = a  b#";
    let place = ["--post-quantum", path, "--traditional", &traditional, "-o", "open"];
    tokens.program(&[&["keygen"], &place[..]].concat()).prints();
    assert_eq!(tokens.program(&["check", "-k", "open.halves"]).prints(), "");
}

/// Also if the two URIs do not look the same. SoftHSM has no ML-KEM, so these fail afterwards.
#[test]
fn both_halves_in_one_token() {
    let Some(tokens) = Tokens::soft_hsm() else { return };
    keys(&tokens);
    let one = tokens.uri("first", "pq").replace("token=", "manufacturer=SoftHSM%20project;token=");
    let two = tokens.uri("first", "new");
    let arguments = ["keygen", "--post-quantum", &one, "--traditional", &two, "-o", "new"];
    let halves = fs::read_to_string(tokens.path("open.halves")).unwrap();
    let half = tokens.text("open.pem");
    fs::write(tokens.path("one.halves"), halves.replace(&half, &one)).unwrap();
    for (arguments, reason) in [
        (&arguments[..], "C_GenerateKeyPair failed"),
        (&["check", "-k", "one.halves"], "no private"),
    ] {
        let outcome = tokens.program(arguments).run();
        let lines: Vec<_> = outcome.stderr.lines().collect();
        assert_eq!((outcome.code, lines.len()), (Some(1), 2), "{}", outcome.stderr);
        let warning = "pkcs11: warning: both halves are in one token: \"first\", serial ";
        assert!(lines[0].starts_with(warning), "{}", lines[0]);
        assert!(lines[1].contains(reason), "{}", lines[1]);
    }
}

/// Nothing of a key remains if one of its halves, or one of its files, cannot be made.
#[test]
fn a_failed_key_leaves_nothing() {
    let Some(tokens) = Tokens::soft_hsm() else { return };
    let keygen = |place: &[&str]| tokens.program(&[&["keygen"], place].concat());
    let (good, pq_in_token) = (tokens.uri("first", "open"), tokens.uri("second", "pq"));
    let absent = tokens.uri("third", "open");

    let error =
        keygen(&["--post-quantum", "open.pem", "--traditional", &absent, "-o", "open"]).refuses();
    assert!(error.contains("token \"third\", key \"open\": there is no such token"), "{error}");
    let error =
        keygen(&["--post-quantum", &pq_in_token, "--traditional", &good, "-o", "open"]).refuses();
    assert!(error.contains("token \"second\", key \"pq\": C_GenerateKeyPair failed"), "{error}");
    let error = keygen(&["--post-quantum", "open.pem", "--traditional", "open2.pem", "-o", "open"])
        .refuses();
    assert!(error.contains("the P-384 half must be in a token"), "{error}");
    assert_eq!(tokens.files(), [""; 0]);

    // The public key cannot be written: a directory of that name.
    fs::create_dir(tokens.path("dir.halves")).unwrap();
    let error =
        keygen(&["--post-quantum", "open.pem", "--traditional", &good, "-o", "dir"]).refuses();
    assert!(error.contains("dir.halves: "), "{error}");
    let error =
        keygen(&["--post-quantum", "open.pem", "--traditional", &good, "-o", "absent/open"])
            .refuses();
    assert!(error.contains("absent/open.pub.pem: "), "{error}");
    // A file that is there stays as it is, and the token has no key of it.
    fs::write(tokens.path("there.pem"), "mine").unwrap();
    let error =
        keygen(&["--post-quantum", "there.pem", "--traditional", &good, "-o", "open"]).refuses();
    assert!(error.contains("there.pem: there is a file already"), "{error}");
    assert_eq!(fs::read(tokens.path("there.pem")).unwrap(), b"mine");
    assert_eq!(tokens.files(), ["dir.halves", "there.pem"]);

    keygen(&["--post-quantum", "open.pem", "--traditional", &good, "-o", "open"]).prints();
    // The second one of the same name destroys neither the first nor its own new file.
    let error =
        keygen(&["--post-quantum", "new.pem", "--traditional", &good, "-o", "new"]).refuses();
    assert!(error.contains("there is already a key of that name"), "{error}");
    assert_eq!(tokens.program(&["check", "-k", "open.halves"]).prints(), "");
    assert_eq!(
        tokens.files(),
        ["dir.halves", "open.halves", "open.pem", "open.pub.pem", "there.pem"]
    );
}

/// Each says what it is about.
#[test]
fn what_can_be_wrong_with_a_token() {
    let Some(tokens) = Tokens::soft_hsm() else { return };
    keys(&tokens);
    let halves = fs::read_to_string(tokens.path("open.halves")).unwrap();
    let with = |old: &str, new: &str| {
        assert!(halves.contains(old), "{halves}");
        fs::write(tokens.path("other.halves"), halves.replace(old, new)).unwrap();
        tokens.program(&["check", "-k", "other.halves"]).refuses()
    };
    let module = format!("module-path={}", tokens.text("softhsm.so"));
    for (old, new, reason) in [
        ("token=first", "token=third", "token \"third\", key \"open\": there is no such token"),
        (
            "object=open",
            "object=shut",
            "token \"first\", key \"shut\": there is no private key of that name",
        ),
        (
            "first.pin",
            "second.pin",
            "token \"first\", key \"open\": C_Login failed with CKR_PIN_INCORRECT",
        ),
        ("first.pin", "no.pin", "no.pin: No such file"),
        ("token=first;", "", "names no token"),
        (&module, "module-path=/dev/null", "/dev/null: the module cannot be loaded"),
        (&module, "module-path=open.pem", "other.halves: module-path= and the file of pin-source="),
        (&module, "module-path=/absent.so", "/absent.so: the module cannot be loaded"),
        ("pkcs11:", "pkcs12:", "the P-384 half must be in a token"),
        ("open.pem", "absent.pem", "absent.pem: No such file"),
        ("open.pem", "sign.pem", "sign.pem: not the seed of an ML-KEM-1024 key in PKCS#8"),
        ("open.pem", "open.pub.pem", "open.pub.pem: not the seed of an ML-KEM-1024 key"),
        ("public = open.pub.pem", "public = sign.pub.pem", "sign.pub.pem: "),
        ("traditional =", "Traditional =", "other.halves: not a file of halves"),
        ("traditional =", "public =", "other.halves: public is there twice"),
    ] {
        let error = with(old, new);
        assert!(error.contains(reason), "{new}: {error}");
    }
    let line = halves.lines().find(|line| line.starts_with("traditional")).unwrap();
    let source = line.split(['?', '&']).find(|part| part.starts_with("pin-source")).unwrap();
    let error = with(source, "");
    assert!(error.contains("the token wants a PIN: add pin-source= to the URI"), "{error}");
    // The other token has only a key of another label.
    let other = with("first", "second").replace('\n', "");
    assert!(other.contains("token \"second\", key \"open\": there is no private key"), "{other}");
}

#[test]
fn a_half_of_another_key_is_named() {
    let Some(tokens) = Tokens::soft_hsm() else { return };
    keys(&tokens);
    let other = tokens.uri("first", "other");
    tokens
        .program(&["keygen", "--post-quantum", "other.pem", "--traditional", &other, "-o", "other"])
        .prints();
    let halves = fs::read_to_string(tokens.path("open.halves")).unwrap();
    for (old, new, half) in [
        ("open.pem", "other.pem", "the post-quantum half of the external key failed"),
        ("object=open", "object=other", "the traditional half of the external key failed"),
    ] {
        fs::write(tokens.path("mixed.halves"), halves.replace(old, new)).unwrap();
        let error = tokens.program(&["check", "-k", "mixed.halves"]).refuses();
        assert!(error.contains(half), "{error}");
        // Without the check, it looks like data for another key.
        fs::write(tokens.path("data"), "hello").unwrap();
        tokens
            .program(&["seal", "-r", "open.pub.pem", "-c", "test", "-o", "sealed", "data"])
            .prints();
        let error = tokens
            .program(&["open", "-k", "mixed.halves", "-c", "test", "-o", "opened", "sealed"])
            .refuses();
        assert!(error.contains("sealed: opening failed"), "{error}");
    }
}

/// Files that are not what they should be, of any kind.
#[test]
fn hostile_files() {
    let Some(tokens) = Tokens::soft_hsm() else { return };
    keys(&tokens);
    fs::write(tokens.path("data"), "hello").unwrap();
    let files: [(&str, &[u8]); 5] = [
        ("empty", b""),
        ("binary", &[0xff; 5000]),
        ("zeros", &[0; 100_000]),
        ("lines", b"public = a\npost-quantum = b\n"),
        ("pem", b"-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n"),
    ];
    for (name, content) in files {
        fs::write(tokens.path(name), content).unwrap();
    }
    fs::create_dir(tokens.path("directory")).unwrap();
    let fifo =
        support::process::ended(support::process::command("mkfifo").arg(tokens.path("fifo")));
    assert!(fifo.status.success());
    let halves = fs::read_to_string(tokens.path("open.halves")).unwrap();
    let seed = fs::read_to_string(tokens.path("open.pem")).unwrap();
    fs::write(tokens.path("twice"), seed.repeat(2)).unwrap();
    fs::write(tokens.path("cut"), &seed[..seed.len() / 2]).unwrap();
    for name in
        ["empty", "binary", "zeros", "lines", "pem", "directory", "fifo", "absent", "twice", "cut"]
    {
        let named = format!("{name}: ");
        fs::write(tokens.path("bad.halves"), halves.replace("open.pem", name)).unwrap();
        fs::write(tokens.path("worse.halves"), halves.replace("open.pub.pem", name)).unwrap();
        let arguments: [&[&str]; 7] = [
            &["check", "-k", name],
            &["check", "-k", "bad.halves"],
            &["check", "-k", "worse.halves"],
            &[
                "import",
                name,
                "--post-quantum",
                "p",
                "--traditional",
                &tokens.uri("first", "p"),
                "-o",
                "p",
            ],
            &["seal", "-r", name, "-c", "test", "-o", "out", "data"],
            &["verify", "-k", "sign.pub.pem", "-s", name, "-c", "test", "data"],
            &["open", "-k", "open.halves", "-c", "test", "-o", "out", name],
        ];
        for (index, arguments) in arguments.into_iter().enumerate() {
            // The library reads keys from pipes, too, and waits for them.
            if name == "fifo" && (2..=4).contains(&index) {
                continue;
            }
            let error = tokens.program(arguments).refuses();
            assert!(error.contains(&named), "{arguments:?}: {error}");
        }
        assert!(!tokens.path("out").exists() && !tokens.path("p").exists());
    }
}
