//! Private keys that are encrypted under a passphrase: PKCS#8 with PBES2, scrypt and AES-256-CBC.
//!
//! ```
//! use twinseal::{SigningKey, passphrase::Scrypt};
//!
//! let key = SigningKey::generate()?;
//! # let little = Scrypt::new(1 << 4, 8, 1)?;
//! # let to_encrypted_pem = |key: &SigningKey, passphrase| key.to_encrypted_pem_with(passphrase, little);
//! # let pem = to_encrypted_pem(&key, "correct horse battery staple")?;
//! # /*
//! let pem = key.to_encrypted_pem("correct horse battery staple")?;
//! # */
//! let same = SigningKey::from_encrypted_pem(&pem, "correct horse battery staple")?;
//! assert_eq!(same.verifying_key(), key.verifying_key());
//! assert!(SigningKey::from_encrypted_pem(&pem, "correct horse").is_err());
//! # Ok::<(), twinseal::Error>(())
//! ```
//!
//! The structure is the standard one (RFC 5958 §3, RFC 8018 §6.2, RFC 7914 §7), so other software can
//! decrypt it. SPEC.md has the bytes ("Encrypted private keys").
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
//! AES-CBC authenticates nothing. Whoever can write to an encrypted file can change bits of the key in it
//! without knowing the passphrase. So the file also holds, encrypted, the [`KeyId`](crate::KeyId) of the
//! public key, and every `from_encrypted_*` compares: a changed file is refused like a wrong passphrase.
//! (Except for one part of a key of suite 0x0051: `z`, which ML-KEM puts in the place of a secret that it
//! refuses. The public key does not depend on it, so a change of `z` is not noticed. It gives another
//! random `z`, which nobody knows, and the key opens what it opened before.)
//! Files of other software may lack it; see [`Whose`].

#![warn(clippy::indexing_slicing)] // a length that a file claims is never an index

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
