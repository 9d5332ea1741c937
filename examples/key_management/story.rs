//! The demonstration: uses keys in another process, makes that process fail in every way, and
//! recovers.

use std::{
    io::Write,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use twinseal::{Error, Keyring, Sign, Unlock};

use crate::{
    Result,
    arguments::{Fault, SEALED, SIGNED},
    process::KeyProcess,
    remote::{Failure, RemoteDecapsulationKey, RemoteSigningKey},
};
use common::chain;

/// The timeout where no answer will come.
const HASTY: Duration = Duration::from_millis(500);

/// The timeout otherwise. An answer takes a few milliseconds, so only the end of the other process
/// can end a longer wait.
const PATIENT: Duration = Duration::from_secs(60);

pub(crate) fn run(out: &mut impl Write) -> Result<()> {
    let directory = tempfile::tempdir()?; // for this user only; removed with the keys in it
    let directory = directory.path();
    let process = KeyProcess::start(directory, None)?;
    writeln!(out, "The private keys are in another process, {}", process.id())?;

    let signer = RemoteSigningKey::connect(process.socket(), PATIENT)?;
    let key = RemoteDecapsulationKey::connect(process.socket(), PATIENT)?;
    let hasty = RemoteDecapsulationKey::connect(process.socket(), HASTY)?;
    // A keyring accepts it like a key in memory.
    let ring = Keyring::new(key);
    let session = Session { ring, signer, checkpoint: vec![7; 1 << 20] };
    let sealed = session.ring.primary().seal(SEALED.as_bytes(), &session.checkpoint)?;

    let (outcome, time) = timed(|| session.open(&sealed));
    outcome?;
    writeln!(out, "  open a checkpoint of 1 MiB    {:>6.2} ms, one request", milliseconds(time))?;
    let (outcome, time) = timed(|| session.sign(SIGNED));
    outcome?;
    writeln!(out, "  sign it                       {:>6.2} ms, one request", milliseconds(time))?;

    writeln!(out, "\nFailures, and how the client recovers")?;
    failed(out, "it is asked to sign for another purpose", || session.sign("example.com/logs"))?;

    process.kill()?;
    failed(out, "it was killed", || session.open(&sealed))?;
    let process = session.restart(directory, &sealed, out)?;

    drop(process);
    let hanging = KeyProcess::start(directory, Some(Fault::Hang))?;
    failed(out, "it hangs", || hasty.open(SEALED.as_bytes(), &sealed).map(drop))?;
    drop(hanging);
    for (what, fault) in [
        ("it answers with garbage", Fault::Garbage),
        ("it disconnects in the middle of an answer", Fault::HangUp),
    ] {
        let process = KeyProcess::start(directory, Some(fault))?;
        failed(out, what, || session.open(&sealed))?;
        drop(process);
    }

    killed_meanwhile(directory, &sealed, out)?;
    drop(session.restart(directory, &sealed, out)?);
    Ok(())
}

struct Session {
    ring: Keyring,
    signer: RemoteSigningKey,
    checkpoint: Vec<u8>,
}

impl Session {
    fn open(&self, sealed: &[u8]) -> std::result::Result<(), Error> {
        self.ring.open(SEALED.as_bytes(), sealed).map(drop)
    }

    fn sign(&self, context: &str) -> std::result::Result<(), Error> {
        let signer: &dyn Sign = &self.signer;
        let signature = signer.sign(context.as_bytes(), &self.checkpoint)?;
        signer.verifying_key().verify(context.as_bytes(), &self.checkpoint, &signature)
    }

    /// Starts the process again, with the same keys, while a client keeps asking.
    fn restart(&self, directory: &Path, sealed: &[u8], out: &mut impl Write) -> Result<KeyProcess> {
        let (process, outcome) = thread::scope(|scope| {
            let asking = scope.spawn(|| retry(|| self.open(sealed)));
            let process = KeyProcess::start(directory, None);
            (process, asking.join())
        });
        let attempts = outcome.map_err(|_| "the thread that asks has panicked")??;
        self.sign(SIGNED)?;
        writeln!(out, "  it is started again\n    opens and signs, after {attempts} attempts")?;
        process
    }
}

/// Asks again while that can help, and returns the number of attempts.
fn retry(ask: impl Fn() -> std::result::Result<(), Error>) -> std::result::Result<u32, Error> {
    let mut pause = Duration::from_millis(1);
    for attempt in 1.. {
        match ask() {
            Err(error) if Failure::is_temporary(&error) && pause < PATIENT => {
                thread::sleep(pause);
                pause *= 2;
            }
            outcome => return outcome.map(|()| attempt),
        }
    }
    unreachable!("the pause grows beyond every bound")
}

/// A waiting client notices at once that the process has ended, not only at its timeout.
fn killed_meanwhile(directory: &Path, sealed: &[u8], out: &mut impl Write) -> Result<()> {
    let process = KeyProcess::start(directory, None)?;
    let key = RemoteDecapsulationKey::connect(process.socket(), PATIENT)?;
    drop(process);
    let process = KeyProcess::start(directory, Some(Fault::Hang))?;
    let (killed, outcome) = thread::scope(|scope| {
        let waiting = scope.spawn(|| timed(|| key.open(SEALED.as_bytes(), sealed).map(drop)));
        let asked = process.wait_until_asked();
        (asked.and_then(|()| process.kill()), waiting.join())
    });
    killed?;
    let (outcome, time) = outcome.map_err(|_| "the thread that waits has panicked")?;
    report(out, "it is killed while it works", outcome, time)
}

fn failed(
    out: &mut impl Write,
    what: &str,
    ask: impl FnOnce() -> std::result::Result<(), Error>,
) -> Result<()> {
    let (outcome, time) = timed(ask);
    report(out, what, outcome, time)
}

fn report(
    out: &mut impl Write,
    what: &str,
    outcome: std::result::Result<(), Error>,
    time: Duration,
) -> Result<()> {
    let error = outcome.err().ok_or("what must fail has succeeded")?;
    let again = if Failure::is_temporary(&error) { "asking again can help" } else { "it is final" };
    let (text, time) = (chain(&error), milliseconds(time));
    writeln!(out, "  {what}\n    {text}\n    after {time:.0} ms; {again}")?;
    Ok(())
}

fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    (work(), start.elapsed())
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
