//! Helpers for the tests of several packages: children with deadlines, and examples run as programs.

pub mod example;
#[path = "../common/process.rs"]
pub mod process;
pub mod running;
