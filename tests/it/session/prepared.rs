//! Is a hello that awaited its signature the one that a key at hand makes, and is a wrong signature held back?

use p384::ecdsa::Signature as Ecdsa;
use sha2::{Digest, Sha512};
use twinseal::{
    DecapsulationKey, Error, KemSuite, Signature, hazmat,
    provider::PORTABLE,
    session::{Hello, SessionReceiver},
    sign::EcdsaSignature,
};

use super::fixture::{ALICE, BOB, BOB_P384, CTX, MALLORY, SIGNED_CORE};
use crate::{
    awaited::signatures::{assert_names, sign, wrong},
    common::{
        errors::outcome,
        keys::{COMPOSITE, signing_key},
    },
};

fn receive(bob: &DecapsulationKey, hello: &[u8]) -> SessionReceiver {
    bob.accepting(ALICE.verifying_key()).receiver(CTX, hello).unwrap()
}

/// From the same randomness: every byte of the hello but the signature, the session's name, and its messages.
#[test]
fn it_is_the_session_of_a_key_at_hand() {
    for (bob, randomness) in [(&*BOB, &[7; 64][..]), (&*BOB_P384, &[7; 80])] {
        let to = bob.encapsulation_key();
        let (direct, mut tx) = hazmat::sender(to, Some(&*ALICE), CTX, randomness).unwrap();
        let prepared = hazmat::prepare_sender(to, ALICE.verifying_key(), CTX, randomness).unwrap();
        let signature = sign(&ALICE, prepared.signature_context(), prepared.sha512());
        let (hello, mut prepared_tx) = prepared.finish(signature.clone()).unwrap();

        let core = SIGNED_CORE - 1600 + bob.suite().ciphertext_len();
        assert!(hello[..core] == direct[..core]);
        assert!(hello[core..] == *signature.as_bytes());
        assert!(hello.len() <= Hello::MAX_LEN);
        assert_eq!(prepared_tx.session_id(), tx.session_id());
        let mut receivers = [receive(bob, &hello), receive(bob, &direct)];
        for message in [&b"first"[..], b"second"] {
            let sealed = tx.seal(message).unwrap();
            assert!(prepared_tx.seal(message).unwrap() == sealed);
            for rx in &mut receivers {
                assert_eq!(&rx.open(&sealed).unwrap()[..], message);
            }
        }
        // A reply finds the sender.
        let (nonce, mut answer) = receivers[0].reply().unwrap();
        let mut answers = prepared_tx.accept_reply(nonce).unwrap();
        assert_eq!(&answers.open(&answer.finish(b"thanks").unwrap()).unwrap()[..], b"thanks");
    }
}

/// Fresh each time.
#[test]
fn no_two_are_equal() {
    let to = BOB.encapsulation_key();
    let prepare = || to.prepare_sender(ALICE.verifying_key(), CTX).unwrap();
    let (first, second) = (prepare(), prepare());
    assert_ne!(first.sha512(), second.sha512());
    assert_ne!(first.to_be_signed().message(), second.to_be_signed().message());
}

#[test]
fn what_is_signed() {
    for bob in [&*BOB, &*BOB_P384] {
        let to = bob.encapsulation_key();
        let alice = ALICE.verifying_key();
        let prepared = to.prepare_sender(alice, CTX).unwrap();
        assert_eq!(prepared.signature_context(), b"twinseal/session/v1");
        assert_eq!(prepared.to_be_signed().verifying_key(), alice);
        let same = alice.to_be_signed(prepared.signature_context(), prepared.sha512()).unwrap();
        assert_eq!(prepared.to_be_signed().message(), same.message());

        let sha512 = *prepared.sha512();
        let signature = sign(&ALICE, prepared.signature_context(), &sha512);
        let (hello, _) = prepared.finish(signature).unwrap();
        let core = &hello[..SIGNED_CORE - 1600 + to.suite().ciphertext_len()];
        let message = [core, to.as_bytes(), alice.as_bytes(), CTX].concat();
        assert_eq!(sha512[..], Sha512::digest(message)[..]);
    }
}

/// Each half signs in its place what the value says.
#[test]
fn signed_by_halves() {
    let whole = signing_key(0xa1);
    let alice = whole.verifying_key().clone();
    let halves = whole.into_halves().unwrap();
    let ml_dsa = PORTABLE.ml_dsa_87.key_pair(halves.post_quantum.secret_bytes()).unwrap().signer;
    let ecdsa = PORTABLE.ecdsa_p384.key_pair(halves.traditional.secret_bytes()).unwrap().signer;

    let prepared = BOB.encapsulation_key().prepare_sender(&alice, CTX).unwrap();
    let to_be_signed = prepared.to_be_signed();
    let first = ml_dsa.sign(to_be_signed.ml_dsa_context(), to_be_signed.message());
    let second = ecdsa.sign(b"", to_be_signed.message());
    let signature = to_be_signed.join(first, second.map(EcdsaSignature::Fixed)).unwrap();
    let (hello, mut tx) = prepared.finish(signature).unwrap();
    let mut rx = BOB.accepting(&alice).receiver(CTX, &hello).unwrap();
    assert_eq!(&rx.open(&tx.finish(b"hello").unwrap()).unwrap()[..], b"hello");
}

#[test]
fn a_wrong_signature_is_not_given_out() {
    let to = BOB.encapsulation_key();
    let prepare = || hazmat::prepare_sender(to, ALICE.verifying_key(), CTX, &[7; 64]).unwrap();
    let (context, sha512) = (prepare().signature_context(), *prepare().sha512());
    for (name, signature, half) in wrong(&ALICE, &MALLORY, context, &sha512) {
        assert_names(name, prepare().finish(signature), half);
    }
    prepare().finish(sign(&ALICE, context, &sha512)).unwrap();
}

/// A signature is for one hello: to somebody else, in another context or by another signer it is another one.
#[test]
fn a_signature_of_another_hello() {
    let to = BOB.encapsulation_key();
    let prepare = || to.prepare_sender(ALICE.verifying_key(), CTX).unwrap();
    let (first, second) = (prepare(), prepare());
    let of_first = sign(&ALICE, first.signature_context(), first.sha512());
    let of_second = sign(&ALICE, second.signature_context(), second.sha512());
    assert_names(
        "swapped",
        first.finish(of_second.clone()),
        Some(twinseal::split::Half::PostQuantum),
    );
    // One that failed takes nothing from the other.
    let (hello, mut tx) = second.finish(of_second).unwrap();
    receive(&BOB, &hello).open(&tx.seal(b"hello").unwrap()).unwrap();
    drop(of_first);
}

/// Anyone can make ECDSA's half another valid one, a KMS too.
#[test]
fn the_other_valid_signature_is_right() {
    let prepared = BOB.encapsulation_key().prepare_sender(ALICE.verifying_key(), CTX).unwrap();
    let signature = sign(&ALICE, prepared.signature_context(), prepared.sha512());
    let (ml_dsa, der) = signature.as_bytes().split_at(4627);
    let (r, s) = Ecdsa::from_der(der).unwrap().split_scalars();
    let mirrored = Ecdsa::from_scalars(*r, s.neg()).unwrap();
    let mirrored = [ml_dsa, mirrored.to_der().as_bytes()].concat();
    let (hello, _) = prepared.finish(Signature::from_bytes(COMPOSITE, &mirrored).unwrap()).unwrap();
    receive(&BOB, &hello);
}

#[test]
fn what_is_not_prepared() {
    let to = BOB.encapsulation_key();
    for context in [&b""[..], b"twinseal/", b"twinseal/session/v1", &[b'x'; 256]] {
        let refused = to.prepare_sender(ALICE.verifying_key(), context);
        assert!(matches!(refused, Err(Error::Context(_))));
    }
    drop(to.prepare_sender(ALICE.verifying_key(), &[b'x'; 255]).unwrap());
    for bytes in [0, 63, 65] {
        let given = vec![7; bytes];
        let refused = hazmat::prepare_sender(to, ALICE.verifying_key(), CTX, &given);
        assert!(matches!(refused, Err(Error::Randomness | Error::Length { .. })), "{bytes}");
    }
}

/// The experimental suite is not prepared, and signs as before.
#[cfg(feature = "experimental-falcon")]
#[test]
fn the_experimental_suite() {
    use twinseal::{SignatureSuite, SigningKey, request::AllowReplays};

    let suite = SignatureSuite::EXPERIMENTAL_FALCON_1024_ECDSA_P384;
    let key = SigningKey::generate_for(suite).unwrap();
    let to = BOB.encapsulation_key();
    let unsupported = outcome::<()>(Err(Error::Unsupported("split keys of this suite")));
    assert_eq!(outcome(to.prepare_sender(key.verifying_key(), CTX)), unsupported);
    assert_eq!(outcome(to.prepare_request(key.verifying_key(), CTX)), unsupported);

    let from_us = BOB.accepting(key.verifying_key());
    let (hello, mut tx) = to.signed_by(&key).sender(CTX).unwrap();
    let mut rx = from_us.receiver(CTX, &hello).unwrap();
    assert_eq!(&rx.open(&tx.finish(b"hello").unwrap()).unwrap()[..], b"hello");
    let (request, _) = to.signed_by(&key).request(CTX, b"a picture").unwrap();
    let (opened, _) = from_us.accept(CTX, &request, &AllowReplays).unwrap();
    assert_eq!(&opened[..], b"a picture");
}

#[test]
fn what_is_printed() {
    for suite in KemSuite::ALL {
        let bob = DecapsulationKey::from_seed(*suite, &[7; 32]).unwrap();
        let prepared = bob.encapsulation_key().prepare_sender(ALICE.verifying_key(), CTX).unwrap();
        let alice = ALICE.verifying_key();
        assert_eq!(format!("{prepared:?}"), format!("PreparedSender(by {alice:?})"));
    }
}
