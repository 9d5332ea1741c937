//! How are futures polled without a runtime, and dropped early?

use std::{
    pin::pin,
    task::{Context, Poll, Waker},
};

/// Polls a future until it is ready. What keeps it pending in these tests is over at its next call, so a number of
/// calls is a deadline.
#[track_caller]
pub(crate) fn run<F: Future>(future: F) -> F::Output {
    run_for(10_000_000, future).expect("it is pending for ever")
}

/// Polls a future, and drops it if it is still pending after so many calls.
pub(crate) fn run_for<F: Future>(polls: usize, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    (0..polls).find_map(|_| match future.as_mut().poll(&mut context) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    })
}
