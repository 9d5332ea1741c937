//! Keys in every form that other software legally writes.

mod ec_private_key;
mod form;
mod point;
mod private_halves;
pub(crate) mod private_info;
mod private_keys;
mod public_keys;
