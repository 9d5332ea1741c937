//! What happens to a session when an external key fails?

use std::sync::atomic::{AtomicUsize, Ordering};

use twinseal::{
    Decapsulate, EncapsulationKey, Error, KemSuite, Sign, Signature, Unlock, VerifyingKey,
    kem::{Ciphertext, SharedSecret},
};

use super::fixture::{ALICE, BOB, CTX, MALLORY, SIGNED_CORE};

/// Bob's key in a module that gives a chosen answer.
struct Module(fn(&Ciphertext) -> Result<SharedSecret, Error>);

impl Decapsulate for Module {
    fn encapsulation_key(&self) -> &EncapsulationKey {
        BOB.encapsulation_key()
    }

    fn decapsulate(&self, ciphertext: &Ciphertext) -> Result<SharedSecret, Error> {
        self.0(ciphertext)
    }
}

/// Alice's key in a service that gives a chosen answer.
struct Service(fn(&[u8], &[u8; 64]) -> Result<Signature, Error>);

impl Sign for Service {
    fn verifying_key(&self) -> &VerifyingKey {
        ALICE.verifying_key()
    }

    fn sign_prehashed(&self, context: &[u8], sha512: &[u8; 64]) -> Result<Signature, Error> {
        self.0(context, sha512)
    }
}

#[test]
fn they_work() {
    let service = Service(|context, sha512| {
        assert_eq!(context, b"twinseal/session/v1");
        let alice: &dyn Sign = &*ALICE;
        alice.sign_prehashed(context, sha512)
    });
    let module = Module(|ciphertext| BOB.decapsulate(ciphertext));

    let (hello, mut tx) = BOB.encapsulation_key().signed_by(&service).sender(CTX).unwrap();
    let mut rx = module.accepting(service.verifying_key()).receiver(CTX, &hello).unwrap();
    assert_eq!(&rx.open(&tx.seal(b"hello").unwrap()).unwrap()[..], b"hello");

    let (hello, mut tx) = BOB.encapsulation_key().sender(CTX).unwrap();
    let mut rx = module.receiver(CTX, &hello).unwrap();
    assert_eq!(&rx.open(&tx.seal(b"hello").unwrap()).unwrap()[..], b"hello");
}

#[test]
fn a_failing_decapsulation_key() {
    let (hello, _) = BOB.encapsulation_key().sender(CTX).unwrap();
    let (signed, _) = BOB.encapsulation_key().signed_by(&*ALICE).sender(CTX).unwrap();
    for fail in [
        (|_| Err(Error::external("the token is locked"))) as fn(&_) -> _,
        // An answer about data, which it has not judged.
        |_| Err(Error::Open),
        |_| Err(Error::Verify),
        // A secret that is none of this suite.
        |_| SharedSecret::from_bytes(KemSuite::ML_KEM_1024_P384, &[0; 32]),
    ] {
        let module = Module(fail);
        assert!(matches!(module.receiver(CTX, &hello), Err(Error::External(_))));
        let from_alice = module.accepting(ALICE.verifying_key());
        assert!(matches!(from_alice.receiver(CTX, &signed), Err(Error::External(_))));
    }
}

/// Nothing is decapsulated for a hello whose signature does not verify.
#[test]
fn no_decapsulation_for_a_forgery() {
    let module = Module(|_| panic!("asked for nothing"));
    let (mut signed, _) = BOB.encapsulation_key().signed_by(&*ALICE).sender(CTX).unwrap();
    signed[SIGNED_CORE] ^= 1;
    let from_alice = module.accepting(ALICE.verifying_key());
    assert!(matches!(from_alice.receiver(CTX, &signed), Err(Error::Verify)));
}

#[test]
fn a_failing_signing_key() {
    let key = BOB.encapsulation_key();
    for fail in [
        (|_, _| Err(Error::external("throttled"))) as fn(&[u8], &[u8; 64]) -> _,
        |_, _| Err(Error::Open),
        |_, _| Err(Error::Verify),
    ] {
        let refused = key.signed_by(&Service(fail)).sender(CTX);
        assert!(matches!(refused, Err(Error::External(_))));
    }
}

/// A service whose key was exchanged behind it: it names Alice first and Mallory from then on.
struct Exchanged(AtomicUsize);

impl Sign for Exchanged {
    fn verifying_key(&self) -> &VerifyingKey {
        let asked = self.0.fetch_add(1, Ordering::Relaxed);
        if asked == 0 { ALICE.verifying_key() } else { MALLORY.verifying_key() }
    }

    fn sign_prehashed(&self, context: &[u8], sha512: &[u8; 64]) -> Result<Signature, Error> {
        let alice: &dyn Sign = &*ALICE;
        alice.sign_prehashed(context, sha512)
    }
}

/// The key that is named is the one that is under the signature: the service is asked once.
#[test]
fn a_signing_key_is_asked_once_for_its_public_half() {
    let service = Exchanged(AtomicUsize::new(0));
    let (hello, _) = BOB.encapsulation_key().signed_by(&service).sender(CTX).unwrap();
    assert_eq!(service.0.into_inner(), 1);
    BOB.accepting(ALICE.verifying_key()).receiver(CTX, &hello).unwrap();
}

/// A signing key that signs something else is found out by the receiver.
#[test]
fn a_signing_key_that_signs_something_else() {
    let service = Service(|context, _| {
        let alice: &dyn Sign = &*ALICE;
        alice.sign_prehashed(context, &[0; 64])
    });
    let (hello, _) = BOB.encapsulation_key().signed_by(&service).sender(CTX).unwrap();
    let refused = BOB.accepting(ALICE.verifying_key()).receiver(CTX, &hello);
    assert!(matches!(refused, Err(Error::Verify)));
}
