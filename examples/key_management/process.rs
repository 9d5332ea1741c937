//! Starts and ends the process that holds the keys.

use std::{
    env,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc::{self, Receiver},
    thread,
    time::Duration,
};

use clap::ValueEnum;

use crate::{
    Result,
    arguments::{Fault, SIGNED},
    faults::ASKED,
    service::READY,
};

/// How long it may take to start.
const START: Duration = Duration::from_secs(60);

/// The process that holds the keys. It ends when this value is dropped, and also with this process,
/// because its standard input ends then.
pub(crate) struct KeyProcess {
    child: Child,
    socket: PathBuf,
    lines: Receiver<String>,
}

impl KeyProcess {
    /// Starts it in a directory, which holds its keys and its socket, and waits until it listens.
    pub(crate) fn start(directory: &Path, fault: Option<Fault>) -> Result<Self> {
        let socket = directory.join("keys.sock");
        let mut command = Command::new(env::current_exe()?);
        command.args(["serve", "--until-stdin-ends", "--allow", SIGNED]);
        command.arg("--socket").arg(&socket).arg("--keys").arg(directory);
        if let Some(name) = fault.as_ref().and_then(ValueEnum::to_possible_value) {
            command.args(["--fault", name.get_name()]);
        }
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let stdout = child.stdout.take();
        let (sender, lines) = mpsc::channel();
        // From here on it is stopped if anything fails.
        let process = Self { child, socket, lines };
        let stdout = BufReader::new(stdout.ok_or("its standard output is a pipe")?);
        thread::spawn(move || {
            for line in stdout.lines().map_while(std::result::Result::ok) {
                let _ = sender.send(line); // nobody may be waiting for it
            }
        });
        process.wait_for(READY)?;
        Ok(process)
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn socket(&self) -> &Path {
        &self.socket
    }

    /// Ends it at once, as a crash does.
    pub(crate) fn kill(mut self) -> Result<()> {
        self.child.kill()?;
        #[expect(clippy::disallowed_methods, reason = "it was killed")]
        self.child.wait()?;
        Ok(())
    }

    /// Waits until a process that hangs has a request.
    pub(crate) fn wait_until_asked(&self) -> Result<()> {
        self.wait_for(ASKED)
    }

    fn wait_for(&self, start: &str) -> Result<()> {
        match self.lines.recv_timeout(START) {
            Ok(line) if line.starts_with(start) => Ok(()),
            _ => Err(format!("the process that holds the keys did not print {start:?}").into()),
        }
    }
}

impl Drop for KeyProcess {
    fn drop(&mut self) {
        let _ = self.child.kill(); // it may have ended already
        #[expect(clippy::disallowed_methods, reason = "it was killed")]
        let _ = self.child.wait();
    }
}
