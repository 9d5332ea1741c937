//! Does the library keep what its documents promise? A module for each question, in the order of
//! `src/lib.rs`. README.md beside this directory says which module proves which promise.

#[path = "../common/mod.rs"]
mod common;

// The crate as a whole: its layers, what it exports, what does not compile, and which test proves what.
mod documents;
mod layers;
mod misuse;
mod public_dependencies;

// Errors, randomness, and bytes of unknown origin.
mod debug;
#[cfg(all(
    feature = "hazmat",
    feature = "model-signing",
    feature = "object_store",
    feature = "passphrase",
    feature = "x509"
))]
mod fuzzing;
mod generators;
mod input;
mod redaction;
mod std_traits;
#[cfg(feature = "hazmat")]
mod tamper;

// The primitives, from each provider.
#[cfg(feature = "hazmat")]
mod providers;
#[cfg(feature = "hazmat")]
mod wycheproof;

// KEMs, signatures and keys.
mod external_keys;
#[cfg(all(feature = "experimental-falcon", feature = "hazmat"))]
mod falcon;
#[cfg(feature = "hazmat")]
mod hpke_pq;
#[cfg(feature = "tracing")]
mod key_events;
mod keyring;
#[cfg(feature = "hazmat")]
mod lamps;
#[cfg(feature = "x509")]
mod pkix;
#[cfg(unix)]
mod ring_files;
#[cfg(feature = "hazmat")]
mod sign;
mod split;

// Envelopes, streams, sessions, requests and key files.
mod async_io;
mod awaited;
mod headers;
mod import;
mod key_files;
#[cfg(feature = "model-signing")]
mod model;
#[cfg(feature = "passphrase")]
mod passphrase;
mod request;
#[cfg(feature = "hazmat")]
mod rewrap;
#[cfg(feature = "hazmat")]
mod session;
#[cfg(feature = "object_store")]
mod store;
#[cfg(all(feature = "hazmat", feature = "rayon"))]
mod stream;
#[cfg(feature = "x509")]
mod x509;

// Asynchronous readers and writers.
#[cfg(feature = "tokio")]
mod tokio;

// Public values in the formats of others.
#[cfg(feature = "serde")]
mod serde;

// The formats, byte by byte.
#[cfg(feature = "hazmat")]
mod spec;
#[cfg(feature = "hazmat")]
mod testkit;

// The options of the benches.
mod bench_options;
