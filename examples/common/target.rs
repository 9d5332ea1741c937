//! A file that is written completely or not at all.

use std::{
    error::Error,
    fs,
    io::Write,
    path::{Path, PathBuf},
};

use tempfile::NamedTempFile;

/// A file that gets its name only when all of it is written.
#[derive(Debug)]
pub struct Target {
    path: PathBuf,
    beside: NamedTempFile,
}

impl Target {
    /// Fails if the file cannot be written. Call it before the work, whose result would otherwise
    /// be lost.
    pub fn new(path: &Path) -> Result<Self, Box<dyn Error + Send + Sync>> {
        let at = |error| format!("cannot write {path:?}: {error}");
        if fs::symlink_metadata(path).is_ok_and(|known| !known.is_file()) {
            return Err(format!("cannot write {path:?}: not a regular file").into());
        }
        let directory = path.parent().filter(|directory| !directory.as_os_str().is_empty());
        let beside = NamedTempFile::new_in(directory.unwrap_or(Path::new("."))).map_err(at)?;
        Ok(Self { path: path.to_path_buf(), beside })
    }

    /// Writes the whole file.
    pub fn write(mut self, bytes: &[u8]) -> Result<(), Box<dyn Error + Send + Sync>> {
        self.append(bytes)?;
        self.finish()
    }

    /// Writes the next bytes.
    pub fn append(&mut self, bytes: &[u8]) -> Result<(), Box<dyn Error + Send + Sync>> {
        Ok(self.beside.write_all(bytes).map_err(|error| self.at(&error))?)
    }

    /// Renames the file to its path when all of it is on the disk.
    pub fn finish(self) -> Result<(), Box<dyn Error + Send + Sync>> {
        self.beside.as_file().sync_all().map_err(|error| self.at(&error))?;
        let Self { path, beside } = self;
        let persisted = beside.persist(&path);
        persisted.map_err(|error| format!("cannot write {path:?}: {}", error.error))?;
        Ok(())
    }

    fn at(&self, error: &std::io::Error) -> String {
        format!("cannot write {:?}: {error}", self.path)
    }
}
