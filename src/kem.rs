//! The bare KEM, for protocols of your own.
//!
//! [`EncapsulationKey::encapsulate`] makes a [`Ciphertext`],
//! which is sent, and a [`SharedSecret`], which is kept; with the ciphertext,
//! [`DecapsulationKey::decapsulate`] recovers the secret.
//! To protect data, use [`seal`](EncapsulationKey::seal) or a [`session`](crate::session)
//! instead: both use the KEM as it is meant to be used.
//!
//! ```
//! use twinseal::{DecapsulationKey, KemSuite, kem::Ciphertext};
//!
//! let bob = DecapsulationKey::generate()?;
//! let (ciphertext, secret) = bob.encapsulation_key().encapsulate()?;
//! let sent = ciphertext.as_bytes();
//!
//! let received = Ciphertext::from_bytes(KemSuite::X25519_ML_KEM_1024, sent)?;
//! assert_eq!(bob.decapsulate(&received)?.as_bytes(), secret.as_bytes());
//! # Ok::<(), twinseal::Error>(())
//! ```

mod awaited_key;
pub(crate) mod ciphertext;
mod combiner;
pub(crate) mod decapsulation_key;
pub(crate) mod encapsulation_key;
pub(crate) mod external;
mod hybrid;
pub(crate) mod shared_secret;
pub(crate) mod suite;

pub use awaited_key::AwaitedKey;
pub use ciphertext::Ciphertext;
pub use shared_secret::SharedSecret;

pub(crate) use combiner::Combiner;
pub(crate) use decapsulation_key::DecapsulationKey;
pub(crate) use encapsulation_key::EncapsulationKey;
pub(crate) use external::Decapsulate;
pub(crate) use suite::KemSuite;
