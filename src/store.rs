//! Any object store, sealed.

mod copy;
mod delete;
mod failure;
mod get;
mod id;
mod implementation;
mod keys;
mod list;
mod multipart;
mod object;
mod offload;
mod owner;
mod paths;
mod pieces;
mod pin;
mod put;
mod read;
mod reader;
mod sealed_store;
mod sealing;
mod state;

pub use id::StoreId;
pub use owner::{Fate, Owner, Reseal, Resealed, Retirement};
pub use pin::Pin;
pub use reader::Reader;
pub use sealed_store::{Options, SealedStore};
