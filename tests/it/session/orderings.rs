//! Do the steps of several sessions keep apart, in whatever order they are taken?

use twinseal::{
    Error, Signature, Unlock,
    kem::{AwaitedKey, SharedSecret},
    session::{PreparedSender, SessionSender},
    split::Half,
};

use super::fixture::{ALICE, BOB, CTX};
use crate::awaited::signatures::{assert_names, sign};

const SESSIONS: usize = 3;

/// All orders of the sessions.
const ORDERS: [[usize; SESSIONS]; 6] =
    [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];

fn prepare() -> PreparedSender {
    BOB.encapsulation_key().prepare_sender(ALICE.verifying_key(), CTX).unwrap()
}

fn signature(prepared: &PreparedSender) -> Signature {
    sign(&ALICE, prepared.signature_context(), prepared.sha512())
}

fn started() -> (Vec<u8>, SessionSender) {
    let prepared = prepare();
    let signature = signature(&prepared);
    prepared.finish(signature).unwrap()
}

/// Prepared in one order, signed in another, finished in a third; and the same on the other side.
#[test]
fn every_order_of_the_steps() {
    let bob = AwaitedKey::new(BOB.encapsulation_key().clone());
    let from_alice = bob.accepting(ALICE.verifying_key());
    for signed in ORDERS {
        for finished in ORDERS {
            let mut prepared: Vec<_> = (0..SESSIONS).map(|_| Some(prepare())).collect();
            let mut signatures = vec![None; SESSIONS];
            for session in signed {
                signatures[session] = prepared[session].as_ref().map(signature);
            }
            let mut started: Vec<_> = (0..SESSIONS).map(|_| None).collect();
            for session in finished {
                let signature = signatures[session].take().unwrap();
                started[session] =
                    Some(prepared[session].take().unwrap().finish(signature).unwrap());
            }
            let mut started: Vec<_> = started.into_iter().flatten().collect();

            let mut verified: Vec<_> = (0..SESSIONS).map(|_| None).collect();
            for session in finished {
                let hello = &started[session].0;
                verified[session] = Some(from_alice.accept_hello(CTX, hello).unwrap());
            }
            let mut secrets: Vec<Option<SharedSecret>> = (0..SESSIONS).map(|_| None).collect();
            for session in signed {
                let ciphertext = verified[session].as_ref().unwrap().ciphertext();
                secrets[session] = Some(BOB.decapsulate(ciphertext).unwrap());
            }
            for session in finished {
                let secret = secrets[session].take().unwrap();
                let verified = verified[session].take().unwrap();
                let mut rx = verified.receiver_with(&secret).unwrap();
                let sealed = started[session].1.seal(&[session as u8]).unwrap();
                assert_eq!(rx.open(&sealed).unwrap()[..], [session as u8]);
            }
        }
    }
}

/// Each signature finishes its own hello, and no other.
#[test]
fn every_signature_for_every_hello() {
    for hello in 0..SESSIONS {
        for signed in 0..SESSIONS {
            let mut prepared: Vec<_> = (0..SESSIONS).map(|_| prepare()).collect();
            let signature = signature(&prepared[signed]);
            let finished = prepared.swap_remove(hello).finish(signature);
            if hello == signed {
                finished.unwrap();
            } else {
                assert_names("swapped", finished, Some(Half::PostQuantum));
            }
        }
    }
}

/// Each secret opens its own session, and no other; and a hello that came twice is one session.
#[test]
fn every_secret_for_every_hello() {
    let bob = AwaitedKey::new(BOB.encapsulation_key().clone());
    let from_alice = bob.accepting(ALICE.verifying_key());
    let mut started: Vec<_> = (0..SESSIONS).map(|_| started()).collect();
    let messages: Vec<_> = started.iter_mut().map(|(_, tx)| tx.seal(b"hello").unwrap()).collect();
    for (first, (hello, tx)) in started.iter().enumerate() {
        for (second, (other, _)) in started.iter().enumerate() {
            let verified = from_alice.accept_hello(CTX, hello).unwrap();
            let other = from_alice.accept_hello(CTX, other).unwrap();
            let secret = BOB.decapsulate(other.ciphertext()).unwrap();
            let mut rx = verified.receiver_with(&secret).unwrap();
            assert_eq!(rx.session_id() == tx.session_id(), first == second);
            for (third, message) in messages.iter().enumerate() {
                let is_right = first == second && second == third;
                let opened = rx.open(message);
                match opened {
                    Ok(opened) => assert!(is_right && opened[..] == *b"hello"),
                    Err(error) => assert!(!is_right && error == Error::Open, "{error:?}"),
                }
            }
        }
    }
}

/// What is given up at any step harms nothing else.
#[test]
fn given_up_at_every_step() {
    let bob = AwaitedKey::new(BOB.encapsulation_key().clone());
    let from_alice = bob.accepting(ALICE.verifying_key());
    let (kept, given_up) = (prepare(), prepare());
    let of_kept = signature(&kept);
    drop(given_up);
    let (hello, mut tx) = kept.finish(of_kept).unwrap();
    drop(from_alice.accept_hello(CTX, &hello).unwrap());
    let verified = from_alice.accept_hello(CTX, &hello).unwrap();
    let secret = BOB.decapsulate(verified.ciphertext()).unwrap();
    drop(from_alice.accept_hello(CTX, &hello).unwrap().receiver_with(&secret).unwrap());
    let mut rx = verified.receiver_with(&secret).unwrap();
    assert_eq!(&rx.open(&tx.seal(b"hello").unwrap()).unwrap()[..], b"hello");
}
