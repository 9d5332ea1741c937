//! Which keys of other software are imported, in which forms, and which contradictions are refused?

mod any_bytes;
mod expanded;
pub(crate) mod fixture;
mod private;
mod public;
