//! Which files in a model are left out, and which are refused: those of the command itself, and those of `--ignore`?

use std::{fs, process::Output};

use serde_json::Value;

use crate::{
    common::process::ended,
    desk::{Desk, message},
};

const SIGN: &str = "model sign -k alice.pem";

fn desk() -> Desk {
    let desk = Desk::new();
    fs::create_dir_all(desk.path("llama/weights")).unwrap();
    desk.write("llama/config.json", "{}");
    desk.write("llama/weights/0", [7; 1000]);
    desk
}

/// A run whose standard output is this file, which is emptied as a shell does.
fn into(desk: &Desk, file: &str, line: &str) -> Output {
    let mut command = desk.command(line);
    command.stdout(fs::File::create(desk.path(file)).unwrap());
    ended(&mut command)
}

fn signed_names(desk: &Desk, bundle: &str) -> Value {
    let json = desk.prints(&format!("inspect --json {bundle}"));
    serde_json::from_slice::<Value>(&json).unwrap()["file_names"].take()
}

#[cfg(unix)]
#[test]
fn a_shell_may_put_the_bundle_into_the_model() {
    let desk = desk();
    for line in [SIGN.into(), format!("{SIGN} -o -"), format!("{SIGN} -o /dev/stdout")] {
        let output = into(&desk, "llama/model.sig", &format!("{line} llama"));
        assert_eq!(String::from_utf8_lossy(&output.stderr), "");
        assert_eq!(signed_names(&desk, "llama/model.sig").as_array().unwrap().len(), 2, "{line}");
        desk.prints("model verify -p alice.pub -s llama/model.sig llama");
    }
    // By another name of the same file, too.
    fs::remove_file(desk.path("llama/model.sig")).unwrap();
    desk.write("elsewhere", "");
    fs::hard_link(desk.path("elsewhere"), desk.path("llama/model.sig")).unwrap();
    assert!(into(&desk, "elsewhere", &format!("{SIGN} llama")).status.success());
    desk.prints("model verify -p alice.pub -s llama/model.sig llama");

    // A file that has content is one of the model.
    let append = |line: &str| {
        let file = fs::OpenOptions::new().append(true).open(desk.path("llama/config.json"));
        let mut command = desk.command(line);
        command.stdout(file.unwrap());
        desk.refused(1, command)
    };
    let error = append(&format!("{SIGN} llama"));
    assert!(error.contains("standard output: it is a file of the model (config.json) "), "{error}");
    let error = append("model verify -p alice.pub -s llama/model.sig llama");
    assert!(error.contains("standard output: it is a file of the model (config.json) "), "{error}");
    append(&format!("{SIGN} llama/config.json"));
    // Left out, it does not matter.
    let output = into(&desk, "llama/log", &format!("{SIGN} --ignore log llama"));
    assert!(output.status.success());
}

#[cfg(unix)]
#[test]
fn a_shell_may_put_the_report_into_the_model() {
    let desk = desk();
    desk.prints(&format!("{SIGN} -o llama/model.sig llama"));
    let line = "model verify -p alice.pub -s llama/model.sig llama";
    for _ in 0..2 {
        let output = into(&desk, "llama/report", line);
        assert_eq!(String::from_utf8_lossy(&output.stderr), "");
        assert!(
            desk.text("llama/report")
                .starts_with("model.sig: ignored (the signature)\nreport: ignored (this report)\n")
        );
    }
    // Nobody signed it.
    assert_eq!(ended(desk.command(line)).status.code(), Some(1));
}

#[test]
fn only_a_bundle_is_replaced() {
    let desk = desk();
    desk.prints(&format!("{SIGN} -o llama/model.sig llama"));
    let bundle = desk.text("llama/model.sig");
    desk.prints(&format!("{SIGN} -o llama/model.sig llama"));
    for content in [
        "",
        r#"{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json"}"#,
        &bundle[..3000],
        &bundle.replace("\"hint\"", "\"hunt\""),
    ] {
        desk.write("llama/other", content);
        let error = desk.fails(&format!("{SIGN} -o llama/other llama"));
        assert!(error.contains("llama/other: it is a file of the model and would be "), "{error}");
    }
    // Outside, whatever is there is replaced, as by other commands.
    desk.write("other", "");
    desk.prints(&format!("{SIGN} -o other llama"));
}

#[test]
fn secrets_are_not_signed_into_the_model() {
    let desk = desk();
    desk.write_secret("llama/alice.pem", desk.read("alice.pem"));
    let line = "model sign -k llama/alice.pem -o x.sig";
    let error = desk.fails(&format!("{line} llama"));
    assert!(error.contains("llama/alice.pem: it is secret, but in the model, "), "{error}");
    assert!(
        error.contains("; move it elsewhere, or leave it out with --ignore alice.pem"),
        "{error}"
    );
    desk.fails(&format!("{line} --ignore weights llama"));
    desk.prints(&format!("{line} --ignore ./alice.pem llama"));
    desk.fails("model sign -k alice.pem -o x.sig alice.pem");
    #[cfg(unix)]
    {
        let mut command = desk.command("model sign -k - -o x.sig llama");
        command.stdin(fs::File::open(desk.path("llama/alice.pem")).unwrap());
        let error = desk.refused(1, command);
        assert!(error.contains("standard input: it is secret, but in the model, "), "{error}");
        // Under other names.
        fs::remove_file(desk.path("llama/alice.pem")).unwrap();
        fs::hard_link(desk.path("alice.pem"), desk.path("llama/weights/1")).unwrap();
        let error = desk.fails(&format!("{SIGN} -o x.sig llama"));
        assert!(error.contains("--ignore weights/1"), "{error}");
        desk.prints(&format!("{SIGN} -o x.sig --ignore weights llama"));
        fs::remove_file(desk.path("llama/weights/1")).unwrap();
        fs::rename(desk.path("alice.pem"), desk.path("llama/a")).unwrap();
        std::os::unix::fs::symlink("llama/a", desk.path("alice.pem")).unwrap();
        desk.fails(&format!("{SIGN} -o x.sig llama"));
        fs::rename(desk.path("llama/a"), desk.path("a")).unwrap();
    }
    desk.write_secret("llama/passphrase", "secret");
    let line = "model sign -k a --passphrase-file llama/passphrase -o x.sig llama";
    let error = desk.fails(line);
    assert!(error.contains("llama/passphrase: it is secret, but in the model, "), "{error}");
}

#[test]
fn each_path_to_ignore_is_refused_for_what_is_wrong_with_it() {
    let desk = desk();
    desk.prints(&format!("{SIGN} -o llama/model.sig llama"));
    const VERIFY: &str = "model verify -p alice.pub -s llama/model.sig";
    for (path, reason) in [
        ("/etc", "it is absolute; "),
        ("../alice.pub", "`..` may lead out of the model; "),
        ("weights/..", "`..` may lead out of the model; "),
        (".", "it is the whole model; "),
    ] {
        for line in [VERIFY, "model sign -k alice.pem -o x.sig"] {
            let error =
                desk.fails_with(2, &format!("{line} --ignore weights --ignore {path} llama"));
            let start = format!("twinseal: --ignore {path}: {reason}");
            assert!(error.starts_with(&start), "{error}");
        }
    }
    for (path, reason) in [
        ("config.json", "config.json: the signer signed it; "),
        ("./weights", "weights: the signer signed a file in it (weights/0); "),
    ] {
        let error = desk.fails_with(2, &format!("{VERIFY} --ignore {path} llama"));
        assert!(error.starts_with(&format!("twinseal: --ignore {reason}")), "{error}");
    }
    let error = desk.fails_with(2, &format!("{SIGN} -o x.sig --ignore *.py llama"));
    assert!(error.starts_with("twinseal: --ignore *.py: other tools take `*`, "), "{error}");
    let line = format!("{SIGN} -o x.sig --ignore config.json llama/config.json");
    let error = desk.fails_with(2, &line);
    assert!(
        error.starts_with("twinseal: --ignore config.json: it is the whole model; "),
        "{error}"
    );

    // The bundle is not `--ignore`.
    let error = desk.fails(&format!("{SIGN} -o llama/model[1].sig llama"));
    assert!(error.starts_with("twinseal: llama/model[1].sig: other tools take `*`, "), "{error}");
    desk.prints(&format!("{SIGN} -o model[1].sig llama"));
    let error = desk.fails("model verify -p alice.pub -s llama/model.sig llama/model.sig");
    assert!(error.contains("it is named as the model and as its signature (-s); "), "{error}");
    #[cfg(unix)]
    {
        use std::{ffi::OsStr, os::unix::ffi::OsStrExt};

        let mut command = desk.command(&format!("{SIGN} llama --ignore"));
        command.arg(OsStr::from_bytes(b"\xff"));
        let error = desk.refused(2, command);
        assert!(
            error.starts_with(r#"twinseal: --ignore "\xFF": its name is not UTF-8"#),
            "{error}"
        );
        let mut command = desk.command(&format!("{SIGN} llama -o"));
        command.arg(OsStr::from_bytes(b"llama/\xff"));
        let error = desk.refused(1, command);
        assert!(error.starts_with(r"twinseal: llama/\xff: its name is not UTF-8"), "{error}");
    }
}

#[test]
fn a_path_to_ignore_that_leads_nowhere_is_noted() {
    let desk = desk();
    let note = "twinseal: --ignore wieghts: the model has no such file or directory\n";
    for line in [
        format!("{SIGN} -o llama/model.sig --ignore wieghts llama"),
        "model verify -p alice.pub -s llama/model.sig --ignore wieghts llama".into(),
    ] {
        let output = ended(desk.command(&line));
        assert_eq!(String::from_utf8(output.stderr).unwrap(), note);
        assert!(output.status.success());
        let output = ended(desk.command(&format!("-q {line}")));
        assert_eq!(output.stderr, b"");
    }
}

#[test]
fn a_shard_size_that_does_not_fit_is_named() {
    let desk = desk();
    let file = fs::File::create(desk.path("llama/large")).unwrap();
    file.set_len((1 << 20) + 1).unwrap();
    let error = desk.fails_with(2, &format!("{SIGN} --shard-size 1 -o x.sig llama"));
    let expected = "twinseal: --shard-size 1: llama has more than 1048576 shards of this size, ";
    assert!(error.starts_with(expected), "{error}");
    // A larger size does not help a model that has too many files.
    assert!(error.contains("or sign its directories one by one"), "{error}");
    let error = desk.fails_with(2, &format!("{SIGN} --shard-size 9007199254740993 -o x.sig llama"));
    assert!(error.contains("--shard-size 9007199254740993: it is larger than 2^53"), "{error}");
    desk.prints(&format!("{SIGN} --shard-size 1000 -o x.sig llama"));
}

#[cfg(unix)]
#[test]
fn verify_needs_its_output_before_it_reads_the_model() {
    let desk = desk();
    desk.write("junk.sig", "{");
    let mut command =
        desk.shell(&["sh", "-c", "exec twinseal model verify -p alice.pub -s junk.sig llama >&-"]);
    let error = message(1, &ended(&mut command));
    assert!(error.contains("standard output: it is closed, "), "{error}");
}

/// The reader of a FIFO takes the first end for the last one, so it is opened once.
#[cfg(unix)]
#[test]
fn a_bundle_may_go_through_a_fifo() {
    let desk = desk();
    let line = format!("mkfifo fifo; cat fifo > model.sig & twinseal {SIGN} -o fifo llama; wait");
    assert!(ended(desk.shell(&["sh", "-c", &line])).status.success());
    desk.prints("model verify -p alice.pub -s model.sig llama");
}
