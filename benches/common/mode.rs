//! Decides whether benches measure or only show that they run.

use std::env;

/// Cargo passes `--bench` to measure; `cargo test` does not, and `--test` asks for one run of each.
pub(crate) fn testing() -> bool {
    let given = |wanted: &str| env::args().any(|argument| argument == wanted);
    !given("--bench") || given("--test")
}
