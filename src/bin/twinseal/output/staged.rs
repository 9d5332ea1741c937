//! A file that is written beside its target and takes its place at the end.
//!
//! On Linux it has no name until then, so that nothing is left of a process that is killed. Where the
//! file system cannot do that it is named `.twinseal-*.partial`, and removed when the process fails or
//! is asked to stop.

use std::{
    fs::{File, OpenOptions, Permissions},
    io,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use tempfile::{Builder, TempPath};

use super::Content;

/// The file that has a name and is not in its place. It is locked while that changes.
static NAMED: Mutex<Option<PathBuf>> = Mutex::new(None);

pub(super) struct Staged {
    target: PathBuf,
    /// Where the file has no name yet, `None`.
    temporary: Option<TempPath>,
    /// Those of the file that is replaced.
    permissions: Option<Permissions>,
    replace: bool,
}

impl Staged {
    pub(super) fn new(
        target: PathBuf,
        content: Content,
        permissions: Option<Permissions>,
    ) -> io::Result<(Self, File)> {
        let mode = match content {
            Content::Plaintext | Content::Shown | Content::PrivateKey => 0o600,
            Content::Binary | Content::Text => 0o666, // and what the umask leaves of it
        };
        let replace = content != Content::PrivateKey;
        let folder = folder_of(&target);
        let (temporary, file) = match create_unnamed(folder, mode) {
            Ok(file) => (None, file),
            Err(_) => {
                let (file, temporary) =
                    named(folder, |path| create_named(path, mode))?.into_parts();
                (Some(temporary), file)
            }
        };
        Ok((Self { target, temporary, permissions, replace }, file))
    }

    pub(super) fn commit(self, file: &File) -> io::Result<()> {
        if let Some(permissions) = self.permissions {
            file.set_permissions(permissions)?;
        }
        let temporary = match self.temporary {
            Some(temporary) => temporary,
            None => named(folder_of(&self.target), |path| link(file, path))?.into_temp_path(),
        };
        let mut named = NAMED.lock().unwrap_or_else(PoisonError::into_inner);
        let placed = if self.replace {
            temporary.persist(&self.target)
        } else {
            temporary.persist_noclobber(&self.target)
        };
        *named = None;
        placed.map_err(|error| error.error)
    }
}

/// Removes what has a name and is not in its place, for a process that is about to end: from here
/// on nothing is put in place any more.
#[cfg(unix)]
pub(crate) fn abandon() {
    let named = NAMED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(path) = &*named {
        // There is no one left to tell.
        let _ = std::fs::remove_file(path);
    }
    std::mem::forget(named);
}

fn folder_of(target: &Path) -> &Path {
    match target.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    }
}

/// Makes a file of a name that no other has, which is removed when dropped.
fn named<F>(
    folder: &Path,
    make: impl Fn(&Path) -> io::Result<F>,
) -> io::Result<tempfile::NamedTempFile<F>> {
    Builder::new().prefix(".twinseal-").suffix(".partial").make_in(folder, |path| {
        let mut named = NAMED.lock().unwrap_or_else(PoisonError::into_inner);
        let file = make(path)?;
        *named = Some(path.to_path_buf());
        Ok(file)
    })
}

fn create_named(path: &Path, mode: u32) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, mode);
    #[cfg(not(unix))]
    let _ = mode;
    options.open(path)
}

#[cfg(target_os = "linux")]
fn create_unnamed(folder: &Path, mode: u32) -> io::Result<File> {
    // Tried out on an empty file: whether a name can be given to it shows only then, and must not
    // show after hours of work.
    let probe = super::unnamed::create(folder, mode)?;
    drop(named(folder, |path| super::unnamed::link(&probe, path))?);
    super::unnamed::create(folder, mode)
}

#[cfg(target_os = "linux")]
fn link(file: &File, path: &Path) -> io::Result<()> {
    super::unnamed::link(file, path)
}

#[cfg(not(target_os = "linux"))]
fn create_unnamed(_: &Path, _: u32) -> io::Result<File> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(not(target_os = "linux"))]
fn link(_: &File, _: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}
