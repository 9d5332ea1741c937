//! Limits of the process: its memory is never dumped, and SIGXFSZ does not end it.

use std::sync::{Arc, atomic::AtomicBool};

use rustix::process::{Resource, Rlimit, setrlimit};
use signal_hook::{consts::SIGXFSZ, flag};

/// Sets the limits for the whole process, as far as the system allows.
pub(crate) fn set() {
    // A core dump would hold keys and opened data.
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    // The limit does not apply where dumps go to another program. This also keeps debuggers out. A tracer
    // that is already attached, such as strace, sees everything anyway and would only be hindered.
    #[cfg(target_os = "linux")]
    if !is_traced() {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    }
    // With any handler, a write beyond `ulimit -f` fails instead of ending the process.
    let _ = flag::register(SIGXFSZ, Arc::new(AtomicBool::new(false)));
}

#[cfg(target_os = "linux")]
fn is_traced() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let tracer = status.lines().find_map(|line| line.strip_prefix("TracerPid:"));
    tracer.is_some_and(|tracer| tracer.trim() != "0")
}
