//! Signatures for software that knows the `signature` crate and no contexts.
//!
//! Programs of your own sign with [`SigningKey`] and a context, and never need
//! this module. It also has [`ExpandedSigningKey`], for keys of other software that have lost their seed.
//!
//! ```
//! use twinseal::{Signature, SigningKey, signature::{Signer, Verifier}};
//!
//! fn certify(issuer: &impl Signer<Signature>, request: &[u8]) -> Signature {
//!     issuer.sign(request)
//! }
//!
//! let key = SigningKey::generate()?;
//! let signature = certify(&key.without_context(), b"a request");
//! key.verifying_key().without_context().verify(b"a request", &signature)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod composite;
mod ecdsa;
mod expanded_signing_key;
pub(crate) mod external;
mod prehash;
pub(crate) mod signature;
pub(crate) mod signing_key;
pub(crate) mod suite;
mod to_be_signed;
pub(crate) mod verifying_key;
mod without_context;

pub use expanded_signing_key::ExpandedSigningKey;
pub use to_be_signed::{EcdsaSignature, ToBeSigned};
pub use without_context::WithoutContext;

#[cfg(any(feature = "hazmat", feature = "model-signing"))]
pub(crate) use ecdsa::DerEcdsa;
pub(crate) use external::{Sign, sign_checked};
pub(crate) use prehash::{hash_reader, prehash};
pub(crate) use signature::Signature;
pub(crate) use signing_key::SigningKey;
pub(crate) use suite::SignatureSuite;
#[cfg(feature = "hazmat")]
pub(crate) use to_be_signed::external_mu;
pub(crate) use verifying_key::VerifyingKey;
