//! Opened objects: fetching their chunks, opening them, and remembering whose key is known.

mod blocks;
mod cache;
#[cfg(test)]
mod generated;
mod layout;
mod object;
mod range;
mod ranges;
mod source;
mod version;
mod whole;

pub(super) use cache::Cache;
pub(super) use range::range;
pub(super) use ranges::ranges;
pub(super) use source::broken;
pub(super) use version::Failure;
pub(super) use whole::whole;

/// What is fetched first: of a small object, this is all.
const FIRST: u64 = 32 * 1024;
