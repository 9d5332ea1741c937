//! Reads a key file, once.

use std::{fs::Metadata, io::Read, path::Path, str};

use twinseal::secret::SecretBuffer;

use crate::{
    console::Console,
    failure::Failure,
    input::Input,
    keys::modes::{self, Secrecy},
    kind::{self, FileKind},
    name::{self, Name},
};

/// The bytes of a key file, which may be secret. All messages about the file describe these bytes: a pipe
/// cannot be read again, and a file may change.
pub(super) struct KeyFile {
    name: Name,
    bytes: SecretBuffer,
    metadata: Option<Metadata>,
}

/// The longest key file, in bytes.
pub(crate) const MAX_LENGTH: u64 = 4 * 1024 * 1024;

/// How messages describe a longer file of unknown kind.
pub(crate) const TOO_LONG: &str = "longer than 4 MiB";

/// A failure about a file that is longer than [`MAX_LENGTH`].
pub(crate) fn too_long(name: &Name, what: &str) -> Failure {
    Failure::of(name, format_args!("not a key file: it is {what}; name another file"))
}

impl KeyFile {
    /// Reads a file, or standard input if the path is `-`.
    pub(super) fn read(path: &Path) -> Result<Self, Failure> {
        if !name::is_standard(path) && path.is_dir() {
            return Err(Failure::of(&Name::of(path), "it is a directory; name a key file in it"));
        }
        let mut input = Input::open(Some(path))?;
        let name = input.name().clone();
        let metadata = input.metadata();
        let mut bytes = SecretBuffer::with_capacity(PIECE);
        let mut piece = SecretBuffer::zeroed(PIECE);
        loop {
            let read = input.read(&mut piece);
            match read.map_err(|error| Failure::from_io(error, &name))? {
                0 => break,
                length => bytes.extend_from_slice(piece.get(..length).unwrap_or_default()),
            }
            if bytes.len() as u64 > MAX_LENGTH {
                let what = match kind::of(&bytes) {
                    FileKind::Unknown | FileKind::Pem | FileKind::Empty => TOO_LONG.into(),
                    kind => kind.to_string(),
                };
                return Err(too_long(&name, &what));
            }
        }
        Ok(Self { name, bytes, metadata })
    }

    /// Warns if others can read a private key, or change a key.
    pub(super) fn warn(&self, secrecy: Secrecy, console: &Console) {
        if let Some(metadata) = &self.metadata {
            modes::warn(&self.name, metadata, secrecy, console);
        }
    }

    /// Whether other names lead to the same file.
    pub(super) fn has_other_names(&self) -> bool {
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt;
            self.metadata.as_ref().is_some_and(|metadata| metadata.nlink() > 1)
        }
        #[cfg(not(unix))]
        false
    }

    pub(super) fn name(&self) -> &Name {
        &self.name
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// `None` if it is not UTF-8.
    pub(super) fn text(&self) -> Option<&str> {
        str::from_utf8(&self.bytes).ok()
    }
}

/// Most key files fit.
const PIECE: usize = 16 * 1024;
