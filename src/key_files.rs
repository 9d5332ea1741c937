//! Keys as PEM and DER, in files and in directories.
//!
//! Most programs only call `to_pem`, `from_pem`, `write_pem_file` and `read_pem_file` of a key or a
//! ring. This module has the types that these return, and [`PemDocument`] for files that hold keys of
//! several kinds.
//!
//! A key file is PEM (RFC 7468). Its private keys are not encrypted, except by the module `passphrase`, with
//! the feature of that name:
//!
//! | key | label | content | bytes of content |
//! |---|---|---|---|
//! | [`EncapsulationKey`] | `TWINSEAL KEM PUBLIC KEY` | suite, key | 1602 |
//! | [`DecapsulationKey`] | `TWINSEAL KEM PRIVATE KEY` | suite, seed | 34 |
//! | [`EncapsulationKey`] of suite 0x0051 | `PUBLIC KEY` | SPKI (RFC 5280), as certificates have it | 1686 |
//! | [`DecapsulationKey`] of suite 0x0051 | `PRIVATE KEY` | PKCS#8 (RFC 5958) | 149 |
//! | [`VerifyingKey`] | `PUBLIC KEY` | SPKI | 2710 |
//! | [`SigningKey`] | `PRIVATE KEY` | PKCS#8 | 115 |
//!
//! Two kinds of keys share a label: their object identifier tells them apart. What `from_pem` reads is
//! exactly what `to_pem` writes, byte for byte behind the base64.
//!
//! Other software writes more forms. `import_pem`, `import_der` and `import_bytes` of a key read those that are
//! legal, compare what is redundant in them, and return the key that `to_pem` then writes canonically (SPEC.md,
//! "Importing keys").
//!
//! A [`Keyring`] or [`VerifyingKeyring`] is one file with several such documents, or a directory with
//! one file for each key. SPEC.md has the rules of all of them ("Key files", "Keyring files").

#![warn(clippy::indexing_slicing)] // a length that a file claims is never an index

#[cfg(doc)]
use crate::{
    kem::{DecapsulationKey, EncapsulationKey},
    keyring::{Keyring, VerifyingKeyring},
    sign::{SigningKey, VerifyingKey},
};

mod algorithm;
pub(crate) mod directory;
mod experimental;
pub(crate) mod files;
pub(crate) mod import;
mod kem_keys;
mod keyrings;
pub(crate) mod pem;
mod private_der;
mod private_pem;
mod signature_keys;

pub use pem::PemDocument;
pub use private_der::PrivateDer;
pub use private_pem::PrivatePem;
