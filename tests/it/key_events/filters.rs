//! Does a subscriber's filter decide by all that an event has?

use std::sync::atomic::{AtomicUsize, Ordering};

use tracing::{Level, Metadata};
use tracing_subscriber::{
    Layer,
    filter::{LevelFilter, filter_fn},
    layer::SubscriberExt,
};
use twinseal::{Error, Sign, Signature, SigningKey, VerifyingKey};

use super::{Log, MESSAGE};
use crate::common::keys::{CTX, X25519, kem_key, signing_key};

type Accepts = fn(&Metadata<'_>) -> bool;

#[test]
fn each_filter_that_accepts_the_event_receives_it() {
    let key = kem_key(X25519, 1);
    let sealed = key.encapsulation_key().seal(CTX, MESSAGE).unwrap();
    let filters: [(&str, Accepts); 4] = [
        ("events", |metadata| metadata.is_event()),
        ("successes", |metadata| *metadata.level() == Level::DEBUG),
        ("those with a key", |metadata| metadata.fields().field("key_id").is_some()),
        ("the target", |metadata| metadata.target() == twinseal::tracing::TARGET),
    ];
    for (name, filter) in filters {
        let log = Log::default();
        let subscriber =
            tracing_subscriber::registry().with(log.clone().with_filter(filter_fn(filter)));
        let _guard = tracing::subscriber::set_default(subscriber);
        key.open(CTX, &sealed).unwrap();
        assert_eq!(log.take().len(), 1, "{name}");
    }
}

/// A signing key that counts how often it is asked who it is.
struct Counted(SigningKey, AtomicUsize);

impl Sign for Counted {
    fn verifying_key(&self) -> &VerifyingKey {
        self.1.fetch_add(1, Ordering::Relaxed);
        self.0.verifying_key()
    }

    fn sign_prehashed(&self, context: &[u8], sha512: &[u8; 64]) -> Result<Signature, Error> {
        Sign::sign_prehashed(&self.0, context, sha512)
    }
}

/// It could answer differently the second time.
#[test]
fn an_external_key_is_asked_once_who_it_is() {
    let (_log, _guard) = Log::of_this_thread(LevelFilter::TRACE);
    let key = Counted(signing_key(1), AtomicUsize::new(0));
    let to = kem_key(X25519, 1).encapsulation_key().clone();
    to.signed_by(&key).sender(CTX).unwrap();
    assert_eq!(key.1.swap(0, Ordering::Relaxed), 1);
    to.signed_by(&key).request(CTX, MESSAGE).unwrap();
    assert_eq!(key.1.swap(0, Ordering::Relaxed), 1);
    key.sign(CTX, MESSAGE).unwrap();
    assert_eq!(key.1.swap(0, Ordering::Relaxed), 1);
}
