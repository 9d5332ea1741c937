//! Calls of readers and writers that belong to the caller, repeated when they are interrupted.

use std::io::{self, Read, Write};

/// Calls, again if that was interrupted.
pub(crate) fn uninterrupted<T>(mut call: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match call() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            done => return done,
        }
    }
}

/// Reads once, and returns what was read: nothing at the end.
pub(crate) fn read_some<'a>(reader: &mut impl Read, buffer: &'a mut [u8]) -> io::Result<&'a [u8]> {
    let len = uninterrupted(|| reader.read(buffer))?;
    let broken = || io::Error::other("the reader claims more bytes than the buffer holds");
    buffer.get(..len).ok_or_else(broken)
}

/// Reads from `filled` on until the buffer is full or the reader ends. Returns whether it ended.
/// `filled` counts the bytes in the buffer, also after an error.
pub(crate) fn read_full(
    reader: &mut impl Read,
    buffer: &mut [u8],
    filled: &mut usize,
) -> io::Result<bool> {
    while *filled < buffer.len() {
        match read_some(reader, &mut buffer[*filled..])?.len() {
            0 => return Ok(true),
            len => *filled += len,
        }
    }
    Ok(false)
}

/// Flushes.
pub(crate) fn flush(writer: &mut impl Write) -> io::Result<()> {
    uninterrupted(|| writer.flush())
}
