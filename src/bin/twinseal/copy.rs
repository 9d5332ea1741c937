//! Data from a reader to a writer, in pieces that keep all cores busy.

use std::{
    io::{self, Read, Write},
    mem,
};

use twinseal::SecretBuffer;

/// A multiple of what the parallel writer and reader work on at once.
const PIECE: usize = 1024 * 1024;

/// Copies to the end; while one piece is written, the next is read. The buffers are wiped: what
/// passes may be secret.
pub(crate) fn copy(
    reader: &mut (impl Read + Send),
    writer: &mut (impl Write + Send),
) -> io::Result<()> {
    let mut buffer = SecretBuffer::zeroed(PIECE);
    let mut next = SecretBuffer::zeroed(PIECE);
    let mut length = fill(reader, &mut buffer)?;
    while length > 0 {
        let piece = buffer.get(..length).unwrap_or_default();
        let (written, read) = rayon::join(|| writer.write_all(piece), || fill(reader, &mut next));
        written?;
        length = read?;
        mem::swap(&mut buffer, &mut next);
    }
    Ok(())
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
