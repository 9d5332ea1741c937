//! Are models signed, read and refused as OpenSSF Model Signing 1.0 and this crate's documentation say?

mod built;
mod checked;
mod directory;
mod hasher;
mod hashing;
mod ranges;
mod reference_trees;
mod sealed_files;
#[cfg(feature = "object_store")]
mod sealed_store;
#[cfg(unix)]
mod special_files;
mod trees;
mod walking;
mod while_read;
