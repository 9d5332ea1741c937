//! Hybrid post-quantum cryptography for services that move data around: gradients, model checkpoints, inference
//! requests and responses. Every key exchange joins X25519 (or P-384) with ML-KEM-1024, every signature joins
//! ECDSA-P384 with ML-DSA-87, and an attacker must break both halves. AES-256-GCM encrypts and authenticates what is
//! sealed.
//!
//! # Ten minutes
//!
//! ```
//! use std::io;
//! use twinseal::{DecapsulationKey, Keyring, SigningKey, request::WindowGuard};
//!
//! // What the data is for. Data sealed or signed for one purpose is refused for another.
//! const CTX: &[u8] = b"example.com/checkpoints/v1";
//! # let checkpoint = vec![7; 2_000_000];
//!
//! let bob = DecapsulationKey::generate()?; // keep it: bob.write_pem_file(path)
//! let to_bob = bob.encapsulation_key(); // publish it: to_bob.to_pem()
//!
//! // One message.
//! let sealed = to_bob.seal(CTX, b"hello")?;
//! assert_eq!(&bob.open(CTX, &sealed)?[..], b"hello");
//!
//! // A stream of any length, in constant memory, and any part of it. Here it goes to a vector.
//! let mut writer = to_bob.seal_writer(CTX, Vec::new())?;
//! io::copy(&mut &checkpoint[..], &mut writer)?;
//! let model = writer.finish()?; // without it the envelope does not open
//! let mut tensor = vec![0; 4096];
//! bob.open_at(CTX, &model)?.read_exact_at(&mut tensor, 1_000_000)?;
//!
//! // A signature: both halves must verify.
//! let alice = SigningKey::generate()?;
//! let signature = alice.sign(CTX, b"hello")?;
//! alice.verifying_key().verify(CTX, b"hello", &signature)?;
//!
//! // Many messages after one key exchange, from a known sender.
//! let (hello, mut tx) = to_bob.signed_by(&alice).sender(CTX)?;
//! let mut rx = bob.accepting(alice.verifying_key()).receiver(CTX, &hello)?;
//! assert_eq!(&rx.open(&tx.seal(b"layer 1")?)?[..], b"layer 1");
//! assert_eq!(&rx.open(&tx.finish(b"layer 2")?)?[..], b"layer 2");
//! assert!(rx.is_finished()); // nothing was cut off
//!
//! // One question and its answer, from a known sender to one recipient.
//! let guard = WindowGuard::for_new_keys(); // a service that reads its keys uses `new`
//! let (request, pending) = to_bob.signed_by(&alice).request(CTX, b"a picture")?;
//! let from_alice = bob.accepting(alice.verifying_key());
//! let (picture, asked) = from_alice.accept(CTX, &request, &guard)?;
//! let answer = asked.answer(b"a cat")?; // costs no public-key operation
//! assert_eq!(&pending.open(&answer)?[..], b"a cat");
//!
//! // Rotation: what was sealed to the old key still opens.
//! let mut ring = Keyring::new(bob);
//! ring.rotate(DecapsulationKey::generate()?)?;
//! assert_eq!(&ring.open(CTX, &sealed)?[..], b"hello");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Which function when
//!
//! | you have | use |
//! |---|---|
//! | a message in memory | [`seal`](EncapsulationKey::seal), [`open`](DecapsulationKey::open) |
//! | a file or stream of any length | [`seal_writer`](EncapsulationKey::seal_writer), [`open_reader`](DecapsulationKey::open_reader) |
//! | a sealed file of which you need parts | [`open_at`](DecapsulationKey::open_at) |
//! | several recipients | [`Recipients`], with the same functions |
//! | sealed data for new keys | [`rewrap`](DecapsulationKey::rewrap): a new header, the same body |
//! | a question, to be answered | [`request`](EncapsulationKey::request), [`accept`](DecapsulationKey::accept), signed with [`signed_by`](EncapsulationKey::signed_by), [`accepting`](DecapsulationKey::accepting); [`Asked`](request::Asked) answers |
//! | many messages in a row to one receiver | a session: [`sender`](EncapsulationKey::sender), [`receiver`](DecapsulationKey::receiver), signed with [`signed_by`](EncapsulationKey::signed_by), [`accepting`](DecapsulationKey::accepting) |
//! | a model, or another directory, whose origin must be proved | `model::Signing`, `model::Checking`; `model::Hashing` while it is sealed; [`model`][model module], with the feature `model-signing` |
//! | data whose origin must be proved later | [`sign`](SigningKey::sign), [`sign_reader`](SigningKey::sign_reader), before sealing |
//! | keys that change | [`Keyring`], [`VerifyingKeyring`], [`SigningKey`]; [`keyring::Shared`] for many threads, or mounted files |
//! | key files under a passphrase | `to_encrypted_pem`, `from_encrypted_pem`; the module `passphrase`, with the feature of that name |
//! | a certificate instead of a public key | `TrustAnchors::verifying_key`, `encapsulation_key`; [`x509`][x509 module], with the feature of that name |
//! | keys in an HSM or KMS | [`split`]: a half here, a half there; the traits [`Decapsulate`] and [`Sign`], for which [`Unlock`] has the same functions |
//! | an asynchronous program | [`tokio`][tokio module], a module with the feature of that name |
//! | an object store | `SealedStore`, in [`store`][store module]: any `ObjectStore`, sealed; with the feature `object_store` |
//! | I/O of your own | [`envelope`], [`request`]: the same without I/O |
//!
//! # Envelope, request, session or signature
//!
//! | | for | the sentence that decides |
//! |---|---|---|
//! | envelope | data at rest | whoever has the key can open it at any time, and it does not say who made it |
//! | [request] | one question and its answer | the signer asked this recipient, about now, and is let in once |
//! | [session] | many messages, while both ends run | the signer sent each message, and in this order; one key exchange for all |
//! | [signature](SigningKey::sign) | proof for anybody, for years | the signer stands by these bytes, whoever holds them |
//!
//! Only a signature convinces third parties. An unsigned request or session comes from anybody.
//!
//! # Words
//!
//! | | |
//! |---|---|
//! | context | 1 to 255 bytes that say what data is for. Both sides know it, and it is not sent. Data opens and verifies only with the context with which it was made |
//! | half | one of the two algorithms of a hybrid, or its part of a key |
//! | suite | two algorithms and how they are joined: [`KemSuite`], [`SignatureSuite`]. Every file and message names its suite by a number |
//! | key id | 16 bytes that name a public key, from a hash over it; 32 hexadecimal digits in logs. [`KeyId`] |
//! | keyring | the keys of a service: the primary one, and older ones that still open, [`Keyring`]; or the signers that it knows, [`VerifyingKeyring`] |
//! | envelope | what `seal` returns: a header, with a key for each recipient, and the encrypted body |
//! | hello | the first bytes of a session, with its key exchange and, if it is signed, the signature |
//! | provider | who wrote the primitives: RustCrypto, AWS-LC, graviola, libcrux. It changes speed, never bytes. [`provider`] |
//!
//! # Modules
//!
//! The root has what a service uses every day. The modules have the rest:
//!
//! | module | you need it for |
//! |---|---|
//! | [`stream`] | files and streams, in constant memory |
//! | [`request`] | one question and its answer; guards against replays |
//! | [`session`] | many messages after one key exchange |
//! | [`keyring`] | keys that many threads use and that a mounted secret changes |
//! | [`key_files`] | PEM and DER, and files that hold keys of several kinds |
//! | [`model`][model module] | signed models: OpenSSF Model Signing for directories; feature `model-signing` |
//! | `passphrase` | private keys that are encrypted under a passphrase; feature `passphrase` |
//! | [`envelope`] | an envelope in parts, without I/O; most programs never need it |
//! | [`kem`] | the bare KEM, for protocols of your own |
//! | [`sign`] | the traits of the `signature` crate |
//! | [`split`] | keys whose halves are in HSMs or KMSs, and what those must offer |
//! | [`x509`][x509 module] | keys out of certificates, and chains of certificates; feature `x509` |
//! | [`secret`] | buffers that are wiped when they are dropped |
//! | [`provider`] | another implementation of the primitives, or the one of another crate feature |
//! | [`tokio`][tokio module] | asynchronous readers and writers, and keys that are reloaded while a service runs; feature `tokio` |
//! | [`store`][store module] | any object store, sealed for readers whom its owner names; feature `object_store` |
//! | [`tracing`][tracing module] | an event for each use of a private key; feature `tracing` |
//! | `hazmat` | known answers, in tests; feature `hazmat` |
//!
//! A method is in the module of its verb: `EncapsulationKey::seal` is documented here and written in `envelope`.
//!
//! # Features
//!
//! None is on by default, and none changes a byte. `aws-lc-rs` (C and assembly) makes most operations three to six
//! times as fast. `graviola` and `libcrux` together do nearly the same without a C compiler. `rayon` adds
//! `.parallel()`, which uses all cores, and `tokio` adds asynchronous readers and writers. `passphrase` adds encrypted
//! private keys, `x509` keys from certificates, `object_store` sealed object stores, `model-signing` signed models, and
//! `tracing` an event for each use of a private key. `serde` adds its traits for public keys, ciphertexts, signatures
//! and key ids: the suite and the bytes, in base64 in text formats, checked when they are read. Private keys have none.
//! [`provider`] describes `aws-lc-rs`, `graviola`, `libcrux` and `pqclean`. `experimental-falcon` adds a signature suite
//! outside the promises below. `hazmat` is for known answers, and `cli` only for `cargo install`. A debug build needs
//! optimised dependencies: `[profile.dev.package."*"]` with `opt-level = 3`.
//!
//! # Promises and limits
//!
//! - Load a key once, share it in an [`Arc`](std::sync::Arc), and use it from any thread. The longest operations take
//!   one or two milliseconds, so asynchronous code can call them directly; use `spawn_blocking` for messages of
//!   more than a few MiB and for models. Threads with less stack than Rust's own 2 MiB: see [docs/stack.md].
//! - No input makes a function panic, and in memory it is all or nothing. A reader returns only what it authenticated,
//!   and reports the end of the data only if nothing was cut off.
//! - [`Error::kind`] says whether received data is malformed, unauthenticated, refused or for another recipient, or the
//!   error is this side's own; [`ErrorKind`] names the HTTP status of each.
//! - Secrets are wiped when they are dropped, and no error or `Debug` shows one. What primitives leave on the stack is
//!   not covered.
//! - There is no forward secrecy against theft of a private key, and lengths are visible. A guard refuses repeated
//!   requests; repeated sessions and envelopes are yours to detect.
//! - Formats are specified byte by byte in [SPEC.md] and frozen: what 0.2.0 writes, every later version opens. Only the
//!   experimental suite is outside this promise.
//! - The crate has not been audited. [SECURITY.md] has the threat model.
//!
//! [model module]: https://docs.rs/twinseal/latest/twinseal/model/index.html
//! [store module]: https://docs.rs/twinseal/latest/twinseal/store/index.html
//! [tokio module]: https://docs.rs/twinseal/latest/twinseal/tokio/index.html
//! [tracing module]: https://docs.rs/twinseal/latest/twinseal/tracing/index.html
//! [x509 module]: https://docs.rs/twinseal/latest/twinseal/x509/index.html
//! [docs/stack.md]: https://docs.rs/crate/twinseal/latest/source/docs/stack.md
//! [SPEC.md]: https://docs.rs/crate/twinseal/latest/source/SPEC.md
//! [SECURITY.md]: https://docs.rs/crate/twinseal/latest/source/SECURITY.md
#![cfg_attr(docsrs, feature(doc_cfg))]
#![warn(clippy::panic, clippy::print_stderr, clippy::print_stdout, clippy::unwrap_used)]

// The layers, from the bottom up; nothing points upward. A file's first line says what it answers.

// Errors, contexts, key derivation, randomness, calls of readers and writers, wiped buffers, bytes of
// unknown origin, and characters that are seen.
mod context;
mod error;
mod half;
mod kdf;
mod plaintext;
mod random;
mod retry;
pub mod secret;
mod visible;
mod wire;

// The table of identifiers and lengths, the primitives, the checks before every primitive, and
// keys that number their nonces.
mod check;
mod constants;
mod ec_private_key;
mod numbered_key;
pub mod provider;

// A KEM made of two KEMs, a signature scheme made of two schemes, and how keys are called.
mod addressee;
pub mod kem;
mod key_id;
pub mod keyring;
mod parties;
mod policy;
pub mod sign;
pub mod split;
#[cfg(feature = "tracing")]
pub mod tracing;
#[cfg(not(feature = "tracing"))]
#[path = "tracing/off.rs"]
mod tracing;

// Built on them: chunks, envelopes, sessions, key files, and one name for the keys that open them.
pub mod envelope;
pub mod key_files;
#[cfg(feature = "model-signing")]
pub mod model;
pub mod request;
pub mod session;
#[cfg(feature = "object_store")]
pub mod store;
pub mod stream;
mod unlock;
#[cfg(feature = "x509")]
pub mod x509;

// Key files under a passphrase.
#[cfg(feature = "passphrase")]
pub mod passphrase;

// The same for asynchronous code.
#[cfg(feature = "tokio")]
pub mod tokio;

// Which of it crosses `catch_unwind`.
mod unwind;

// Public values in other formats.
#[cfg(feature = "serde")]
mod serde;

// For known answers only.
#[cfg(feature = "hazmat")]
pub mod hazmat;

// The public dependencies, for callers that have other versions of them.
#[cfg(feature = "object_store")]
pub use object_store;
pub use rand_core;
pub use signature;
pub use zeroize;

pub use envelope::recipients::Recipients;
pub use error::{
    CertificateRefusal, Error, ErrorKind, ExternalFailure, ModelRefusal, ReplayRefusal,
    StoreRefusal,
};
pub use kem::{
    decapsulation_key::DecapsulationKey, encapsulation_key::EncapsulationKey,
    external::Decapsulate, suite::KemSuite,
};
pub use key_id::KeyId;
pub use keyring::{keyring::Keyring, verifying_keyring::VerifyingKeyring};
pub use parties::{Accepting, SignedBy};
pub use plaintext::Plaintext;
pub use policy::Policy;
pub use sign::{
    external::Sign, signature::Signature, signing_key::SigningKey, suite::SignatureSuite,
    verifying_key::VerifyingKey,
};
pub use unlock::Unlock;

/// Keys are shared between threads, errors travel anywhere, and all of it crosses `catch_unwind`.
const _: () = {
    use std::panic::{RefUnwindSafe, UnwindSafe};

    const fn shared<T: Send + Sync + 'static>() {}
    shared::<Box<dyn Decapsulate>>();
    shared::<Box<dyn Sign>>();
    shared::<Box<dyn request::ReplayGuard>>();

    const fn crosses<T: Send + Sync + UnwindSafe + RefUnwindSafe + 'static>() {}
    crosses::<EncapsulationKey>();
    crosses::<DecapsulationKey>();
    crosses::<split::HalfKey<dyn provider::Decapsulator>>();
    crosses::<split::HalfKey<dyn provider::SchemeSigner>>();
    crosses::<split::SplitDecapsulationKey>();
    crosses::<split::SplitSigningKey>();
    crosses::<sign::ToBeSigned>();
    crosses::<SigningKey>();
    crosses::<VerifyingKey>();
    crosses::<Recipients>();
    crosses::<kem::Ciphertext>();
    crosses::<Signature>();
    crosses::<sign::ExpandedSigningKey>();
    crosses::<envelope::Header>();
    crosses::<envelope::BodyKey>();
    crosses::<kem::SharedSecret>();
    crosses::<kem::AwaitedKey>();
    crosses::<Plaintext>();
    crosses::<secret::SecretBuffer>();
    crosses::<secret::PageBuffer>();
    crosses::<key_files::PrivateDer>();
    crosses::<key_files::PrivatePem>();
    #[cfg(feature = "passphrase")]
    crosses::<passphrase::PrivateKey>();
    #[cfg(feature = "x509")]
    crosses::<x509::Certificate>();
    #[cfg(feature = "x509")]
    crosses::<x509::TrustAnchors>();
    crosses::<session::PreparedSender>();
    crosses::<session::SessionSender>();
    crosses::<session::SessionReceiver>();
    crosses::<request::PreparedRequest>();
    crosses::<request::RequestHead>();
    crosses::<request::UnlockedRequest>();
    crosses::<request::RequestOpener>();
    crosses::<request::Asked>();
    crosses::<request::Pending>();
    crosses::<request::PieceSealer>();
    crosses::<request::PieceOpener>();
    crosses::<Keyring>();
    crosses::<VerifyingKeyring>();
    crosses::<keyring::Shared<Keyring>>();
    crosses::<keyring::Shared<VerifyingKeyring>>();
    crosses::<keyring::Shared<SigningKey>>();
    crosses::<request::WindowGuard>();
    crosses::<request::Mark>();
    crosses::<Policy>();
    crosses::<provider::Provider>();
    crosses::<Error>();
    crosses::<ExternalFailure>();
    // With what is read or written, if that crosses.
    crosses::<envelope::Sealer>();
    crosses::<envelope::Opener>();
    crosses::<stream::SealWriter<Vec<u8>>>();
    crosses::<stream::OpenReader<&[u8]>>();
    crosses::<request::RequestWriter<Vec<u8>>>();
    crosses::<request::RequestReader<&[u8]>>();
    crosses::<request::PieceWriter<Vec<u8>>>();
    crosses::<request::PieceReader<&[u8]>>();
    crosses::<session::FramedSender<Vec<u8>>>();
    crosses::<session::FramedReceiver<&[u8]>>();
    #[cfg(feature = "tokio")]
    crosses::<tokio::FramedSender<Vec<u8>>>();
    #[cfg(feature = "tokio")]
    crosses::<tokio::FramedReceiver<&[u8]>>();
    crosses::<envelope::UnverifiedBody>();
    crosses::<envelope::Body>();
    crosses::<stream::RandomAccess<Vec<u8>>>();
    #[cfg(feature = "tokio")]
    crosses::<tokio::SealWriter<Vec<u8>>>();
    #[cfg(feature = "tokio")]
    crosses::<tokio::OpenReader<&[u8]>>();
    #[cfg(feature = "tokio")]
    crosses::<tokio::RequestReader<&[u8]>>();
    #[cfg(feature = "tokio")]
    crosses::<tokio::PieceWriter<Vec<u8>>>();
    #[cfg(feature = "tokio")]
    crosses::<tokio::PieceReader<&[u8]>>();
    #[cfg(feature = "tokio")]
    crosses::<tokio::SealedPieces<u8>>();
    #[cfg(feature = "model-signing")]
    crosses::<model::FileHasher>();
    #[cfg(feature = "model-signing")]
    crosses::<model::Hashing<Vec<u8>>>();
    #[cfg(feature = "model-signing")]
    crosses::<model::ManifestBuilder>();
    #[cfg(feature = "model-signing")]
    crosses::<model::Manifest>();
    #[cfg(feature = "model-signing")]
    crosses::<model::Shard>();
    #[cfg(all(feature = "model-signing", feature = "object_store"))]
    shared::<model::PayloadHasher>();
    #[cfg(feature = "rayon")]
    crosses::<stream::ParallelSealWriter<Vec<u8>>>();
    #[cfg(feature = "rayon")]
    crosses::<stream::ParallelOpenReader<&[u8]>>();
};

/// The Rust code in the README compiles.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
