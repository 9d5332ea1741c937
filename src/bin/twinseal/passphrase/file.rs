//! Reads a passphrase from the first line of a file.

use std::{io::Read, path::Path};

use twinseal::secret::SecretBuffer;

use super::LONGEST;
use crate::{
    console::Console,
    failure::Failure,
    input::Input,
    keys::modes::{self, Secrecy},
    name::{self, Name},
};

/// The first line of a file, without its LF or CR LF, and the name of the file. The bytes are taken as they
/// are.
pub(super) fn first_line(path: &Path, console: &Console) -> Result<(SecretBuffer, Name), Failure> {
    if !name::is_standard(path) && path.is_dir() {
        return Err(Failure::of(&Name::of(path), "it is a directory; name a file in it"));
    }
    let mut input = Input::open(Some(path))?;
    let name = input.name().clone();
    if let Some(metadata) = input.metadata() {
        modes::warn(&name, &metadata, Secrecy::Passphrase, console);
    }
    // With room for the line end.
    let mut bytes = SecretBuffer::zeroed(LONGEST + 2);
    let mut filled = 0;
    let (end, line_end) = loop {
        let room = bytes.get_mut(filled..).unwrap_or_default();
        let read = input.read(room).map_err(|error| Failure::from_io(error, &name))?;
        match (room.iter().take(read).position(|byte| *byte == b'\n'), read) {
            (Some(end), _) => break (filled + end, &b"\r"[..]),
            (None, 0) => break (filled, &[]),
            (None, read) => filled += read,
        }
    };
    let line = bytes.get(..end).unwrap_or_default();
    let line = line.strip_suffix(line_end).unwrap_or(line);
    match line.len() {
        0 => Err(Failure::of(&name, "its first line is empty; write the passphrase in it")),
        1..=LONGEST => {
            let mut exact = SecretBuffer::with_capacity(line.len());
            exact.extend_from_slice(line);
            Ok((exact, name))
        }
        _ => Err(Failure::of(
            &name,
            format_args!(
                "its first line is longer than {LONGEST} bytes; name a file with the passphrase"
            ),
        )),
    }
}
