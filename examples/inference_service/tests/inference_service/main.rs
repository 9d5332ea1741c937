//! Do the inference service and its client work as processes, also when something goes wrong around
//! them? Every wait has a deadline, so that a hang is a failure.

#![cfg(unix)] // processes are stopped, continued and killed by signals

// Cargo does not run the tests in an example's own files, so they are included here.
#[allow(dead_code, reason = "only its tests are used")]
#[path = "../../clients.rs"]
mod clients;
#[allow(dead_code, reason = "only its tests are used")]
#[path = "../../replay.rs"]
mod replay;
#[allow(dead_code, reason = "only its tests are used")]
#[path = "../../signature_header.rs"]
mod signature_header;

mod client;
mod http;
mod limits;
mod service;
