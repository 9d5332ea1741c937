//! Data from a reader to a writer, in pieces that keep all cores busy.

use std::io::{self, Read, Write};

use zeroize::Zeroizing;

/// A multiple of what the parallel writer and reader work on at once.
const PIECE: usize = 1024 * 1024;

/// Copies to the end. The buffer is wiped: what passes may be secret.
pub(crate) fn copy(reader: &mut impl Read, writer: &mut impl Write) -> io::Result<()> {
    let mut buffer = Zeroizing::new(vec![0; PIECE]);
    loop {
        let length = fill(reader, &mut buffer)?;
        if length == 0 {
            return Ok(());
        }
        writer.write_all(buffer.get(..length).unwrap_or_default())?;
    }
}

/// Reads until the buffer is full: pipes give small pieces.
fn fill(reader: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while let Some(room) = buffer.get_mut(filled..).filter(|room| !room.is_empty()) {
        match reader.read(room) {
            Ok(0) => break,
            Ok(length) => filled += length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}
