//! Do the examples `checkpoint`, `key_management` and `kubernetes` do what they promise, also when
//! something goes wrong? They are run as programs: what they print, how they end, what they leave.

mod checkpoint;
mod checkpoint_faults;
mod image;
#[cfg(unix)]
mod key_faults;
#[cfg(unix)]
mod key_management;
mod kubernetes;
#[path = "../common/process.rs"]
mod process;
#[cfg(unix)]
mod rotation;

use std::{
    ffi::OsStr,
    fs,
    path::Path,
    process::{Child, Command, Output},
};

use process::{end_of, ended};

/// How a program ended.
struct Outcome {
    code: Option<i32>,
    stdout: Vec<u8>,
    stderr: String,
}

impl From<Output> for Outcome {
    fn from(output: Output) -> Self {
        let stderr = String::from_utf8(output.stderr).unwrap();
        Self { code: output.status.code(), stdout: output.stdout, stderr }
    }
}

impl Outcome {
    fn text(&self) -> &str {
        str::from_utf8(&self.stdout).unwrap()
    }
}

/// An example with these arguments, and a folder of its own for temporary files.
fn example<A: AsRef<OsStr>>(name: &str, arguments: impl IntoIterator<Item = A>) -> Example {
    let temporary = tempfile::tempdir().unwrap();
    let mut command = process::command(process::example(name));
    for variable in ["TMPDIR", "TMP", "TEMP"] {
        command.env(variable, temporary.path());
    }
    command.args(arguments);
    Example { command, temporary }
}

struct Example {
    command: Command,
    temporary: tempfile::TempDir,
}

impl Example {
    /// Runs it to its end, and checks that it leaves no temporary files.
    fn run(mut self) -> Outcome {
        let outcome = Outcome::from(ended(&mut self.command));
        assert_eq!(names(self.temporary.path()), [""; 0]);
        outcome
    }

    /// Of a run that must succeed: what it prints.
    fn prints(self) -> String {
        let outcome = self.run();
        assert_eq!(outcome.stderr, "");
        assert_eq!(outcome.code, Some(0));
        String::from_utf8(outcome.stdout).unwrap()
    }

    /// Of a run that must fail: its error, in one line, and nothing else.
    fn refuses(self) -> String {
        let name = self.command.get_program().to_owned();
        let name = Path::new(&name).file_stem().unwrap().to_string_lossy().into_owned();
        let outcome = self.run();
        assert_eq!(outcome.code, Some(1), "{}", outcome.stderr);
        assert_eq!(outcome.text(), "");
        assert_eq!(outcome.stderr.lines().count(), 1, "{}", outcome.stderr);
        assert!(outcome.stderr.starts_with(&format!("{name}: ")), "{}", outcome.stderr);
        outcome.stderr
    }
}

/// Waits for a program, but not for ever.
fn finish(child: Child) -> Outcome {
    end_of(child).into()
}

/// Elsewhere it says that it needs Unix sockets.
fn runs_here(name: &str) -> bool {
    name != "key_management" || cfg!(unix)
}

/// The names in a folder, in order.
fn names(folder: &Path) -> Vec<String> {
    let name = |entry: fs::DirEntry| entry.file_name().into_string().unwrap();
    let mut names: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| name(entry.unwrap())).collect();
    names.sort();
    names
}

/// A file of the project.
fn project(path: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    fs::read_to_string(root.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The arguments that an example does not understand are refused by name, with exit code 2.
#[test]
fn wrong_arguments() {
    let cases: [(&str, &[&str], &str); 9] = [
        ("checkpoint", &["--verbose"], "--verbose"),
        ("checkpoint", &["--size", "0"], "--size"),
        ("checkpoint", &["seal", "model", "place"], "--recipient"),
        ("checkpoint", &["read", "place"], "--key"),
        ("checkpoint", &["read", "place", "-k", "key", "-o", "file"], "--tensor"),
        ("checkpoint", &["unseal"], "unseal"),
        ("key_management", &["serve"], "--socket"),
        ("key_management", &["sign", "file"], "--socket"),
        ("key_management", &["public", "--socket", "s", "--timeout", "0"], "1 to 600000"),
    ];
    for (name, arguments, expected) in cases.into_iter().filter(|case| runs_here(case.0)) {
        let outcome = example(name, arguments).run();
        assert_eq!(outcome.code, Some(2), "{arguments:?}");
        assert_eq!(outcome.text(), "");
        assert!(outcome.stderr.contains(expected), "{arguments:?}: {}", outcome.stderr);
    }
}

#[test]
fn help_is_printed() {
    for (name, commands) in [
        ("checkpoint", &["seal", "read", "rewrap"][..]),
        ("key_management", &["serve", "public", "sign", "open"]),
    ] {
        if !runs_here(name) {
            continue;
        }
        let help = example(name, ["--help"]).prints();
        for command in commands {
            assert!(help.contains(&format!("\n  {command} ")), "{help}");
            let help = example(name, [command, "--help"]).prints();
            assert!(help.contains(&format!("Usage: {name} {command}")), "{help}");
        }
    }
}

#[test]
fn a_closed_pipe_is_no_error() {
    for (name, arguments) in [("checkpoint", &["--size", "9"][..]), ("key_management", &[])] {
        if !runs_here(name) {
            continue;
        }
        let mut example = example(name, arguments);
        let mut child = example.command.spawn().unwrap();
        drop(child.stdout.take());
        let outcome = finish(child);
        assert_eq!(outcome.stderr, "");
        assert_eq!(outcome.code, Some(0), "{name}");
        assert_eq!(names(example.temporary.path()), [""; 0]);
    }
}
