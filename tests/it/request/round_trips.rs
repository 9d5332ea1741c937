//! Does what is asked arrive, in every form and with every kind of key?

use std::io::{self, Read, Write};

use twinseal::{
    Decapsulate, Error, Keyring, Policy, Sign, Unlock, VerifyingKeyring,
    envelope::Sealer,
    request::{
        Asked, ReplayGuard, RequestHead, RequestReader, RequestSealer, RequestTime,
        UnlockedRequest, VerifiedHead,
    },
};

use super::fixture::{
    ALICE, ANY, BOB, BOB_P384, CAROL, CHUNK, CTX, Call, MALLORY, PREFIX, QUESTION, Recording,
    plaintext, signed, unsigned,
};
use crate::common::{
    errors::outcome,
    keys::{P384, X25519},
};

/// Around zero, and around the bounds of chunks and of what readers and writers handle at once.
pub(crate) const SIZES: [usize; 12] = [
    0,
    1,
    15,
    100,
    CHUNK - 1,
    CHUNK,
    CHUNK + 1,
    2 * CHUNK,
    8 * CHUNK - 1,
    8 * CHUNK,
    8 * CHUNK + 1,
    20 * CHUNK + 9,
];

/// A request in each form, with what opens its answer. The makers have the same methods and no trait.
macro_rules! made_in_every_form {
    ($maker:expr, $plaintext:expr) => {{
        let whole = $maker.request(CTX, $plaintext).unwrap();
        let mut writer = $maker.request_writer(CTX, Vec::new()).unwrap();
        let id = writer.id();
        for part in $plaintext.chunks(7777) {
            writer.write_all(part).unwrap();
        }
        let written = writer.finish().unwrap();
        assert_eq!(written.1.id(), id);
        let sealer: RequestSealer = $maker.request_sealer(CTX).unwrap();
        let length = sealer.sealed_len($plaintext.len() as u64);
        let RequestSealer { head, prefix, sealer, pending, .. } = sealer;
        let sealed = sealed_by(head.as_bytes(), &prefix, sealer, $plaintext);
        assert_eq!(length, Some(sealed.len() as u64));
        [whole, written, (sealed, pending)]
    }};
}

/// What comes out of a request in each form.
macro_rules! accepted_in_every_form {
    ($taker:expr, $request:expr, $guard:expr) => {{
        let request: &[u8] = $request;
        let (plaintext, asked) = $taker.accept(CTX, request, $guard).unwrap();
        let whole = (plaintext.into_vec(), asked);
        let read = read_by($taker.accept_reader(CTX, request, $guard).unwrap());
        let mut rest = request;
        let head = RequestHead::read(&mut rest).unwrap();
        assert_eq!(head.as_bytes(), &request[..request.len() - rest.len()]);
        let verified = || $taker.accept_head(CTX, head.clone()).unwrap();
        let (plaintext, asked) = verified().open(rest, $guard).unwrap();
        let opened = (plaintext.into_vec(), asked);
        let read_on = read_by(verified().open_reader(rest, $guard).unwrap());
        let all_at_once = opened_without_io(verified(), rest, $guard);
        let little_by_little = opened_little_by_little(verified(), rest, $guard);
        [whole, read, opened, read_on, all_at_once, little_by_little]
    }};
}

pub(crate) fn sealed_by(
    start: &[u8],
    prefix: &[u8],
    mut sealer: Sealer,
    plaintext: &[u8],
) -> Vec<u8> {
    let mut sealed = [start, prefix].concat();
    for part in plaintext.chunks(5001) {
        sealer.update(part, &mut sealed).unwrap();
    }
    sealer.finish(&mut sealed).unwrap();
    sealed
}

fn read_by(mut reader: RequestReader<impl Read>) -> (Vec<u8>, Asked) {
    let facts = (reader.id(), reader.signer(), reader.time());
    let mut plaintext = Vec::new();
    reader.read_to_end(&mut plaintext).unwrap();
    let asked = reader.finish().unwrap();
    assert_eq!((asked.id(), asked.signer(), asked.time()), facts);
    (plaintext, asked)
}

fn opened_without_io(
    verified: VerifiedHead<'_>,
    body: &[u8],
    guard: &dyn ReplayGuard,
) -> (Vec<u8>, Asked) {
    let facts = (verified.id(), verified.signer(), verified.time());
    let opened = verified.unlock().unwrap().open(body).unwrap();
    assert_eq!((opened.id(), opened.signer(), opened.time()), facts);
    let (plaintext, asked) = opened.admitted(guard.admit(facts.0, facts.1, facts.2)).unwrap();
    (plaintext.into_vec(), asked)
}

fn opened_little_by_little(
    verified: VerifiedHead<'_>,
    body: &[u8],
    guard: &dyn ReplayGuard,
) -> (Vec<u8>, Asked) {
    let facts = (verified.id(), verified.signer(), verified.time());
    let (prefix, chunks) = body.split_first_chunk().unwrap();
    let (first, rest) = chunks.split_at(chunks.len().min(UnlockedRequest::SEALED_CHUNK_LEN));
    let begun = verified.unlock().unwrap().begin(prefix, first).unwrap();
    assert_eq!((begun.id(), begun.signer(), begun.time()), facts);
    let (first, mut opener) = begun.admitted(guard.admit(facts.0, facts.1, facts.2)).unwrap();
    let mut plaintext = first.into_vec();
    for part in rest.chunks(3333) {
        opener.update(part, &mut plaintext).unwrap();
    }
    let asked = opener.finish(&mut plaintext).unwrap();
    (plaintext, asked)
}

#[test]
fn every_form_and_size() {
    let alice = ALICE.verifying_key();
    for (size, bob) in SIZES.into_iter().flat_map(|size| [(size, &*BOB), (size, &*BOB_P384)]) {
        let question = plaintext(size);
        let to = bob.encapsulation_key();
        for (request, pending) in made_in_every_form!(to, &question) {
            assert_eq!(request.len(), 36 + to.suite().ciphertext_len() + body_len(size));
            for (opened, asked) in accepted_in_every_form!(bob, &request, ANY) {
                assert!(opened == question);
                assert_eq!((asked.id(), asked.signer()), (pending.id(), None));
            }
        }
        let by_alice = to.signed_by(&*ALICE);
        let from_alice = bob.accepting(alice);
        for (request, pending) in made_in_every_form!(by_alice, &question) {
            for (opened, asked) in accepted_in_every_form!(from_alice, &request, ANY) {
                assert!(opened == question);
                assert_eq!((asked.id(), asked.signer()), (pending.id(), Some(alice.key_id())));
            }
        }
    }
}

fn body_len(plaintext: usize) -> usize {
    PREFIX + plaintext + 16 * (plaintext / CHUNK + 1)
}

/// One function for all that can unlock, and for all that can sign.
fn asks_and_answers(keys: &(impl Unlock + ?Sized), by: &dyn Sign, to_p384: bool) {
    let bob = if to_p384 { &*BOB_P384 } else { &*BOB };
    let to = bob.encapsulation_key();
    let (alice, mallory) = (ALICE.verifying_key(), MALLORY.verifying_key());
    let ring = VerifyingKeyring::new([mallory, alice]).unwrap();
    let (request, pending) = to.request(CTX, QUESTION).unwrap();
    let mut pending = Some(pending);
    for (opened, asked) in accepted_in_every_form!(keys, &request, ANY) {
        assert_eq!(opened, QUESTION);
        if let Some(pending) = pending.take() {
            assert_eq!(&pending.open(&asked.answer(b"a cat").unwrap()).unwrap()[..], b"a cat");
        }
    }
    let (request, pending) = to.signed_by(by).request(CTX, QUESTION).unwrap();
    let mut pending = Some(pending);
    for accepting in [keys.accepting(alice), keys.accepting_any(&ring)] {
        for (opened, asked) in accepted_in_every_form!(accepting, &request, ANY) {
            assert_eq!(opened, QUESTION);
            assert_eq!(asked.signer(), Some(alice.key_id()));
            if let Some(pending) = pending.take() {
                assert_eq!(&pending.open(&asked.answer(b"a cat").unwrap()).unwrap()[..], b"a cat");
            }
        }
    }
}

#[test]
fn every_kind_of_key() {
    let boxed: Box<dyn Sign> = Box::new(crate::common::keys::signing_key(0xa1));
    for (to_p384, bob) in [(false, &*BOB), (true, &*BOB_P384)] {
        asks_and_answers(bob, &*ALICE, to_p384);
        let external: &dyn Decapsulate = bob;
        asks_and_answers(external, &boxed, to_p384);
        let mut ring = Keyring::new(&*CAROL);
        ring.add_older(&*BOB).unwrap();
        ring.add_older(&*BOB_P384).unwrap();
        asks_and_answers(&ring, &*boxed, to_p384);
    }
}

#[test]
fn policies() {
    let requests = [
        (X25519, BOB.encapsulation_key().signed_by(&*ALICE).request(CTX, QUESTION).unwrap().0),
        (P384, BOB_P384.encapsulation_key().signed_by(&*ALICE).request(CTX, QUESTION).unwrap().0),
    ];
    let ring = |policy: Policy| {
        let mut ring = Keyring::new(&*BOB);
        ring.add_older(&*BOB_P384).unwrap();
        ring.with_policy(policy)
    };
    let both = ring(Policy::stable()).unwrap();
    let no_signatures = ring(Policy::stable().with_signature_suites([])).unwrap();
    for (_, request) in &requests {
        let alice = ALICE.verifying_key();
        assert_eq!(outcome(both.accepting(alice).accept(CTX, request, ANY)), "Ok");
        let refused = no_signatures.accepting(alice).accept(CTX, request, ANY);
        assert!(matches!(refused, Err(Error::Refused { what: "signature suite", .. })));
    }
}

#[test]
fn what_the_guard_is_told() {
    for (request, pending) in [unsigned(), signed()] {
        let head = RequestHead::parse(&request).unwrap();
        let guard = Recording::default();
        let accepted = match head.claimed_signer() {
            None => BOB.accept(CTX, &request, &guard),
            Some(_) => BOB.accepting(ALICE.verifying_key()).accept(CTX, &request, &guard),
        };
        let (_, asked) = accepted.unwrap();
        let facts = (pending.id(), head.claimed_signer(), head.time());
        assert_eq!((asked.id(), asked.signer(), asked.time()), facts);
        let expected =
            [Call::Look(facts.0, facts.1, facts.2), Call::Admit(facts.0, facts.1, facts.2)];
        assert_eq!(guard.calls(), expected);
        let now = RequestTime::now().as_millis();
        assert!((now.saturating_sub(600_000)..=now).contains(&facts.2.as_millis()));
    }
}

#[test]
fn no_context() {
    let to = BOB.encapsulation_key();
    for context in [&b""[..], b"twinseal/", b"twinseal/request/v1", &[b'x'; 256]] {
        let by_alice = to.signed_by(&*ALICE);
        let (request, _) = unsigned();
        let (by_request, _) = signed();
        let from_alice = BOB.accepting(ALICE.verifying_key());
        let head = || RequestHead::parse(&request).unwrap();
        for refused in [
            outcome(to.request(context, QUESTION)),
            outcome(to.request_sealer(context)),
            outcome(by_alice.request(context, QUESTION)),
            outcome(by_alice.request_sealer(context)),
            outcome(BOB.accept(context, &request, ANY)),
            outcome(BOB.accept_head(context, head())),
            outcome(from_alice.accept(context, &by_request, ANY)),
        ] {
            assert!(refused.starts_with("Context("), "{refused}");
        }
        for refused in [
            to.request_writer(context, Vec::new()).map(drop),
            by_alice.request_writer(context, Vec::new()).map(drop),
            BOB.accept_reader(context, &request[..], ANY).map(drop),
            from_alice.accept_reader(context, &by_request[..], ANY).map(drop),
        ] {
            let refused = refused.unwrap_err();
            assert_eq!(refused.kind(), io::ErrorKind::InvalidInput);
            assert!(matches!(Error::inside(&refused), Some(Error::Context(_))));
        }
    }
    let longest = [b'x'; 255];
    let (request, pending) = to.signed_by(&*ALICE).request(&longest, QUESTION).unwrap();
    let from_alice = BOB.accepting(ALICE.verifying_key());
    let (_, asked) = from_alice.accept(&longest, &request, ANY).unwrap();
    pending.open(&asked.answer(b"a cat").unwrap()).unwrap();
}

/// A secret that was decapsulated elsewhere is of the right suite, or is refused.
#[test]
fn a_secret_from_elsewhere() {
    let (request, pending) = signed();
    let head = RequestHead::parse(&request).unwrap();
    let body = &request[head.len()..];
    let from_alice = BOB.accepting(ALICE.verifying_key());
    let verified = || from_alice.accept_head(CTX, head.clone()).unwrap();
    let secret = BOB.decapsulate(verified().ciphertext()).unwrap();
    let opened = verified().unlock_with(&secret).unwrap().open(body).unwrap();
    let (question, asked) = opened.admitted(Ok(())).unwrap();
    assert_eq!(&question[..], QUESTION);
    assert_eq!(&pending.open(&asked.answer(b"a cat").unwrap()).unwrap()[..], b"a cat");

    let (_, wrong) = BOB.encapsulation_key().encapsulate().unwrap();
    assert_eq!(outcome(verified().unlock_with(&wrong).unwrap().open(body)), "Open");
    let (_, of_another_suite) = BOB_P384.encapsulation_key().encapsulate().unwrap();
    let refused = verified().unlock_with(&of_another_suite);
    assert!(matches!(refused, Err(Error::SuiteMismatch { what: "shared secret", .. })));
}
