//! Handles the signals that stop the process.

use std::{ffi::c_int, fs, io, sync::mpsc, thread, time::Duration};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use signal_hook::{
    consts::{SIGCONT, SIGHUP, SIGINT, SIGTERM},
    iterator::Signals,
    low_level,
};

use crate::{console::Console, name::Name, output, passphrase};

/// How long one thread waits for another: perhaps nobody reads standard error.
const PATIENCE: Duration = Duration::from_secs(2);

/// On a signal, removes unfinished output, says so and restores the terminal, then ends the process as the signal would have.
/// After a suspension it asks again for the passphrase that was asked for.
pub(crate) fn watch(console: &Console) {
    let console = console.clone();
    let (ready, is_ready) = mpsc::channel();
    let watcher = thread::Builder::new().spawn(move || {
        let signals = [SIGHUP, SIGINT, SIGTERM].into_iter().filter(|signal| !is_ignored(*signal));
        let signals = Signals::new(signals.chain([SIGCONT]));
        let _ = ready.send(());
        // Without handlers the signals still end the process, but without a message.
        let Ok(mut signals) = signals else { return };
        for signal in signals.forever() {
            if signal == SIGCONT {
                passphrase::resume();
                continue;
            }
            let is_unfinished = output::is_unfinished();
            let placed = output::abandon();
            let name = low_level::signal_name(signal).unwrap_or("a signal");
            say(&console, name, &placed, is_unfinished);
            passphrase::restore();
            let _ = low_level::emulate_default_handler(signal);
        }
    });
    // The same holds if the system cannot start the thread.
    if watcher.is_ok() {
        let _ = is_ready.recv_timeout(PATIENCE);
    }
}

/// Prints the message in a thread of its own, because printing can block: perhaps nobody reads standard
/// error, and another thread already waits to write to it.
fn say(console: &Console, signal: &'static str, placed: &[Name], is_unfinished: bool) {
    let (said, is_said) = mpsc::channel();
    let speaker = {
        let (console, placed) = (console.clone(), placed.to_vec());
        thread::Builder::new().spawn(move || {
            console.stopped(signal, &placed, is_unfinished);
            let _ = said.send(());
        })
    };
    match speaker {
        Ok(_) => {
            let _ = is_said.recv_timeout(PATIENCE);
        }
        Err(_) if takes_a_line() => console.stopped(signal, placed, is_unfinished),
        Err(_) => {}
    }
}

/// Whether a line can be written to standard error without waiting for a reader.
fn takes_a_line() -> bool {
    let error = io::stderr();
    let mut descriptor = [PollFd::new(&error, PollFlags::OUT)];
    poll(&mut descriptor, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })).is_ok_and(|ready| ready > 0)
}

/// Whether the process was started with this signal ignored, as by `nohup`, or by shells in the
/// background.
fn is_ignored(signal: c_int) -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    ignored.is_some_and(|mask| mask >> (signal - 1) & 1 == 1)
}
