//! Does an `OpenReader` release only authentic plaintext, and report the end only at the end?

use std::{
    future::poll_fn,
    io::{self, ErrorKind, Read},
    pin::Pin,
    sync::Arc,
    task::Poll,
};

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, ReadBuf};
use twinseal::{
    Decapsulate, DecapsulationKey, Error, Keyring, Recipients, Unlock,
    envelope::Header,
    tokio::{OpenReader, open_body, open_reader, read_header},
};

use super::{
    fixture::{
        BATCH, BOB, CHUNK, CTX, LENGTHS, Outcome, SEALED_CHUNK, chunks_start, plaintext,
        read_in_steps, seal, twinseal_error,
    },
    unsteady::{Fault, Unsteady},
};
use crate::common::polling::run;

/// Opens and reads in steps.
async fn open_in_steps(inner: Unsteady, step: usize) -> Outcome {
    match open_reader(&*BOB, CTX, inner).await {
        Ok(reader) => read_in_steps(reader, step).await,
        Err(error) => Outcome { released: Vec::new(), error: Some(error) },
    }
}

/// The same with the blocking reader.
fn blocking(sealed: &[u8]) -> Outcome {
    let mut released = Vec::new();
    let read =
        BOB.open_reader(CTX, sealed).and_then(|mut reader| reader.read_to_end(&mut released));
    Outcome { released, error: read.err() }
}

#[track_caller]
fn assert_as_blocking(sealed: &[u8], seed: u64) {
    let expected = blocking(sealed);
    let outcome = run(open_in_steps(Unsteady::new(sealed, 20_000, seed), 9000));
    assert!(outcome.released == expected.released);
    let text = |error: &Option<io::Error>| error.as_ref().map(|e| (e.kind(), e.to_string()));
    assert_eq!(text(&outcome.error), text(&expected.error));
}

#[test]
fn every_length_in_parts_of_every_length() {
    for length in LENGTHS {
        let plaintext = plaintext(length);
        let sealed = seal(&plaintext);
        for (seed, (step, at_most)) in
            [(1000, 700), (CHUNK, 5000), (50_001, 100_000), (1_000_000, usize::MAX)]
                .into_iter()
                .enumerate()
        {
            let inner = Unsteady::new(&sealed, at_most, seed as u64);
            let outcome = run(open_in_steps(inner, step));
            assert!(outcome.error.is_none(), "{outcome:?}");
            assert!(outcome.released == plaintext);
        }
    }
    let plaintext = plaintext(CHUNK + 10);
    let outcome = run(open_in_steps(Unsteady::new(&seal(&plaintext), 1, 9), 1));
    assert!(outcome.released == plaintext && outcome.error.is_none());
}

#[test]
fn by_lines() {
    let text = "a line\n".repeat(10_000);
    let sealed = seal(text.as_bytes());
    run(async {
        let reader = open_reader(&*BOB, CTX, Unsteady::new(&sealed, 30_000, 1)).await.unwrap();
        let mut lines = reader.lines();
        let mut count = 0;
        while let Some(line) = lines.next_line().await.unwrap() {
            assert_eq!(line, "a line");
            count += 1;
        }
        assert_eq!(count, 10_000);
    });
}

#[test]
fn every_truncation() {
    let sealed = seal(&plaintext(60));
    for length in 0..sealed.len() {
        assert!(blocking(&sealed[..length]).error.is_some());
        assert_as_blocking(&sealed[..length], length as u64);
    }
    let sealed = seal(&plaintext(BATCH + 60));
    let start = chunks_start(&sealed);
    for chunk in 0..=8 {
        for cut in [0, 5, 16, 70] {
            assert_as_blocking(&sealed[..start + chunk * SEALED_CHUNK + cut], 2);
        }
    }
}

#[test]
fn changed_and_extended() {
    let sealed = seal(&plaintext(60));
    for index in 0..sealed.len() {
        let mut changed = sealed.clone();
        changed[index] ^= 1 << (index % 8);
        assert!(blocking(&changed).error.is_some());
        assert_as_blocking(&changed, 3);
    }
    for more in [1, 16, CHUNK, SEALED_CHUNK] {
        assert_as_blocking(&[&sealed[..], &vec![7; more]].concat(), 3);
    }
    let sealed = seal(&plaintext(2 * BATCH));
    let start = chunks_start(&sealed);
    for chunk in [0, 1, 7, 8, 15, 16] {
        let mut changed = sealed.clone();
        changed[start + chunk * SEALED_CHUNK + 3] ^= 1;
        let outcome = run(open_in_steps(Unsteady::new(&changed, 50_000, 3), 9000));
        assert_eq!(outcome.released.len(), chunk * CHUNK);
        assert_eq!(twinseal_error(&outcome.error.unwrap()), &Error::Open);
        assert_as_blocking(&changed, 3);
    }
}

/// An inner reader that fails at any of its calls, and is called again.
#[test]
fn an_error_loses_nothing() {
    let plaintext = plaintext(BATCH + CHUNK + 9);
    let sealed = seal(&plaintext);
    let body = &sealed[chunks_start(&sealed) - 56..];
    let body_key = BOB.unlock(&Header::parse(&sealed).unwrap()).unwrap();
    let prefix = body.first_chunk().unwrap();
    for call in 0..40 {
        for kind in [ErrorKind::Other, ErrorKind::WouldBlock] {
            let inner = Unsteady::new(&body[56..], 20_000, 3);
            let inner = inner.with_fault(call, Fault::Error(kind));
            let mut reader = OpenReader::new(body_key.opener(CTX, prefix).unwrap(), inner);
            let mut released = Vec::new();
            let mut errors = Vec::new();
            while let Err(error) = run(reader.read_to_end(&mut released)) {
                errors.push(error.kind());
            }
            assert!(released == plaintext);
            let expected = if reader.get_ref().calls > call { vec![kind] } else { vec![] };
            assert_eq!(errors, expected);
        }
    }
}

#[test]
fn a_lie_about_the_length() {
    let sealed = seal(&plaintext(100));
    for call in 0..5 {
        let inner = Unsteady::new(&sealed, 1000, 3).with_fault(call, Fault::Lie);
        let read = async {
            let mut released = Vec::new();
            open_reader(&*BOB, CTX, inner).await?.read_to_end(&mut released).await
        };
        match run(read) {
            Ok(length) => assert_eq!(length, 100), // it was over before that call
            Err(error) => assert_eq!(error.kind(), ErrorKind::Other),
        }
    }
}

#[test]
fn with_every_kind_of_key() {
    let sealed = seal(b"hello");
    async fn open(keys: &(impl Unlock + ?Sized), sealed: &[u8]) -> io::Result<String> {
        let mut text = String::new();
        open_reader(keys, CTX, sealed).await?.read_to_string(&mut text).await?;
        Ok(text)
    }
    let stored = DecapsulationKey::from_pem(BOB.to_pem().as_str()).unwrap();
    let key: Arc<dyn Decapsulate> = Arc::new(stored);
    assert_eq!(run(open(&*BOB, &sealed)).unwrap(), "hello");
    assert_eq!(run(open(&*key, &sealed)).unwrap(), "hello");
    assert_eq!(run(open(&Keyring::new(key), &sealed)).unwrap(), "hello");
    let carol = DecapsulationKey::generate().unwrap();
    let error = run(open(&carol, &sealed)).unwrap_err();
    assert_eq!(twinseal_error(&error), &Error::NotARecipient);
}

#[test]
fn contexts() {
    let sealed = seal(b"hello");
    let open = |context| run(open_reader(&*BOB, context, &sealed[..])).unwrap_err();
    assert_eq!(twinseal_error(&open(b"example.com/other")), &Error::Open);
    for context in [&b""[..], b"twinseal/x", &[b'x'; 256]] {
        assert_eq!(open(context).kind(), ErrorKind::InvalidInput);
    }
    let header = Header::parse(&sealed).unwrap();
    let body_key = BOB.unlock(&header).unwrap();
    let error = run(open_body(&body_key, b"", &sealed[header.len()..])).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
}

/// A header is read and not a byte more, whoever is in it.
#[test]
fn headers() {
    let others: Vec<_> = (0..9).map(|_| DecapsulationKey::generate().unwrap()).collect();
    let keys = others.iter().chain([&*BOB]).map(DecapsulationKey::encapsulation_key);
    let sealed = Recipients::new(keys).unwrap().seal(CTX, b"hello").unwrap();
    let header = Header::parse(&sealed).unwrap();
    run(async {
        let mut inner = Unsteady::new(&sealed, 700, 1);
        let read = read_header(&mut inner).await.unwrap();
        assert_eq!(read.len(), header.len());
        let body_key = BOB.unlock(&read).unwrap();
        let mut text = String::new();
        open_body(&body_key, CTX, inner).await.unwrap().read_to_string(&mut text).await.unwrap();
        assert_eq!(text, "hello");
    });
    let error = run(read_header(&b"not one"[..])).unwrap_err();
    assert_eq!(twinseal_error(&error), &Error::NotAnEnvelope);
}

/// A task that opens from memory, where nothing ever waits, lets other tasks have their turn.
#[tokio::test]
async fn others_have_their_turn() {
    let sealed = seal(&vec![7; 300 * CHUNK]);
    let mut reader = open_reader(&*BOB, CTX, &sealed[..]).await.unwrap();
    let mut buffer = vec![0; CHUNK];
    let mut chunks = 0;
    poll_fn(|cx| {
        while Pin::new(&mut reader).poll_read(cx, &mut ReadBuf::new(&mut buffer)).is_ready() {
            chunks += 1;
            assert!(chunks < 300, "it never yields");
        }
        Poll::Ready(())
    })
    .await;
}
