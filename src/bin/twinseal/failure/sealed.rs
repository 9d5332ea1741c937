//! What is wrong with a sealed file that cannot be opened.

use std::io;

use twinseal::{Error, Keyring};

use super::Failure;
use crate::name::Name;

/// What was lost or added is not known: a sealed file ends wherever its last chunk does.
pub(crate) fn impossible_length(name: &Name) -> Failure {
    Failure::of(
        name,
        "no sealed file has this length: it was cut off, or something was appended, as a line end; \
         fetch or seal it again",
    )
}

/// What failed while `name` was opened.
pub(crate) fn failed(error: io::Error, name: &Name) -> Failure {
    Failure::from_library(error, |error| explain(error, name), name)
}

/// A message is a line, and a ring may have a thousand keys.
const SHOWN: usize = 4;

/// [`failed`], which also names the keys that did not fit.
pub(crate) fn failed_with(error: io::Error, name: &Name, keys: &Keyring) -> Failure {
    let explain = |error: &Error| match error {
        Error::NotARecipient => {
            let ids: Vec<_> = keys.keys().take(SHOWN).map(|key| key.key_id().to_string()).collect();
            let mut ids = ids.join(", ");
            let more = keys.keys().count().saturating_sub(SHOWN);
            if more > 0 {
                ids.push_str(&format!(" and {more} more"));
            }
            Failure::of(
                name,
                format_args!(
                    "not sealed for your key ({ids}); `twinseal inspect` lists for whom it is"
                ),
            )
        }
        error => explain(error, name),
    };
    Failure::from_library(error, explain, name)
}

pub(crate) fn explain(error: &Error, name: &Name) -> Failure {
    match error {
        Error::Context(reason) => Failure::context(reason),
        Error::Truncated { actual: 0, .. } => {
            Failure::of(name, "it is empty, not a sealed file; seal or fetch it again")
        }
        Error::Truncated { .. } => {
            Failure::of(name, "it is cut off within its header; fetch or seal it again")
        }
        Error::NotAnEnvelope => {
            Failure::of(name, "it is not a sealed file; `twinseal inspect` tells what it is")
        }
        Error::Unknown { .. } => {
            Failure::of(name, format_args!("{error}; a newer twinseal may know it"))
        }
        Error::Open => Failure::of(
            name,
            "it does not open: the context (-c) is another than at sealing, or the file was changed \
             or cut off; check -c, then fetch the file again",
        ),
        error => Failure::of(name, format_args!("{error}; fetch or seal it again")),
    }
}
