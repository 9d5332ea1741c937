//! Is a request that awaited its signature the one that a key at hand makes, and is a wrong signature held back?

use sha2::{Digest, Sha512};
use twinseal::{provider::PORTABLE, request::RequestTime, sign::EcdsaSignature, split::Half};

use super::fixture::{ALICE, BOB, BOB_P384, CTX, MALLORY, QUESTION, judged, plaintext};
use crate::{
    awaited::signatures::{assert_names, sign, wrong},
    common::{errors::outcome, keys::signing_key},
};

/// Accepted in each form, and answered.
#[test]
fn asked_and_answered() {
    for bob in [&*BOB, &*BOB_P384] {
        for length in [0, 1, 16_383, 16_384, 100_000] {
            let question = plaintext(length);
            let prepared =
                bob.encapsulation_key().prepare_request(ALICE.verifying_key(), CTX).unwrap();
            let (id, time) = (prepared.id(), prepared.time());
            let signature = sign(&ALICE, prepared.signature_context(), prepared.sha512());
            let sealer = prepared.finish(signature).unwrap();
            let announced = sealer.sealed_len(length as u64);
            let (request, pending) = sealer.seal(&question).unwrap();
            assert_eq!(announced, Some(request.len() as u64));

            let (opened, asked) = judged(bob, &request, true).unwrap();
            assert!(opened[..] == question);
            assert_eq!([pending.id(), asked.id()], [id, id]);
            assert_eq!(
                (asked.time(), asked.signer()),
                (time, Some(ALICE.verifying_key().key_id()))
            );
            assert_eq!(&pending.open(&asked.answer(b"a cat").unwrap()).unwrap()[..], b"a cat");
        }
    }
}

/// From the same randomness: every byte but the signature, and the answer's key.
#[cfg(feature = "hazmat")]
#[test]
fn it_is_the_request_of_a_key_at_hand() {
    use twinseal::{
        hazmat::{self, RequestRandomness},
        request::{AllowReplays, RequestHead},
    };

    for (bob, encapsulation) in [(&*BOB, &[7; 64][..]), (&*BOB_P384, &[7; 80])] {
        let to = bob.encapsulation_key();
        let time = RequestTime::from_millis(7).unwrap();
        let given = RequestRandomness { time, encapsulation, salt: [9; 24] };
        let (direct, of_direct) =
            hazmat::request(to, Some(&*ALICE), CTX, QUESTION, &given).unwrap();
        let prepared = hazmat::prepare_request(to, ALICE.verifying_key(), CTX, &given).unwrap();
        assert_eq!(prepared.time(), time);
        let signature = sign(&ALICE, prepared.signature_context(), prepared.sha512());
        let (request, pending) =
            prepared.finish(signature.clone()).unwrap().seal(QUESTION).unwrap();

        let [mut ours, mut theirs] =
            [&request, &direct].map(|request| RequestHead::parse(request).unwrap());
        assert!(request[ours.len()..] == direct[theirs.len()..]);
        assert!(ours.detach().unwrap().as_bytes() == signature.as_bytes());
        theirs.detach().unwrap();
        assert!(ours.as_bytes() == theirs.as_bytes());
        assert_eq!((ours.id(), pending.id()), (theirs.id(), of_direct.id()));
        let (_, asked) =
            bob.accepting(ALICE.verifying_key()).accept(CTX, &request, &AllowReplays).unwrap();
        assert_eq!(&of_direct.open(&asked.answer(b"a cat").unwrap()).unwrap()[..], b"a cat");
    }
}

#[test]
fn what_is_signed() {
    for bob in [&*BOB, &*BOB_P384] {
        let (to, alice) = (bob.encapsulation_key(), ALICE.verifying_key());
        let before = RequestTime::now();
        let prepared = to.prepare_request(alice, CTX).unwrap();
        assert!(before <= prepared.time() && prepared.time() <= RequestTime::now());
        assert_eq!(prepared.signature_context(), b"twinseal/request/v1");
        assert_eq!(prepared.to_be_signed().verifying_key(), alice);
        let same = alice.to_be_signed(prepared.signature_context(), prepared.sha512()).unwrap();
        assert_eq!(prepared.to_be_signed().message(), same.message());
        let text = format!("PreparedRequest({}, by {alice:?})", prepared.id());
        assert_eq!(format!("{prepared:?}"), text);

        let sha512 = *prepared.sha512();
        let signature = sign(&ALICE, prepared.signature_context(), &sha512);
        let mut head = prepared.finish(signature).unwrap().head;
        head.detach().unwrap();
        let core = &head.as_bytes()[..head.len() - 2];
        let message = [core, to.as_bytes(), alice.as_bytes(), CTX].concat();
        assert_eq!(sha512[..], Sha512::digest(message)[..]);
    }
}

/// Each half signs in its place what the value says.
#[test]
fn signed_by_halves() {
    let halves = signing_key(0xa1).into_halves().unwrap();
    let ml_dsa = PORTABLE.ml_dsa_87.key_pair(halves.post_quantum.secret_bytes()).unwrap().signer;
    let ecdsa = PORTABLE.ecdsa_p384.key_pair(halves.traditional.secret_bytes()).unwrap().signer;
    let prepared = BOB.encapsulation_key().prepare_request(ALICE.verifying_key(), CTX).unwrap();
    let to_be_signed = prepared.to_be_signed();
    let first = ml_dsa.sign(to_be_signed.ml_dsa_context(), to_be_signed.message());
    let second = ecdsa.sign(b"", to_be_signed.message());
    let signature = to_be_signed.join(first, second.map(EcdsaSignature::Fixed)).unwrap();
    let (request, _) = prepared.finish(signature).unwrap().seal(QUESTION).unwrap();
    assert_eq!(&judged(&BOB, &request, true).unwrap().0[..], QUESTION);
}

#[test]
fn a_wrong_signature_is_not_given_out() {
    let to = BOB.encapsulation_key();
    let prepare = || to.prepare_request(ALICE.verifying_key(), CTX).unwrap();
    let first = prepare();
    let names = wrong(&ALICE, &MALLORY, first.signature_context(), first.sha512());
    for index in 0..names.len() {
        let prepared = prepare();
        let (name, signature, half) =
            wrong(&ALICE, &MALLORY, prepared.signature_context(), prepared.sha512())
                .swap_remove(index);
        assert_names(name, prepared.finish(signature), half);
    }
    // The signature of another request, and of a hello.
    let (prepared, hello) = (prepare(), to.prepare_sender(ALICE.verifying_key(), CTX).unwrap());
    let of_another = sign(&ALICE, first.signature_context(), first.sha512());
    assert_names("of another", prepared.finish(of_another), Some(Half::PostQuantum));
    let of_hello = sign(&ALICE, hello.signature_context(), hello.sha512());
    assert_names("of a hello", first.finish(of_hello), Some(Half::PostQuantum));
}

/// A signature that comes late is right, and the request too old: its time is that of the preparation.
#[cfg(feature = "hazmat")]
#[test]
fn a_signature_that_took_too_long() {
    use std::time::Duration;

    use twinseal::{
        Error, ReplayRefusal,
        hazmat::{self, RequestRandomness},
        request::{Window, WindowGuard},
    };

    let now = RequestTime::now().as_millis();
    let guard = WindowGuard::for_new_keys().with_window(Window::default());
    for (seconds, expected) in [(30, "Ok"), (90, "TooOld")] {
        let time = Duration::from_secs(seconds).as_millis() as u64;
        let time = RequestTime::from_millis(now - time).unwrap();
        let given = RequestRandomness { time, encapsulation: &[7; 64], salt: [9; 24] };
        let to = BOB.encapsulation_key();
        let prepared = hazmat::prepare_request(to, ALICE.verifying_key(), CTX, &given).unwrap();
        let signature = sign(&ALICE, prepared.signature_context(), prepared.sha512());
        let (request, _) = prepared.finish(signature).unwrap().seal(QUESTION).unwrap();
        let accepted = BOB.accepting(ALICE.verifying_key()).accept(CTX, &request, &guard);
        match expected {
            "Ok" => drop(accepted.unwrap()),
            _ => assert_eq!(accepted.unwrap_err(), Error::Replay(ReplayRefusal::TooOld)),
        }
    }
}

#[test]
fn what_is_not_prepared() {
    let to = BOB.encapsulation_key();
    for context in [&b""[..], b"twinseal/", b"twinseal/request/v1", &[b'x'; 256]] {
        let refused = to.prepare_request(ALICE.verifying_key(), context);
        assert!(outcome(refused).starts_with("Context"));
    }
    drop(to.prepare_request(ALICE.verifying_key(), &[b'x'; 255]).unwrap());
}
