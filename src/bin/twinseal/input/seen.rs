//! Detects that a file changed while it was read.

use std::{fs::Metadata, time::SystemTime};

pub(super) struct Seen {
    length: u64,
    modified: Option<SystemTime>,
}

impl Seen {
    /// `None` if it is not a regular file: then there is no length to compare.
    pub(super) fn of(metadata: &Metadata) -> Option<Self> {
        let modified = metadata.modified().ok();
        metadata.is_file().then_some(Self { length: metadata.len(), modified })
    }

    pub(super) fn is_same(&self, other: &Self) -> bool {
        // The system generates some files while they are read, and their times too.
        let is_generated = self.length == 0 && other.length == 0;
        is_generated || (self.length == other.length && self.modified == other.modified)
    }
}
