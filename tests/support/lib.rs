//! What the tests of several packages share: children with deadlines, and examples that are run as programs.

pub mod example;
#[path = "../common/process.rs"]
pub mod process;
pub mod running;
