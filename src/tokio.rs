//! For asynchronous code on [tokio](::tokio). Feature `tokio`.

mod watch;

pub use watch::watch;
