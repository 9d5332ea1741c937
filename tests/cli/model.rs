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
    assert!(error.contains("llama: it is not as it was signed; "), "{error}");
    let mut lines = lines(&output);
    assert!(lines.pop().unwrap().starts_with("llama: 3 files, not as signed by "));
    lines
}

#[test]
fn a_signed_model_verifies() {
    let desk = signed();
    let key_id = signing_key(3).verifying_key().key_id();
    let printed = String::from_utf8(desk.prints(VERIFY)).unwrap();
    assert_eq!(printed, format!("model.sig: ignored\nllama: 3 files, as signed by {key_id}\n"));
    // From elsewhere, and to and from streams.
    let bundle = desk.prints("model sign -k alice.pem --ignore model.sig llama");
    let line = "model verify -p alice.pub -s - --ignore model.sig llama";
    let printed = String::from_utf8(desk.prints_given(line, &bundle)).unwrap();
    assert!(printed.ends_with(&format!("llama: 3 files, as signed by {key_id}\n")), "{printed}");
    // Signing again replaces the bundle, and does not sign it.
    desk.prints("model sign -k alice.pem -o llama/model.sig llama");
    desk.prints(VERIFY);
    // One file, under any name.
    desk.prints("model sign -k alice.pem -o one.sig llama/config.json");
    desk.write("config", "{}");
    let printed = String::from_utf8(desk.prints("model verify -p alice.pub -s one.sig config"));
    let expected =
        format!("config: was signed as config.json\nconfig: 1 file, as signed by {key_id}\n");
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
        "model.sig: ignored",
        "weights/1: missing",
        "weights/2: nobody signed it",
    ];
    if cfg!(unix) {
        expected.push("weights/3: a symbolic link; replace it with a file, or ignore it");
    }
    assert_eq!(findings(&desk, VERIFY), expected);

    let output = ended(desk.command(&format!("{VERIFY} --json")));
    message(1, &output);
    let value: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(value["as_signed"], false);
    assert_eq!(value["files"], 3);
    assert_eq!(value["findings"][0], json!({ "path": "config.json", "finding": "changed" }));
    assert_eq!(value["findings"].as_array().unwrap().len(), expected.len());
}

#[test]
fn what_is_ignored_is_printed() {
    let desk = signed();
    desk.write("llama/notes", "not signed");
    assert_eq!(findings(&desk, VERIFY), ["model.sig: ignored", "notes: nobody signed it"]);
    let printed = String::from_utf8(desk.prints(&format!("{VERIFY} --ignore notes"))).unwrap();
    assert!(printed.starts_with("model.sig: ignored\nnotes: ignored\n"), "{printed}");
    let printed = String::from_utf8(desk.prints(&format!("{VERIFY} --ignore-unsigned"))).unwrap();
    assert!(printed.starts_with("model.sig: ignored\nnotes: nobody signed it\n"), "{printed}");
    // A signed file cannot be left out.
    let error = desk.fails_with(2, &format!("{VERIFY} --ignore config.json"));
    assert!(error.contains("config.json"), "{error}");
    // Nor can anything outside.
    for path in ["..", "../alice.pub", "/etc"] {
        desk.fails_with(2, &format!("{VERIFY} --ignore {path}"));
        desk.fails_with(2, &format!("model sign -k alice.pem -o x.sig --ignore {path} llama"));
    }
    // Left out when it was signed.
    desk.prints("model sign -k alice.pem -o some.sig --ignore weights --ignore model.sig llama");
    let line = "model verify -p alice.pub -s some.sig llama";
    let printed = String::from_utf8(desk.prints(line)).unwrap();
    assert!(printed.contains("weights: ignored\n"), "{printed}");
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
        ("llama", "it is a directory; "),
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
    assert!(text.contains("not verified"), "{text}");
    let value: Value =
        serde_json::from_slice(&desk.prints("inspect --json llama/model.sig")).unwrap();
    assert_eq!(value["kind"], "model_signature");
    assert_eq!(value["name"], "llama");
    assert_eq!(value["files"], 3);
    assert_eq!(value["suite"], "id-MLDSA87-ECDSA-P384-SHA512");
    let line = "inspect --in-use id-MLDSA87-ECDSA-P384-SHA512 llama/model.sig";
    assert_eq!(ended(desk.command(line)).status.code(), Some(3));
    desk.prints("inspect --in-use MLKEM1024-P384 llama/model.sig");
    desk.write("llama/model.sig", &desk.read("llama/model.sig")[..3000]);
    desk.fails("inspect llama/model.sig");
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
    let found = findings(&desk, VERIFY);
    assert!(found.contains(&r"a\nb\u{1b}[31m: nobody signed it".into()), "{found:?}");
    assert!(found.iter().any(|line| line.starts_with(r"\xff: ")), "{found:?}");
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
