//! Halves of hybrid keys in PKCS#11 tokens: an HSM, a smart card, or a token in software.
//!
//! A [`Module`] is loaded from a file and has tokens. A [`Token`] generates keys, or imports those that were in
//! memory, and then the private half never leaves it. [`EcdhP384`], [`MlKem1024`], [`EcdsaP384`] and [`MlDsa87`]
//! are such keys as halves: they implement [`Decapsulator`] and [`SchemeSigner`], so that two of them, from tokens
//! of two makers, make one key of this crate. They can be used by several threads at once.
//!
//! [`Decapsulator`]: twinseal::provider::Decapsulator
//! [`SchemeSigner`]: twinseal::provider::SchemeSigner

mod algorithm;
mod confinement;
mod failure;
mod halves;
mod key;
mod module;
mod pin;
mod store;
mod token;
mod uri;

pub use algorithm::Algorithm;
pub use failure::{Failure, Fault};
pub use halves::{EcdhP384, EcdsaP384, MlDsa87, MlKem1024};
pub use key::{KeyName, TokenKey};
pub use module::Module;
pub use pin::Pin;
pub use store::NewKey;
pub use token::{Token, TokenName};
pub use uri::{Uri, UriError};
