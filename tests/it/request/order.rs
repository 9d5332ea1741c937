//! In which order is a request judged? Nothing is spent on strangers, and nothing is released before the guard agrees.

use std::{
    io::{self, Read},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use twinseal::{
    Accepting, Error, KeyId, Keyring, Policy, Unlock, VerifyingKeyring,
    request::{ReplayGuard, RequestHead, RequestId, RequestTime, UnlockedRequest, attach, detach},
};

use super::fixture::{
    ALICE, ANY, BOB, CAROL, CHUNK, CTX, Call, Field, MALLORY, OTHER, Once, PREFIX, QUESTION,
    REPLAYED, Recording, SEALED_CHUNK, Token, flipped, place, plaintext, signed, unsigned, with,
};
use crate::common::errors::{io_outcome, outcome};

/// Accepts in each form that takes a guard, and returns the outcomes, which must be the same.
macro_rules! judged {
    ($taker:expr, $context:expr, $request:expr, $guard:expr) => {{
        let (taker, context, request): (_, &[u8], &[u8]) = (&$taker, $context, $request);
        let whole = outcome(taker.accept(context, request, $guard));
        let read = match taker.accept_reader(context, request, $guard) {
            Ok(reader) => io_outcome(reader.finish()),
            Err(error) => io_outcome::<()>(Err(error)),
        };
        assert_eq!(read.rsplit(": ").next(), whole.rsplit(": ").next(), "{read}, {whole}");
        whole
    }};
}

/// What is done for a request until its outcome: decapsulations and calls of the guard, in both forms.
#[test]
fn nothing_is_decapsulated_for_strangers() {
    let token = Token::new();
    let (alice, mallory) = (ALICE.verifying_key(), MALLORY.verifying_key());
    let to = BOB.encapsulation_key();
    let by_mallory = to.signed_by(&*MALLORY).request(CTX, QUESTION).unwrap().0;
    let (mut detached, request) = (signed().0, signed().0);
    detach(&mut detached).unwrap();
    let renamed = with(&by_mallory, place(&by_mallory, Field::Signer), alice.key_id().as_bytes());
    let to_carol = CAROL.encapsulation_key().signed_by(&*ALICE).request(CTX, QUESTION).unwrap().0;
    let flip = |field| flipped(&request, place(&request, field).start, 0);

    let refused = [
        ("no signature", unsigned().0, CTX, "Unsigned"),
        ("a detached signature", detached, CTX, "Unsigned"),
        ("an unknown signer", by_mallory, CTX, "Verify"),
        ("a known signer's name", renamed, CTX, "Verify"),
        ("a wrong signature", flip(Field::MlDsa), CTX, "Verify"),
        ("another time", with_time(&request, 7), CTX, "Verify"),
        ("another ciphertext", flip(Field::Ciphertext), CTX, "Verify"),
        ("another context", request.clone(), OTHER, "Verify"),
        ("another recipient", to_carol, CTX, "NotARecipient"),
    ];
    let ring = VerifyingKeyring::new([alice]).unwrap();
    let both = VerifyingKeyring::new([mallory, alice]).unwrap();
    for accepting in [token.accepting(alice), token.accepting_any(&ring)] {
        for (name, request, context, expected) in &refused {
            let guard = Recording::default();
            assert_eq!(judged!(accepting, context, request, &guard), *expected, "{name}");
            assert_eq!((token.count(), guard.calls()), (0, vec![]), "{name}");
        }
        for context in [&b""[..], b"twinseal/request/v1"] {
            let guard = Recording::default();
            assert!(judged!(accepting, context, &request, &guard).starts_with("Context"));
            assert_eq!((token.count(), guard.calls()), (0, vec![]));
        }
    }
    let guard = Recording::default();
    assert_eq!(judged!(token, CTX, &request, &guard), "Signed");
    assert_eq!((token.count(), guard.calls()), (0, vec![]));

    // One that is right takes one decapsulation in each form.
    for accepting in [token.accepting(alice), token.accepting_any(&both)] {
        assert_eq!(outcome(accepting.accept(CTX, &request, ANY)), "Ok");
        assert_eq!(token.count(), 1);
        accepting.accept_reader(CTX, &request[..], ANY).unwrap().finish().unwrap();
        assert_eq!(token.count(), 1);
        let head = RequestHead::parse(&request).unwrap();
        let verified = accepting.accept_head(CTX, head).unwrap();
        assert_eq!(token.count(), 0, "a head costs none");
        verified.unlock().unwrap();
        assert_eq!(token.count(), 1);
    }
    // So does one whose body is wrong.
    let changed = flip(Field::Chunks);
    assert_eq!(judged!(token.accepting(alice), CTX, &changed, ANY), "Open");
    assert_eq!(token.count(), 2);
}

fn with_time(request: &[u8], millis: u64) -> Vec<u8> {
    with(request, place(request, Field::Time), &millis.to_be_bytes())
}

#[test]
fn nothing_is_decapsulated_against_the_policy() {
    let token = Arc::new(Token::new());
    let ring = Keyring::new(Arc::clone(&token));
    let ring = ring.with_policy(Policy::stable().with_signature_suites([])).unwrap();
    let guard = Recording::default();
    let from_alice = ring.accepting(ALICE.verifying_key());
    let refused = judged!(from_alice, CTX, &signed().0, &guard);
    assert!(refused.starts_with("Refused"), "{refused}");
    assert_eq!((token.count(), guard.calls()), (0, vec![]));
}

#[test]
fn what_a_guard_refuses() {
    let token = Token::new();
    let from_alice = token.accepting(ALICE.verifying_key());
    for request in [unsigned().0, signed().0] {
        let head = RequestHead::parse(&request).unwrap();
        let facts = (head.id(), head.claimed_signer(), head.time());
        let look = Call::Look(facts.0, facts.1, facts.2);
        let admit = Call::Admit(facts.0, facts.1, facts.2);
        let judge = |guard: &Recording| match head.claimed_signer() {
            None => judged!(token, CTX, &request, guard),
            Some(_) => judged!(from_alice, CTX, &request, guard),
        };
        let refused = outcome::<()>(Err(REPLAYED));

        // It knows it already: nothing is spent.
        let guard = Recording { look: Some(REPLAYED), ..Recording::default() };
        assert_eq!(judge(&guard), refused);
        assert_eq!((token.count(), guard.calls()), (0, vec![look, look]));

        // It refuses it at the end: no plaintext is returned, nor is anything to answer with.
        let guard = Recording { admit: Some(REPLAYED), ..Recording::default() };
        assert_eq!(judge(&guard), refused);
        assert_eq!((token.count(), guard.calls()), (2, vec![look, admit, look, admit]));

        let guard = Recording::default();
        assert_eq!(judge(&guard), "Ok");
        assert_eq!((token.count(), guard.calls()), (2, vec![look, admit, look, admit]));
    }
}

/// The errors of a guard that asks others arrive as they are.
#[test]
fn a_guard_that_cannot_be_reached() {
    let fails = || Some(Error::external("the store is down"));
    for guard in [
        Recording { look: fails(), ..Recording::default() },
        Recording { admit: fails(), ..Recording::default() },
    ] {
        assert!(matches!(BOB.accept(CTX, &unsigned().0, &guard), Err(Error::External(_))));
        let error = BOB.accept_reader(CTX, &unsigned().0[..], &guard).unwrap_err();
        assert!(matches!(Error::inside(&error), Some(Error::External(_))));
    }
}

/// Without I/O a plaintext is behind the verdict.
#[test]
fn without_a_verdict_there_is_nothing() {
    let (request, _) = unsigned();
    let head = RequestHead::parse(&request).unwrap();
    let body = &request[head.len()..];
    let unlocked = || BOB.accept_head(CTX, head.clone()).unwrap().unlock().unwrap();
    let opened = unlocked().open(body).unwrap();
    assert_eq!(opened.admitted(Err(REPLAYED)).unwrap_err(), REPLAYED);
    let (prefix, first) = body.split_first_chunk().unwrap();
    let begun = unlocked().begin(prefix, first).unwrap();
    assert_eq!(begun.admitted(Err(REPLAYED)).unwrap_err(), REPLAYED);
}

/// In memory it is admitted when it has opened, so what was cut off can be sent again as it is.
#[test]
fn what_does_not_open_is_not_admitted() {
    let long = plaintext(3 * CHUNK);
    let to = BOB.encapsulation_key();
    let (request, _) = to.signed_by(&*ALICE).request(CTX, &long).unwrap();
    let from_alice = BOB.accepting(ALICE.verifying_key());
    let head = RequestHead::parse(&request).unwrap().len();
    let guard = Recording::default();
    for length in [head, head + 1, head + PREFIX, head + PREFIX + SEALED_CHUNK, request.len() - 1] {
        assert_eq!(outcome(from_alice.accept(CTX, &request[..length], &guard)), "Open");
        assert!(matches!(guard.calls()[..], [Call::Look(..)]));
    }
    for position in [head, head + 24, head + PREFIX, request.len() - 1] {
        let changed = flipped(&request, position, 0);
        assert_eq!(outcome(from_alice.accept(CTX, &changed, &guard)), "Open");
        assert!(matches!(guard.calls()[..], [Call::Look(..)]));
    }
    let guard = Once::default();
    assert_eq!(outcome(from_alice.accept(CTX, &request[..request.len() - 1], &guard)), "Open");
    let (opened, _) = from_alice.accept(CTX, &request, &guard).unwrap();
    assert!(opened[..] == long);
    assert_eq!(from_alice.accept(CTX, &request, &guard).unwrap_err(), REPLAYED);
}

/// With a reader it is admitted when its first chunk is authentic; from then on its id is spent.
#[test]
fn a_reader_spends_the_id_after_the_first_chunk() {
    let (request, _) = BOB.encapsulation_key().request(CTX, &plaintext(3 * CHUNK)).unwrap();
    let first = RequestHead::parse(&request).unwrap().len() + PREFIX + SEALED_CHUNK;
    let guard = Once::default();
    for cut in [first - 1, first - SEALED_CHUNK, first - SEALED_CHUNK - 1] {
        let error = BOB.accept_reader(CTX, &request[..cut], &guard).unwrap_err();
        assert_eq!(Error::inside(&error), Some(&Error::Open));
    }
    let changed = flipped(&request, first - 1, 0);
    let error = BOB.accept_reader(CTX, &changed[..], &guard).unwrap_err();
    assert_eq!(Error::inside(&error), Some(&Error::Open));

    // Whoever saw so much of it on the way can spend it.
    let mut reader = BOB.accept_reader(CTX, &request[..first], &guard).unwrap();
    let mut plaintext = Vec::new();
    assert!(reader.read_to_end(&mut plaintext).is_err());
    assert_eq!(plaintext.len(), CHUNK);
    assert!(reader.finish().is_err(), "what was cut off is not answered");
    let error = BOB.accept_reader(CTX, &request[..], &guard).unwrap_err();
    assert_eq!(Error::inside(&error), Some(&REPLAYED));
    assert_eq!(BOB.accept(CTX, &request, &guard).unwrap_err(), REPLAYED);
}

/// Counts the bytes that it gives, one with each call.
struct Counted<'a> {
    bytes: &'a [u8],
    given: &'a AtomicUsize,
}

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.bytes.len().min(buffer.len()).min(1);
        let (now, later) = self.bytes.split_at(length);
        buffer[..length].copy_from_slice(now);
        self.bytes = later;
        self.given.fetch_add(length, Ordering::Relaxed);
        Ok(length)
    }
}

/// Notes how much had been read when it was asked.
struct Watching<'a> {
    given: &'a AtomicUsize,
    at_look: AtomicUsize,
    at_admit: AtomicUsize,
}

impl ReplayGuard for Watching<'_> {
    fn admit(&self, _: RequestId, _: Option<KeyId>, _: RequestTime) -> Result<(), Error> {
        self.at_admit.store(self.given.load(Ordering::Relaxed), Ordering::Relaxed);
        Ok(())
    }

    fn look(&self, _: RequestId, _: Option<KeyId>, _: RequestTime) -> Result<(), Error> {
        self.at_look.store(self.given.load(Ordering::Relaxed), Ordering::Relaxed);
        Ok(())
    }
}

/// The guard looks before a byte of the body is read, and admits before the second chunk is.
#[test]
fn how_much_is_read_before_a_guard_agrees() {
    for length in [0, 1, CHUNK - 1, CHUNK, 3 * CHUNK] {
        let (request, _) = BOB.encapsulation_key().request(CTX, &plaintext(length)).unwrap();
        let head = RequestHead::parse(&request).unwrap().len();
        let given = AtomicUsize::new(0);
        let guard =
            Watching { given: &given, at_look: AtomicUsize::new(0), at_admit: AtomicUsize::new(0) };
        let inner = Counted { bytes: &request, given: &given };
        let reader = BOB.accept_reader(CTX, inner, &guard).unwrap();
        assert_eq!(guard.at_look.load(Ordering::Relaxed), head);
        let first = request.len().min(head + PREFIX + SEALED_CHUNK);
        assert_eq!(guard.at_admit.load(Ordering::Relaxed), first);
        assert_eq!(given.load(Ordering::Relaxed), first, "nothing was read after it");
        reader.finish().unwrap();
    }
}

/// A stranger learns nothing from the error: whether the signer is known, or the signature was his.
#[test]
fn an_unknown_signer_and_a_wrong_signature_are_one_error() {
    let to = BOB.encapsulation_key();
    let alice = ALICE.verifying_key();
    let known = signed().0;
    let unknown = to.signed_by(&*MALLORY).request(CTX, QUESTION).unwrap().0;
    let wrong = flipped(&known, place(&known, Field::MlDsa).start + 100, 3);
    let wrong_and_unknown = flipped(&unknown, place(&unknown, Field::MlDsa).start + 100, 3);
    let nobody = with(&unknown, place(&unknown, Field::Signer), &[0; 16]);
    let named = with(&unknown, place(&unknown, Field::Signer), alice.key_id().as_bytes());

    let one = VerifyingKeyring::new([alice]).unwrap();
    let none = VerifyingKeyring::new([]).unwrap();
    let ring = Keyring::new(&*BOB);
    let takers: [Accepting<'_>; 5] = [
        BOB.accepting(alice),
        BOB.accepting_any(&one),
        BOB.accepting_any(&none),
        ring.accepting(alice),
        ring.accepting_any(&one),
    ];
    for from in takers {
        for forged in [&unknown, &wrong, &wrong_and_unknown, &nobody, &named] {
            assert_eq!(judged!(from, CTX, forged, ANY), "Verify");
            // With its signature in a header of HTTP.
            let mut body = forged.clone();
            let signature = detach(&mut body).unwrap();
            assert_eq!(judged!(from, CTX, &body, ANY), "Unsigned");
            attach(&mut body, &signature).unwrap();
            assert_eq!(judged!(from, CTX, &body, ANY), "Verify");
            // The head alone.
            let head = RequestHead::parse(forged).unwrap();
            assert_eq!(outcome(from.accept_head(CTX, head)), "Verify");
        }
    }
}

/// Bytes behind the end of a request that is opened little by little make it unanswerable.
#[test]
fn bytes_behind_the_end() {
    for length in [0, 100, CHUNK, CHUNK + 100] {
        let (request, _) = BOB.encapsulation_key().request(CTX, &plaintext(length)).unwrap();
        let head = RequestHead::parse(&request).unwrap();
        let (prefix, chunks) = request[head.len()..].split_first_chunk().unwrap();
        let (first, rest) = chunks.split_at(chunks.len().min(UnlockedRequest::SEALED_CHUNK_LEN));
        let begin = || {
            let unlocked = BOB.accept_head(CTX, head.clone()).unwrap().unlock().unwrap();
            unlocked.begin(prefix, first).unwrap().admitted(Ok(())).unwrap().1
        };
        let mut plaintext = Vec::new();
        let mut opener = begin();
        opener.update(rest, &mut plaintext).unwrap();
        opener.update(b"", &mut plaintext).unwrap();
        opener.finish(&mut plaintext).unwrap();

        // The error may come late, but it comes, even if one before it was overlooked.
        let mut opener = begin();
        let _ = opener.update(rest, &mut plaintext);
        let _ = opener.update(b"x", &mut plaintext);
        let _ = opener.update(b"", &mut plaintext);
        assert_eq!(outcome(opener.finish(&mut plaintext)), "Open");

        // Nor is a first chunk taken that is longer than one.
        let unlocked = BOB.accept_head(CTX, head.clone()).unwrap().unlock().unwrap();
        let refused = unlocked.begin(prefix, &vec![0; SEALED_CHUNK + 1]);
        assert!(matches!(refused, Err(Error::Misuse { what: "first chunk", .. })));
    }
}
