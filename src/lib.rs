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
pub mod secret;
mod wire;

// The table of identifiers and lengths, the primitives, the checks before every primitive, and
// keys that number their nonces.
mod check;
mod constants;
mod numbered_key;
pub mod provider;

// A KEM made of two KEMs, a signature scheme made of two schemes, and how keys are called.
mod context;
pub mod kem;
mod key_id;
pub mod keyring;
mod policy;
pub mod sign;

// What is built on them: chunks, envelopes, sessions, key files.
pub mod envelope;
pub mod key_files;
pub mod session;
pub mod stream;

// Which of it crosses `catch_unwind`.
mod unwind;

// For known answers only.
#[cfg(feature = "hazmat")]
pub mod hazmat;

// The public dependencies: whoever has other versions of them needs these.
pub use rand_core;
pub use signature;
pub use zeroize;

pub use envelope::Recipients;
pub use error::{Error, ExternalFailure};
pub use kem::{Decapsulate, DecapsulationKey, EncapsulationKey, KemSuite};
pub use key_id::KeyId;
pub use keyring::{Keyring, VerifyingKeyring};
pub use policy::Policy;
pub use secret::Plaintext;
pub use sign::{Sign, Signature, SignatureSuite, SigningKey, VerifyingKey};

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
    crosses::<kem::Ciphertext>();
    crosses::<Signature>();
    crosses::<envelope::Header>();
    crosses::<envelope::BodyKey>();
    crosses::<kem::SharedSecret>();
    crosses::<Plaintext>();
    crosses::<secret::SecretBuffer>();
    crosses::<key_files::PrivatePem>();
    crosses::<session::SessionSender>();
    crosses::<session::SessionReceiver>();
    crosses::<keyring::RingKey>();
    crosses::<Keyring>();
    crosses::<VerifyingKeyring>();
    crosses::<keyring::Shared<Keyring>>();
    crosses::<keyring::Shared<VerifyingKeyring>>();
    crosses::<Policy>();
    crosses::<provider::Provider>();
    crosses::<Error>();
    crosses::<ExternalFailure>();
    // With what is read or written, if that crosses.
    crosses::<envelope::Sealer>();
    crosses::<envelope::Opener>();
    crosses::<stream::SealWriter<Vec<u8>>>();
    crosses::<stream::OpenReader<&[u8]>>();
    crosses::<envelope::UnverifiedBody>();
    crosses::<envelope::Body>();
    crosses::<stream::RandomAccess<Vec<u8>>>();
    #[cfg(feature = "rayon")]
    crosses::<stream::ParallelSealWriter<Vec<u8>>>();
    #[cfg(feature = "rayon")]
    crosses::<stream::ParallelOpenReader<&[u8]>>();
};
