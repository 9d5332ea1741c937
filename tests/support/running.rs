//! Running processes of examples: reads their lines, waits for their end, and kills them when
//! dropped.

use std::{
    borrow::BorrowMut,
    ffi::OsStr,
    io::{BufRead, BufReader, Read},
    path::Path,
    process::{Child, Command, Output},
    sync::mpsc::{self, Receiver, RecvTimeoutError},
    thread,
    time::{Duration, Instant},
};

use crate::process::{self, DEADLINE};

/// A running program whose output is read as it comes.
#[derive(Debug)]
pub struct Running {
    child: Child,
    lines: Receiver<String>,
    /// All lines so far, of standard output and standard error, as they came.
    pub seen: Vec<String>,
}

impl Running {
    /// Starts it.
    pub fn start(command: &mut Command) -> Self {
        let mut child = command.spawn().unwrap();
        let (outbox, lines) = mpsc::channel();
        let outputs: [Box<dyn Read + Send>; 2] =
            [Box::new(child.stdout.take().unwrap()), Box::new(child.stderr.take().unwrap())];
        for output in outputs {
            let outbox = outbox.clone();
            thread::spawn(move || {
                for line in BufReader::new(output).lines().map_while(Result::ok) {
                    let _ = outbox.send(line);
                }
            });
        }
        Self { child, lines, seen: Vec::new() }
    }

    /// The id of the process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Reads until a line has all these parts, and returns it.
    #[track_caller]
    pub fn wait_for(&mut self, parts: &[&str]) -> String {
        let deadline = Instant::now() + DEADLINE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let Ok(line) = self.lines.recv_timeout(left) else {
                panic!("no line with {parts:?} in\n{}", self.seen.join("\n"));
            };
            self.seen.push(line.clone());
            if parts.iter().all(|part| line.contains(part)) {
                return line;
            }
        }
    }

    /// Waits for its end and returns the exit code, or `None` if a signal ended it.
    #[track_caller]
    pub fn end(&mut self) -> Option<i32> {
        let deadline = Instant::now() + DEADLINE;
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            // A full pipe would keep it from ending.
            self.seen.extend(self.lines.try_iter());
            assert!(Instant::now() < deadline, "it does not end:\n{}", self.seen.join("\n"));
            thread::sleep(Duration::from_millis(5));
        };
        // Its own children may still write to the pipes: wait for them, too.
        loop {
            match self.lines.recv_timeout(DEADLINE) {
                Ok(line) => self.seen.push(line),
                Err(RecvTimeoutError::Disconnected) => return status.code(),
                Err(RecvTimeoutError::Timeout) => panic!("its own processes do not end"),
            }
        }
    }

    /// Kills it.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
    }

    /// All lines so far, as one text.
    pub fn all(&self) -> String {
        self.seen.join("\n")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        #[expect(clippy::disallowed_methods, reason = "it was killed")]
        let _ = self.child.wait();
    }
}

/// The exit code and the output of a program.
#[derive(Debug)]
pub struct Ended {
    /// `None` if a signal ended it.
    pub code: Option<i32>,
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
}

/// Runs a program to its end.
#[track_caller]
pub fn run(command: impl BorrowMut<Command>) -> Ended {
    Ended::from(process::ended(command))
}

/// Waits for the end of a program and of its output.
#[track_caller]
pub fn end_of(child: Child) -> Ended {
    Ended::from(process::end_of(child))
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// Runs a program that must fail before it prints anything, and returns its one line of error.
#[track_caller]
pub fn refused(command: &mut Command) -> String {
    let Ended { code, stdout, stderr } = run(command);
    assert_eq!((code, stdout.as_str()), (Some(1), ""), "{stderr}");
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    stderr
}

/// A program that can write at most `blocks` blocks of 512 bytes to a file. A longer write fails,
/// as it does on a full disk.
pub fn with_small_files(program: &Path, blocks: u32, arguments: &[&OsStr]) -> Command {
    let mut command = process::command("sh");
    let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"");
    command.args(["-c", &script]).arg(program).args(arguments);
    command
}
