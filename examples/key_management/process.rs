//! Starts and ends the processes of custodians.

use std::{
    env,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc::{self, Receiver, RecvTimeoutError},
    thread,
    time::Duration,
};

use twinseal::split::Half;

use crate::{
    Result,
    arguments::{SIGNED, half_argument},
    custodian::READY,
};

/// How long it may take to start, and to end.
const DEADLINE: Duration = Duration::from_secs(60);

/// A custodian's process. It ends when this value is dropped, and also with this process, because its
/// standard input ends then.
pub(crate) struct CustodianProcess {
    pub(crate) directory: PathBuf,
    child: Child,
    lines: Receiver<String>,
}

impl CustodianProcess {
    /// Starts it in a directory, which it makes unless it exists, and waits until it listens.
    pub(crate) fn start(directory: &Path, half: Half) -> Result<Self> {
        let mut command = Command::new(env::current_exe()?);
        command.args(["serve", "--until-stdin-ends", "--half", half_argument(half)]);
        // The second context is that of `SplitSigningKey::check`.
        command.args(["--allow", SIGNED, "--allow", "twinseal/check/v1"]);
        command.arg("--directory").arg(directory);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let stdout = child.stdout.take();
        let (sender, lines) = mpsc::channel();
        // From here on it is stopped if anything fails.
        let process = Self { directory: directory.to_owned(), child, lines };
        let stdout = BufReader::new(stdout.ok_or("its standard output is a pipe")?);
        thread::spawn(move || {
            for line in stdout.lines().map_while(std::result::Result::ok) {
                let _ = sender.send(line); // nobody may be waiting for it
            }
        });
        match process.lines.recv_timeout(DEADLINE) {
            Ok(line) if line.starts_with(READY) => Ok(process),
            _ => Err("the custodian did not start".into()),
        }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Reads its log until a line has this in it.
    pub(crate) fn logged(&self, part: &str) -> Result<String> {
        loop {
            let line = self.lines.recv_timeout(DEADLINE);
            let line = line.map_err(|_| format!("the custodian did not log {part:?}"))?;
            if line.contains(part) {
                return Ok(line);
            }
        }
    }

    /// Ends it at once, as a crash does.
    pub(crate) fn kill(mut self) -> Result<()> {
        self.child.kill()?;
        #[expect(clippy::disallowed_methods, reason = "it was killed")]
        self.child.wait()?;
        Ok(())
    }

    /// Asks it to end, and returns its last lines, which count its uses.
    pub(crate) fn stop(mut self) -> Result<Vec<String>> {
        drop(self.child.stdin.take());
        let mut counts = Vec::new();
        loop {
            match self.lines.recv_timeout(DEADLINE) {
                Ok(line) if line.ends_with(" refused") => counts.push(line),
                Ok(_) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(counts),
                Err(RecvTimeoutError::Timeout) => return Err("the custodian did not end".into()),
            }
        }
    }
}

impl Drop for CustodianProcess {
    fn drop(&mut self) {
        let _ = self.child.kill(); // it may have ended already
        #[expect(clippy::disallowed_methods, reason = "it was killed")]
        let _ = self.child.wait();
    }
}
