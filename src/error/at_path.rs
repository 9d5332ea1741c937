//! Which object of a store is an error about?

use std::{error, fmt};

use super::Error;

/// An error about one object of a store, or about one keys object.
#[derive(Clone, Debug)]
pub(crate) struct AtPath {
    pub(crate) path: String,
    pub(crate) error: Error,
}

impl fmt::Display for AtPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, error } = self;
        match error {
            Error::Open => write!(
                f,
                "{path} does not open: it was changed, moved from another path, or is of another store"
            ),
            Error::NotARecipient => {
                write!(f, "{path} is not for this key: it was not granted, or it was revoked")
            }
            Error::Store(refusal) => write!(f, "{path}: {refusal}"),
            error => write!(f, "{path}: {error}"),
        }
    }
}

impl error::Error for AtPath {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        self.error.source()
    }
}
