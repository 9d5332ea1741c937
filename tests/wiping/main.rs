//! Is every secret wiped before its memory is given back? An allocator looks into each freed block.
//!
//! Shown for Rust's heap, for the keys of every provider that is compiled in. What C code allocates
//! itself is not seen: AWS-LC's keys are there, PQClean's are in boxes of ours. Copies that a primitive
//! leaves on its stack are best effort.

#![allow(unsafe_code, reason = "an allocator is unsafe to implement, and src/ stays without")]

#[path = "../common/mod.rs"]
mod common;

mod allocator;
#[cfg(feature = "hazmat")]
mod cases;
#[cfg(feature = "hazmat")]
mod dead_frames;
#[cfg(feature = "hazmat")]
mod envelopes;
#[cfg(feature = "hazmat")]
mod imports;
#[cfg(feature = "hazmat")]
mod key_files;
#[cfg(feature = "hazmat")]
mod keys;
#[cfg(feature = "model-signing")]
mod models;
#[cfg(all(feature = "hazmat", feature = "passphrase"))]
mod passphrases;
#[cfg(feature = "hazmat")]
mod requests;
mod secret_buffer;
#[cfg(feature = "hazmat")]
mod sessions;
#[cfg(feature = "hazmat")]
mod soundness;
#[cfg(feature = "hazmat")]
mod split_keys;

#[global_allocator]
static ALLOCATOR: allocator::Watching = allocator::Watching;
