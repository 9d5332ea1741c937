//! Are sessions and requests what they are with keys at hand, if their keys are awaited?
//!
//! What each step does is tested with sessions and requests (`session::prepared`, `session::accept_hello`,
//! `request::prepared`).

#[cfg(feature = "tokio")]
mod services;
pub(crate) mod signatures;
