//! What can somebody do to a signed session who has the recipient's key, and what does a reply not say?

use twinseal::{Error, hazmat::KeySchedule, kem::Ciphertext, provider::PORTABLE, session::Hello};

use super::fixture::{ALICE, BOB, CAROL, CTX, RECIPIENT, SIGNED_CORE, SIGNER};

/// A thief of Bob's key puts a message of their own behind a hello that they saw. The messages are not
/// under the signature: that a receiver opens them shows only that their maker knows the session's keys.
#[test]
fn whoever_holds_the_recipients_key_can_send_messages_behind_a_hello() {
    let to_bob = BOB.encapsulation_key();
    let (hello, mut tx) = to_bob.signed_by(&*ALICE).sender(CTX).unwrap();
    let true_message = tx.seal(b"layer 1").unwrap();

    let core = &hello[..SIGNED_CORE];
    let ciphertext = Ciphertext::from_bytes(BOB.suite(), &core[SIGNER.end..]).unwrap();
    let stolen = BOB.decapsulate(&ciphertext).unwrap();
    let info = [&b"twinseal/session/v1"[..], core, CTX].concat();
    let keys = KeySchedule::new(&PORTABLE, BOB.suite(), stolen.as_bytes(), &info).unwrap();
    let forged = [&[0], &keys.seal(0, b"\x00", b"poison").unwrap()[..]].concat();

    let from_alice = BOB.accepting(ALICE.verifying_key());
    let mut rx = from_alice.receiver(CTX, &hello).unwrap();
    assert_eq!(&rx.open(&forged).unwrap()[..], b"poison");
    assert_eq!(rx.signer(), Some(ALICE.verifying_key().key_id()));
    assert_eq!(rx.open(&true_message).unwrap_err(), Error::Open);

    // It is the same session to a receiver that remembers ids, and not one with anybody else.
    assert_eq!(rx.session_id(), from_alice.receiver(CTX, &hello).unwrap().session_id());
    let mut for_carol = hello;
    for_carol[RECIPIENT].copy_from_slice(CAROL.encapsulation_key().key_id().as_bytes());
    assert_eq!(Hello::parse(&for_carol).unwrap().claimed_signer(), rx.signer());
    let refused = CAROL.accepting(ALICE.verifying_key()).receiver(CTX, &for_carol);
    assert_eq!(refused.unwrap_err(), Error::Verify);
}

/// A reply may be started, and opens, whatever has arrived.
#[test]
fn a_reply_does_not_say_which_messages_arrived() {
    for opened in 0..3 {
        let to_bob = BOB.encapsulation_key();
        let (hello, mut tx) = to_bob.signed_by(&*ALICE).sender(CTX).unwrap();
        let sent = [tx.seal(b"layer 1").unwrap(), tx.finish(b"layer 2").unwrap()];
        let mut rx = BOB.accepting(ALICE.verifying_key()).receiver(CTX, &hello).unwrap();
        for message in &sent[..opened] {
            rx.open(message).unwrap();
        }
        let (nonce, mut answer) = rx.reply().unwrap();
        let sealed = answer.finish(b"thank you").unwrap();
        let mut answers = tx.accept_reply(nonce).unwrap();
        assert_eq!(&answers.open(&sealed).unwrap()[..], b"thank you");
    }
}
