//! Do readers withstand inner readers that dawdle, are interrupted, fail or lie, at any call?

use std::{
    io::{self, BufRead, ErrorKind, Read},
    panic::{AssertUnwindSafe, catch_unwind},
};

use twinseal::stream::OpenReader;

use super::fixture::{
    CHUNK, SEALED_CHUNK, chunks_start, open_reader, plaintext, seal, with_threads,
};
use crate::common::faulty_io::{Fault, FaultyReader, Plan};

/// The results of a reader whose owner tries again after every error of the inner one.
#[derive(Default)]
struct Outcome {
    released: Vec<u8>,
    /// Each with how much had come out before it. Data that is refused is the last one.
    errors: Vec<(usize, io::Error)>,
    /// How much the inner reader had given when it failed.
    given: Option<usize>,
}

impl Outcome {
    fn add(&mut self, error: io::Error) -> bool {
        let is_last = matches!(error.get_ref(), Some(inner) if inner.is::<twinseal::Error>());
        self.errors.push((self.released.len(), error));
        assert!(self.errors.len() < 10, "it never ends");
        is_last
    }
}

fn read_on(mut reader: impl Read, step: usize, outcome: &mut Outcome) {
    let mut buffer = vec![0; step];
    loop {
        match reader.read(&mut buffer) {
            Ok(0) => break,
            Ok(length) => outcome.released.extend_from_slice(&buffer[..length]),
            Err(error) => {
                if outcome.add(error) {
                    break;
                }
            }
        }
    }
}

fn read_on_buffered(mut reader: impl BufRead, step: usize, outcome: &mut Outcome) {
    loop {
        match reader.fill_buf() {
            Ok([]) => break,
            Ok(ready) => {
                let length = ready.len().min(step);
                outcome.released.extend_from_slice(&ready[..length]);
                reader.consume(length);
            }
            Err(error) => {
                if outcome.add(error) {
                    break;
                }
            }
        }
    }
}

/// Each way of reading, in steps of some size.
fn ways(sealed: &[u8], plan: Plan) -> [Outcome; 5] {
    let read = |threads, read: fn(Reader<'_, '_>, &mut Outcome)| {
        let mut outcome = Outcome::default();
        let mut given = None;
        let inner = Watched {
            inner: FaultyReader::new(sealed, plan),
            length: sealed.len(),
            given: &mut given,
        };
        match open_reader(inner) {
            Ok(reader) => with_threads(threads, || read(reader, &mut outcome)),
            Err(error) => assert!(outcome.add(error) || outcome.released.is_empty()),
        }
        outcome.given = given;
        outcome
    };
    [
        read(1, |reader, outcome| read_on(reader, 5000, outcome)),
        read(1, |reader, outcome| read_on_buffered(reader, 70_000, outcome)),
        read(1, |reader, outcome| read_on(reader.parallel(), 5000, outcome)),
        read(2, |reader, outcome| read_on_buffered(reader.parallel(), 70_000, outcome)),
        read(2, |mut reader, outcome| {
            let mut before = [0; 100];
            match reader.read(&mut before) {
                Ok(length) => outcome.released.extend_from_slice(&before[..length]),
                Err(error) => {
                    if outcome.add(error) {
                        return;
                    }
                }
            }
            read_on(reader.parallel(), 5000, outcome);
        }),
    ]
}

type Reader<'a, 'b> = OpenReader<Watched<'a, 'b>>;

/// Notes how much was given when the inner reader fails.
struct Watched<'a, 'b> {
    inner: FaultyReader<'a>,
    length: usize,
    given: &'b mut Option<usize>,
}

impl Read for Watched<'_, '_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let result = self.inner.read(buffer);
        if self.inner.failed() && self.given.is_none() {
            *self.given = Some(self.length - self.inner.left());
        }
        result
    }
}

/// Lets the inner reader misbehave at each of its calls, until the last one.
fn misbehave_at_each_call(
    fault: Fault,
    length: usize,
    at_most: usize,
    check: impl Fn(&Outcome, &[u8]),
) {
    let plaintext = plaintext(length);
    let sealed = seal(&plaintext);
    for call in 0.. {
        let mut reached = false;
        for outcome in ways(&sealed, Plan { call, fault, at_most }) {
            if outcome.given.is_some() {
                reached = true;
                check(&outcome, &plaintext);
            } else {
                assert!(outcome.errors.is_empty(), "{:?}", outcome.errors);
                assert!(outcome.released == plaintext);
            }
        }
        if !reached {
            assert!(call > 4);
            break;
        }
    }
}

const LENGTHS: [(usize, usize); 4] =
    [(0, 1000), (100, 300), (20 * CHUNK + 9, 30_001), (70 * CHUNK, usize::MAX)];

#[test]
fn short_reads() {
    for (length, at_most) in
        [(0, 1), (100, 1), (5 * CHUNK + 9, 1), (40 * CHUNK, 16_399), (40 * CHUNK, 99_991)]
    {
        let plaintext = plaintext(length);
        for outcome in ways(&seal(&plaintext), Plan::harmless(at_most)) {
            assert!(outcome.errors.is_empty(), "{:?}", outcome.errors);
            assert!(outcome.released == plaintext);
        }
    }
}

#[test]
fn an_interruption_changes_nothing() {
    for (length, at_most) in LENGTHS {
        let plaintext = plaintext(length);
        let sealed = seal(&plaintext);
        for call in 0..sealed.len() / at_most + 40 {
            let fault = Fault::Error(ErrorKind::Interrupted);
            for outcome in ways(&sealed, Plan { call, fault, at_most }) {
                assert!(outcome.errors.is_empty(), "{:?}", outcome.errors);
                assert!(outcome.released == plaintext);
            }
        }
    }
}

/// The error comes once, after every chunk that was complete before it. Then reading continues.
fn assert_goes_on(outcome: &Outcome, plaintext: &[u8], kind: ErrorKind) {
    let [(released, error)] = &outcome.errors[..] else { panic!("{:?}", outcome.errors) };
    assert_eq!(error.kind(), kind);
    let start = chunks_start(&seal(b""));
    let Some(chunks) = outcome.given.unwrap().checked_sub(start) else {
        assert!(outcome.released.is_empty(), "the header is read by one call");
        return;
    };
    if outcome.released.is_empty() && !plaintext.is_empty() {
        assert_eq!(chunks, 0, "between the prefix and the first chunk");
        return;
    }
    assert_eq!(*released, chunks / SEALED_CHUNK * CHUNK);
    assert!(outcome.released == plaintext);
}

#[test]
fn an_error_loses_nothing() {
    for kind in [
        ErrorKind::Other,
        ErrorKind::WouldBlock,
        ErrorKind::TimedOut,
        ErrorKind::UnexpectedEof,
        ErrorKind::InvalidData,
    ] {
        for (length, at_most) in LENGTHS {
            misbehave_at_each_call(Fault::Error(kind), length, at_most, |outcome, plaintext| {
                assert_goes_on(outcome, plaintext, kind);
                assert_eq!(outcome.errors[0].1.to_string(), "planned");
            });
        }
    }
}

#[test]
fn a_lie_about_the_length_is_an_error() {
    for (length, at_most) in LENGTHS {
        misbehave_at_each_call(Fault::Lie, length, at_most, |outcome, plaintext| {
            assert_goes_on(outcome, plaintext, ErrorKind::Other);
        });
    }
}

#[test]
fn an_early_end_is_a_truncation() {
    for (length, at_most) in LENGTHS {
        let real_end = seal(&plaintext(length)).len();
        misbehave_at_each_call(Fault::Nothing, length, at_most, |outcome, plaintext| {
            assert!(plaintext.starts_with(&outcome.released));
            match &outcome.errors[..] {
                [(released, error)] => {
                    assert_eq!(error.kind(), ErrorKind::InvalidData);
                    assert_eq!(released % CHUNK, 0);
                    assert_eq!(*released, outcome.released.len());
                }
                [] => assert_eq!(outcome.given, Some(real_end), "the early end was the real one"),
                errors => panic!("{errors:?}"),
            }
        });
    }
}

/// An inner reader that panics once, and whose owner catches that, as thread pools do: a batch that
/// was lost on the way must not go unnoticed.
#[test]
fn nothing_is_skipped_after_a_panic() {
    struct Panics<'a> {
        sealed: &'a [u8],
        calls_left: usize,
    }
    impl Read for Panics<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.calls_left = self.calls_left.wrapping_sub(1);
            assert_ne!(self.calls_left, 0, "planned");
            self.sealed.read(buffer)
        }
    }
    fn read_twice(mut reader: impl Read, plaintext: &[u8]) -> bool {
        let mut released = Vec::new();
        let mut read = |released: &mut Vec<u8>| {
            let read = AssertUnwindSafe(|| reader.read_to_end(released).map(drop));
            catch_unwind(read).unwrap_or_else(|_| Err(io::Error::other("it panicked")))
        };
        let first = read(&mut released);
        let again = read(&mut released);
        assert!(plaintext.starts_with(&released));
        assert!(again.is_err() || released == plaintext);
        first.is_ok()
    }

    let plaintext = plaintext(70 * CHUNK);
    let sealed = seal(&plaintext);
    let reader = |calls_left| open_reader(Panics { sealed: &sealed, calls_left });
    // The first 11 calls are for the header and the prefix.
    for calls_left in 12..200 {
        let serial = read_twice(reader(calls_left).unwrap(), &plaintext);
        let parallel =
            with_threads(1, || read_twice(reader(calls_left).unwrap().parallel(), &plaintext));
        if serial && parallel {
            assert!(calls_left > 14);
            return;
        }
    }
    panic!("it never ends");
}
