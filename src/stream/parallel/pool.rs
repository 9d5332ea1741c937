//! How many threads work on a stream, in a process that may be unable to start any.

use std::{error::Error, panic::catch_unwind, sync::LazyLock};

use rayon::ThreadPoolBuilder;

/// How many threads work on a stream, including the caller's: those of the pool that the caller is in,
/// or of the global pool. 1 if the global pool could not be started; then no worker may be requested.
pub(super) fn threads() -> usize {
    let within_a_pool = rayon::current_thread_index().is_some();
    if within_a_pool || *GLOBAL_POOL { rayon::current_num_threads() } else { 1 }
}

/// Whether there is a global pool. `rayon` would start it on first use, and panic if the system has no
/// threads left.
static GLOBAL_POOL: LazyLock<bool> =
    LazyLock::new(|| match ThreadPoolBuilder::new().build_global() {
        Ok(()) => true,
        // An error with a source comes from the system.
        Err(error) if error.source().is_some() => false,
        // It was built before, and only a panic shows whether that failed.
        Err(_) => catch_unwind(rayon::current_num_threads).is_ok(),
    });
