//! Rings that many threads use and a mounted secret changes.
//!
//! A [`Keyring`] opens and a [`VerifyingKeyring`] verifies. Each is a plain value that belongs to one
//! thread at a time, and that is enough for a program whose keys stay the same. A service whose keys
//! change while it runs puts its ring into a [`Shared`]:
//!
//! ```
//! use twinseal::{Keyring, keyring::Shared};
//!
//! # let directory = tempfile::tempdir()?;
//! # let keys = directory.path();
//! # twinseal::DecapsulationKey::generate()?.write_pem_file(keys.join("primary.pem"))?;
//! let ring: Shared<Keyring> = Shared::read_dir(keys)?;
//! let to_this_service = ring.load().primary().clone();
//! if ring.reload()? { // on a signal, by a watcher, or now and then
//!     println!("the keys have changed");
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! There is no ring of encapsulation keys. Nothing that arrives says to which key an answer should be
//! sealed, so there is nothing to look up, and a key file that appears in a directory would let its
//! owner read everything from then on. To seal to a list of keys, read it with
//! [`Recipients::read_pem_file`].

#[cfg(doc)]
use crate::envelope::Recipients;

pub(crate) mod decoy;
mod distinct;
#[expect(clippy::module_inception, reason = "it is named after the type in it")]
pub(crate) mod keyring;
mod merge;
mod ring;
mod ring_key;
mod shared;
mod signer;
pub(crate) mod verifying_keyring;

pub(crate) use keyring::Keyring;
pub(crate) use ring::ReadDir;
pub use ring::Ring;
pub(crate) use ring_key::RingKey;
pub use shared::Shared;
pub(crate) use verifying_keyring::VerifyingKeyring;
