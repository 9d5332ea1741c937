//! Do keys whose halves are in different places do what whole keys do, and what do their callers learn when a half
//! fails?

mod decapsulation_faults;
mod fixture;
mod indistinguishable;
#[cfg(feature = "hazmat")]
mod known_answers;
#[cfg(target_os = "linux")]
mod memory;
mod remote;
mod same;
mod shared_half;
mod signing_faults;
