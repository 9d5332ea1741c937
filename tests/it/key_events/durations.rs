//! Are the durations those of the key and of its halves, and left out where nobody knows them?

use std::{thread, time::Duration};

use tracing_subscriber::filter::LevelFilter;
use twinseal::{
    Error, Sign, Unlock,
    kem::SharedSecret,
    provider::{Decapsulator, PORTABLE, SchemeSigner},
    sign::EcdsaSignature,
    split::{SplitDecapsulationKey, SplitSigningKey},
};

use super::{Log, MESSAGE, Seen};
use crate::common::keys::{CTX, X25519, kem_key, signing_key};

/// A half that takes its time.
struct Slow<Operation: ?Sized>(Duration, Box<Operation>);

impl Decapsulator for Slow<dyn Decapsulator> {
    fn decapsulate(&self, ciphertext: &[u8], shared_secret: &mut [u8]) -> Result<(), Error> {
        thread::sleep(self.0);
        self.1.decapsulate(ciphertext, shared_secret)
    }
}

impl SchemeSigner for Slow<dyn SchemeSigner> {
    fn sign(&self, context: &[u8], message: &[u8]) -> Result<Vec<u8>, Error> {
        thread::sleep(self.0);
        self.1.sign(context, message)
    }
}

/// The first half is asked for `first` at least, the second one for `second`.
#[track_caller]
fn assert_took(seen: &Seen, first: Duration, second: Duration) {
    for (name, time) in
        [("post_quantum_us", first), ("traditional_us", second), ("duration_us", first + second)]
    {
        let micros = u128::from(seen.micros(name).unwrap());
        assert!(micros >= time.as_micros(), "{name}: {seen:?}");
    }
    let halves = seen.micros("post_quantum_us").unwrap() + seen.micros("traditional_us").unwrap();
    assert!(halves <= seen.micros("duration_us").unwrap(), "{seen:?}");
}

#[test]
fn each_half_has_a_duration_of_its_own() {
    const SHORT: Duration = Duration::from_millis(10);
    const LONG: Duration = Duration::from_millis(40);
    let key = kem_key(X25519, 1);
    let public = key.encapsulation_key().clone();
    let halves = key.into_halves().unwrap();
    let first = Slow(SHORT, halves.post_quantum.into());
    let second = Slow(LONG, halves.traditional.into());
    let key = SplitDecapsulationKey::new(public.clone(), Box::new(first), Box::new(second));
    let (log, _guard) = Log::of_this_thread(LevelFilter::TRACE);
    key.open(CTX, &public.seal(CTX, MESSAGE).unwrap()).unwrap();
    let seen = log.assert_used(public.key_id(), public.suite().name(), "decapsulate");
    assert_took(&seen, SHORT, LONG);

    let key = signing_key(1);
    let public = key.verifying_key().clone();
    let halves = key.into_halves().unwrap();
    let first = Slow(LONG, halves.post_quantum.into());
    let second = Slow(SHORT, halves.traditional.into());
    let key = SplitSigningKey::new(public.clone(), Box::new(first), Box::new(second));
    key.sign(CTX, MESSAGE).unwrap();
    let seen = log.assert_used(public.key_id(), public.suite().name(), "sign");
    assert_took(&seen, LONG, SHORT);

    // A whole key is asked as a whole.
    signing_key(1).sign(CTX, MESSAGE).unwrap();
    let seen = log.only();
    assert_eq!(["post_quantum_us", "traditional_us"].map(|name| seen.micros(name)), [None; 2]);
}

#[track_caller]
fn assert_not_measured(seen: &Seen) {
    let names = ["duration_us", "post_quantum_us", "traditional_us"];
    assert_eq!(names.map(|name| seen.micros(name)), [None; 3]);
}

#[test]
fn a_secret_of_halves_that_were_awaited() {
    let public = kem_key(X25519, 1).encapsulation_key().clone();
    let (ciphertext, _) = public.encapsulate().unwrap();
    let (log, _guard) = Log::of_this_thread(LevelFilter::TRACE);
    let combine = |post_quantum, traditional| {
        SharedSecret::combine(&public, &ciphertext, post_quantum, traditional)
    };
    combine(Ok([1; 32]), Ok([2; 32])).unwrap();
    let seen = log.assert_used(public.key_id(), public.suite().name(), "decapsulate");
    assert_not_measured(&seen);
    combine(Ok([1; 32]), Err(Error::external("the KMS is gone"))).unwrap_err();
    let error = "the traditional half of the external key failed: the KMS is gone";
    assert_not_measured(&log.assert_failed(public.key_id(), "decapsulate", error));
    // A half that dislikes a ciphertext is no failure, in the log neither.
    let disliked = Error::Invalid { what: "ciphertext", reason: "the token does not like it" };
    combine(Err(disliked), Ok([2; 32])).unwrap();
    log.assert_used(public.key_id(), public.suite().name(), "decapsulate");
}

#[test]
fn a_signature_of_halves_that_were_awaited() {
    let key = signing_key(1);
    let public = key.verifying_key().clone();
    let halves = key.into_halves().unwrap();
    let to_be_signed = public.to_be_signed(CTX, &[7; 64]).unwrap();
    let message = to_be_signed.message();
    let ml_dsa = PORTABLE.ml_dsa_87.key_pair(halves.post_quantum.secret_bytes()).unwrap().signer;
    let ecdsa = PORTABLE.ecdsa_p384.key_pair(halves.traditional.secret_bytes()).unwrap().signer;
    let first = ml_dsa.sign(to_be_signed.ml_dsa_context(), message).unwrap();
    let second = || ecdsa.sign(b"", message).map(EcdsaSignature::Fixed);
    let (log, _guard) = Log::of_this_thread(LevelFilter::TRACE);
    to_be_signed.join(Ok(&first), second()).unwrap();
    let seen = log.assert_used(public.key_id(), public.suite().name(), "sign");
    assert_not_measured(&seen);
    to_be_signed.join(Ok(&first[1..]), second()).unwrap_err();
    let seen = log.only();
    assert_eq!((seen.level, seen.field("operation")), (tracing::Level::WARN, Some("sign")));
    let error = seen.field("error").unwrap();
    assert!(error.starts_with("the post-quantum half of the external key failed: "), "{error}");
    assert_not_measured(&seen);
}
