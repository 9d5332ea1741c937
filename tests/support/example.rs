//! Runs examples as a person does, and returns their output and exit code.

use std::{ffi::OsStr, fs, path::Path, process::Command};

use tempfile::TempDir;

use crate::{
    process,
    running::{Ended, end_of, run},
};

/// An example with these arguments, and a directory of its own for temporary files.
#[track_caller]
pub fn example<A: AsRef<OsStr>>(name: &str, arguments: impl IntoIterator<Item = A>) -> Example {
    let temporary = tempfile::tempdir().unwrap();
    let mut command = process::command(process::example(name));
    for variable in ["TMPDIR", "TMP", "TEMP"] {
        command.env(variable, temporary.path());
    }
    command.args(arguments);
    Example { command, temporary }
}

/// A program that is about to run.
#[derive(Debug)]
pub struct Example {
    /// The command, which can be changed until the program is started.
    pub command: Command,
    /// The directory in which it makes temporary files.
    pub temporary: TempDir,
}

impl Example {
    /// Runs it to its end, and checks that it leaves no temporary files.
    pub fn run(mut self) -> Ended {
        let ended = run(&mut self.command);
        assert_eq!(names(self.temporary.path()), [""; 0]);
        ended
    }

    /// The output of a run that must succeed.
    pub fn prints(self) -> String {
        let ended = self.run();
        assert_eq!(ended.stderr, "");
        assert_eq!(ended.code, Some(0));
        ended.stdout
    }

    /// The error of a run that must fail, which is one line and nothing else.
    pub fn refuses(self) -> String {
        let name = self.command.get_program().to_owned();
        let name = Path::new(&name).file_stem().unwrap().to_string_lossy().into_owned();
        let ended = self.run();
        assert_eq!(ended.code, Some(1), "{}", ended.stderr);
        assert_eq!(ended.stdout, "");
        assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
        assert!(ended.stderr.starts_with(&format!("{name}: ")), "{}", ended.stderr);
        ended.stderr
    }

    /// Runs it with a reader that closes its output at once, as `| head` does. This is not an
    /// error.
    #[track_caller]
    pub fn takes_a_closed_pipe(mut self) {
        let mut child = self.command.spawn().unwrap();
        drop(child.stdout.take());
        let ended = end_of(child);
        assert_eq!(ended.stderr, "");
        assert_eq!(ended.code, Some(0));
        assert_eq!(names(self.temporary.path()), [""; 0]);
    }
}

/// The help of an example, and of each of its commands, must be there.
#[track_caller]
pub fn prints_help(name: &str, commands: &[&str]) {
    let help = example(name, ["--help"]).prints();
    for command in commands {
        assert!(help.contains(&format!("\n  {command} ")), "{help}");
        let help = example(name, [command, "--help"]).prints();
        assert!(help.contains(&format!("Usage: {name} {command}")), "{help}");
    }
}

/// The names in a directory, in order.
pub fn names(directory: &Path) -> Vec<String> {
    let name = |entry: fs::DirEntry| entry.file_name().into_string().unwrap();
    let mut names: Vec<_> =
        fs::read_dir(directory).unwrap().map(|entry| name(entry.unwrap())).collect();
    names.sort();
    names
}
