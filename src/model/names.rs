//! Names of resources, and the paths that are ignored.

use crate::error::Error;

/// Refuses a name that is absolute or empty, has a component `.`, `..` or none, or a NUL (a backslash, too, where it
/// separates paths).
pub(super) fn check(name: &str) -> Result<(), Error> {
    todo!()
}

/// Whether a name is one of these paths, or under one of them. They are sorted.
pub(super) fn is_covered(name: &str, paths: &[String]) -> bool {
    todo!()
}
