//! Escapes text from outside, so that a terminal obeys nothing in it and every character is visible.
//!
//! Names, arguments, labels and errors can hold escape sequences, characters that reorder a line, and
//! characters that are invisible. Everything that the tool prints passes through one of these functions.

use std::{fmt::Write, path::Path};

use crate::visible::is_visible;

/// Text in one line.
pub(crate) fn line(text: &str) -> String {
    escaped(text, is_visible)
}

/// Text of several lines.
pub(crate) fn lines(text: &str) -> String {
    escaped(text, |character| character == '\n' || is_visible(character))
}

/// A path in one line; bytes that are not UTF-8 are shown as `\xff`.
pub(crate) fn path(path: &Path) -> String {
    let mut shown = String::new();
    for chunk in path.as_os_str().as_encoded_bytes().utf8_chunks() {
        shown += &line(chunk.valid());
        for byte in chunk.invalid() {
            write!(shown, "\\x{byte:02x}").expect("writing to a string cannot fail");
        }
    }
    shown
}

/// A path in one line that no other path is shown as: as it is if that is plain text, or else quoted and escaped.
pub(crate) fn quoted(path: &Path) -> String {
    let quoted = format!("{path:?}");
    let is_plain = |text: &&str| {
        // Windows separates paths with backslashes, and allows no quotation marks in them.
        let has_no_escapes = text.len() + 2 == quoted.len() || cfg!(windows);
        has_no_escapes
            && text.trim() == *text
            && !text.contains(": ")
            && !text.is_empty()
            && text.chars().all(is_visible)
    };
    path.to_str().filter(is_plain).map_or_else(|| line(&quoted), str::to_owned)
}

/// Serialised JSON, with the escapes of JSON.
pub(crate) fn json(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        // The serializer escapes all control characters of ASCII but the last. Line ends and spaces
        // between values are its own.
        if (character.is_ascii() && character != '\x7f') || is_visible(character) {
            shown.push(character);
            continue;
        }
        for unit in character.encode_utf16(&mut [0; 2]) {
            write!(shown, "\\u{unit:04x}").expect("writing to a string cannot fail");
        }
    }
    shown
}

fn escaped(text: &str, is_plain: impl Fn(char) -> bool) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if is_plain(character) {
            shown.push(character);
        } else {
            shown.extend(character.escape_default());
        }
    }
    shown
}
