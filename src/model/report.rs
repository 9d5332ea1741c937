//! What a model has that is not as signed.

use std::path::{Path, PathBuf};

use crate::error::{Error, ModelRefusal};

/// Everything about a model that is not as signed, and what was left out.
#[derive(Clone, Debug)]
#[must_use]
pub struct Report {
    pub(super) entries: Vec<(PathBuf, Finding)>,
    pub(super) ignore_unsigned: bool,
    // and: how many files and bytes are as signed; the name of a single file that is called otherwise
}

/// What is the matter with one path of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Finding {
    /// It was signed and is not there.
    Missing,
    /// It is not what was signed.
    Changed,
    /// It is there, and nobody signed it.
    Additional,
    /// It is a symbolic link, neither a file nor a directory, or has a name that the format does not allow.
    Refused(ModelRefusal),
    /// It was left out: nobody signed it, or looked at it.
    Ignored,
}

impl Report {
    /// All entries, sorted by the bytes of their paths, relative to the model.
    pub fn entries(&self) -> impl ExactSizeIterator<Item = (&Path, Finding)> {
        self.entries.iter().map(|(path, finding)| (path.as_path(), *finding))
    }

    /// Whether the model is as signed.
    #[must_use]
    pub fn is_as_signed(&self) -> bool {
        todo!()
    }

    /// # Errors
    ///
    /// [`Error::Model`] with [`NotAsSigned`](ModelRefusal::NotAsSigned) unless the model is as signed.
    pub fn result(&self) -> Result<(), Error> {
        if self.is_as_signed() { Ok(()) } else { Err(Error::Model(ModelRefusal::NotAsSigned)) }
    }
}
