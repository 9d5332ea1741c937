//! The larger examples as a person runs them: as processes, with everything that can go wrong around
//! them. Whatever is waited for has a deadline, so that a hang is a failure.

#![cfg(unix)] // processes are stopped, continued and killed by signals

mod gradient_exchange;
mod http;
mod inference_client;
mod inference_limits;
mod inference_service;
mod process;
