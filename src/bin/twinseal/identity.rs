//! Identifies a file regardless of its path.

use std::{fs, io, path::Path};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Identity {
    #[cfg(unix)]
    Inode { device: u64, inode: u64 },
    #[cfg(not(unix))]
    Path(std::path::PathBuf),
}

impl Identity {
    /// `None` if it is not a regular file: a device may be written to while it is read.
    pub(crate) fn of(path: &Path) -> io::Result<Option<Self>> {
        let metadata = fs::metadata(path)?;
        #[cfg(unix)]
        return Ok(Self::from_metadata(&metadata));
        #[cfg(not(unix))]
        Ok(metadata.is_file().then_some(Self::Path(fs::canonicalize(path)?)))
    }

    /// Of an open file, on systems that have inodes.
    pub(crate) fn from_metadata(metadata: &fs::Metadata) -> Option<Self> {
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt;
            let (device, inode) = (metadata.dev(), metadata.ino());
            metadata.is_file().then_some(Self::Inode { device, inode })
        }
        #[cfg(not(unix))]
        {
            let _ = metadata;
            None
        }
    }
}
