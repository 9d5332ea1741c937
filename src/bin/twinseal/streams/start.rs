//! Which standard streams were closed when the process started.
//!
//! Before `main`, Rust opens `/dev/null` in place of those that are closed. Nothing distinguishes it from a
//! `/dev/null` that the caller opened for reading and writing, as Python's `subprocess.DEVNULL` does. So
//! this looks before Rust does, in a constructor.

/// The stream of this number: 0 is standard input, 1 output, and 2 error.
#[cfg(unix)]
pub(crate) fn was_closed(number: u8) -> bool {
    unix::CLOSED.load(std::sync::atomic::Ordering::Relaxed) & (1 << number) != 0
}

#[cfg(not(unix))]
pub(crate) fn was_closed(_: u8) -> bool {
    false
}

#[cfg(unix)]
mod unix {
    use std::sync::atomic::{AtomicU8, Ordering};

    use rustix::{io, stdio};

    /// A bit for each.
    pub(super) static CLOSED: AtomicU8 = AtomicU8::new(0);

    // SAFETY: three system calls and a store, nothing that Rust must have prepared.
    ctor::declarative::ctor! {
        #[ctor(unsafe)]
        fn look() {
            let streams = [stdio::stdin(), stdio::stdout(), stdio::stderr()];
            for (number, stream) in streams.into_iter().enumerate() {
                if io::fcntl_getfd(stream) == Err(io::Errno::BADF) {
                    CLOSED.fetch_or(1 << number, Ordering::Relaxed);
                }
            }
        }
    }
}
