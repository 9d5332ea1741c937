//! Errors of this crate as those of an object store.

use object_store::path::{self, Path};

use crate::error::Error;

/// The name of the store in errors.
const STORE: &str = "SealedStore";

impl From<Error> for object_store::Error {
    fn from(error: Error) -> Self {
        Self::Generic { store: STORE, source: error.into() }
    }
}

/// There is nothing for callers in the store's own directory, nor at the empty path.
pub(super) fn not_found(path: &Path) -> object_store::Error {
    let source = if path.as_ref().is_empty() { NAMELESS } else { RESERVED };
    object_store::Error::NotFound { path: path.to_string(), source: source.into() }
}

/// Callers cannot write into the store's own directory, nor to the empty path.
pub(super) fn denied(path: &Path) -> object_store::Error {
    if path.as_ref().is_empty() {
        let source = path::Error::EmptySegment { path: path.to_string() };
        return object_store::Error::InvalidPath { source };
    }
    object_store::Error::PermissionDenied { path: path.to_string(), source: RESERVED.into() }
}

const RESERVED: &str = "\".twinseal\" is the sealed store's own";
const NAMELESS: &str = "no sealed object has an empty path";
