//! Whether a file changed between two looks at it.

use std::{fs::Metadata, time::SystemTime};

pub(super) struct Seen {
    length: u64,
    modified: Option<SystemTime>,
}

impl Seen {
    /// `None` for what is no regular file: it has no length, and nothing to compare.
    pub(super) fn of(metadata: &Metadata) -> Option<Self> {
        let modified = metadata.modified().ok();
        metadata.is_file().then_some(Self { length: metadata.len(), modified })
    }

    pub(super) fn is_same(&self, other: &Self) -> bool {
        // The system makes up the content of some files as it is read, and their times too.
        let is_made_up = self.length == 0 && other.length == 0;
        is_made_up || (self.length == other.length && self.modified == other.modified)
    }
}
