//! Formats an error with its causes, for a log: the reason of an external key is in the error's
//! source.

use std::error::Error;

/// The messages of an error and of all its causes, separated by colons.
pub fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    text
}
