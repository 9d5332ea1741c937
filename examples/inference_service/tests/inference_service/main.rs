//! Do the inference service and its client work as processes, also when something goes wrong around
//! them? Every wait has a deadline, so that a hang is a failure.

#![cfg(unix)] // processes are stopped, continued and killed by signals

mod client;
mod http;
mod keys;
mod limits;
mod restart;
mod service;
