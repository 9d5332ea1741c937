//! The rings that are read from a directory.

use std::{io, path::Path};

use super::merge::Merge;
#[cfg(doc)]
use super::{Keyring, Shared, VerifyingKeyring};

/// A ring that [`Shared`] can read from a directory: [`Keyring`] or [`VerifyingKeyring`].
///
/// Other types cannot implement it, and it has no methods to be called: both rings have a `read_dir`
/// of their own.
pub trait Ring: Clone + Merge + ReadDir {}

/// Public only because it seals [`Ring`].
pub trait ReadDir: Sized {
    fn from_dir(path: &Path) -> io::Result<Self>;
}
