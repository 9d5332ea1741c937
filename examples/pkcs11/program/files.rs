//! Writes files: a new one, or one that replaces another when it is complete.

use std::{
    fs::{self, OpenOptions, Permissions},
    io::{self, Write},
    path::Path,
};

use tempfile::NamedTempFile;

use crate::{Result, at};

/// Who can read a file. Only its owner can write it; an umask can forbid more.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Readers {
    Owner,
    All,
}

/// Writes a file that must not exist yet.
pub(crate) fn create(path: &Path, content: &[u8], readers: Readers) -> Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(mode(readers));
    }
    let mut file = options.open(path).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => {
            format!("{}: there is a file already; choose another name", path.display()).into()
        }
        _ => at(path, &error),
    })?;
    let written = file.write_all(content).and_then(|()| file.sync_all());
    written.map_err(|error| {
        let _ = fs::remove_file(path);
        at(path, &error)
    })
}

/// A file that appears at `path` when it is complete, with [`finish`].
pub(crate) fn stage(path: &Path, readers: Readers) -> Result<NamedTempFile> {
    let directory =
        path.parent().filter(|parent| *parent != Path::new("")).unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    let builder = {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(Permissions::from_mode(mode(readers)))
    };
    builder.tempfile_in(directory).map_err(|error| at(path, &error))
}

/// Puts a complete file in its place.
pub(crate) fn finish(file: NamedTempFile, path: &Path) -> Result<()> {
    file.as_file().sync_all().map_err(|error| at(path, &error))?;
    file.persist(path).map_err(|error| at(path, &error.error))?;
    Ok(())
}

#[cfg(unix)]
fn mode(readers: Readers) -> u32 {
    match readers {
        Readers::Owner => 0o600,
        Readers::All => 0o644,
    }
}
