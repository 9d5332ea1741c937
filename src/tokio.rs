//! For asynchronous code on [tokio]. Feature `tokio`.

mod watch;

pub use watch::watch;
