//! Where AES runs: never for long on an executor's thread.

use std::{
    num::NonZeroUsize,
    pin::Pin,
    sync::LazyLock,
    task::{Context, Poll},
    thread,
};

use ::tokio::{runtime::Handle, task};

/// Less than this is done in place: it takes less time than to hand it over.
pub(super) const IN_PLACE: usize = 64 * 1024;

/// How many threads the machine runs at the same time. To ask it takes longer than to seal a small object.
pub(super) fn at_once() -> usize {
    static AT_ONCE: LazyLock<usize> =
        LazyLock::new(|| thread::available_parallelism().map_or(1, NonZeroUsize::get));
    *AT_ONCE
}

/// Runs work of a given number of bytes, on another thread if there is a runtime that has some.
pub(super) async fn offload<T: Send + 'static>(
    bytes: usize,
    work: impl FnOnce() -> T + Send + 'static,
) -> object_store::Result<T> {
    match Handle::try_current() {
        Ok(runtime) if bytes > IN_PLACE => {
            Awaited(runtime.spawn_blocking(work)).await.map_err(gone)
        }
        _ => Ok(work()),
    }
}

/// Runs work that waits for a disk, on another thread if there is a runtime that has some.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> object_store::Result<T> {
    offload(usize::MAX, work).await
}

/// A task that is dropped does not begin any more.
struct Awaited<T>(task::JoinHandle<T>);

impl<T> Future for Awaited<T> {
    type Output = Result<T, task::JoinError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(cx)
    }
}

impl<T> Drop for Awaited<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The work panicked, or the runtime is shutting down.
fn gone(error: task::JoinError) -> object_store::Error {
    object_store::Error::Generic { store: "SealedStore", source: Box::new(error) }
}
