//! Starting and ending the process that holds the keys.

use std::{
    env,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use clap::ValueEnum;

use crate::{
    Result,
    arguments::{Fault, SIGNED},
    service::READY,
};

/// How long it may take to start.
const START: Duration = Duration::from_secs(10);

/// Ends with this value, and with this process: its standard input ends then too.
pub(crate) struct KeyProcess {
    child: Child,
    socket: PathBuf,
}

impl KeyProcess {
    /// Starts it in a folder, which holds its keys and its socket, and waits until it listens.
    pub(crate) fn start(folder: &Path, fault: Option<Fault>) -> Result<Self> {
        let socket = folder.join("keys.sock");
        let mut command = Command::new(env::current_exe()?);
        command.args(["serve", "--until-stdin-ends", "--allow", SIGNED]);
        command.arg("--socket").arg(&socket).arg("--keys").arg(folder);
        if let Some(name) = fault.as_ref().and_then(ValueEnum::to_possible_value) {
            command.args(["--fault", name.get_name()]);
        }
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let mut process = Self { child, socket };
        process.wait_until_ready()?;
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
        #[expect(clippy::disallowed_methods, reason = "what was killed ends")]
        self.child.wait()?;
        Ok(())
    }

    fn wait_until_ready(&mut self) -> Result<()> {
        let stdout = self.child.stdout.take().ok_or("its standard output is a pipe")?;
        let (sender, line) = mpsc::channel();
        thread::spawn(move || {
            let mut line = String::new();
            if BufReader::new(stdout).read_line(&mut line).is_ok() {
                let _ = sender.send(line); // nobody waits any more
            }
        });
        match line.recv_timeout(START) {
            Ok(line) if line.starts_with(READY) => Ok(()),
            _ => Err("the process that holds the keys did not start".into()),
        }
    }
}

impl Drop for KeyProcess {
    fn drop(&mut self) {
        let _ = self.child.kill(); // it may have ended already
        #[expect(clippy::disallowed_methods, reason = "what was killed ends")]
        let _ = self.child.wait();
    }
}
