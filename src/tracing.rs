//! One event for each use of a private key.
//!
//! With the feature `tracing`, the crate reports to the [`tracing`](https://docs.rs/tracing) subscriber of the
//! program which private key was used, for what, how long it took, and how it failed. A custodian counts uses by
//! key id, and a service sees how long its HSM takes. Nothing else is reported, and no secret is: no message and no
//! context, no ciphertext, signature or shared secret.
//!
//! The target is [`TARGET`], `twinseal::key`. A use that succeeded is at level DEBUG: it is what a service does all
//! day, and who wants to see each asks for the target (`twinseal::key=debug`). One that failed is at WARN.
//!
//! | field | type | |
//! |---|---|---|
//! | `key_id` | text | the [`KeyId`] of the public key, in 32 hexadecimal digits |
//! | `suite` | text | the name of its suite |
//! | `operation` | text | `decapsulate`, `sign`, or `check` for the method of this name of [split keys](crate::split) |
//! | `duration_us` | integer | how long the key took, in microseconds |
//! | `post_quantum_us`, `traditional_us` | integer | the same for each half of a split key |
//! | `error` | text | at WARN: the error and its sources, as in "the external key failed: the token is locked" |
//!
//! A field that does not apply is missing. Halves that were awaited elsewhere have no durations:
//! [`SharedSecret::combine`](crate::kem::SharedSecret::combine) and
//! [`ToBeSigned::join`](crate::sign::ToBeSigned::join) report that a key was used, when its halves' answers have
//! arrived. The text of an external error is an adapter's own, so adapters keep secrets out of it.
//!
//! A half that disliked a ciphertext is no failure here, as it is none to the caller.
//!
//! # Which calls are reported
//!
//! Each call that uses a key is reported once: of this crate's keys in memory and of split keys, whoever calls them;
//! of other implementations of [`Decapsulate`](crate::Decapsulate) and [`Sign`](crate::Sign) when this crate calls
//! them, as in `open`, `receiver`, `accept`, [`Sign::sign`](crate::Sign::sign) and `signed_by`. If an implementation
//! calls a key of the same id on the same thread, as one in memory that it wraps, that is the same use. If it asks
//! another thread or process, the key there reports for itself. An event belongs to the span that the caller is in.
//!
//! Not reported: the trials of `into_halves` and of importing an expanded key, and the functions of `hazmat`.
//!
//! # Counting
//!
//! ```
//! use std::{collections::BTreeMap, fmt, sync::{Arc, Mutex}};
//!
//! use tracing::{Event, Subscriber, field::{Field, Visit}};
//! use tracing_subscriber::{Layer, filter::Targets, layer::{Context, SubscriberExt}};
//! use twinseal::{DecapsulationKey, SigningKey};
//!
//! /// Uses and failures, by key id and operation.
//! type Counters = Arc<Mutex<BTreeMap<(String, String), (u64, u64)>>>;
//!
//! struct CountUses(Counters);
//!
//! impl<S: Subscriber> Layer<S> for CountUses {
//!     fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
//!         let mut used = Used::default();
//!         event.record(&mut used);
//!         let mut counters = self.0.lock().unwrap();
//!         let (uses, failures) = counters.entry((used.key_id, used.operation)).or_default();
//!         *uses += 1;
//!         *failures += u64::from(used.failed);
//!     }
//! }
//!
//! #[derive(Default)]
//! struct Used { key_id: String, operation: String, failed: bool }
//!
//! impl Visit for Used {
//!     fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
//!         match field.name() {
//!             "key_id" => self.key_id = format!("{value:?}"),
//!             "error" => self.failed = true,
//!             _ => {}
//!         }
//!     }
//!     fn record_str(&mut self, field: &Field, value: &str) {
//!         if field.name() == "operation" {
//!             self.operation = value.to_owned();
//!         }
//!     }
//! }
//!
//! let counters = Counters::default();
//! let only_keys = Targets::new().with_target(twinseal::tracing::TARGET, tracing::Level::DEBUG);
//! let layer = CountUses(Arc::clone(&counters)).with_filter(only_keys);
//! let subscriber = tracing_subscriber::registry().with(layer);
//! let _guard = tracing::subscriber::set_default(subscriber); // a program sets it with `init`
//!
//! let (bob, alice) = (DecapsulationKey::generate()?, SigningKey::generate()?);
//! let sealed = bob.encapsulation_key().seal(b"example.com/notes", b"hello")?;
//! bob.open(b"example.com/notes", &sealed)?;
//! bob.open(b"example.com/notes", &sealed)?;
//! alice.sign(b"example.com/releases", b"hello")?;
//!
//! let of = |id: twinseal::KeyId, operation: &str| {
//!     counters.lock().unwrap().get(&(id.to_string(), operation.to_owned())).copied()
//! };
//! assert_eq!(of(bob.encapsulation_key().key_id(), "decapsulate"), Some((2, 0)));
//! assert_eq!(of(alice.verifying_key().key_id(), "sign"), Some((1, 0)));
//! # Ok::<(), twinseal::Error>(())
//! ```

use std::{
    cell::Cell,
    error, iter,
    panic::{self, AssertUnwindSafe},
    time::{Duration, Instant},
};

use ::tracing::{Level, event, level_filters::LevelFilter};

use crate::{
    error::Error,
    half::{Half, Halves},
    kem::EncapsulationKey,
    key_id::KeyId,
    sign::VerifyingKey,
};

/// The target of all events.
pub const TARGET: &str = "twinseal::key";

/// One use of a private key, which [`report`](Self::report) makes an event of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KeyUse {
    key_id: KeyId,
    suite: &'static str,
    operation: &'static str,
    is_elsewhere: bool,
}

/// What a thread is using a key for: a use of the same key within it is no other one.
#[derive(Clone, Copy)]
struct Current {
    key_id: KeyId,
    halves: Halves<Option<Duration>>,
}

thread_local! {
    static CURRENT: Cell<Option<Current>> = const { Cell::new(None) };
}

impl KeyUse {
    pub(crate) fn decapsulate(key: &EncapsulationKey) -> Self {
        Self {
            key_id: key.key_id(),
            suite: key.suite().name(),
            operation: "decapsulate",
            is_elsewhere: false,
        }
    }

    pub(crate) fn sign(key: &VerifyingKey) -> Self {
        Self {
            key_id: key.key_id(),
            suite: key.suite().name(),
            operation: "sign",
            is_elsewhere: false,
        }
    }

    /// A trial.
    pub(crate) fn check(self) -> Self {
        Self { operation: "check", ..self }
    }

    /// The key was used before, and nobody here knows how long it took.
    pub(crate) fn elsewhere(self) -> Self {
        Self { is_elsewhere: true, ..self }
    }

    pub(crate) fn report<T>(self, use_key: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
        // One load of an atomic. Whether the event is wanted, the subscriber says when it sees all of it: asked about a
        // target and a level, its filters would refuse what they accept by kind, field or other level.
        if Level::WARN > LevelFilter::current() {
            return use_key();
        }
        self.run(use_key)
    }

    fn run<T>(self, use_key: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
        let outer = CURRENT.get();
        if outer.is_some_and(|outer| outer.key_id == self.key_id) {
            return use_key();
        }
        let halves = Halves { post_quantum: None, traditional: None };
        CURRENT.set(Some(Current { key_id: self.key_id, halves }));
        let started = Instant::now();
        // A key that panics was used, too. It goes on as it came.
        let result = panic::catch_unwind(AssertUnwindSafe(use_key));
        let took = (!self.is_elsewhere).then(|| started.elapsed());
        let halves = CURRENT.replace(outer).map_or(halves, |current| current.halves);
        match &result {
            Ok(Ok(_)) => self.succeeded(took, halves),
            Ok(Err(error)) => self.failed(took, halves, &chain(error)),
            Err(_) => self.failed(took, halves, "it panicked"),
        }
        result.unwrap_or_else(|payload| panic::resume_unwind(payload))
    }

    fn succeeded(&self, took: Option<Duration>, halves: Halves<Option<Duration>>) {
        event!(
            target: TARGET,
            Level::DEBUG,
            key_id = %self.key_id,
            suite = self.suite,
            operation = self.operation,
            duration_us = took.map(micros),
            post_quantum_us = halves.post_quantum.map(micros),
            traditional_us = halves.traditional.map(micros),
            "a private key was used"
        );
    }

    fn failed(&self, took: Option<Duration>, halves: Halves<Option<Duration>>, error: &str) {
        event!(
            target: TARGET,
            Level::WARN,
            key_id = %self.key_id,
            suite = self.suite,
            operation = self.operation,
            duration_us = took.map(micros),
            post_quantum_us = halves.post_quantum.map(micros),
            traditional_us = halves.traditional.map(micros),
            error,
            "a private key failed"
        );
    }
}

/// Measures a half of the key that is being used.
pub(crate) fn half<T>(half: Half, ask: impl FnOnce() -> T) -> T {
    if CURRENT.get().is_none() {
        return ask();
    }
    let started = Instant::now();
    let answer = ask();
    let took = Some(started.elapsed());
    if let Some(mut current) = CURRENT.get() {
        match half {
            Half::PostQuantum => current.halves.post_quantum = took,
            Half::Traditional => current.halves.traditional = took,
        }
        CURRENT.set(Some(current));
    }
    answer
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// An error and its sources, in one line.
fn chain(error: &Error) -> String {
    let sources = iter::successors(Some(error as &dyn error::Error), |error| error.source());
    sources.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
