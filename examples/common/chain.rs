//! An error with its causes, for a log: an external key's own words are in its source.

use std::error::Error;

/// What an error says, and what each of its causes says.
pub fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    text
}
