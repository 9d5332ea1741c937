//! The inference service and its client as a person runs them: as processes, with everything that can go wrong
//! around them. Whatever is waited for has a deadline, so that a hang is a failure.

#![cfg(unix)] // processes are stopped, continued and killed by signals

// Cargo runs no tests of examples themselves. These are theirs.
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
