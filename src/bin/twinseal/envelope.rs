//! Headers of sealed files, and what is wrong with a file that does not open.

use std::io::Read;

use twinseal::{Error, Keyring, envelope::Header};

use crate::{failure::Failure, input::Input, name::Name};

/// How much is read at first: the header of some thirty recipients.
const FIRST: usize = 64 * 1024;

/// Reads a header and perhaps some of what follows it. Returns how much was read.
pub(crate) fn read_header(input: &mut impl Read, name: &Name) -> Result<(Header, usize), Failure> {
    let mut bytes = Vec::new();
    loop {
        let known = bytes.len();
        let more = known.max(FIRST) as u64;
        let read = input.by_ref().take(more).read_to_end(&mut bytes);
        read.map_err(|error| failed(error, name))?;
        match Header::parse(&bytes) {
            Ok(header) => return Ok((header, bytes.len())),
            Err(Error::Truncated { .. }) if bytes.len() > known => {}
            Err(error) => return Err(explain(&error, name)),
        }
    }
}

/// Looks at a file before it is opened: at its header, and whether its length can be right. If it
/// cannot, the file will not open, but what precedes its end may be given to a stream. A stream cannot
/// be looked at first.
pub(crate) fn check(input: &mut Input) -> Result<Option<Failure>, Failure> {
    let Some(length) = input.length() else { return Ok(None) };
    let name = input.name().clone();
    let (header, read) = read_header(input, &name)?;
    input.rewind(read)?;
    Ok(match header.plaintext_len(length) {
        Some(_) => None,
        None => Some(impossible_length(&name)),
    })
}

/// What was lost or added is not known: a sealed file ends wherever its last chunk does.
pub(crate) fn impossible_length(name: &Name) -> Failure {
    Failure::of(
        name,
        "no sealed file has this length: it was cut off, or something was appended, as a line end; \
         fetch or seal it again",
    )
}

/// What failed while `name` was opened.
pub(crate) fn failed(error: std::io::Error, name: &Name) -> Failure {
    Failure::from_library(error, |error| explain(error, name), name)
}

/// A message is a line, and a ring may have a thousand keys.
const SHOWN: usize = 4;

/// [`failed`], which also names the keys that did not fit.
pub(crate) fn failed_with(error: std::io::Error, name: &Name, keys: &Keyring) -> Failure {
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

fn explain(error: &Error, name: &Name) -> Failure {
    match error {
        Error::Context(reason) => bad_context(reason),
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

pub(crate) fn bad_context(reason: &str) -> Failure {
    Failure::usage(format!("-c is no context: {reason}"))
}
