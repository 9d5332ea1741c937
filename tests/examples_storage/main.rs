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
#[cfg(unix)]
mod rotation;

use std::{
    env,
    ffi::OsStr,
    fs,
    io::Read,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// More than any of them takes; a program that is still running then hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// An example that `cargo test` has built, in the folder beside this test's own program.
fn program(name: &str) -> PathBuf {
    let test = env::current_exe().unwrap();
    let profile = test.parent().and_then(Path::parent).unwrap();
    let program = profile.join("examples").join(format!("{name}{}", env::consts::EXE_SUFFIX));
    assert!(program.exists(), "run `cargo build --example {name}` first");
    program
}

/// How a program ended.
struct Outcome {
    code: Option<i32>,
    stdout: Vec<u8>,
    stderr: String,
    time: Duration,
}

impl Outcome {
    fn text(&self) -> &str {
        str::from_utf8(&self.stdout).unwrap()
    }
}

/// An example with these arguments, and a folder of its own for temporary files.
fn example<A: AsRef<OsStr>>(name: &str, arguments: impl IntoIterator<Item = A>) -> Example {
    let temporary = tempfile::tempdir().unwrap();
    let mut command = Command::new(program(name));
    for variable in ["TMPDIR", "TMP", "TEMP"] {
        command.env(variable, temporary.path());
    }
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    Example { command, temporary }
}

struct Example {
    command: Command,
    temporary: tempfile::TempDir,
}

impl Example {
    /// Runs it to its end, and checks that it leaves no temporary files.
    fn run(mut self) -> Outcome {
        let outcome = finish(self.command.spawn().unwrap());
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

/// Waits for a program, but not forever.
fn finish(mut child: Child) -> Outcome {
    let start = Instant::now();
    let stdout = child.stdout.take().map(collect);
    let stderr = child.stderr.take().map(collect);
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if start.elapsed() > PATIENCE {
            child.kill().unwrap();
            panic!("it hangs");
        }
        thread::sleep(Duration::from_millis(2));
    };
    let time = start.elapsed();
    let read = |pipe: Option<thread::JoinHandle<_>>| {
        pipe.map(|pipe| pipe.join().unwrap()).unwrap_or_default()
    };
    let stderr = String::from_utf8(read(stderr)).unwrap();
    Outcome { code: status.code(), stdout: read(stdout), stderr, time }
}

fn collect(mut pipe: impl Read + Send + 'static) -> thread::JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        pipe.read_to_end(&mut bytes).unwrap();
        bytes
    })
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

/// Waits until something is so.
fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < PATIENCE, "{what} does not happen");
        thread::sleep(Duration::from_millis(1));
    }
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
