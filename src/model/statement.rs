//! The in-toto statement of a model: written in one form, read in those that tools write.

mod read;
mod resources;
#[cfg(test)]
mod round_trip;
mod write;

pub(super) use read::{Statement, is_old, parse};
pub(super) use write::write;

const TYPE: &str = "https://in-toto.io/Statement/v1";
const PREDICATE_TYPE: &str = "https://model_signing/signature/v1.0";

/// What the predicates of releases before 0.3 begin and end with.
const OLD_PREDICATE_TYPE: (&str, &str) = ("https://model_signing/", "/v0.1");

const WHAT: &str = "statement of a model";
