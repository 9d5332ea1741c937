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

// Which of it crosses `catch_unwind`.
mod unwind;

// For known answers only.
#[cfg(feature = "hazmat")]
pub mod hazmat;

// The public dependencies: whoever has other versions of them needs these.
pub use rand_core;
pub use signature;
pub use zeroize;

pub use encoding::PemDocument;
pub use envelope::{BodyKey, Header, Recipient, Recipients};
pub use error::{Error, ExternalFailure};
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

/// Keys are shared between threads, errors travel anywhere, and all of it crosses `catch_unwind`.
const _: () = {
    use std::panic::{RefUnwindSafe, UnwindSafe};

    const fn shared<T: Send + Sync + 'static>() {}
    shared::<Box<dyn Decapsulate>>();
    shared::<Box<dyn Sign>>();

    const fn crosses<T: Send + Sync + UnwindSafe + RefUnwindSafe + 'static>() {}
    crosses::<EncapsulationKey>();
    crosses::<DecapsulationKey>();
    crosses::<SigningKey>();
    crosses::<VerifyingKey>();
    crosses::<Recipients>();
    crosses::<Ciphertext>();
    crosses::<Signature>();
    crosses::<Header>();
    crosses::<BodyKey>();
    crosses::<SharedSecret>();
    crosses::<Plaintext>();
    crosses::<SecretBuffer>();
    crosses::<PrivatePem>();
    crosses::<Sender>();
    crosses::<Receiver>();
    crosses::<RingKey>();
    crosses::<Keyring>();
    crosses::<VerifyingKeyring>();
    crosses::<Shared<Keyring>>();
    crosses::<Shared<VerifyingKeyring>>();
    crosses::<Policy>();
    crosses::<provider::Provider>();
    crosses::<Error>();
    crosses::<ExternalFailure>();
    // With what is read or written, if that crosses.
    crosses::<Sealer>();
    crosses::<Opener>();
    crosses::<SealWriter<Vec<u8>>>();
    crosses::<OpenReader<&[u8]>>();
    crosses::<LastChunk>();
    crosses::<Body>();
    crosses::<RandomAccess<Vec<u8>>>();
    #[cfg(feature = "rayon")]
    crosses::<ParallelSealWriter<Vec<u8>>>();
    #[cfg(feature = "rayon")]
    crosses::<ParallelOpenReader<&[u8]>>();
};
