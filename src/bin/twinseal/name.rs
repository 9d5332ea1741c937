//! The names of files in messages.

use std::{fmt, path::Path};

use crate::escape;

/// The name of a file in messages. Characters that a terminal would obey are escaped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Name(String);

impl Name {
    pub(crate) fn of(path: &Path) -> Self {
        Self(escape::path(path))
    }

    /// A name that is not shown like any other: for lists, whose lines are names of files that others chose.
    pub(crate) fn quoted(path: &Path) -> Self {
        Self(escape::quoted(path))
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

/// Whether the path is `-`, which stands for a standard stream.
pub(crate) fn is_standard(path: &Path) -> bool {
    path == Path::new("-")
}
