//! How do tests compare errors? As text: it has every field, and one table has room for success and I/O errors, too.

use std::fmt;

use twinseal::Error;

/// The text of `{error:?}`, which holds every field; `"Ok"` if there is no error.
pub(crate) fn outcome<T>(result: Result<T, impl fmt::Debug>) -> String {
    match result {
        Ok(_) => "Ok".into(),
        Err(error) => format!("{error:?}"),
    }
}

/// The error of `result`, as the crate's own.
pub(crate) fn io_outcome<T>(result: std::io::Result<T>) -> String {
    match result {
        Ok(_) => "Ok".into(),
        Err(error) => match Error::inside(&error) {
            Some(inner) => format!("{:?}: {inner:?}", error.kind()),
            None => format!("{:?}", error.kind()),
        },
    }
}

/// The text of an error and all of its causes, as a log prints it.
pub(crate) fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    text
}

pub(crate) fn length(what: &'static str, expected: usize, actual: usize) -> String {
    format!("{:?}", Error::Length { what, expected, actual })
}

pub(crate) fn truncated(what: &'static str, needed: usize, actual: usize) -> String {
    format!("{:?}", Error::Truncated { what, needed, actual })
}

pub(crate) fn unknown(what: &'static str, id: u16) -> String {
    format!("{:?}", Error::Unknown { what, id })
}

pub(crate) fn invalid(what: &'static str, reason: &'static str) -> String {
    format!("{:?}", Error::Invalid { what, reason })
}

pub(crate) fn misuse(what: &'static str, reason: &'static str) -> String {
    format!("{:?}", Error::Misuse { what, reason })
}

pub(crate) fn bad_pem(line: usize, reason: &'static str) -> String {
    format!("{:?}", Error::Pem { line, reason })
}
