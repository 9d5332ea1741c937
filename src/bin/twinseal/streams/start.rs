//! Which standard streams were closed when the process started.
//!
//! Before `main`, Rust opens `/dev/null` in place of those that are closed. Nothing tells it from a
//! `/dev/null` that the caller opened for reading and writing, as Python's `subprocess.DEVNULL` does. So
//! this looks before Rust does, in a constructor.

use super::Direction;

#[cfg(unix)]
pub(super) fn was_closed(direction: Direction) -> bool {
    unix::CLOSED.load(std::sync::atomic::Ordering::Relaxed) & unix::bit(direction) != 0
}

#[cfg(not(unix))]
pub(super) fn was_closed(_: Direction) -> bool {
    false
}

#[cfg(unix)]
mod unix {
    use std::sync::atomic::{AtomicU8, Ordering};

    use rustix::{io, stdio};

    use super::Direction;

    pub(super) static CLOSED: AtomicU8 = AtomicU8::new(0);

    pub(super) fn bit(direction: Direction) -> u8 {
        match direction {
            Direction::Read => 1,
            Direction::Write => 2,
        }
    }

    // SAFETY: two system calls and a store, nothing that Rust must have prepared.
    ctor::declarative::ctor! {
        #[ctor(unsafe)]
        fn look() {
            let streams = [(Direction::Read, stdio::stdin()), (Direction::Write, stdio::stdout())];
            for (direction, stream) in streams {
                if io::fcntl_getfd(stream) == Err(io::Errno::BADF) {
                    CLOSED.fetch_or(bit(direction), Ordering::Relaxed);
                }
            }
        }
    }
}
