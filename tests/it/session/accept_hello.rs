//! Is a hello accepted in two steps as in one, with nothing decapsulated before the second?

use std::sync::Arc;

use twinseal::{
    Error, KemSuite, Keyring, Policy, Unlock, VerifyingKeyring,
    kem::{AwaitedKey, Ciphertext, SharedSecret},
    session::{Hello, SessionReceiver},
};

use super::fixture::{
    ALICE, BOB, BOB_P384, CAROL, CTX, MALLORY, OTHER, RECIPIENT, SIGNATURE_SUITE, SIGNED_CORE,
    SIGNER, VERSION,
};
use crate::common::{
    errors::{chain, outcome},
    keys::{X25519, kem_key},
};

/// Bob's key, in a KMS.
fn awaited() -> AwaitedKey {
    AwaitedKey::new(BOB.encapsulation_key().clone())
}

fn secret_of(hello: &[u8]) -> SharedSecret {
    let ciphertext = hello[SIGNED_CORE - 1600..SIGNED_CORE].to_vec();
    BOB.decapsulate(&Ciphertext::from_bytes(X25519, &ciphertext).unwrap()).unwrap()
}

fn signed() -> Vec<u8> {
    BOB.encapsulation_key().signed_by(&*ALICE).sender(CTX).unwrap().0
}

/// What is wrong with a hello shows before anything is asked of the key, and as in one step.
#[test]
fn whatever_is_refused() {
    let to = BOB.encapsulation_key();
    let (unsigned, signed) = (to.sender(CTX).unwrap().0, signed());
    let by_mallory = to.signed_by(&*MALLORY).sender(CTX).unwrap().0;
    let to_carol = CAROL.encapsulation_key().signed_by(&*ALICE).sender(CTX).unwrap().0;
    let flip = |at: usize| {
        let mut changed = signed.clone();
        changed[at] ^= 1;
        changed
    };
    let mut renamed = by_mallory.clone();
    renamed[SIGNER].copy_from_slice(ALICE.verifying_key().key_id().as_bytes());
    let cut = signed[..SIGNED_CORE - 1].to_vec();
    let truncated =
        Error::Truncated { what: "hello", needed: SIGNED_CORE, actual: SIGNED_CORE - 1 };
    let version = Error::Unknown { what: "session version", id: 0 };
    let reason = "it does not start with \"twinsess\"";
    let suite = Error::Unknown { what: "signature suite", id: 0 };

    let refused = [
        ("unsigned", unsigned.clone(), CTX, Error::Unsigned),
        ("of an unknown signer", by_mallory, CTX, Error::UnknownSigner),
        ("under a known signer's name", renamed, CTX, Error::Verify),
        ("with another signature", flip(SIGNED_CORE), CTX, Error::Verify),
        ("with another ciphertext", flip(SIGNED_CORE - 1), CTX, Error::Verify),
        ("in another context", signed.clone(), OTHER, Error::Verify),
        ("to somebody else", to_carol, CTX, Error::NotARecipient),
        ("to nobody", flip(RECIPIENT.start), CTX, Error::NotARecipient),
        ("of another version", flip(VERSION), CTX, version),
        ("of an unknown suite", flip(SIGNATURE_SUITE.end - 1), CTX, suite),
        ("cut off", cut, CTX, truncated),
        ("no hello", vec![0; 5000], CTX, Error::Invalid { what: "hello", reason }),
        (
            "in no context",
            signed.clone(),
            b"",
            Error::Context("it is empty; say what the data is for"),
        ),
    ];
    let alice = VerifyingKeyring::new([ALICE.verifying_key()]).unwrap();
    let (token, ring) = (awaited(), Keyring::new(awaited()));
    for from_alice in [
        token.accepting(ALICE.verifying_key()),
        token.accepting_any(&alice),
        ring.accepting(ALICE.verifying_key()),
        ring.accepting_any(&alice),
    ] {
        for (name, hello, context, expected) in &refused {
            let expected = format!("{expected:?}");
            assert_eq!(outcome(from_alice.accept_hello(context, hello)), expected, "{name}");
            assert_eq!(outcome(from_alice.receiver(context, hello)), expected, "{name}");
        }
        from_alice.accept_hello(CTX, &signed).unwrap();
    }
    for (first_step, in_one) in [
        (outcome(token.accept_hello(CTX, &signed)), outcome(token.receiver(CTX, &signed))),
        (outcome(ring.accept_hello(CTX, &signed)), outcome(ring.receiver(CTX, &signed))),
        (outcome(BOB.accept_hello(CTX, &signed)), outcome(BOB.receiver(CTX, &signed))),
    ] {
        assert_eq!([first_step, in_one], ["Signed", "Signed"]);
    }
    assert_eq!(token.accept_hello(CTX, &unsigned).unwrap().signer(), None);
}

#[test]
fn a_suite_that_the_policy_refuses() {
    let policy = Policy::stable().with_signature_suites([]);
    let ring = Keyring::new(awaited()).with_policy(policy).unwrap();
    let from_alice = ring.accepting(ALICE.verifying_key());
    let refused = outcome(from_alice.accept_hello(CTX, &signed()));
    assert!(refused.starts_with("Refused"), "{refused}");
    assert_eq!(refused, outcome(from_alice.receiver(CTX, &signed())));
}

/// Both steps from each type, and the key in between.
#[test]
fn however_the_key_is_held() {
    let alice = ALICE.verifying_key();
    let mut ring = Keyring::new(AwaitedKey::new(BOB_P384.encapsulation_key().clone()));
    ring.add_older(awaited()).unwrap();
    ring.add_older(kem_key(X25519, 7)).unwrap();
    let boxed: Box<dyn twinseal::Decapsulate> = Box::new(Arc::new(awaited()));
    for bob in [&*BOB, &*BOB_P384] {
        let to = bob.encapsulation_key();
        let (hello, mut tx) = to.signed_by(&*ALICE).sender(CTX).unwrap();
        let message = tx.seal(b"hello").unwrap();
        let awaited = AwaitedKey::new(to.clone());
        let mut all = vec![
            bob.accepting(alice).accept_hello(CTX, &hello).unwrap(),
            awaited.accepting(alice).accept_hello(CTX, &hello).unwrap(),
            ring.accepting(alice).accept_hello(CTX, &hello).unwrap(),
        ];
        if bob.suite() == X25519 {
            all.push(boxed.accepting(alice).accept_hello(CTX, &hello).unwrap());
        }
        for verified in all {
            assert_eq!(verified.signer(), Some(alice.key_id()));
            assert_eq!(verified.recipient(), to);
            assert_eq!(Hello::parse(&hello).unwrap().recipient(), verified.recipient().key_id());
            let secret = bob.decapsulate(verified.ciphertext()).unwrap();
            let mut rx = verified.receiver_with(&secret).unwrap();
            assert_eq!(&rx.open(&message).unwrap()[..], b"hello");
            assert_eq!((rx.session_id(), rx.signer()), (tx.session_id(), Some(alice.key_id())));
        }

        let (hello, mut tx) = to.sender(CTX).unwrap();
        for verified in [
            bob.accept_hello(CTX, &hello).unwrap(),
            awaited.accept_hello(CTX, &hello).unwrap(),
            ring.accept_hello(CTX, &hello).unwrap(),
        ] {
            assert_eq!((verified.signer(), verified.recipient()), (None, to));
            let secret = bob.decapsulate(verified.ciphertext()).unwrap();
            assert_eq!(verified.receiver_with(&secret).unwrap().session_id(), tx.session_id());
        }
        // A key at hand needs no secret.
        let mut rx = bob.accept_hello(CTX, &hello).unwrap().receiver().unwrap();
        assert_eq!(&rx.open(&tx.finish(b"bye").unwrap()).unwrap()[..], b"bye");
    }
}

/// What an awaited key says if it is used in one step.
#[test]
fn an_awaited_key_decapsulates_nothing() {
    #[track_caller]
    fn assert_awaited<T>(result: Result<T, Error>) {
        let Err(error @ Error::External(_)) = result else {
            panic!("it is an external failure, not {:?}", outcome(result));
        };
        let text = chain(&error);
        assert!(text.starts_with("the external key failed: its secret is awaited: "), "{text}");
    }

    let (hello, token, ring) = (signed(), awaited(), Keyring::new(awaited()));
    let alice = ALICE.verifying_key();
    assert_awaited(token.accepting(alice).receiver(CTX, &hello));
    assert_awaited(token.accepting(alice).accept_hello(CTX, &hello).unwrap().receiver());
    assert_awaited(ring.accepting(alice).receiver(CTX, &hello));
    let sealed = BOB.encapsulation_key().seal(CTX, b"hello").unwrap();
    assert_awaited(token.open(CTX, &sealed));
    assert_awaited(ring.open(CTX, &sealed));

    // In a ring with a key at hand, an envelope to both opens with that one.
    let mut ring = Keyring::new(awaited());
    ring.add_older(kem_key(X25519, 7)).unwrap();
    let sealed = twinseal::Recipients::new(ring.keys()).unwrap().seal(CTX, b"hello").unwrap();
    assert_eq!(&ring.open(CTX, &sealed).unwrap()[..], b"hello");
}

/// Of a tampered ciphertext nothing shows before the first message, whoever decapsulates.
#[test]
fn a_tampered_ciphertext_of_an_unsigned_hello() {
    let (hello, mut tx) = BOB.encapsulation_key().sender(CTX).unwrap();
    let message = tx.seal(b"hello").unwrap();
    let (token, end) = (awaited(), hello.len());
    // In each half.
    for at in [32, 32 + 700, 32 + 1567, end - 32, end - 7] {
        let mut changed = hello.clone();
        changed[at] ^= 1;
        let verified = token.accept_hello(CTX, &changed).unwrap();
        let secret = BOB.decapsulate(verified.ciphertext()).unwrap();
        let mut rx = verified.receiver_with(&secret).unwrap();
        assert_eq!(rx.open(&message).unwrap_err(), Error::Open, "{at}");
    }
}

#[test]
fn another_secret() {
    let (hello, mut tx) = BOB.encapsulation_key().signed_by(&*ALICE).sender(CTX).unwrap();
    let message = tx.seal(b"hello").unwrap();
    let token = awaited();
    let verified = || token.accepting(ALICE.verifying_key()).accept_hello(CTX, &hello).unwrap();

    let of_another = secret_of(&signed());
    let zeros = SharedSecret::from_bytes(X25519, &[0; 64]).unwrap();
    for secret in [of_another, zeros] {
        let mut rx: SessionReceiver = verified().receiver_with(&secret).unwrap();
        assert_eq!(rx.open(&message).unwrap_err(), Error::Open);
        assert_ne!(rx.session_id(), tx.session_id());
    }
    let mut rx = verified().receiver_with(&secret_of(&hello)).unwrap();
    assert_eq!(&rx.open(&message).unwrap()[..], b"hello");

    let other = SharedSecret::from_bytes(KemSuite::ML_KEM_1024_P384, &[7; 32]).unwrap();
    let expected = Error::SuiteMismatch {
        what: "shared secret",
        expected: KemSuite::X25519_ML_KEM_1024.name(),
        actual: KemSuite::ML_KEM_1024_P384.name(),
    };
    assert_eq!(verified().receiver_with(&other).unwrap_err(), expected);
}

#[test]
fn what_is_printed() {
    let (token, hello) = (awaited(), signed());
    let to = BOB.encapsulation_key();
    assert_eq!(format!("{token:?}"), format!("AwaitedKey({to:?})"));
    let alice = ALICE.verifying_key();
    let verified = token.accepting(alice).accept_hello(CTX, &hello).unwrap();
    let expected = format!("VerifiedHello(to {to:?}, by {})", alice.key_id());
    assert_eq!(format!("{verified:?}"), expected);
    let unsigned = to.sender(CTX).unwrap().0;
    let verified = token.accept_hello(CTX, &unsigned).unwrap();
    assert_eq!(format!("{verified:?}"), format!("VerifiedHello(to {to:?})"));
}
