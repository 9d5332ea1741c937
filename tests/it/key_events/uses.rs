//! Which calls are a use?

use std::{
    sync::{Arc, mpsc},
    thread,
};

use tracing::dispatcher;
use tracing_subscriber::filter::LevelFilter;
use twinseal::{
    Decapsulate, DecapsulationKey, Error, Keyring, Sign, Signature, SigningKey, Unlock,
    request::AllowReplays, sign::WithoutContext, signature::Signer,
};

use super::{Foreign, Log, MESSAGE, foreign, foreign_signer, split, split_signer};
use crate::common::keys::{COMPOSITE, CTX, P384, X25519, kem_key, signing_key};

/// All that this crate does with a decapsulation key.
fn use_everywhere<Key: Decapsulate>(key: &Key, log: &Log) {
    let public = key.encapsulation_key().clone();
    let alice = signing_key(7);
    let sealed = public.seal(CTX, MESSAGE).unwrap();
    let (hello, _) = public.sender(CTX).unwrap();
    let (request, _) = public.request(CTX, MESSAGE).unwrap();
    assert!(log.take().is_empty(), "public keys are used by anyone");

    key.open(CTX, &sealed).unwrap();
    log.assert_opened(&public);
    key.open_reader(CTX, &sealed[..]).unwrap();
    log.assert_opened(&public);
    key.open_at(CTX, &sealed).unwrap();
    log.assert_opened(&public);
    key.receiver(CTX, &hello).unwrap();
    log.assert_opened(&public);
    key.accept(CTX, &request, &AllowReplays).unwrap();
    log.assert_opened(&public);

    let (hello, _) = public.signed_by(&alice).sender(CTX).unwrap();
    log.assert_signed(alice.verifying_key());
    let (request, _) = public.signed_by(&alice).request(CTX, MESSAGE).unwrap();
    log.assert_signed(alice.verifying_key());
    key.accepting(alice.verifying_key()).receiver(CTX, &hello).unwrap();
    log.assert_opened(&public);
    key.accepting(alice.verifying_key()).accept(CTX, &request, &AllowReplays).unwrap();
    log.assert_opened(&public);

    // The key did what it should.
    let mut tampered = sealed;
    *tampered.last_mut().unwrap() ^= 1;
    assert!(matches!(key.open(CTX, &tampered), Err(Error::Open)));
    log.assert_opened(&public);
    // It is not asked.
    let other = kem_key(X25519, 9).encapsulation_key().seal(CTX, MESSAGE).unwrap();
    assert!(matches!(key.open(CTX, &other), Err(Error::NotARecipient)));
    assert!(log.take().is_empty());
}

#[test]
fn each_use_of_a_decapsulation_key_is_one_event() {
    for suite in [X25519, P384] {
        let whole = kem_key(suite, 1);
        let in_two = split(kem_key(suite, 1));
        let (log, _guard) = Log::of_this_thread(LevelFilter::TRACE);
        use_everywhere(&whole, &log);
        use_everywhere(&in_two, &log);
        use_everywhere(&Arc::new(Box::new(kem_key(suite, 2))), &log);

        // Called by its owner.
        let public = whole.encapsulation_key();
        let (ciphertext, _) = public.encapsulate().unwrap();
        whole.decapsulate(&ciphertext).unwrap();
        log.assert_opened(public);
        Decapsulate::decapsulate(&whole, &ciphertext).unwrap();
        log.assert_opened(public);
        in_two.decapsulate(&ciphertext).unwrap();
        log.assert_opened(public);
    }
}

/// What a key of another make does within is the same use.
#[test]
fn a_key_of_another_make_is_used_once() {
    let in_two = split(kem_key(X25519, 1));
    let wrapped = Foreign(kem_key(X25519, 1), DecapsulationKey::decapsulate);
    let (log, _guard) = Log::of_this_thread(LevelFilter::TRACE);
    use_everywhere(&foreign(DecapsulationKey::decapsulate), &log);
    use_everywhere(&foreign(move |_, ciphertext| in_two.decapsulate(ciphertext)), &log);
    use_everywhere(&foreign(move |_, ciphertext| wrapped.decapsulate(ciphertext)), &log);
    // One that asks twice, since the first answer may be lost.
    let twice = foreign(|key, ciphertext| {
        key.decapsulate(ciphertext)?;
        key.decapsulate(ciphertext)
    });
    use_everywhere(&twice, &log);
}

#[test]
fn the_key_of_a_ring_that_opens_is_the_one_that_is_reported() {
    let mut ring = Keyring::new(kem_key(X25519, 1));
    ring.rotate(Foreign(kem_key(X25519, 2), DecapsulationKey::decapsulate)).unwrap();
    ring.rotate(split(kem_key(X25519, 3))).unwrap();
    let (log, _guard) = Log::of_this_thread(LevelFilter::TRACE);
    for number in [1, 2, 3] {
        let key = kem_key(X25519, number);
        let sealed = key.encapsulation_key().seal(CTX, MESSAGE).unwrap();
        ring.open(CTX, &sealed).unwrap();
        log.assert_opened(key.encapsulation_key());
    }
}

/// What other software exports without its seed.
fn expanded(number: u8) -> Vec<u8> {
    let key = ml_dsa::ExpandedSigningKey::<ml_dsa::MlDsa87>::from_seed(&[number; 32].into());
    #[expect(deprecated, reason = "this form is what is imported")]
    let expanded = key.to_expanded();
    [&expanded[..], &[number; 48]].concat()
}

#[test]
fn each_use_of_a_signing_key_is_one_event() {
    let (log, _guard) = Log::of_this_thread(LevelFilter::TRACE);
    let expanded = SigningKey::import_expanded_bytes(COMPOSITE, &expanded(7)).unwrap();
    let in_two = split_signer(signing_key(2));
    assert!(log.take().is_empty(), "loading a key, or taking it apart, is no use of it");

    let whole = signing_key(1);
    let kms = foreign_signer(Sign::sign_prehashed);
    let boxed: Box<dyn Sign> = Box::new(Arc::new(signing_key(3)));
    let to = kem_key(X25519, 1).encapsulation_key().clone();
    let keys: [&dyn Sign; 5] = [&whole, &expanded, &in_two, &kms, &boxed];
    for key in keys {
        let public = key.verifying_key().clone();
        key.sign(CTX, MESSAGE).unwrap();
        log.assert_signed(&public);
        key.sign_reader(CTX, &mut &MESSAGE[..]).unwrap();
        log.assert_signed(&public);
        to.signed_by(key).sender(CTX).unwrap();
        log.assert_signed(&public);
        to.signed_by(key).request(CTX, MESSAGE).unwrap();
        log.assert_signed(&public);
        let _: Signature = WithoutContext::of(key).sign(MESSAGE);
        log.assert_signed(&public);
        // No key signs for such a context.
        assert!(matches!(key.sign(b"", MESSAGE), Err(Error::Context(_))));
        assert!(log.take().is_empty());
    }
    whole.sign(CTX, MESSAGE).unwrap();
    log.assert_signed(whole.verifying_key());
    whole.sign_prehashed(CTX, &[0; 64]).unwrap();
    log.assert_signed(whole.verifying_key());
    in_two.sign_prehashed(CTX, &[0; 64]).unwrap();
    log.assert_signed(in_two.verifying_key());
}

#[test]
fn a_trial_is_called_so() {
    let key = split(kem_key(P384, 1));
    let signer = split_signer(signing_key(1));
    let (log, _guard) = Log::of_this_thread(LevelFilter::TRACE);
    key.check().unwrap();
    let public = key.encapsulation_key();
    log.assert_used(public.key_id(), public.suite().name(), "check");
    signer.check().unwrap();
    let public = signer.verifying_key();
    log.assert_used(public.key_id(), public.suite().name(), "check");
}

/// A KMS to which each call is signed with another key; and one on another thread, where the key that it asks
/// reports for itself.
#[test]
fn what_a_key_uses_to_answer_is_reported_as_well() {
    let sealed = kem_key(X25519, 1).encapsulation_key().seal(CTX, MESSAGE).unwrap();
    let credentials = signing_key(5);
    let (log, _guard) = Log::of_this_thread(LevelFilter::TRACE);
    let operations = || -> Vec<_> {
        log.take().iter().map(|seen| seen.field("operation").unwrap().to_owned()).collect()
    };
    let key = foreign(move |key, ciphertext| {
        credentials.sign(CTX, ciphertext.as_bytes())?;
        key.decapsulate(ciphertext)
    });
    key.open(CTX, &sealed).unwrap();
    assert_eq!(operations(), ["sign", "decapsulate"]);

    let key = foreign(|key, ciphertext| {
        let dispatch = dispatcher::get_default(Clone::clone);
        let (done, answer) = mpsc::channel();
        thread::scope(|scope| {
            scope.spawn(move || {
                let secret = dispatcher::with_default(&dispatch, || key.decapsulate(ciphertext));
                done.send(secret)
            });
        });
        answer.try_recv().map_err(Error::external)? // the thread has ended
    });
    key.open(CTX, &sealed).unwrap();
    assert_eq!(operations(), ["decapsulate", "decapsulate"]);
}
