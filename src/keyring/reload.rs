//! What is read from files again while a program runs.

use std::{io, path::Path};

use super::merge::Merge;
#[cfg(doc)]
use super::{Keyring, Shared, VerifyingKeyring};
#[cfg(doc)]
use crate::sign::SigningKey;

/// Keys that [`Shared`] can [reload](Shared::reload): a [`Keyring`], a [`VerifyingKeyring`] or a
/// [`SigningKey`].
///
/// Other types cannot implement it, and it has no methods to be called.
pub trait Reload: Merge + ReadFrom + Send + Sync + 'static {}

/// A ring that [`Shared`] can read from a directory: [`Keyring`] or [`VerifyingKeyring`].
///
/// Other types cannot implement it, and it has no methods to be called: both rings have a `read_dir`
/// of their own.
pub trait Ring: Clone + Reload {}

/// Public only because it seals [`Reload`].
pub trait ReadFrom: Sized {
    /// Reads a ring from a directory, or a key from a regular file.
    fn read_from(path: &Path) -> io::Result<Self>;
}
