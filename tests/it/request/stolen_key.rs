//! What can somebody do who has stolen the recipient's key? SECURITY.md admits it; this is what it means.

use sha2::{Digest, Sha384};
use twinseal::{
    hazmat,
    provider::PORTABLE,
    request::{RequestHead, RequestTime},
};

use super::fixture::{ALICE, BOB, CTX, Once, PREFIX, QUESTION, REPLAYED, signed};
use crate::common::errors::outcome;

/// What a thief of Bob's key does with a head that he saw: he decapsulates, derives the key of the
/// body as SPEC.md says, and seals what he likes.
fn with_another_body(request: &[u8], body: &[u8]) -> Vec<u8> {
    let head = RequestHead::parse(request).unwrap();
    let core = &request[..54 + 1600];
    let secret = BOB.decapsulate(head.ciphertext()).unwrap();
    let transcript = Sha384::new()
        .chain_update(core)
        .chain_update(BOB.encapsulation_key().as_bytes())
        .chain_update(ALICE.verifying_key().as_bytes())
        .chain_update(CTX)
        .finalize();
    let mut keys = [0; 80];
    let info = [&b"twinseal/request/v1"[..], &transcript].concat();
    hazmat::hkdf_sha384(secret.as_bytes(), &info, &mut keys);
    let body_key = keys.first_chunk().unwrap();
    let body = hazmat::cobblestone_seal(&PORTABLE, body_key, &[7; 24], CTX, body).unwrap();
    [head.as_bytes(), &body].concat()
}

/// **The forgery that is possible**: whoever has the recipient's key puts another body behind a head
/// that he saw. It is accepted as the signer's until the guard knows the id, or the window is over.
#[test]
fn whoever_holds_the_recipients_key_can_put_another_body_behind_a_head_that_he_saw() {
    let (request, pending) = signed();
    let forged = with_another_body(&request, b"delete everything");
    let from_alice = BOB.accepting(ALICE.verifying_key());

    // Before the true one: it is let in under Alice's name, and spends the id of the true one.
    let guard = Once::default();
    let (question, asked) = from_alice.accept(CTX, &forged, &guard).unwrap();
    assert_eq!(&question[..], b"delete everything");
    assert_eq!(asked.signer(), Some(ALICE.verifying_key().key_id()));
    assert_eq!(from_alice.accept(CTX, &request, &guard).unwrap_err(), REPLAYED);
    // The thief can read and make the answer as well.
    assert_eq!(&pending.open(&asked.answer(b"done").unwrap()).unwrap()[..], b"done");

    // After it: the guard knows the id, which is the head's.
    let guard = Once::default();
    let (question, _) = from_alice.accept(CTX, &request, &guard).unwrap();
    assert_eq!(&question[..], QUESTION);
    assert_eq!(from_alice.accept(CTX, &forged, &guard).unwrap_err(), REPLAYED);
    assert_eq!(forged.len() - PREFIX - 16 - b"delete everything".len(), {
        RequestHead::parse(&request).unwrap().len()
    });
}

/// He cannot make a head: neither to ask later, nor to ask for something else, nor of somebody else.
#[test]
fn whoever_holds_the_recipients_key_cannot_make_a_head() {
    let (request, _) = signed();
    let from_alice = BOB.accepting(ALICE.verifying_key());
    let later = RequestHead::parse(&request).unwrap().time().as_millis() + 60_000;
    assert!(RequestTime::from_millis(later).is_some());
    let mut moved = request.clone();
    moved[46..54].copy_from_slice(&later.to_be_bytes());
    assert_eq!(outcome(from_alice.accept(CTX, &moved, &Once::default())), "Verify");

    let (by_thief, _) = BOB.encapsulation_key().request(CTX, b"delete everything").unwrap();
    let thiefs = RequestHead::parse(&by_thief).unwrap();
    let mut forged = request;
    forged[54..54 + 1600].copy_from_slice(thiefs.ciphertext().as_bytes());
    assert_eq!(outcome(from_alice.accept(CTX, &forged, &Once::default())), "Verify");
}

/// There is no forward secrecy: a recorded request opens whenever the key is stolen.
#[test]
fn whoever_gets_the_recipients_key_reads_what_was_recorded() {
    let (request, _) = signed();
    // In a process of its own, long after: nothing but the key file and the recording is left.
    let stolen = twinseal::DecapsulationKey::from_pem(BOB.to_pem().as_str()).unwrap();
    let from_alice = stolen.accepting(ALICE.verifying_key());
    let (question, _) = from_alice.accept(CTX, &request, &Once::default()).unwrap();
    assert_eq!(&question[..], QUESTION);
}
