//! Errors of this crate as those of an object store.

use object_store::path::{self, Path};

use crate::error::{AtPath, Error, StoreRefusal};

/// The name of the store in errors.
const STORE: &str = "SealedStore";

impl From<Error> for object_store::Error {
    fn from(error: Error) -> Self {
        Self::Generic { store: STORE, source: error.into() }
    }
}

impl From<AtPath> for object_store::Error {
    fn from(about: AtPath) -> Self {
        Self::Generic { store: STORE, source: about.into() }
    }
}

pub(super) fn at(path: &Path, error: Error) -> object_store::Error {
    AtPath { path: path.to_string(), error }.into()
}

/// Says which object an error is about, if it is about one.
pub(super) fn at_object(path: &Path, error: object_store::Error) -> object_store::Error {
    match error {
        object_store::Error::Generic { store, source } => match source.downcast::<Error>() {
            Ok(error) if is_about_an_object(&error) => at(path, *error),
            Ok(error) => (*error).into(),
            Err(source) => object_store::Error::Generic { store, source },
        },
        other => other,
    }
}

/// The others are about the keys, the machine or the caller.
pub(super) fn is_about_an_object(error: &Error) -> bool {
    matches!(
        error,
        Error::Open
            | Error::Invalid { .. }
            | Error::Store(StoreRefusal::UnknownEpoch | StoreRefusal::OldEpoch)
    )
}

/// An object of a length that no sealed one has.
pub(super) fn foreign(path: &Path) -> object_store::Error {
    let reason = "it is not sealed, or was cut off: no sealed object has its length";
    at(path, Error::Invalid { what: "sealed object", reason })
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
