//! An open directory of a model, and what its entries are. Links are never followed, and nothing waits.

#[cfg(not(unix))]
mod portable;
#[cfg(unix)]
mod unix;

use std::path::{Component, Path};

#[cfg(not(unix))]
use portable as system;
pub(super) use system::{Directory, State};
#[cfg(unix)]
use unix as system;

/// What an entry of a directory is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    File,
    Directory,
    Link,
    /// A pipe, socket or device.
    Special,
}

/// The longest relative path, in bytes. It bounds the work on directories in each other: each is opened through those
/// that it is in.
const MAX_PATH: usize = 4096;

impl Directory {
    /// Opens a directory that is somewhere in this one, through each of the directories between: none of them may have
    /// become a link.
    pub(super) fn descend(&self, path: &Path) -> std::io::Result<Option<Self>> {
        if path.as_os_str().len() > MAX_PATH {
            return Err(std::io::ErrorKind::InvalidFilename.into());
        }
        let mut deepest = None;
        for component in path.components() {
            if let Component::Normal(name) = component {
                deepest = Some(deepest.as_ref().unwrap_or(self).directory(name)?);
            }
        }
        Ok(deepest)
    }
}
