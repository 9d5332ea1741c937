//! Code that the larger examples share: text for terminals and logs, arguments, errors and files.

mod chain;
mod console;
mod files;
mod target;

pub use chain::chain;
pub use console::{arguments, complain, printable};
pub use files::open_regular;
pub use target::Target;
