//! Keys in every form that other software legally writes.

mod ec_private_key;
mod form;
pub(crate) mod point;
mod private_halves;
pub(crate) mod private_info;
mod private_keys;
mod public_keys;

use super::algorithm::NOT_CANONICAL;
use crate::error::Error;

/// The error of a function that reads only the canonical form, after `import` tried the others: a good key in
/// another form is called that.
pub(super) fn or_other_form<Key>(
    what: &'static str,
    error: Error,
    imported: &Result<Key, Error>,
) -> Error {
    match imported {
        Ok(_) => Error::Invalid { what, reason: NOT_CANONICAL },
        Err(seedless @ Error::Invalid { reason, .. })
            if private_halves::is_without_seed(reason) =>
        {
            seedless.clone()
        }
        Err(_) => error,
    }
}
