//! How files are called in messages, and whether two names are one file.

use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
};

/// A file as messages name it. Names are data: what a terminal would obey is escaped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Name(String);

impl Name {
    pub(crate) fn of(path: &Path) -> Self {
        Self(escaped(&path.to_string_lossy()))
    }

    pub(crate) fn standard_input() -> Self {
        Self("standard input".into())
    }

    pub(crate) fn standard_output() -> Self {
        Self("standard output".into())
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The text without control characters.
pub(crate) fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for character in text.chars() {
        if character.is_control() {
            escaped.extend(character.escape_default());
        } else {
            escaped.push(character);
        }
    }
    escaped
}

/// `-` and nothing stand for a standard stream.
pub(crate) fn is_standard(path: &Path) -> bool {
    path == Path::new("-")
}

/// Whatever else it is called, it is this file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Identity {
    #[cfg(unix)]
    Inode { device: u64, inode: u64 },
    #[cfg_attr(unix, expect(dead_code, reason = "for systems without inodes"))]
    Path(PathBuf),
}

impl Identity {
    /// `None` for what is no regular file: a device may be written to while it is read.
    pub(crate) fn of(path: &Path) -> io::Result<Option<Self>> {
        let metadata = fs::metadata(path)?;
        #[cfg(unix)]
        return Ok(Self::from_metadata(&metadata));
        #[cfg(not(unix))]
        Ok(metadata.is_file().then_some(Self::Path(fs::canonicalize(path)?)))
    }

    /// Of an open file; only some systems tell.
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
