//! Is each use of a private key one event, and does none hold a secret?

mod durations;
mod failures;
mod filters;
mod secrets;
mod uses;

use std::{
    fmt,
    sync::{Arc, Mutex},
};

use tracing::{
    Event, Level, Subscriber,
    dispatcher::DefaultGuard,
    field::{Field, Visit},
};
use tracing_subscriber::{
    Layer,
    filter::LevelFilter,
    layer::{Context, SubscriberExt},
};
use twinseal::{
    Decapsulate, DecapsulationKey, EncapsulationKey, Error, KeyId, Sign, Signature, SigningKey,
    VerifyingKey,
    kem::{Ciphertext, SharedSecret},
    split::{SplitDecapsulationKey, SplitSigningKey},
};

use crate::common::keys::{X25519, kem_key, signing_key};

const MESSAGE: &[u8] = b"a message that is nobody's business";

/// An event, with its fields in their order.
#[derive(Clone, Debug)]
struct Seen {
    level: Level,
    target: String,
    fields: Vec<(&'static str, String)>,
}

impl Seen {
    fn field(&self, name: &str) -> Option<&str> {
        let field = self.fields.iter().find(|(field, _)| *field == name);
        field.map(|(_, value)| value.trim_matches('"'))
    }

    fn micros(&self, name: &str) -> Option<u64> {
        self.field(name).map(|value| value.parse().unwrap())
    }
}

impl Visit for Seen {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.fields.push((field.name(), format!("{value:?}")));
    }
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<Seen>>>);

impl<S: Subscriber> Layer<S> for Log {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let metadata = event.metadata();
        let target = metadata.target().to_owned();
        let mut seen = Seen { level: *metadata.level(), target, fields: Vec::new() };
        event.record(&mut seen);
        self.0.lock().unwrap().push(seen);
    }
}

impl Log {
    /// Sees everything that this thread reports until the guard is dropped.
    fn of_this_thread(level: LevelFilter) -> (Self, DefaultGuard) {
        let log = Self::default();
        let subscriber = tracing_subscriber::registry().with(log.clone().with_filter(level));
        (log, tracing::subscriber::set_default(subscriber))
    }

    /// The events since the last call.
    fn take(&self) -> Vec<Seen> {
        std::mem::take(&mut self.0.lock().unwrap())
    }

    /// The only event since the last call.
    #[track_caller]
    fn only(&self) -> Seen {
        let seen = self.take();
        let [only] = &seen[..] else { panic!("{} events: {seen:#?}", seen.len()) };
        assert_eq!(only.target, twinseal::tracing::TARGET);
        only.clone()
    }

    /// Exactly one use, which succeeded.
    #[track_caller]
    fn assert_used(&self, key_id: KeyId, suite: &str, operation: &str) -> Seen {
        let seen = self.only();
        assert_eq!(seen.field("error"), None);
        assert_eq!(seen.level, Level::DEBUG);
        assert_eq!(seen.field("key_id"), Some(&*key_id.to_string()));
        assert_eq!(seen.field("suite"), Some(suite));
        assert_eq!(seen.field("operation"), Some(operation));
        seen
    }

    #[track_caller]
    fn assert_opened(&self, key: &EncapsulationKey) {
        let seen = self.assert_used(key.key_id(), key.suite().name(), "decapsulate");
        assert!(seen.micros("duration_us").is_some(), "{seen:?}");
    }

    #[track_caller]
    fn assert_signed(&self, key: &VerifyingKey) {
        let seen = self.assert_used(key.key_id(), key.suite().name(), "sign");
        assert!(seen.micros("duration_us").is_some(), "{seen:?}");
    }

    /// Exactly one use, which failed.
    #[track_caller]
    fn assert_failed(&self, key_id: KeyId, operation: &str, error: &str) -> Seen {
        let seen = self.only();
        assert_eq!(seen.field("error"), Some(error));
        assert_eq!(seen.level, Level::WARN);
        assert_eq!(seen.field("key_id"), Some(&*key_id.to_string()));
        assert_eq!(seen.field("operation"), Some(operation));
        seen
    }
}

/// A key of another make, around one in memory: the second field is how it answers.
struct Foreign<Key, Answer>(Key, Answer);

impl<Answer> Decapsulate for Foreign<DecapsulationKey, Answer>
where
    Answer: Fn(&DecapsulationKey, &Ciphertext) -> Result<SharedSecret, Error> + Send + Sync,
{
    fn encapsulation_key(&self) -> &EncapsulationKey {
        self.0.encapsulation_key()
    }

    fn decapsulate(&self, ciphertext: &Ciphertext) -> Result<SharedSecret, Error> {
        (self.1)(&self.0, ciphertext)
    }
}

impl<Answer> Sign for Foreign<SigningKey, Answer>
where
    Answer: Fn(&SigningKey, &[u8], &[u8; 64]) -> Result<Signature, Error> + Send + Sync,
{
    fn verifying_key(&self) -> &VerifyingKey {
        self.0.verifying_key()
    }

    fn sign_prehashed(&self, context: &[u8], sha512: &[u8; 64]) -> Result<Signature, Error> {
        (self.1)(&self.0, context, sha512)
    }
}

fn foreign<Answer>(answer: Answer) -> Foreign<DecapsulationKey, Answer>
where
    Answer: Fn(&DecapsulationKey, &Ciphertext) -> Result<SharedSecret, Error>,
{
    Foreign(kem_key(X25519, 1), answer)
}

fn foreign_signer<Answer>(answer: Answer) -> Foreign<SigningKey, Answer>
where
    Answer: Fn(&SigningKey, &[u8], &[u8; 64]) -> Result<Signature, Error>,
{
    Foreign(signing_key(1), answer)
}

fn split(key: DecapsulationKey) -> SplitDecapsulationKey {
    let public = key.encapsulation_key().clone();
    let halves = key.into_halves().unwrap();
    SplitDecapsulationKey::new(public, halves.post_quantum.into(), halves.traditional.into())
}

fn split_signer(key: SigningKey) -> SplitSigningKey {
    let public = key.verifying_key().clone();
    let halves = key.into_halves().unwrap();
    SplitSigningKey::new(public, halves.post_quantum.into(), halves.traditional.into())
}
