//! Signed models: who made these weights, and are they whole?
//!
//! OpenSSF Model Signing (OMS) 1.0: one signature over the names and digests of all files of a model, in one file
//! beside it, the *bundle*. Other tools write and read the same bundles with ECDSA keys. This module signs with
//! ML-DSA-87 and ECDSA-P384 together, which no other tool verifies yet, and verifies its own bundles and those of
//! P-384 keys.
//!
//! ```
//! use std::fs;
//!
//! use twinseal::{SigningKey, model::{Bundle, Checking, Signing, TrustedKey}};
//!
//! # let directory = tempfile::tempdir()?;
//! # let model = directory.path().join("model");
//! # fs::create_dir(&model)?;
//! # fs::write(model.join("weights"), [7; 100_000])?;
//! let alice = SigningKey::generate()?;
//! let bundle = Signing::new().signature("model.sig").sign(&alice, &model)?; // an older bundle is not signed
//! fs::write(model.join("model.sig"), bundle.as_bytes())?;
//!
//! // Who uses the model knows Alice's public key.
//! let from_alice = [TrustedKey::from(alice.verifying_key())];
//! let bundle = Bundle::from_bytes(fs::read(model.join("model.sig"))?)?;
//! let manifest = bundle.verify(&from_alice)?;
//! let report = Checking::new().signature("model.sig").check(&manifest, &model)?;
//! println!("{report}"); // what is not as signed, and what nobody signed
//! report.result()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A bundle says who signed which bytes under which names. It does not say that there is no newer model, that the
//! signer still stands by it, or what the model does.
//!
//! # Which type when
//!
//! | you have | use |
//! |---|---|
//! | a directory or file to sign | [`Signing`]; with [`Method::Shards`], a part can be verified without the rest |
//! | files that you write or seal anyway | [`ManifestBuilder`], with a [`Hashing`] writer beside yours, or a [`FileHasher`]; `PayloadHasher` for object stores |
//! | a bundle | [`Bundle::verify`], which returns a [`Manifest`] |
//! | a directory to compare with a manifest | [`Checking`], which returns a [`Report`] |
//! | one file, or a part of one, that is about to be used | [`Manifest::file`], then [`SignedFile::read_range`] or another of its methods |
//!
//! Signing and checking read whole models: call them from `spawn_blocking` in asynchronous code. Functions that read
//! files return [`io::Error`](std::io::Error), of which [`Error::inside`](crate::Error::inside) has the reason.
//!
//! On Unix, files are opened relative to open directories, so no link that takes the place of a directory leads elsewhere.
//! A single file needs the right to search its parent directory; on Unix other than Linux and Android, also that to list
//! it. On Windows, entries are looked at and then opened by their paths, and whoever can put a link between the two can
//! lead elsewhere.

mod builder;
mod bundle;
mod checking;
mod claim;
mod claimed_key;
mod contents;
mod directory;
mod envelope;
mod file_digest;
mod hash_files;
mod hasher;
mod hashing;
mod ignored;
mod json;
mod manifest;
mod names;
#[cfg(feature = "object_store")]
mod payload_hasher;
mod progress;
mod report;
mod signed_file;
mod signing;
mod statement;
mod trusted_key;
mod walk;

pub use builder::ManifestBuilder;
pub use bundle::Bundle;
pub use checking::Checking;
pub use claim::Claim;
pub use contents::Method;
pub use file_digest::{FileDigest, Shard};
pub use hasher::FileHasher;
pub use hashing::Hashing;
pub use manifest::Manifest;
#[cfg(feature = "object_store")]
pub use payload_hasher::PayloadHasher;
pub use progress::Progress;
pub use report::{Finding, IgnoredBy, Report, Unreadable};
pub use signed_file::SignedFile;
pub use signing::Signing;
pub use trusted_key::TrustedKey;
