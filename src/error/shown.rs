//! Paths in texts for people.

use std::{
    fmt::{self, Write},
    path::Path,
};

use crate::visible::is_visible;

/// A path as it is, if that is plain text, or else quoted and escaped: no control character reaches a terminal, and
/// no name looks like another one.
pub(crate) struct Shown<'a>(pub(crate) &'a Path);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let quoted = format!("{:?}", self.0);
        let is_plain = |text: &&str| {
            // Windows separates paths with backslashes, and allows no quotation marks in them.
            let has_no_escapes = text.len() + 2 == quoted.len() || cfg!(windows);
            has_no_escapes
                && text.trim() == *text
                && !text.contains(": ")
                && text.chars().all(is_visible)
        };
        if let Some(plain) = self.0.to_str().filter(is_plain) {
            return f.write_str(plain);
        }
        quoted.chars().try_for_each(|character| {
            if is_visible(character) {
                f.write_char(character)
            } else {
                character.escape_default().try_for_each(|escaped| f.write_char(escaped))
            }
        })
    }
}
