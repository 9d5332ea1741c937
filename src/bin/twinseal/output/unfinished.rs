//! Whether this process has begun a file that is not in its place, for the message of a process that is stopped.

use std::sync::atomic::{AtomicUsize, Ordering};

static COUNT: AtomicUsize = AtomicUsize::new(0);

/// Held while a file is unfinished.
pub(super) struct Unfinished(());

impl Unfinished {
    pub(super) fn begin() -> Self {
        COUNT.fetch_add(1, Ordering::Relaxed);
        Self(())
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        COUNT.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(unix)]
pub(crate) fn is_unfinished() -> bool {
    COUNT.load(Ordering::Relaxed) > 0
}
