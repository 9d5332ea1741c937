//! What happens when the process is asked to stop.

use std::{ffi::c_int, fs, thread};

use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGTERM},
    iterator::Signals,
    low_level,
};

use crate::{console::Console, output};

/// Removes what is unfinished and says so, then ends as the signal would have ended the process.
pub(crate) fn watch(console: &Console) {
    let signals = [SIGHUP, SIGINT, SIGTERM].into_iter().filter(|signal| !is_ignored(*signal));
    // Without handlers the signals end the process all the same; it only says nothing.
    let Ok(mut signals) = Signals::new(signals) else { return };
    let console = console.clone();
    thread::spawn(move || {
        for signal in signals.forever() {
            output::abandon();
            let name = low_level::signal_name(signal).unwrap_or("a signal");
            console.stopped(name);
            let _ = low_level::emulate_default_handler(signal);
        }
    });
}

/// Whether whoever started the process wants the signal ignored, as `nohup` does, and shells for
/// what runs in the background.
fn is_ignored(signal: c_int) -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    ignored.is_some_and(|mask| mask >> (signal - 1) & 1 == 1)
}
