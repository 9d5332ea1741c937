//! Files that hold keys: read into buffers that are wiped, and written whole or not at all.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use zeroize::Zeroizing;

use super::PrivatePem;
use crate::{error::Error, random, secret::SecretBuffer};

/// Writes a new file that only its owner can read. An existing one is not overwritten.
pub(super) fn write_private(path: &Path, pem: &PrivatePem) -> io::Result<()> {
    write_whole(path, pem.as_str().as_bytes()).map_err(|error| Error::at(path, error))
}

/// The file appears under its name when all of it is on the disk: whoever reads the directory
/// meanwhile, as a ring does that is reloaded, never sees a part.
fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if fs::symlink_metadata(path).is_ok() {
        let reason = "it exists already, and is not overwritten";
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, reason));
    }
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let mut partial = Partial::create(directory)?;
    partial.file.write_all(bytes)?;
    partial.file.sync_all()?;
    // Unlike `rename`, it does not replace a file that has appeared meanwhile.
    match fs::hard_link(&partial.path, path) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Err(error),
        // A file system without hard links.
        Err(_) => write_in_place(path, bytes)?,
    }
    drop(partial);
    sync_directory(directory);
    Ok(())
}

fn write_in_place(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = create_private(path)?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    if written.is_err() {
        // The error of the write is the one to return; half a key is refused on reading anyway.
        let _ = fs::remove_file(path);
    }
    written
}

fn create_private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// So that the name outlasts a power cut. Where a directory cannot be synced, the file is there all
/// the same.
fn sync_directory(directory: &Path) {
    #[cfg(unix)]
    let _ = File::open(directory).and_then(|directory| directory.sync_all());
    #[cfg(not(unix))]
    let _ = directory;
}

/// A file under a name that no ring reads, which is removed at the end.
struct Partial {
    file: File,
    path: PathBuf,
}

impl Partial {
    fn create(directory: &Path) -> io::Result<Self> {
        let number = u64::from_be_bytes(*random::array()?);
        let path = directory.join(format!(".twinseal-{number:016x}.partial"));
        Ok(Self { file: create_private(&path)?, path })
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path); // nothing more can be done
    }
}

/// A thousand verifying keys are below this; what is larger is not a key file, and is not read
/// whole.
pub(super) const MAX_LENGTH: usize = 4 * 1024 * 1024;

/// Where the length is not known beforehand, as of a pipe.
const FIRST_LENGTH: usize = 64 * 1024;

/// How much is read at once.
const PART: usize = 16 * 1024;

/// Reads what is in a key file of any kind that can be read; a pipe is waited for. Errors name it.
pub(super) fn read_key<Key>(
    path: &Path,
    parse: impl FnOnce(&str) -> Result<Key, Error>,
) -> io::Result<Key> {
    let read = || Ok(parse(text(File::open(path)?)?.as_str())?);
    read().map_err(|error| Error::at(path, error))
}

/// Reads a regular file. Everything else is refused, and nothing is waited for.
pub(super) fn read_regular(path: &Path) -> io::Result<PrivatePem> {
    open_regular(path).and_then(text).map_err(|error| Error::at(path, error))
}

fn open_regular(path: &Path) -> io::Result<File> {
    // Looked at before, because opening a device can do something, and again when it is open.
    check_regular(&fs::metadata(path)?)?;
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(
        &mut options,
        libc::O_NONBLOCK | libc::O_NOCTTY,
    );
    let file = options.open(path)?;
    check_regular(&file.metadata()?)?;
    Ok(file)
}

fn check_regular(metadata: &fs::Metadata) -> io::Result<()> {
    if metadata.is_file() {
        return Ok(());
    }
    let reason = "a FIFO, socket, device or directory is not a key file";
    Err(io::Error::new(io::ErrorKind::InvalidData, reason))
}

/// What a file holds. No copy of it is left behind that nobody wipes.
fn text(mut file: File) -> io::Result<PrivatePem> {
    let metadata = file.metadata()?;
    let known = usize::try_from(metadata.len()).unwrap_or(usize::MAX);
    // Some file systems say 0 and mean that they do not know.
    let expected = if known == 0 { FIRST_LENGTH } else { known.min(MAX_LENGTH) };
    let mut bytes = SecretBuffer::with_capacity(expected);
    let mut part = SecretBuffer::zeroed(PART);
    loop {
        match file.read(&mut part) {
            Ok(0) => break,
            Ok(length) => bytes.extend_from_slice(part.get(..length).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
        if bytes.len() > MAX_LENGTH {
            return Err(Error::NotPem { reason: "it is longer than 4 MiB" }.into());
        }
    }
    let is_utf16 = bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]);
    let text = String::from_utf8(bytes.into_vec()).map_err(|error| {
        drop(SecretBuffer::from(error.into_bytes()));
        let reason = if is_utf16 { "it is UTF-16; save it as UTF-8" } else { "it is not text" };
        Error::NotPem { reason }
    })?;
    Ok(PrivatePem::new(Zeroizing::new(text)))
}
