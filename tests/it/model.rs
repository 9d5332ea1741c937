//! Are models signed, read and refused as OpenSSF Model Signing 1.0 and this crate's documentation say?

mod checked;
mod directory;
mod reference_trees;
#[cfg(unix)]
mod special_files;
mod trees;
mod walking;
mod while_read;
