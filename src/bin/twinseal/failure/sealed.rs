//! Messages about sealed files that cannot be opened.

use std::io;

use twinseal::{Error, Keyring};

use super::Failure;
use crate::name::Name;

/// Whether bytes are missing or were added is unknown: any chunk may be the last one.
pub(crate) fn impossible_length(name: &Name) -> Failure {
    Failure::of(
        name,
        "no sealed file has this length: it was truncated, or something was appended, such as a line \
         end; fetch or seal it again",
    )
}

/// An error that occurred while `name` was sealed, opened or inspected.
pub(crate) fn failed(error: io::Error, name: &Name) -> Failure {
    Failure::from_library(error, |error| explain(error, name), name)
}

/// A message is one line, but a ring may have a thousand keys.
const SHOWN: usize = 4;

/// As [`failed`], but if the file has other recipients the message also lists `keys`.
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
                    "not sealed for your key ({ids}); `twinseal inspect` lists its recipients"
                ),
            )
        }
        error => explain(error, name),
    };
    Failure::from_library(error, explain, name)
}

fn explain(error: &Error, name: &Name) -> Failure {
    match error {
        Error::Context(reason) => Failure::context(reason),
        Error::Truncated { actual: 0, .. } => {
            Failure::of(name, "it is empty, not a sealed file; seal or fetch it again")
        }
        Error::Truncated { .. } => {
            Failure::of(name, "it is truncated within its header; fetch or seal it again")
        }
        Error::NotAnEnvelope => {
            Failure::of(name, "not a sealed file; `twinseal inspect` shows what it is")
        }
        Error::Unknown { .. } => {
            Failure::of(name, format_args!("{error}; a newer twinseal may support it"))
        }
        Error::Open => Failure::of(
            name,
            "cannot be opened: the context (-c) differs from the one it was sealed with, or the file was \
             changed or truncated; check -c, then fetch the file again",
        ),
        error => Failure::of(name, format_args!("{error}; fetch or seal it again")),
    }
}
