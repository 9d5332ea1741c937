//! The larger examples as a person runs them: as processes, with everything that can go wrong around
//! them. Whatever is waited for has a deadline, so that a hang is a failure.

#![cfg(unix)] // processes are stopped, continued and killed by signals

mod gradient_exchange;
mod http;
mod inference_client;
mod inference_limits;
mod inference_service;
#[path = "../common/process.rs"]
mod process;
mod running;

type Failure = Box<dyn std::error::Error + Send + Sync>;

// Cargo runs no tests of examples themselves. These are theirs.
#[allow(dead_code, reason = "only its tests are used")]
#[path = "../../examples/inference_service/clients.rs"]
mod clients;
#[path = "../../examples/common/console.rs"]
mod console;
#[allow(dead_code, reason = "only its tests are used")]
#[path = "../../examples/common/digits.rs"]
mod digits;
#[path = "../../examples/common/files.rs"]
mod files;
#[allow(dead_code, reason = "only its tests are used")]
#[path = "../../examples/gradient_exchange/mean.rs"]
mod mean;
#[path = "../../examples/common/perceptron.rs"]
mod perceptron;
#[allow(dead_code, reason = "only its tests are used")]
#[path = "../../examples/inference_service/replay.rs"]
mod replay;
#[allow(dead_code, reason = "only its tests are used")]
#[path = "../../examples/inference_service/signature_header.rs"]
mod signature_header;
