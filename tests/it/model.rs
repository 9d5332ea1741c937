//! Are models signed, read and refused as OpenSSF Model Signing 1.0 and this crate's documentation say?

mod any_bytes;
mod built;
mod changed;
mod checked;
mod directory;
pub(crate) mod drafts;
mod hasher;
mod hashing;
mod made_here;
mod other_tools;
mod ranges;
mod reference_trees;
mod refused;
mod sealed_files;
#[cfg(feature = "object_store")]
mod sealed_store;
#[cfg(unix)]
mod special_files;
mod tolerated;
mod trees;
mod trusted_keys;
mod walking;
mod while_read;
mod written;

use crate::common::others_files::OthersFiles;

fn vectors() -> Option<OthersFiles> {
    OthersFiles::given("TWINSEAL_OMS_VECTORS")
}
