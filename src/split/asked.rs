//! Asking a half, which may panic.

use std::{
    mem,
    panic::{AssertUnwindSafe, catch_unwind},
};

use crate::error::Error;

/// What a half says. A panic is a failure like any other; the state that it leaves behind is the half's own.
pub(super) fn asked<T>(half: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    catch_unwind(AssertUnwindSafe(half)).unwrap_or_else(|payload| {
        // What it panicked with may panic when it is dropped, and so on.
        if let Err(payload) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
            mem::forget(payload);
        }
        Err(Error::external("it panicked"))
    })
}
