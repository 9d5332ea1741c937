//! Do `model sign` and `model verify` sign and verify directories, and say what is not as signed?

use std::{fs, process::Output};

use serde_json::{Value, json};

use crate::{
    common::{keys::signing_key, process::ended},
    desk::{Desk, given, message},
};

/// A desk with a model of three files.
fn desk() -> Desk {
    let desk = Desk::new();
    fs::create_dir_all(desk.path("llama/weights")).unwrap();
    desk.write("llama/config.json", "{}");
    desk.write("llama/weights/0", [7; 1000]);
    desk.write("llama/weights/1", [8; 1000]);
    desk.write("mallory.pub", signing_key(4).verifying_key().to_pem());
    desk
}

fn signed() -> Desk {
    let desk = desk();
    desk.prints("model sign -k alice.pem -o llama/model.sig llama");
    desk
}

const VERIFY: &str = "model verify -p alice.pub -s llama/model.sig llama";

fn lines(output: &Output) -> Vec<String> {
    String::from_utf8(output.stdout.clone()).unwrap().lines().map(Into::into).collect()
}

/// The lines of a model that is not as signed, but the last.
fn findings(desk: &Desk, line: &str) -> Vec<String> {
    let output = ended(desk.command(line));
    let error = message(1, &output);
    assert!(error.contains("llama: it does not match what was signed; "), "{error}");
    let mut lines = lines(&output);
    assert!(lines.pop().unwrap().starts_with("llama: does not match what "));
    lines
}

#[test]
fn a_signed_model_verifies() {
    let desk = signed();
    let key_id = signing_key(3).verifying_key().key_id();
    let printed = String::from_utf8(desk.prints(VERIFY)).unwrap();
    let verdict = format!("llama: matches what {key_id} signed (3 files)\n");
    assert_eq!(printed, format!("model.sig: ignored (the signature)\n{verdict}"));
    // From elsewhere, and to and from streams.
    let bundle = desk.prints("model sign -k alice.pem --ignore model.sig llama");
    let line = "model verify -p alice.pub -s - --ignore model.sig llama";
    let printed = String::from_utf8(desk.prints_given(line, &bundle)).unwrap();
    assert!(printed.ends_with(&verdict), "{printed}");
    // Signing again replaces the bundle, and does not sign it.
    desk.prints("model sign -k alice.pem -o llama/model.sig llama");
    desk.prints(VERIFY);
    // One file, under any name.
    desk.prints("model sign -k alice.pem -o one.sig llama/config.json");
    desk.write("config", "{}");
    let printed = String::from_utf8(desk.prints("model verify -p alice.pub -s one.sig config"));
    let expected = format!(
        "config: was signed as config.json\nconfig: matches what {key_id} signed (1 file)\n"
    );
    assert_eq!(printed.unwrap(), expected);
}

#[test]
fn every_difference_is_printed() {
    let desk = signed();
    desk.write("llama/config.json", "[]");
    fs::remove_file(desk.path("llama/weights/1")).unwrap();
    desk.write("llama/weights/2", "more");
    #[cfg(unix)]
    std::os::unix::fs::symlink("0", desk.path("llama/weights/3")).unwrap();
    let mut expected = vec![
        "config.json: changed",
        "model.sig: ignored (the signature)",
        "weights/1: missing",
        "weights/2: nobody signed it",
    ];
    if cfg!(unix) {
        expected.push("weights/3: a symbolic link; replace it with a file, or ignore it");
    }
    assert_eq!(findings(&desk, VERIFY), expected);

    let output = ended(desk.command(VERIFY));
    let problems = expected.len() - 1;
    let last = format!("signed (problems: {problems}, files that match: 1 of 3)");
    assert!(lines(&output).last().unwrap().ends_with(&last));

    let output = ended(desk.command(&format!("{VERIFY} --json")));
    assert!(message(1, &output).ends_with("signed; do not use it, fetch it again\n"));
    let value: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(value["as_signed"], false);
    assert_eq!(value["files_as_signed"], 1);
    assert_eq!(value["files"], 3);
    assert_eq!(value["findings"][0], json!({ "path": "config.json", "finding": "changed" }));
    assert_eq!(value["findings"].as_array().unwrap().len(), expected.len());
}

#[test]
fn what_is_ignored_is_printed() {
    let desk = signed();
    desk.write("llama/notes", "not signed");
    assert_eq!(
        findings(&desk, VERIFY),
        ["model.sig: ignored (the signature)", "notes: nobody signed it"]
    );
    let error = message(1, &ended(desk.command(VERIFY)));
    assert!(error.ends_with("do not use it: remove what nobody signed, or fetch it again\n"));
    let printed = String::from_utf8(desk.prints(&format!("{VERIFY} --ignore notes"))).unwrap();
    assert!(
        printed.starts_with("model.sig: ignored (the signature)\nnotes: ignored (--ignore)\n"),
        "{printed}"
    );
    let printed = String::from_utf8(desk.prints(&format!("{VERIFY} --ignore-unsigned"))).unwrap();
    assert!(
        printed.starts_with("model.sig: ignored (the signature)\nnotes: nobody signed it\n"),
        "{printed}"
    );
    // Left out when it was signed.
    desk.prints("model sign -k alice.pem -o some.sig --ignore weights --ignore model.sig llama");
    let line = "model verify -p alice.pub -s some.sig llama";
    let printed = String::from_utf8(desk.prints(line)).unwrap();
    assert!(printed.contains("weights: ignored (by the signer)\n"), "{printed}");
    let value: Value = serde_json::from_slice(&desk.prints(&format!("{line} --json"))).unwrap();
    let by = json!({ "path": "weights", "finding": "ignored", "ignored_by": "signer" });
    assert!(value["findings"].as_array().unwrap().contains(&by), "{value}");

    // Which can be refused.
    let strict = format!("{line} --refuse-ignored");
    let output = ended(desk.command(&strict));
    message(1, &output);
    assert!(lines(&output).contains(&"weights: refused, but ignored (by the signer)".into()));
    assert!(lines(&output).last().unwrap().contains("(problems: 2, files that match: 2 of 2)"));
    let output = ended(desk.command(&format!("{strict} --json")));
    let value: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(value["as_signed"], false);
    desk.prints(&format!("{strict} --ignore weights --ignore model.sig"));
    fs::create_dir(desk.path("llama/.git")).unwrap();
    let output = ended(desk.command(&format!("{strict} --ignore weights --ignore model.sig")));
    message(1, &output);
    assert_eq!(lines(&output).first().unwrap(), ".git: refused, but ignored (of git)");
}

#[test]
fn only_the_signer_is_trusted() {
    let desk = signed();
    let error = desk.fails("model verify -p mallory.pub -s llama/model.sig llama");
    assert!(error.contains("llama/model.sig: the bundle is signed by another key; "), "{error}");
    desk.prints("model verify -p mallory.pub -p alice.pub -s llama/model.sig llama");
    fs::create_dir(desk.path("keys")).unwrap();
    fs::copy(desk.path("alice.pub"), desk.path("keys/alice.pem")).unwrap();
    desk.prints("model verify -p keys -s llama/model.sig llama");
    desk.prints("certificate -k alice.pem --subject CN=Alice -o alice.crt");
    let output = ended(desk.command("model verify -p alice.crt -s llama/model.sig llama"));
    assert_eq!(output.status.code(), Some(0));

    // Each byte of the bundle counts.
    let bundle = desk.text("llama/model.sig");
    for (from, to) in [("\"sig\":\"M", "\"sig\":\"N"), ("weights", "weighty"), ("payload", "pay")] {
        let changed = bundle.replacen(from, to, 1);
        desk.write("llama/model.sig", &changed);
        if changed != bundle {
            desk.fails(VERIFY);
        }
    }
}

#[test]
fn another_file_is_named_for_what_it_is() {
    let desk = signed();
    desk.prints("sign -k alice.pem -c example.com/a -o a.sig llama/config.json");
    desk.prints("seal -r bob.pub -c example.com/a -o a.sealed llama/config.json");
    desk.write("empty", "");
    desk.write("text", "{}");
    for (file, what) in [
        ("a.sig", "it is a signature, not the signature of a model; "),
        ("a.sealed", "it is a sealed file, not the signature of a model; "),
        ("alice.pub", "it is a PEM file, not the signature of a model; "),
        ("empty", "it is empty; "),
        ("text", "not a Sigstore bundle of version 0.3; "),
        ("missing", "no such file; "),
        ("llama", "it is named as the model and as its signature (-s); "),
    ] {
        let error = desk.fails(&format!("model verify -p alice.pub -s {file} llama"));
        assert!(error.starts_with(&format!("twinseal: {file}: ")), "{error}");
        assert!(error.contains(what), "{error}");
    }
    let error =
        desk.fails("verify -p alice.pub -c example.com/a -s llama/model.sig llama/config.json");
    assert!(error.contains("it is the signature of a model; `twinseal model verify`"), "{error}");
}

#[test]
fn no_file_of_the_model_is_overwritten() {
    let desk = desk();
    for output in ["llama/config.json", "llama/weights/0"] {
        let error = desk.fails(&format!("model sign -k alice.pem -o {output} llama"));
        assert!(error.contains("it is a file of the model and would be overwritten; "), "{error}");
    }
    desk.fails("model sign -k alice.pem -o llama/config.json llama/config.json");
    desk.fails("model sign -k alice.pem -o missing/model.sig llama");
    desk.fails("model sign -k alice.pem -o x.sig missing");
    desk.fails_with(2, "model sign -k alice.pem -o x.sig -");
    for options in ["--shard-size 0", "--shard-size 10 --whole-files"] {
        let line = format!("model sign -k alice.pem {options} -o x.sig llama");
        assert_eq!(ended(desk.command(&line)).status.code(), Some(2), "{options}");
    }
    // A failure leaves the old bundle.
    desk.prints("model sign -k alice.pem -o llama/model.sig llama");
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("weights", desk.path("llama/link")).unwrap();
        let error = desk.fails("model sign -k alice.pem -o llama/model.sig llama");
        assert!(error.contains("llama/link: a symbolic link; "), "{error}");
        fs::rename(desk.path("llama/link"), desk.path("llama/a (os error 5).bin")).unwrap();
        let output = ended(desk.command_with(&["model", "sign", "-k", "alice.pem", "llama"]));
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(error.contains("llama/a (os error 5).bin: a symbolic link; "), "{error}");
    }
}

#[test]
fn shards_verify() {
    let desk = desk();
    desk.prints("model sign -k alice.pem -o llama/model.sig --shard-size 300 llama");
    let value: Value = serde_json::from_slice(&desk.prints(&format!("{VERIFY} --json"))).unwrap();
    assert_eq!(value["shard_size"], 300);
    assert_eq!(value["as_signed"], true);
    desk.write("llama/empty", "");
    let error = desk.fails("model sign -k alice.pem -o llama/model.sig --shard-size 300 llama");
    assert!(error.contains("llama/empty: "), "{error}");
    desk.prints("model sign -k alice.pem -o llama/model.sig --whole-files llama");
    let value: Value = serde_json::from_slice(&desk.prints(&format!("{VERIFY} --json"))).unwrap();
    assert_eq!(value["shard_size"], Value::Null);
}

#[test]
fn inspect_says_who_claims_to_have_signed_what() {
    let desk = signed();
    let text = String::from_utf8(desk.prints("inspect llama/model.sig")).unwrap();
    assert!(text.starts_with("llama/model.sig: signature of a model of 3 files, not verified\n"));
    assert!(text.contains("\nfiles:\n  config.json\n  weights/0\n  weights/1\n"), "{text}");
    assert!(text.contains("\nleft out:\n  .git\n"), "{text}");
    assert!(text.lines().last().unwrap().starts_with("nothing of this is verified: "), "{text}");
    // The key is found by its hint.
    let hint = text.lines().find(|line| line.contains("hint")).unwrap();
    for key in ["alice.pub", "alice.pem"] {
        let key = String::from_utf8(desk.prints(&format!("inspect {key}"))).unwrap();
        assert!(key.contains(hint), "{key}");
    }
    let value: Value =
        serde_json::from_slice(&desk.prints("inspect --json llama/model.sig")).unwrap();
    assert_eq!(value["kind"], "model_signature");
    assert_eq!(value["name"], "llama");
    assert_eq!(value["files"], 3);
    assert_eq!(value["suite"], "id-MLDSA87-ECDSA-P384-SHA512");
    assert_eq!(value["file_names"], json!(["config.json", "weights/0", "weights/1"]));
    assert!(value["ignored"].as_array().unwrap().contains(&json!("model.sig")));
    let key: Value = serde_json::from_slice(&desk.prints("inspect --json alice.pub")).unwrap();
    assert_eq!(value["claimed_key"], key["keys"][0]["model_hint"]);
    let line = "inspect --in-use id-MLDSA87-ECDSA-P384-SHA512 llama/model.sig";
    assert_eq!(ended(desk.command(line)).status.code(), Some(3));
    desk.prints("inspect --in-use MLKEM1024-P384 llama/model.sig");
    desk.write("llama/model.sig", &desk.read("llama/model.sig")[..3000]);
    desk.fails("inspect llama/model.sig");
}

#[test]
fn inspect_shows_many_files_in_part_and_escapes_names() {
    let desk = signed();
    for number in 0..30 {
        desk.write(&format!("llama/{number:02}"), "");
    }
    desk.prints("model sign -k alice.pem -o llama/model.sig llama");
    let text = String::from_utf8(desk.prints("inspect llama/model.sig")).unwrap();
    assert!(text.contains("\n  19\n  and 13 more; --json lists all\n"), "{text}");
    let value: Value =
        serde_json::from_slice(&desk.prints("inspect --json llama/model.sig")).unwrap();
    assert_eq!(value["file_names"].as_array().unwrap().len(), 33);
    #[cfg(unix)]
    {
        desk.write("llama/0\u{202e}\u{1b}", "");
        desk.prints("model sign -k alice.pem -o llama/model.sig llama");
        let text = String::from_utf8(desk.prints("inspect llama/model.sig")).unwrap();
        assert!(text.contains(r#""0\u{202e}\u{1b}""#), "{text}");
        let json = String::from_utf8(desk.prints("inspect --json llama/model.sig")).unwrap();
        assert!(json.contains(r#""0\u202e\u001b""#), "{json}");
        // An inventory has a line for each bundle, not for each file.
        let lines = String::from_utf8(desk.prints("inspect --recursive --json llama")).unwrap();
        assert!(lines.contains("model_signature") && !lines.contains("file_names"), "{lines}");
    }
}

#[test]
fn p384_keys_of_other_tools_are_taken_and_others_are_named() {
    const P384: &str = "-----BEGIN PUBLIC KEY-----\n\
        MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEknHHKVPLp64Bn3Ar0uh70L/Y50Y6gTM7\n\
        797mJtbfzTT3oYzKOV/p54Y1WH+FLKnJwPl20PtXCBX4mWjeKfuV9N2pJoimwsZ1\n\
        OB4uadLgAWma6za8ryUL9jrbU9JQiRfL\n\
        -----END PUBLIC KEY-----\n";
    const P256: &str = "-----BEGIN PUBLIC KEY-----\n\
        MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEaxfR8uEsQkf4vOblY6RA8ncDfYEt\n\
        6zOg9KE5RdiYwpZP40Li/hp/m47n60p8D54WK84zV2sxXs7LtkBoN79R9Q==\n\
        -----END PUBLIC KEY-----\n";
    let desk = signed();
    fs::create_dir(desk.path("keys")).unwrap();
    fs::copy(desk.path("alice.pub"), desk.path("keys/alice.pem")).unwrap();
    desk.write("keys/other.pem", P384);
    desk.prints("model verify -p keys -s llama/model.sig llama");
    desk.write("keys/another.pem", P256);
    let error = desk.fails("model verify -p keys -s llama/model.sig llama");
    assert!(error.contains("keys/another.pem: the key is of another kind: "), "{error}");

    desk.write("p384.pub", P384);
    desk.write("p256.pub", P256);
    desk.write("damaged.pub", P384.replace("OB4uad", "AB4uad"));
    for (file, what) in [
        ("p384.pub", "llama/model.sig: the bundle is signed by another key; "),
        (
            "p256.pub",
            "it is a P-256 public key (SPKI), but only keys of `twinseal keygen --sign` and P-384",
        ),
        ("damaged.pub", "it is a P-384 public key (SPKI), but invalid P-384 point: "),
        ("bob.pub", "but the public key of a model's signer is needed; "),
    ] {
        let error = desk.fails(&format!("model verify -p {file} -s llama/model.sig llama"));
        assert!(error.contains(what), "{error}");
    }
    for line in ["inspect p384.pub", "import -o new p384.pub"] {
        let error = desk.fails(line);
        assert!(error.contains("; only `twinseal model verify -p` takes such a key, "), "{error}");
    }
}

#[cfg(unix)]
#[test]
fn an_inventory_counts_signed_models() {
    let desk = signed();
    let text = String::from_utf8(desk.prints("inspect --recursive llama")).unwrap();
    assert!(text.contains("1 signature of a model"), "{text}");
}

#[cfg(unix)]
#[test]
fn odd_names_are_escaped() {
    use std::os::unix::ffi::OsStrExt;

    let desk = signed();
    let name = |bytes| desk.path("llama").join(std::ffi::OsStr::from_bytes(bytes));
    fs::write(name(b"a\nb\x1b[31m"), "").unwrap();
    fs::write(name(b"\xff"), "").unwrap();
    for other in [" b", "a: b", r"a\nb", "q\""] {
        desk.write(&format!("llama/{other}"), "");
    }
    let expected = [
        r#"" b": nobody signed it"#,
        r#""a\nb\u{1b}[31m": nobody signed it"#,
        r#""a: b": nobody signed it"#,
        r#""a\\nb": nobody signed it"#,
        "model.sig: ignored (the signature)",
        r#""q\"": nobody signed it"#,
        r#""\xFF": a name that is not UTF-8, or that the format does not allow"#,
    ];
    assert_eq!(findings(&desk, VERIFY), expected);
    let error = desk.fails("model sign -k alice.pem -o x.sig llama");
    assert!(error.contains(r#"twinseal: "llama/\xFF": a name that is not UTF-8"#), "{error}");
    let directory = desk.path("").join(std::ffi::OsStr::from_bytes(b"nn\xff"));
    fs::create_dir(&directory).unwrap();
    fs::write(directory.join("weights"), "").unwrap();
    let mut command = desk.command("model sign -k alice.pem -o x.sig");
    command.arg(directory.file_name().unwrap());
    let error = desk.refused(1, command);
    assert!(error.starts_with(r#"twinseal: "nn\xFF": its name is not UTF-8"#), "{error}");
    let output = ended(desk.command(&format!("{VERIFY} --json")));
    let value: Value = serde_json::from_slice(&output.stdout).unwrap();
    let findings = value["findings"].as_array().unwrap();
    assert!(findings.iter().any(|finding| finding["path_bytes"] == "ff"), "{value}");
}

#[test]
fn a_bundle_comes_from_a_pipe() {
    let desk = signed();
    let bundle = desk.read("llama/model.sig");
    let line = "model verify -p alice.pub -s - llama --ignore model.sig";
    for cut in [0, 1, 100, bundle.len() / 2, bundle.len() - 2] {
        let output = given(desk.spawn(line), &bundle[..cut]);
        message(1, &output);
    }
}

#[test]
fn a_bundle_on_standard_input_leaves_nothing_out() {
    let desk = signed();
    fs::create_dir(desk.path("llama/-")).unwrap();
    desk.write("llama/-/evil.py", "import os");
    let mut command = desk.command("model verify -p ../alice.pub -s - --ignore model.sig .");
    command.current_dir(desk.path("llama"));
    command.stdin(fs::File::open(desk.path("llama/model.sig")).unwrap());
    let output = ended(command);
    message(1, &output);
    assert_eq!(lines(&output).first().unwrap(), "-/evil.py: nobody signed it");
}
