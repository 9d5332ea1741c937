//! Names of resources, and the paths that are ignored.

use std::{
    borrow::Borrow,
    collections::BTreeMap,
    ops::Bound::{Included, Unbounded},
};

use crate::error::{Error, ModelRefusal};

/// Refuses a name that is absolute or empty, has a component `.`, `..` or none, or a NUL. On Windows, a backslash
/// separates paths and a colon leads to another drive or stream, so both are refused there.
pub(super) fn check(name: &str) -> Result<(), Error> {
    if is_plain(name) { Ok(()) } else { Err(Error::Model(ModelRefusal::Name)) }
}

/// Refuses a path to be ignored that leaves the model or is all of it. Patterns are not refused here: a signer's
/// `*` is read as the name `*`.
pub(super) fn check_ignored(path: &str) -> Result<(), Error> {
    if is_plain(path) { Ok(()) } else { Err(Error::Model(ModelRefusal::IgnoredPaths)) }
}

/// Refuses, when signing, also what other tools would take for a pattern.
pub(super) fn check_ignored_to_sign(path: &str) -> Result<(), Error> {
    if path.contains(['*', '?', '[']) {
        return Err(Error::Model(ModelRefusal::IgnoredPaths));
    }
    check_ignored(path)
}

fn is_plain(path: &str) -> bool {
    let separators: &[char] = if cfg!(windows) { &['\0', '\\', ':'] } else { &['\0'] };
    !path.contains(separators)
        && path.split('/').all(|component| !matches!(component, "" | "." | ".."))
}

/// Whether a path is one of these names, or has one of them under it.
pub(super) fn covers_any<K: Borrow<str> + Ord, T>(path: &str, names: &BTreeMap<K, T>) -> bool {
    covered(path, names).next().is_some()
}

/// Those of these names that a path is, or has under it.
pub(super) fn covered<'n, K: Borrow<str> + Ord, T>(
    path: &str,
    names: &'n BTreeMap<K, T>,
) -> impl Iterator<Item = &'n K> + use<'n, K, T> {
    let under = format!("{path}/");
    let itself = names.get_key_value(path).map(|(name, _)| name);
    let from = names.range::<str, _>((Included(under.as_str()), Unbounded));
    let from = from.map(|(name, _)| name);
    itself.into_iter().chain(from.take_while(move |name| (*name).borrow().starts_with(&under)))
}
