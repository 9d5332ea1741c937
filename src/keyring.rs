//! Keys that many threads use and a mounted secret changes.
//!
//! A [`Keyring`] opens, a [`VerifyingKeyring`] verifies, and a [`SigningKey`] signs. Each is a plain
//! value, and that is enough for a program whose keys stay the same. A service whose keys change while
//! it runs puts each into a [`Shared`]:
//!
//! ```
//! use twinseal::{Keyring, SigningKey, VerifyingKeyring, keyring::Shared};
//!
//! # let directories = [tempfile::tempdir()?, tempfile::tempdir()?];
//! # let [keys, clients] = directories.each_ref().map(|directory| directory.path());
//! # twinseal::DecapsulationKey::generate()?.write_pem_file(keys.join("primary.pem"))?;
//! # let alice = SigningKey::generate()?;
//! # std::fs::write(clients.join("alice.pem"), alice.verifying_key().to_pem())?;
//! # let signing = clients.join("signing-key");
//! # SigningKey::generate()?.write_pem_file(&signing)?;
//! let ring: Shared<Keyring> = Shared::read_dir(keys)?;
//! let clients: Shared<VerifyingKeyring> = Shared::read_dir(clients)?; // with their names
//! let signing: Shared<SigningKey> = Shared::read_pem_file(signing)?;
//!
//! let to_this_service = ring.load().primary().clone();
//! let signature = signing.load().sign(b"example.com/releases", b"hello")?;
//! assert_eq!(clients.load().name_of(alice.verifying_key().key_id()), Some("alice"));
//! if ring.reload()? { // on a signal, by a watcher, or now and then
//!     println!("the keys have changed");
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`reload`](Shared::reload) is blocking I/O. With tokio, `twinseal::tokio::watch` calls it at
//! intervals.
//!
//! There is no ring of encapsulation keys. Nothing that arrives says to which key an answer should be
//! sealed, so there is nothing to look up, and a key file that appears in a directory would let its
//! owner read everything from then on. To seal to a list of keys, read it with
//! [`Recipients::read_pem_file`].

#[cfg(doc)]
use crate::{envelope::Recipients, sign::SigningKey};

pub(crate) mod decoy;
mod distinct;
mod halves;
#[expect(clippy::module_inception, reason = "it is named after the type in it")]
pub(crate) mod keyring;
mod merge;
mod reload;
mod ring_key;
mod shared;
mod signer;
pub(crate) mod verifying_keyring;

pub(crate) use keyring::Keyring;
pub(crate) use reload::ReadFrom;
pub use reload::{Reload, Ring};
pub(crate) use ring_key::RingKey;
pub use shared::Shared;
pub(crate) use verifying_keyring::VerifyingKeyring;
