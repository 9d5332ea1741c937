//! Do requests and whole answers pass through the asynchronous adapters as through the blocking forms, and does the
//! guard decide before anything is released?

use std::{
    collections::HashSet,
    io::{self, ErrorKind},
    sync::{LazyLock, Mutex},
};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use twinseal::{
    Error, KeyId, ReplayRefusal, SigningKey,
    request::{
        AllowReplays, Asked, Pending, ReplayGuard, RequestHead, RequestId, RequestTime,
        VerifiedHead,
    },
    tokio::{RequestReader, SealWriter, answer_reader, read_head, request_writer},
};

use super::{
    fixture::{
        BATCH, BOB, CHUNK, CTX, again, plaintext, read_in_steps, twinseal_error, write_in_steps,
    },
    unsteady::Unsteady,
};
use crate::common::polling::run;

static ALICE: LazyLock<SigningKey> = LazyLock::new(|| SigningKey::generate().unwrap());

const LENGTHS: [usize; 6] = [0, 100, CHUNK - 1, CHUNK, BATCH, BATCH + CHUNK + 5];

/// Remembers all ids, and how often it was asked.
#[derive(Default)]
struct Memory {
    ids: Mutex<HashSet<RequestId>>,
    asked: Mutex<usize>,
}

impl ReplayGuard for Memory {
    fn admit(&self, id: RequestId, signer: Option<KeyId>, _: RequestTime) -> Result<(), Error> {
        *self.asked.lock().unwrap() += 1;
        assert!(signer.is_none() || signer == Some(ALICE.verifying_key().key_id()));
        let is_new = self.ids.lock().unwrap().insert(id);
        if is_new { Ok(()) } else { Err(Error::Replay(ReplayRefusal::Replayed)) }
    }
}

fn signed(plaintext: &[u8]) -> (Vec<u8>, Pending) {
    BOB.encapsulation_key().signed_by(&*ALICE).request(CTX, plaintext).unwrap()
}

fn accept(head: RequestHead) -> Result<VerifiedHead<'static>, Error> {
    BOB.accepting(ALICE.verifying_key()).accept_head(CTX, head)
}

async fn accept_reader(
    sent: &[u8],
    seed: u64,
    guard: &dyn ReplayGuard,
) -> io::Result<RequestReader<Unsteady>> {
    let mut inner = Unsteady::new(sent, 30_000, seed);
    let head = read_head(&mut inner).await?;
    RequestReader::new(accept(head)?, inner, guard).await
}

/// Accepts a request that is known to be good.
fn asked(sent: &[u8]) -> Asked {
    BOB.accepting(ALICE.verifying_key()).accept(CTX, sent, &AllowReplays).unwrap().1
}

#[test]
fn asked_and_answered() {
    for (seed, length) in (0..).zip(LENGTHS) {
        let question = plaintext(length);
        let sealer = BOB.encapsulation_key().signed_by(&*ALICE).request_sealer(CTX).unwrap();
        let (mut writer, pending) = request_writer(sealer, Unsteady::new(b"", 20_000, seed));
        run(write_in_steps(&mut writer, &question, 7000)).unwrap();
        let sent = writer.into_inner().bytes;

        let mut request = run(accept_reader(&sent, seed, &AllowReplays)).unwrap();
        assert_eq!(request.id(), pending.id());
        assert_eq!(request.signer(), Some(ALICE.verifying_key().key_id()));
        let outcome = run(read_in_steps(&mut request, 5000));
        assert!(outcome.error.is_none() && outcome.released == question);
        let asked = run(request.finish()).unwrap();

        let inner = Unsteady::new(b"", 20_000, seed);
        let mut writer = SealWriter::new(asked.answer_sealer().unwrap(), inner);
        run(write_in_steps(&mut writer, &question, 7000)).unwrap();
        let answer = Unsteady::new(&writer.into_inner().bytes, 20_000, seed);
        let outcome =
            run(async { read_in_steps(answer_reader(pending, answer).await.unwrap(), 5000).await });
        assert!(outcome.error.is_none() && outcome.released == question);
    }
}

#[test]
fn with_the_blocking_forms_at_the_other_end() {
    for length in LENGTHS {
        let question = plaintext(length);
        let (sent, pending) = signed(&question);
        let request = run(accept_reader(&sent, 1, &AllowReplays)).unwrap();
        let answer = run(request.finish()).unwrap().answer(&question).unwrap(); // unread
        assert!(pending.open(&answer).unwrap()[..] == question);

        let sealer = BOB.encapsulation_key().signed_by(&*ALICE).request_sealer(CTX).unwrap();
        let (mut writer, _) = request_writer(sealer, Vec::new());
        run(writer.write_all(&question)).unwrap();
        let sent = run(writer.finish()).unwrap();
        let from_alice = BOB.accepting(ALICE.verifying_key());
        let (opened, _) = from_alice.accept(CTX, &sent, &AllowReplays).unwrap();
        assert!(opened[..] == question);
    }
}

/// A head is read and not a byte more, and what is wrong with it is said as in memory.
#[test]
fn heads() {
    let (sent, _) = signed(b"hello");
    let (unsigned, _) = BOB.encapsulation_key().request(CTX, b"hello").unwrap();
    for sent in [&sent, &unsigned] {
        let head = RequestHead::parse(sent).unwrap();
        let mut inner = Unsteady::new(sent, 700, 2);
        assert_eq!(run(read_head(&mut inner)).unwrap().as_bytes(), head.as_bytes());
        let mut rest = Vec::new();
        run(inner.read_to_end(&mut rest)).unwrap();
        assert_eq!(rest, sent[head.len()..]);
        for length in (0..head.len()).step_by(13).chain([1, 8, 27, 28, 29, head.len() - 1]) {
            let expected = RequestHead::read(&sent[..length]).unwrap_err();
            let error = run(read_head(&sent[..length])).unwrap_err();
            assert_eq!(error.to_string(), expected.to_string());
        }
    }
    let error = run(read_head(&b"GET / HTTP/1.1"[..])).unwrap_err();
    assert!(matches!(twinseal_error(&error), Error::Invalid { .. }));
}

#[test]
fn the_guard_decides_before_anything_is_released() {
    let guard = Memory::default();
    let question = plaintext(2 * CHUNK);
    let (sent, _) = signed(&question);
    let body = RequestHead::parse(&sent).unwrap().len();

    // Damaged in its first chunk: the guard is not asked, so the true one gets in.
    for at in [body + 3, body + 40, body + 70, body + 56 + CHUNK + 15] {
        let mut changed = sent.clone();
        changed[at] ^= 1;
        let error = run(accept_reader(&changed, 3, &guard)).unwrap_err();
        assert_eq!(twinseal_error(&error), &Error::Open);
    }
    for length in [body, body + 55, body + 56, body + 70, body + 56 + CHUNK + 15] {
        let error = run(accept_reader(&sent[..length], 3, &guard)).unwrap_err();
        assert_eq!(twinseal_error(&error), &Error::Open);
    }
    assert_eq!(*guard.asked.lock().unwrap(), 0);

    // Cut off behind it: what was released is authentic, and there is nothing to answer.
    let mut request = run(accept_reader(&sent[..sent.len() - 1], 3, &guard)).unwrap();
    let outcome = run(read_in_steps(&mut request, 5000));
    assert!(outcome.released == question);
    assert_eq!(twinseal_error(&outcome.error.unwrap()), &Error::Open);
    assert_eq!(twinseal_error(&run(request.finish()).unwrap_err()), &Error::Open);

    // From then on its id is spent.
    let error = run(accept_reader(&sent, 3, &guard)).unwrap_err();
    assert_eq!(twinseal_error(&error), &Error::Replay(ReplayRefusal::Replayed));
    assert_eq!(*guard.asked.lock().unwrap(), 2);
}

/// A guard that may refuse before the key is used.
struct Refuses;

impl ReplayGuard for Refuses {
    fn admit(&self, _: RequestId, _: Option<KeyId>, _: RequestTime) -> Result<(), Error> {
        panic!("it has refused already")
    }

    fn look(&self, _: RequestId, _: Option<KeyId>, _: RequestTime) -> Result<(), Error> {
        Err(Error::Replay(ReplayRefusal::Replayed))
    }
}

#[test]
fn a_guard_that_looks_first() {
    let (sent, _) = signed(b"hello");
    let error = run(accept_reader(&sent, 3, &Refuses)).unwrap_err();
    assert_eq!(twinseal_error(&error), &Error::Replay(ReplayRefusal::Replayed));
}

/// The verdict is awaited, and the request is out of reach until it is there.
#[test]
fn an_awaited_guard() {
    let (sent, pending) = signed(b"hello");
    run(async {
        let mut inner = Unsteady::new(&sent, 700, 4);
        let head = read_head(&mut inner).await.unwrap();
        let unlocked = accept(head).unwrap().unlock().unwrap();
        let request = RequestReader::begin(unlocked, inner).await.unwrap();
        assert_eq!(request.id(), pending.id());
        let refused = request.admitted(Err(Error::Replay(ReplayRefusal::Replayed)));
        assert_eq!(refused.unwrap_err(), Error::Replay(ReplayRefusal::Replayed));

        let mut inner = Unsteady::new(&sent, 700, 4);
        let head = read_head(&mut inner).await.unwrap();
        let unlocked = accept(head).unwrap().unlock().unwrap();
        let request = RequestReader::begin(unlocked, inner).await.unwrap();
        let asked = request.admitted(Ok(())).unwrap().finish().await.unwrap();
        let answer = asked.answer(b"world").unwrap();
        assert_eq!(&pending.open(&answer).unwrap()[..], b"world");
    });
}

#[test]
fn reading_is_cancelled_at_every_call() {
    let question = plaintext(BATCH + CHUNK + 5);
    let (sent, _) = signed(&question);
    for seed in 0..10 {
        let mut random = Unsteady::new(b"", 0, seed);
        let mut request = run(accept_reader(&sent, seed, &AllowReplays)).unwrap();
        let mut released = Vec::new();
        let mut buffer = vec![0; 9000];
        loop {
            match again!(random, request.read(&mut buffer)).unwrap() {
                0 => break,
                length => released.extend_from_slice(&buffer[..length]),
            }
        }
        assert!(released == question);
        run(request.finish()).unwrap();
    }
}

#[test]
fn answers_that_do_not_open() {
    let (sent, pending) = signed(b"hello");
    let whole = asked(&sent).answer(b"an answer").unwrap();
    let open = |answer: &[u8], pending: Pending| {
        run(async {
            match answer_reader(pending, Unsteady::new(answer, 20, 5)).await {
                Ok(reader) => {
                    let outcome = read_in_steps(reader, 100).await;
                    assert!(outcome.error.is_none() || outcome.released.is_empty());
                    outcome.error
                }
                Err(error) => Some(error),
            }
        })
    };
    // One `Pending` for each attempt, of one request each.
    for length in 0..whole.len() {
        let (sent, pending) = signed(b"hello");
        let answer = asked(&sent).answer(b"an answer").unwrap();
        let error = open(&answer[..length], pending).unwrap();
        assert_eq!(error.kind(), ErrorKind::InvalidData, "{length}: {error}");
    }
    let (other, _) = signed(b"hello");
    let answer = asked(&other).answer(b"an answer").unwrap();
    assert_eq!(twinseal_error(&open(&answer, pending).unwrap()), &Error::Open);

    let (sent, pending) = signed(b"hello");
    let (start, sealer) = asked(&sent).piece_sealer().unwrap();
    let pieces = [start, sealer.finish(&[7; 100]).unwrap()].concat();
    assert!(matches!(
        twinseal_error(&open(&pieces, pending).unwrap()),
        Error::Invalid { reason: "it is in pieces, not whole", .. }
    ));
}
