#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![warn(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::unwrap_used
)]

// The layers, from the bottom up; nothing points upward.

mod error;
mod kdf; // HKDF
mod random; // where random bytes come from
mod secret;
mod wire; // reads fields of known length // buffers that are wiped

mod check;
pub mod provider; // the primitives behind traits
mod suite; // every identifier, label and length // public values, before every provider

mod context; // what a key, message or file is for
mod kem; // hybrid key encapsulation
mod key_id; // the short name of a public key
mod sign; // composite signatures

mod encoding;
mod envelope; // sealing for recipients
mod schedule; // keys with their nonces
mod session; // many messages after one key exchange
mod stream; // the body of an envelope // key files

#[cfg(feature = "hazmat")]
pub mod hazmat; // for known answers only

pub use envelope::{BodyKey, Header, Recipient, Recipients};
pub use error::Error;
pub use kem::{
    Ciphertext, Decapsulate, DecapsulationKey, EncapsulationKey, KemSuite, SharedSecret,
};
pub use key_id::KeyId;
pub use secret::{Plaintext, PrivatePem};
pub use session::{Detached, FromSigner, MessageKind, Receiver, Sender, SignedBy};
pub use sign::{Sign, Signature, SignatureSuite, SigningKey, VerifyingKey, WithoutContext};
pub use stream::{
    Body, LastChunk, OpenReader, Opener, Plan, PlannedChunk, RandomAccess, ReadAt, SealWriter,
    Sealer,
};
#[cfg(feature = "rayon")]
pub use stream::{ParallelOpenReader, ParallelSealWriter};

/// Keys are shared between threads, errors travel anywhere.
const _: () = {
    const fn shared<T: Send + Sync + 'static>() {}
    shared::<EncapsulationKey>();
    shared::<DecapsulationKey>();
    shared::<SigningKey>();
    shared::<VerifyingKey>();
    shared::<Recipients>();
    shared::<Header>();
    shared::<BodyKey>();
    shared::<Box<dyn Decapsulate>>();
    shared::<Box<dyn Sign>>();
    shared::<SharedSecret>();
    shared::<Plaintext>();
    shared::<Sender>();
    shared::<Receiver>();
    shared::<Error>();
};
