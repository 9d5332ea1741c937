//! Does an event say why a key failed, with all causes?

use std::{error, fmt, panic};

use tracing_subscriber::filter::LevelFilter;
use twinseal::{
    Error, Sign, Unlock, kem::SharedSecret, provider::Decapsulator, split::SplitDecapsulationKey,
};

use super::{Log, MESSAGE, foreign, foreign_signer};
use crate::common::keys::{CTX, P384, X25519, kem_key, signing_key};

#[derive(Debug)]
struct Cause(&'static str, Option<Box<Cause>>);

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl error::Error for Cause {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        self.1.as_deref().map(|cause| cause as _)
    }
}

fn unreachable() -> Error {
    let cause = Cause("connection refused", None);
    Error::external(Cause("slot 3 does not answer", Some(Box::new(cause))))
}

#[test]
fn failures_have_all_their_causes() {
    let public = kem_key(X25519, 1).encapsulation_key().clone();
    let (id, sealed) = (public.key_id(), public.seal(CTX, MESSAGE).unwrap());
    let (log, _guard) = Log::of_this_thread(LevelFilter::WARN);
    let error = "the external key failed: slot 3 does not answer: connection refused";
    foreign(|_, _| Err(unreachable())).open(CTX, &sealed).unwrap_err();
    assert!(log.assert_failed(id, "decapsulate", error).micros("duration_us").is_some());
    foreign_signer(|_, _, _| Err(unreachable())).sign(CTX, MESSAGE).unwrap_err();
    log.assert_failed(signing_key(1).verifying_key().key_id(), "sign", error);

    // Verdicts that are not the key's to give, and answers that cannot be right.
    foreign(|_, _| Err(Error::Open)).open(CTX, &sealed).unwrap_err();
    log.assert_failed(id, "decapsulate", &format!("the external key failed: {}", Error::Open));
    foreign(|_, _| SharedSecret::from_bytes(P384, &[1; 32])).open(CTX, &sealed).unwrap_err();
    let error = "the external key failed: the shared secret is not of the key's suite";
    log.assert_failed(id, "decapsulate", error);

    // At this level, what succeeds is not reported.
    kem_key(X25519, 1).open(CTX, &sealed).unwrap();
    assert!(log.take().is_empty());
}

/// It goes on to the caller, and the next use is an event of its own.
#[test]
fn a_key_that_panics() {
    let public = kem_key(X25519, 1).encapsulation_key().clone();
    let sealed = public.seal(CTX, MESSAGE).unwrap();
    let (log, _guard) = Log::of_this_thread(LevelFilter::TRACE);
    let key = foreign(|_, _| panic!("a bug in an adapter"));
    let panicked = panic::catch_unwind(panic::AssertUnwindSafe(|| key.open(CTX, &sealed)));
    assert_eq!(panicked.unwrap_err().downcast_ref(), Some(&"a bug in an adapter"));
    log.assert_failed(public.key_id(), "decapsulate", "it panicked");
    kem_key(X25519, 1).open(CTX, &sealed).unwrap();
    log.assert_opened(&public);
}

struct Locked;

impl Decapsulator for Locked {
    fn decapsulate(&self, _: &[u8], _: &mut [u8]) -> Result<(), Error> {
        Err(Error::external("the token is locked"))
    }
}

/// The other one was asked all the same.
#[test]
fn the_half_that_failed_is_named() {
    let key = kem_key(X25519, 1);
    let public = key.encapsulation_key().clone();
    let halves = key.into_halves().unwrap();
    let (first, second) = (Box::new(Locked), halves.traditional.into());
    let key = SplitDecapsulationKey::new(public.clone(), first, second);
    let (log, _guard) = Log::of_this_thread(LevelFilter::TRACE);
    key.open(CTX, &public.seal(CTX, MESSAGE).unwrap()).unwrap_err();
    let error = "the post-quantum half of the external key failed: the token is locked";
    let seen = log.assert_failed(public.key_id(), "decapsulate", error);
    let halves = ["post_quantum_us", "traditional_us"].map(|name| seen.micros(name).is_some());
    assert_eq!(halves, [true; 2], "{seen:?}");
    key.check().unwrap_err();
    log.assert_failed(public.key_id(), "check", error);
}
