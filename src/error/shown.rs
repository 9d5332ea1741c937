//! Paths in texts for people.

use std::{fmt, path::Path};

/// A path as it is, if that is plain text, or else quoted and escaped: no control character reaches a terminal, and
/// no name looks like another one.
pub(crate) struct Shown<'a>(pub(crate) &'a Path);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let quoted = format!("{:?}", self.0);
        let is_plain = |text: &&str| {
            // Windows separates paths with backslashes, and allows no quotation marks in them.
            let has_no_escapes = text.len() + 2 == quoted.len() || cfg!(windows);
            has_no_escapes && text.trim() == *text && !text.contains(": ")
        };
        f.write_str(self.0.to_str().filter(is_plain).unwrap_or(&quoted))
    }
}
