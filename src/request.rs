//! One question to one recipient, and its answer.

mod guard;
mod id;
mod time;

pub use guard::{AllowReplays, ReplayGuard};
pub use id::RequestId;
pub use time::RequestTime;
