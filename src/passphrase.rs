//! Private keys that are encrypted under a passphrase: PKCS#8 with PBES2, scrypt and AES-256-CBC.
//!
//! ```
//! use twinseal::SigningKey;
//!
//! let key = SigningKey::generate()?;
//! let pem = key.to_encrypted_pem("correct horse battery staple")?;
//! let same = SigningKey::from_encrypted_pem(&pem, "correct horse battery staple")?;
//! assert_eq!(same.verifying_key(), key.verifying_key());
//! # Ok::<(), twinseal::Error>(())
//! ```
//!
//! The structure is the standard one (RFC 5958 §3, RFC 8018 §6.2, RFC 7914 §7), so other software can
//! decrypt it. SPEC.md has the bytes ("Encrypted private keys").
//!
//! | key | label | what is encrypted | bytes |
//! |---|---|---|---|
//! | [`DecapsulationKey`] | `TWINSEAL ENCRYPTED KEM PRIVATE KEY` | suite, seed, key id | 50 |
//! | [`DecapsulationKey`] of suite 0x0051 | `ENCRYPTED PRIVATE KEY` | PKCS#8 with the key id | 184 |
//! | [`SigningKey`] | `ENCRYPTED PRIVATE KEY` | PKCS#8 with the key id | 151 |
//!
//! # Which passphrase
//!
//! A passphrase is a string of bytes, at least one, and is used as it is: text is UTF-8, and nothing is
//! normalised. The same accented letter can be typed as one character or as two, and is two different
//! passphrases then; use ASCII if the passphrase is typed on several systems.
//!
//! scrypt makes each guess cost 128 MiB and about 0.4 s ([`Scrypt::DEFAULT`]). That protects a passphrase
//! that is hard to guess, and does not turn an easy one into a good one: five words chosen at random are
//! good, one word with digits is not.
//!
//! # Whose key is it
//!
//! AES-CBC does not authenticate. Anyone who can write to an encrypted file can flip bits of the private key
//! in it without knowing the passphrase. So the file also holds, encrypted, the [`KeyId`](crate::KeyId) of
//! the public key. Every function that reads compares it, and reports a changed key like a wrong passphrase.
//! Files of other software may lack the id; see [`Whose`]. There is one error,
//! [`Error::Passphrase`](crate::Error::Passphrase), for everything that depends on what is encrypted.
//!
//! The id covers everything that the public key depends on. In suite 0x0051 that is not all: `z` of ML-KEM
//! replaces a secret that ML-KEM refuses, and has no part in the public key. A change of `z` in the file is
//! not noticed. The key then has another `z`, which is as random and as unknown, and opens what it did before.
//!
//! # In memory
//!
//! Keys and what is decrypted are wiped. scrypt's own memory, and the key that it derives, are not: the crates
//! that compute them do not wipe.

#![warn(clippy::indexing_slicing)] // a length that a file claims is never an index

#[cfg(doc)]
use crate::{kem::DecapsulationKey, sign::SigningKey};

mod content;
mod der;
pub(crate) mod encrypted_info;
mod import;
mod kem_keys;
mod parameters;
mod private_key;
mod scrypt;
mod signature_keys;

pub use import::Whose;
pub use private_key::PrivateKey;
pub use scrypt::Scrypt;
