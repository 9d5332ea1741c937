//! Is a request to an awaited key judged before its secret is asked for, and opened by that secret alone?

use std::{io::Read, sync::Arc};

use twinseal::{
    Error, Keyring,
    kem::{AwaitedKey, SharedSecret},
    request::{ReplayGuard, RequestHead},
};

use super::fixture::{
    ALICE, ANY, BOB, BOB_P384, CTX, Call, Field, MALLORY, OTHER, QUESTION, REPLAYED, Recording,
    flipped, place, signed, unsigned,
};
use crate::common::{
    errors::outcome,
    keys::{P384, X25519},
};

fn ring() -> Keyring {
    let mut ring = Keyring::new(AwaitedKey::new(BOB_P384.encapsulation_key().clone()));
    ring.add_older(Arc::new(AwaitedKey::new(BOB.encapsulation_key().clone()))).unwrap();
    ring
}

/// Which key of the ring it is for is known, and its secret is enough.
#[test]
fn a_ring_of_awaited_keys() {
    let (ring, alice) = (ring(), ALICE.verifying_key());
    for bob in [&*BOB, &*BOB_P384] {
        let to = bob.encapsulation_key();
        let (request, pending) = to.signed_by(&*ALICE).request(CTX, QUESTION).unwrap();
        let head = RequestHead::parse(&request).unwrap();
        let body = &request[head.len()..];
        let verified = ring.accepting(alice).accept_head(CTX, head).unwrap();
        assert_eq!((verified.recipient(), verified.signer()), (to, Some(alice.key_id())));
        let secret = bob.decapsulate(verified.ciphertext()).unwrap();
        let opened = verified.unlock_with(&secret).unwrap().open(body).unwrap();
        let verdict = ANY.admit(opened.id(), opened.signer(), opened.time());
        let (question, asked) = opened.admitted(verdict).unwrap();
        assert_eq!(&question[..], QUESTION);
        assert_eq!(&pending.open(&asked.answer(b"a cat").unwrap()).unwrap()[..], b"a cat");
    }
}

/// The signature and the recipient are judged without the secret.
#[test]
fn what_is_refused_before_anything_is_asked() {
    let ring = ring();
    let from_alice = ring.accepting(ALICE.verifying_key());
    let request = signed().0;
    let by_mallory = BOB.encapsulation_key().signed_by(&*MALLORY).request(CTX, QUESTION).unwrap().0;
    for (request, context, expected) in [
        (unsigned().0, CTX, "Unsigned"),
        (by_mallory, CTX, "Verify"),
        (flipped(&request, place(&request, Field::Ciphertext).start, 0), CTX, "Verify"),
        (flipped(&request, place(&request, Field::MlDsa).start, 0), CTX, "Verify"),
        (flipped(&request, place(&request, Field::Recipient).start, 0), CTX, "NotARecipient"),
        (request.clone(), OTHER, "Verify"),
    ] {
        let head = RequestHead::parse(&request).unwrap();
        assert_eq!(outcome(from_alice.accept_head(context, head)), expected);
        assert_eq!(outcome(from_alice.accept(context, &request, ANY)), expected);
    }
    assert_eq!(outcome(ring.accept(CTX, &request, ANY)), "Signed");
}

/// In one step the guard looks, and then the key says that its secret is awaited: nothing is admitted.
#[test]
fn in_one_step() {
    let ring = ring();
    let from_alice = ring.accepting(ALICE.verifying_key());
    let request = signed().0;
    let guard = Recording::default();
    assert!(matches!(from_alice.accept(CTX, &request, &guard), Err(Error::External(_))));
    assert!(matches!(guard.calls()[..], [Call::Look(..)]));
    let error = from_alice.accept_reader(CTX, &request[..], &guard).unwrap_err();
    assert!(matches!(Error::inside(&error), Some(Error::External(_))));
    assert!(matches!(guard.calls()[..], [Call::Look(..)]));
}

#[test]
fn another_secret() {
    let ring = ring();
    let request = signed().0;
    let head = RequestHead::parse(&request).unwrap();
    let body = &request[head.len()..];
    let from_alice = ring.accepting(ALICE.verifying_key());
    let verified = || from_alice.accept_head(CTX, head.clone()).unwrap();

    let other = RequestHead::parse(&signed().0).unwrap();
    for secret in [
        BOB.decapsulate(other.ciphertext()).unwrap(),
        SharedSecret::from_bytes(X25519, &[0; 64]).unwrap(),
    ] {
        let unlocked = verified().unlock_with(&secret).unwrap();
        assert_eq!(unlocked.open(body).unwrap_err(), Error::Open);
    }
    let of_another_suite = SharedSecret::from_bytes(P384, &[7; 32]).unwrap();
    let expected = Error::SuiteMismatch {
        what: "shared secret",
        expected: X25519.name(),
        actual: P384.name(),
    };
    assert_eq!(verified().unlock_with(&of_another_suite).unwrap_err(), expected);

    // The right one, and a guard that refuses: nothing is released.
    let secret = BOB.decapsulate(verified().ciphertext()).unwrap();
    let opened = verified().unlock_with(&secret).unwrap().open(body).unwrap();
    assert_eq!(opened.admitted(Err(REPLAYED)).unwrap_err(), REPLAYED);
}

/// Of a tampered ciphertext nothing shows before the body.
#[test]
fn a_tampered_ciphertext_of_an_unsigned_request() {
    let (ring, (request, _)) = (ring(), unsigned());
    let ciphertext = place(&request, Field::Ciphertext);
    for at in [ciphertext.start, ciphertext.start + 1567, ciphertext.end - 7] {
        let changed = flipped(&request, at, 0);
        let head = RequestHead::parse(&changed).unwrap();
        let body = changed[head.len()..].to_vec();
        let verified = ring.accept_head(CTX, head).unwrap();
        let secret = BOB.decapsulate(verified.ciphertext()).unwrap();
        let unlocked = verified.unlock_with(&secret).unwrap();
        assert_eq!(unlocked.open(&body).unwrap_err(), Error::Open, "{at}");
    }
}

/// A body that is read as a stream, with the blocking reader of a key at hand as the control.
#[test]
fn its_body_in_parts() {
    let question = super::fixture::plaintext(100_000);
    let (request, _) = BOB.encapsulation_key().request(CTX, &question).unwrap();
    let mut control = Vec::new();
    BOB.accept_reader(CTX, &request[..], ANY).unwrap().read_to_end(&mut control).unwrap();
    assert!(control == question);

    let head = RequestHead::parse(&request).unwrap();
    let body = &request[head.len()..];
    let ring = ring();
    let verified = ring.accept_head(CTX, head).unwrap();
    let secret = BOB.decapsulate(verified.ciphertext()).unwrap();
    let (prefix, chunks) = body.split_first_chunk().unwrap();
    let (first, rest) = chunks.split_at(16_400);
    let begun = verified.unlock_with(&secret).unwrap().begin(prefix, first).unwrap();
    let (first, mut opener) = begun.admitted(Ok(())).unwrap();
    let mut opened = first.to_vec();
    for part in rest.chunks(5000) {
        opener.update(part, &mut opened).unwrap();
    }
    opener.finish(&mut opened).unwrap();
    assert!(opened == question);
}
