//! Which threads there are, in a process that may not be able to start any.

use std::{error::Error, panic::catch_unwind, sync::LazyLock};

use rayon::ThreadPoolBuilder;

/// How many threads work on a stream, the caller's among them: as many as the pool has that this is
/// called in, or the global pool. 1 if that one could not be started, and then none may be sent for.
pub(super) fn threads() -> usize {
    let within_a_pool = rayon::current_thread_index().is_some();
    if within_a_pool || *GLOBAL_POOL { rayon::current_num_threads() } else { 1 }
}

/// Whether there is a global pool. `rayon` would start it where it is first used, and panic if the
/// system has no threads left.
static GLOBAL_POOL: LazyLock<bool> =
    LazyLock::new(|| match ThreadPoolBuilder::new().build_global() {
        Ok(()) => true,
        // An error with a source is the system's.
        Err(error) if error.source().is_some() => false,
        // Somebody tried before, and only a panic tells whether that failed.
        Err(_) => catch_unwind(rayon::current_num_threads).is_ok(),
    });
