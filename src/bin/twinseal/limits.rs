//! What the system must not do with this process: write its memory to disk, or end it where an error would do.

use std::sync::{Arc, atomic::AtomicBool};

use rustix::process::{Resource, Rlimit, setrlimit};
use signal_hook::{consts::SIGXFSZ, flag};

/// For the whole process. Where the system refuses, it goes on without.
pub(crate) fn set() {
    // A core dump holds keys and opened data.
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    // The limit does not hold where dumps go to another program, and this keeps debuggers out. One that is
    // there already sees everything, and would only be hindered, as strace is.
    #[cfg(target_os = "linux")]
    if !is_traced() {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    }
    // With a handler, of whatever kind, a write beyond `ulimit -f` fails instead of ending the process.
    let _ = flag::register(SIGXFSZ, Arc::new(AtomicBool::new(false)));
}

#[cfg(target_os = "linux")]
fn is_traced() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let tracer = status.lines().find_map(|line| line.strip_prefix("TracerPid:"));
    tracer.is_some_and(|tracer| tracer.trim() != "0")
}
