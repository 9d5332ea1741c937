//! Asking a half, which may panic.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::error::Error;

/// What a half says. A panic is a failure like any other; the state that it leaves behind is the half's own.
pub(super) fn asked<T>(half: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    catch_unwind(AssertUnwindSafe(half)).unwrap_or_else(|_| Err(Error::external("it panicked")))
}
