//! Is a request refused that was put together from two, made for or by somebody else, or is something else?

use twinseal::{
    Error, VerifyingKeyring,
    request::{RequestHead, detach},
};

use super::fixture::{
    ALICE, ANY, BOB, BOB_P384, CAROL, CTX, Field, MALLORY, OTHER, PREFIX, QUESTION, accept,
    accept_signed, judged, place, plaintext, signed, unsigned, with,
};
use crate::common::errors::outcome;

/// Each set of fields of one request is replaced by that of another of the same parties.
#[test]
fn put_together_from_two() {
    let long = plaintext(40_000);
    let to = BOB.encapsulation_key();
    for is_signed in [false, true] {
        let make = || match is_signed {
            true => to.signed_by(&*ALICE).request(CTX, &long).unwrap().0,
            false => to.request(CTX, &long).unwrap().0,
        };
        let ours = make();
        let mut theirs = make();
        // Requests made within one millisecond have the same time.
        while theirs[place(&theirs, Field::Time)] == ours[place(&ours, Field::Time)] {
            theirs = make();
        }
        let unauthentic = if is_signed { Error::Verify } else { Error::Open };
        let part = |request: &[u8], part: usize| -> Vec<u8> {
            let head = RequestHead::parse(request).unwrap().len();
            let (time, ciphertext) = (Field::Time, Field::Ciphertext);
            match part {
                0 => request[..place(request, time).start].to_vec(),
                1 => request[place(request, time)].to_vec(),
                2 => request[place(request, ciphertext)].to_vec(),
                3 => request[place(request, ciphertext).end..head].to_vec(),
                4 => request[head..head + 24].to_vec(),
                5 => request[head + 24..head + PREFIX].to_vec(),
                _ => {
                    let chunks = &request[head + PREFIX..];
                    chunks.chunks(16_400).nth(part - 6).unwrap().to_vec()
                }
            }
        };
        const PARTS: usize = 9;
        let join = |which: usize| -> Vec<u8> {
            let parts = (0..PARTS)
                .map(|index| part(if which >> index & 1 == 0 { &ours } else { &theirs }, index));
            parts.flatten().collect()
        };
        assert!(join(0) == ours && join((1 << PARTS) - 1) == theirs);
        for which in 0..1 << PARTS {
            let mixed = join(which);
            if mixed == ours || mixed == theirs {
                judged(&BOB, &mixed, is_signed).unwrap();
                continue;
            }
            // Of the head: time, ciphertext, signature.
            let of_head = which >> 1 & 0b111;
            let error = judged(&BOB, &mixed, is_signed).unwrap_err();
            match (is_signed, of_head) {
                (true, 0b001..=0b110) => assert_eq!(error, unauthentic),
                _ => assert_eq!(error, Error::Open),
            }
        }
    }
}

#[test]
fn for_somebody_else() {
    for (request, is_signed) in [(unsigned().0, false), (signed().0, true)] {
        // The same person's key of another suite, too.
        for other in [&*CAROL, &*BOB_P384] {
            assert_eq!(judged(other, &request, is_signed).unwrap_err(), Error::NotARecipient);
        }
    }
    // Sent on by Carol as if it were for Bob.
    let bob = BOB.encapsulation_key().key_id();
    let to_carol = CAROL.encapsulation_key();
    let (request, _) = to_carol.request(CTX, QUESTION).unwrap();
    let renamed = with(&request, place(&request, Field::Recipient), bob.as_bytes());
    assert_eq!(judged(&BOB, &renamed, false).unwrap_err(), Error::Open);
    let (request, _) = to_carol.signed_by(&*ALICE).request(CTX, QUESTION).unwrap();
    let renamed = with(&request, place(&request, Field::Recipient), bob.as_bytes());
    assert_eq!(judged(&BOB, &renamed, true).unwrap_err(), Error::Verify);
}

/// Carol sends on what Alice asked her: the body sealed anew for Bob, the head as Alice signed it.
#[test]
fn sent_on_by_its_recipient() {
    let (to_carol, _) =
        CAROL.encapsulation_key().signed_by(&*ALICE).request(CTX, QUESTION).unwrap();
    let by_carol = BOB.encapsulation_key().request(CTX, QUESTION).unwrap().0;
    let start = place(&to_carol, Field::SignatureLength).start;
    let signature = &to_carol[start..RequestHead::parse(&to_carol).unwrap().len()];
    let name = &to_carol[28..46];
    let body = RequestHead::parse(&by_carol).unwrap().len();
    let mut forged = [&by_carol[..28], name, &by_carol[28..body], signature].concat();
    forged[9] = 1;
    forged.extend_from_slice(&by_carol[body..]);
    assert_eq!(judged(&BOB, &forged, true).unwrap_err(), Error::Verify);
}

#[test]
fn by_another_signer() {
    let by_mallory = BOB.encapsulation_key().signed_by(&*MALLORY).request(CTX, QUESTION).unwrap().0;
    let (alice, mallory) = (ALICE.verifying_key(), MALLORY.verifying_key());
    assert_eq!(judged(&BOB, &by_mallory, true).unwrap_err(), Error::Verify);
    // Under Alice's name.
    let renamed = with(&by_mallory, place(&by_mallory, Field::Signer), alice.key_id().as_bytes());
    assert_eq!(judged(&BOB, &renamed, true).unwrap_err(), Error::Verify);
    // Alice's request under Mallory's name, to those who trust Mallory.
    let request = signed().0;
    let renamed = with(&request, place(&request, Field::Signer), mallory.key_id().as_bytes());
    let both = VerifyingKeyring::new([alice, mallory]).unwrap();
    for accepting in [BOB.accepting(mallory), BOB.accepting_any(&both)] {
        assert_eq!(outcome(accepting.accept(CTX, &renamed, ANY)), "Verify");
    }
}

#[test]
fn in_another_context() {
    let from_alice = BOB.accepting(ALICE.verifying_key());
    for other in [OTHER, b"example.com/predict/v", b"example.com/predict/v1\0"] {
        assert_eq!(outcome(BOB.accept(other, &unsigned().0, ANY)), "Open");
        assert_eq!(outcome(from_alice.accept(other, &signed().0, ANY)), "Verify");
    }
}

#[test]
fn no_downgrade_in_either_direction() {
    assert_eq!(judged(&BOB, &unsigned().0, true).unwrap_err(), Error::Unsigned);
    assert_eq!(judged(&BOB, &signed().0, false).unwrap_err(), Error::Signed);
}

/// Its signature, its signer and its flag are removed: who asks for no signer notices, because all
/// of the core is in the keys.
#[test]
fn stripped() {
    let request = signed().0;
    let head = RequestHead::parse(&request).unwrap().len();
    let core = place(&request, Field::Ciphertext).end;
    let mut stripped = [&request[..core], &request[head..]].concat();
    stripped.drain(28..46);
    stripped[9] = 0;
    RequestHead::parse(&stripped).unwrap();
    assert_eq!(judged(&BOB, &stripped, false).unwrap_err(), Error::Open);
    assert_eq!(judged(&BOB, &stripped, true).unwrap_err(), Error::Unsigned);

    // Only the signature: it is missing, never taken for one that is not needed.
    let mut detached = request;
    detach(&mut detached).unwrap();
    assert_eq!(judged(&BOB, &detached, true).unwrap_err(), Error::Unsigned);
    assert_eq!(judged(&BOB, &detached, false).unwrap_err(), Error::Signed);
}

/// A hello and an envelope are no request, and a request is neither.
#[test]
fn taken_for_something_else() {
    let to = BOB.encapsulation_key();
    let alice = ALICE.verifying_key();
    let not_a_request =
        Error::Invalid { what: "request", reason: "it does not start with \"twinrqst\"" };
    let (pending, asked) = super::fixture::exchange();
    let (in_pieces, _) = super::fixture::exchange().1.piece_sealer().unwrap();
    let answer = asked.answer(b"a cat").unwrap();
    for other in [
        to.seal(CTX, QUESTION).unwrap(),
        to.sender(CTX).unwrap().0,
        to.signed_by(&*ALICE).sender(CTX).unwrap().0,
        in_pieces,
        answer,
        b"GET / HTTP/1.1\r\n\r\n".to_vec(),
        vec![0; 5000],
    ] {
        assert_eq!(accept(&other).unwrap_err(), not_a_request);
        assert_eq!(accept_signed(&other).unwrap_err(), not_a_request);
        // Nor under its first bytes.
        let renamed = with(&other, 0..9, b"twinrqst\x01");
        accept(&renamed).unwrap_err();
        accept_signed(&renamed).unwrap_err();
    }
    drop(pending);

    for request in [unsigned().0, signed().0] {
        assert_eq!(outcome(BOB.open(CTX, &request)), "NotAnEnvelope");
        let not_a_hello = outcome(BOB.receiver(CTX, &request));
        assert!(not_a_hello.starts_with("Invalid { what: \"hello\""), "{not_a_hello}");
        let not_a_hello = outcome(BOB.accepting(alice).receiver(CTX, &request));
        assert!(not_a_hello.starts_with("Invalid { what: \"hello\""), "{not_a_hello}");
        let renamed = with(&request, 0..8, b"twinseal");
        assert!(BOB.open(CTX, &renamed).is_err());
        let renamed = with(&request, 0..8, b"twinsess");
        assert!(BOB.receiver(CTX, &renamed).is_err());
        assert!(BOB.accepting(alice).receiver(CTX, &renamed).is_err());
    }
}
