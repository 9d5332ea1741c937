#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![warn(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::unwrap_used
)]

// The layers, from the bottom up; nothing points upward. A file's first line says what it answers.

// Errors, key derivation, randomness, wiped buffers, and reading bytes of unknown origin.
mod error;
mod kdf;
mod random;
mod secret;
mod wire;

// The table of identifiers and lengths, the primitives, and the checks before every primitive.
mod check;
pub mod provider;
mod suite;

// A KEM made of two KEMs, a signature scheme made of two schemes, and how keys are called.
mod context;
mod kem;
mod key_id;
mod keyring;
mod policy;
mod sign;

// What is built on them: chunks, envelopes, sessions, key files.
mod encoding;
mod envelope;
mod schedule;
mod session;
mod stream;

// For known answers only.
#[cfg(feature = "hazmat")]
pub mod hazmat;

// The public dependencies: whoever has other versions of them needs these.
pub use rand_core;
pub use signature;
pub use zeroize;

pub use encoding::PemDocument;
pub use envelope::{BodyKey, Header, Recipient, Recipients};
pub use error::Error;
pub use kem::{
    Ciphertext, Decapsulate, DecapsulationKey, EncapsulationKey, KemSuite, SharedSecret,
};
pub use key_id::KeyId;
pub use keyring::{Directory, Keyring, RingKey, Shared, VerifyingKeyring};
pub use policy::Policy;
pub use secret::{Plaintext, PrivatePem, SecretBuffer};
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
    shared::<SecretBuffer>();
    shared::<Sender>();
    shared::<Receiver>();
    shared::<Shared<Keyring>>();
    shared::<Shared<VerifyingKeyring>>();
    shared::<Error>();
};
