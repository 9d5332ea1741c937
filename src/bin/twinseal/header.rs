//! The header of a sealed file, read before the file is opened.

use std::io::Read;

use twinseal::{Error, envelope::Header};

use crate::{
    failure::{Failure, sealed},
    input::Input,
    name::Name,
};

/// The length of the first read in bytes: enough for the header of some thirty recipients.
const FIRST: usize = 64 * 1024;

/// Reads a header, and perhaps some bytes after it. Returns how many bytes were read.
pub(crate) fn read(input: &mut impl Read, name: &Name) -> Result<(Header, usize), Failure> {
    let mut bytes = Vec::new();
    loop {
        let known = bytes.len();
        let more = known.max(FIRST) as u64;
        let read = input.by_ref().take(more).read_to_end(&mut bytes);
        read.map_err(|error| sealed::failed(error, name))?;
        match Header::parse(&bytes) {
            Ok(header) => return Ok((header, bytes.len())),
            Err(Error::Truncated { .. }) if bytes.len() > known => {}
            Err(error) => return Err(sealed::explain(&error, name)),
        }
    }
}

/// Checks the header and the length of a file before it is opened. A file of an impossible length
/// cannot be opened to its end, but a stream may still get the data before the end: so this failure
/// is returned as a value. A stream cannot be checked in advance.
pub(crate) fn check(input: &mut Input) -> Result<Option<Failure>, Failure> {
    let Some(length) = input.length() else { return Ok(None) };
    let name = input.name().clone();
    let (header, read) = read(input, &name)?;
    input.rewind(read)?;
    Ok(match header.plaintext_len(length) {
        Some(_) => None,
        None => Some(sealed::impossible_length(&name)),
    })
}
