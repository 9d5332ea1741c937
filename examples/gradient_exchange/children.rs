//! Starts the other processes, reads their output, and stops them in any case.

use std::{
    env,
    io::{BufRead, BufReader, Write},
    net::SocketAddr,
    process::{Child, Command, Stdio},
    sync::mpsc::{self, Receiver as Lines, Sender as Outbox},
    thread,
    time::Duration,
};

use clap::ValueEnum;
use twinseal::{EncapsulationKey, VerifyingKey};

use crate::{
    Failure,
    peer::Event,
    worker::{Learning, Rogue},
};

/// A process of this program.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    lines: Lines<String>,
    what: String,
}

/// No process outlives the aggregator.
impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        #[expect(clippy::disallowed_methods, reason = "it was killed")]
        let _ = self.child.wait();
    }
}

impl Process {
    /// Starts this program again. The new process reads the aggregator's key from its standard
    /// input; in practice the key is in a configuration file or a registry.
    fn start(what: String, arguments: &[String], to: &EncapsulationKey) -> Result<Self, Failure> {
        let mut child = Command::new(env::current_exe()?)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let (input, output) = (child.stdin.take(), child.stdout.take());
        let (outbox, lines) = mpsc::channel();
        // From here on it is stopped if anything fails.
        let process = Self { child, lines, what };
        input.ok_or("no standard input")?.write_all(to.to_pem().as_bytes())?;
        let output = BufReader::new(output.ok_or("no standard output")?);
        thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                if outbox.send(line).is_err() {
                    break;
                }
            }
        });
        Ok(process)
    }

    /// A worker that connects to `address`.
    pub(crate) fn worker(
        number: usize,
        address: SocketAddr,
        learning: &Learning,
        rogue: Option<Rogue>,
        patience: Duration,
        to: &EncapsulationKey,
    ) -> Result<Self, Failure> {
        let mut arguments = vec![
            "worker".into(),
            format!("--number={number}"),
            format!("--connect={address}"),
            format!("--batch={}", learning.batch),
            format!("--rate={}", learning.rate),
            format!("--patience={}", patience.as_secs()),
        ];
        if let Some(rogue) = rogue.and_then(|rogue| rogue.to_possible_value()) {
            arguments.push(format!("--rogue={}", rogue.get_name()));
        }
        Self::start(format!("worker {number}"), &arguments, to)
    }

    pub(crate) fn attacker(address: SocketAddr, to: &EncapsulationKey) -> Result<Self, Failure> {
        Self::start("the attacker".into(), &["attacker".into(), format!("--connect={address}")], to)
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// The next line that it prints.
    pub(crate) fn line(&self, timeout: Duration) -> Result<String, Failure> {
        let line = self.lines.recv_timeout(timeout);
        line.map_err(|_| format!("{} did not start within {timeout:?}", self.what).into())
    }

    /// The verifying key that it prints.
    pub(crate) fn verifying_key(&self, timeout: Duration) -> Result<VerifyingKey, Failure> {
        let mut pem = String::new();
        while !pem.contains("-----END") {
            pem += &self.line(timeout)?;
            pem.push('\n');
        }
        Ok(VerifyingKey::from_pem(&pem)?)
    }

    /// Sends all that it prints from now on as events.
    pub(crate) fn pass_on(&mut self, events: Outbox<Event>) {
        let (_, none) = mpsc::channel();
        let lines = std::mem::replace(&mut self.lines, none);
        thread::spawn(move || lines.iter().try_for_each(|line| events.send(Event::Said(line))));
    }

    /// Waits for it to end by itself, and returns whether it ended in time and without an error.
    pub(crate) fn end(&mut self, timeout: Duration) -> Result<bool, Failure> {
        const PAUSE: Duration = Duration::from_millis(5);
        for _ in 0..timeout.as_millis() / PAUSE.as_millis() {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status.success());
            }
            thread::sleep(PAUSE);
        }
        Ok(false)
    }
}
