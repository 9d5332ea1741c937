//! The example a newcomer runs first: what it prints, how it exits, and what it leaves behind.

use std::{
    ffi::OsStr,
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Command, Output},
};

use support::process::{self, end_of, ended, within_deadline};
use tempfile::TempDir;
use twinseal::{DecapsulationKey, Error, Recipients};

/// The example, with temporary files in a folder of the test's own.
fn quickstart(temporary: &TempDir) -> Command {
    let mut command = process::command(process::example("quickstart"));
    for name in ["TMPDIR", "TMP", "TEMP"] {
        command.env(name, temporary.path());
    }
    command
}

/// Runs the example and checks that it leaves nothing behind.
fn run(arguments: &[&OsStr]) -> Output {
    let temporary = tempfile::tempdir().unwrap();
    let output = ended(quickstart(&temporary).args(arguments));
    assert_empty(temporary.path());
    output
}

fn assert_empty(folder: &Path) {
    let left: Vec<_> = fs::read_dir(folder).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
}

/// What a run that must succeed prints.
fn printed(arguments: &[&OsStr]) -> String {
    let output = run(arguments);
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}

/// The error of a run that must fail.
fn refused(arguments: &[&OsStr]) -> String {
    let output = run(arguments);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(String::from_utf8_lossy(&output.stdout), "");
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(error.lines().count(), 1, "{error}");
    assert!(error.starts_with("quickstart: "), "{error}");
    error
}

/// The number in the row that starts with `what`.
fn bytes(printed: &str, what: &str) -> u64 {
    let row = printed.lines().find_map(|line| line.trim_start().strip_prefix(what));
    let number = row.and_then(|rest| rest.split_whitespace().next());
    number.unwrap().parse().unwrap()
}

/// Everything that does not depend on the file.
fn assert_complete(printed: &str, size: u64) {
    for line in printed.lines() {
        assert!(line.chars().count() <= 80, "{line}");
        assert_eq!(line, line.trim_end());
    }

    let keys = [(); 2].map(|()| DecapsulationKey::generate().unwrap());
    let keys = keys.each_ref().map(DecapsulationKey::encapsulation_key);
    let sealed = Recipients::new(keys).unwrap().sealed_len(size).unwrap();
    assert_eq!(bytes(printed, "file "), size);
    assert_eq!(bytes(printed, "sealed file "), sealed);
    assert_eq!(bytes(printed, "bob's public key "), 1600);
    assert_eq!(bytes(printed, "alice's public key "), 2689);
    assert!((4700..=4731).contains(&bytes(printed, "signature ")));

    let times = printed.lines().filter(|line| line.contains(" ms"));
    assert_eq!(times.count(), 8);

    let (_, failures) = printed.split_once("What must fail\n").unwrap();
    let errors: Vec<_> = failures.lines().skip(1).step_by(2).map(str::trim).collect();
    let (open, verify) = (Error::Open.to_string(), Error::Verify.to_string());
    let not_a_recipient = Error::NotARecipient.to_string();
    assert_eq!(errors, [&not_a_recipient, &open, &open, &verify]);
}

#[test]
fn without_a_file_it_makes_a_checkpoint() {
    let printed = printed(&[]);
    assert!(printed.starts_with("\"model.safetensors\": safetensors, 21 tensors\n"));
    assert!(printed.contains(" MiB/s\n"));
    let size = bytes(&printed, "file ");
    assert!(size > 1 << 20);
    assert_complete(&printed, size);
}

#[test]
fn a_file_is_read_and_not_changed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a model, 2 chunks");
    for size in [0, 1, 40_000] {
        let content: Vec<u8> = (0..size).map(|index: u32| index as u8).collect();
        fs::write(&path, &content).unwrap();
        let before = fs::metadata(&path).unwrap().modified().unwrap();

        let printed = printed(&[path.as_os_str()]);
        assert!(printed.starts_with("\"a model, 2 chunks\": not safetensors"));
        assert_eq!(printed.contains("growth"), size > 0);
        assert_complete(&printed, size.into());

        assert_eq!(fs::read(&path).unwrap(), content);
        assert_eq!(fs::metadata(&path).unwrap().modified().unwrap(), before);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}

#[test]
fn what_is_no_file_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing");
    let error = refused(&[missing.as_os_str()]);
    assert!(error.contains(&format!("{missing:?}")), "{error}");
    assert!(!missing.exists());

    let error = refused(&[folder.path().as_os_str()]);
    assert!(error.contains("not a regular file"), "{error}");
    assert_empty(folder.path());
}

#[test]
fn other_arguments_are_refused() {
    for arguments in [["--verbose"].as_slice(), &["-"], &["a", "b"]] {
        let arguments: Vec<_> = arguments.iter().map(OsStr::new).collect();
        assert!(refused(&arguments).contains("--help"));
    }
    refused(&[OsStr::new("")]);
    #[cfg(unix)]
    refused(&[std::os::unix::ffi::OsStrExt::from_bytes(b"\xff")]);
}

#[test]
fn help_is_printed() {
    let help = printed(&[OsStr::new("--help")]);
    assert!(help.starts_with("Usage: quickstart [FILE]\n"));
    assert_eq!(help, printed(&[OsStr::new("-h")]));
}

#[test]
fn a_closed_pipe_is_no_error() {
    for lines in [0, 1] {
        let temporary = tempfile::tempdir().unwrap();
        let mut child = quickstart(&temporary).spawn().unwrap();
        let pipe = BufReader::new(child.stdout.take().unwrap());
        // And the pipe closes.
        let read = within_deadline("a line", move || pipe.lines().take(lines).count());
        assert_eq!(read, lines);
        let output = end_of(child);
        assert_eq!(String::from_utf8_lossy(&output.stderr), "");
        assert!(output.status.success());
        assert_empty(temporary.path());
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error() {
    let temporary = tempfile::tempdir().unwrap();
    let full = fs::File::create("/dev/full").unwrap();
    let output = ended(quickstart(&temporary).stdout(full));
    assert_eq!(output.status.code(), Some(1));
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.starts_with("quickstart: "), "{error}");
    assert_empty(temporary.path());
}
