//! Files that hold keys: read into buffers that are wiped, written whole or not at all.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};

use zeroize::Zeroizing;

use super::PrivatePem;
use crate::{error::Error, random, retry::read_some, secret::SecretBuffer};

/// Writes a new file that only its owner can read. An existing one is not overwritten.
pub(super) fn write_private(path: &Path, pem: &PrivatePem) -> io::Result<()> {
    write_whole(path, pem.as_str().as_bytes()).map_err(|error| Error::at(path, error))
}

/// [`write_private`] for a key that is not secret, because it is encrypted.
#[cfg(feature = "passphrase")]
pub(crate) fn write_encrypted(path: &Path, pem: &str) -> io::Result<()> {
    write_whole(path, pem.as_bytes()).map_err(|error| Error::at(path, error))
}

/// The file gets its name when all of it is on the disk, so that a ring that reads the directory
/// meanwhile never sees a part of it.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if fs::symlink_metadata(path).is_ok() {
        let reason = "it exists already, and is not overwritten";
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, reason));
    }
    let directory = directory_of(path);
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

/// As [`write_whole`], over a file that may exist.
#[cfg(feature = "object_store")]
pub(crate) fn replace_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let directory = directory_of(path);
    let mut partial = Partial::create(directory)?;
    partial.file.write_all(bytes)?;
    partial.file.sync_all()?;
    fs::rename(&partial.path, path)?;
    sync_directory(directory);
    Ok(())
}

fn directory_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
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

/// Makes the name outlast a power cut. If the directory cannot be synced, the file is there
/// nevertheless.
fn sync_directory(directory: &Path) {
    #[cfg(unix)]
    let _ = File::open(directory).and_then(|directory| directory.sync_all());
    #[cfg(not(unix))]
    let _ = directory;
}

/// A file under a name that no ring reads. It is removed when dropped.
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
        let _ = fs::remove_file(&self.path); // there is nothing else to try
    }
}

/// A thousand verifying keys are shorter than this. A longer file is not a key file, and is not read
/// whole.
pub(super) const MAX_LEN: usize = 4 * 1024 * 1024;

/// The first buffer if the length is not known, as that of a pipe.
const FIRST_LEN: usize = 64 * 1024;

/// How much is read at once.
const PART: usize = 16 * 1024;

/// Reads a key from a file of any kind, also from a pipe, and waits for it. Errors name the file.
pub(crate) fn read_key<Key>(
    path: &Path,
    parse: impl FnOnce(&str) -> Result<Key, Error>,
) -> io::Result<Key> {
    let read = || Ok(parse(text(File::open(path)?)?.as_str())?);
    read().map_err(|error| Error::at(path, error))
}

/// Reads a regular file. It refuses everything else, and never waits.
pub(super) fn read_regular(path: &Path) -> io::Result<PrivatePem> {
    open_regular(path).and_then(text).map_err(|error| Error::at(path, error))
}

fn open_regular(path: &Path) -> io::Result<File> {
    // Checked before, because opening a device can have an effect, and again when it is open.
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

/// The text of a file. Every copy of it is wiped.
fn text(mut file: File) -> io::Result<PrivatePem> {
    let metadata = file.metadata()?;
    let known = usize::try_from(metadata.len()).unwrap_or(usize::MAX);
    // Some file systems report 0 for a length that they do not know.
    let expected = if known == 0 { FIRST_LEN } else { known.min(MAX_LEN) };
    let mut bytes = SecretBuffer::with_capacity(expected);
    let mut part = SecretBuffer::zeroed(PART);
    loop {
        match read_some(&mut file, &mut part)? {
            [] => break,
            part => bytes.extend_from_slice(part),
        }
        if bytes.len() > MAX_LEN {
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
