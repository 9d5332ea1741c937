//! Reads the keys that a command needs.

use std::path::Path;

use crate::name;

mod certificates;
mod contents;
mod document;
mod file;
mod foreign;
pub(crate) mod modes;
mod other_form;
mod private;
mod public;
mod rewritten;
mod role;
mod unfit;
mod unlock;
mod wanted;

pub(crate) use document::{Document, describe};
pub(crate) use file::{MAX_LENGTH, TOO_LONG, too_long};
pub(crate) use foreign::{Foreign, Public, expected, foreign, not_expected};
pub(crate) use private::{Private, keyring, private, signing};
pub(crate) use public::{recipients, trusted, verifying};
pub(crate) use rewritten::PrivateFile;
pub(crate) use {
    other_form::{IMPORT, OtherForm},
    role::Role,
    unfit::not_keys,
};

fn is_directory(path: &Path) -> bool {
    !name::is_standard(path) && path.is_dir()
}
