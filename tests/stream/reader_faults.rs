//! Readers over inner readers that dawdle, are interrupted, fail, or lie, at every call in turn.

use std::{
    io::{self, ErrorKind, Read},
    panic::{AssertUnwindSafe, catch_unwind},
};

use crate::{
    faulty_io::{Fault, FaultyReader, Plan},
    fixture::{
        CHUNK, Outcome, buffered_in_steps, open_reader, plaintext, read_in_steps, seal,
        with_threads,
    },
};

/// Each way of reading, in steps of some size; it also tells whether the inner reader has failed.
fn ways(sealed: &[u8], plan: Plan) -> [(Outcome, bool); 4] {
    let mut failed = [false; 4];
    let [serial, buffered, parallel, turned] = failed.each_mut();
    let reader = |failed| open_reader(Watched { inner: FaultyReader::new(sealed, plan), failed });
    let outcomes = [
        reader(serial).map_or_else(Outcome::refused, |reader| read_in_steps(reader, 5000)),
        reader(buffered).map_or_else(Outcome::refused, |reader| buffered_in_steps(reader, 70_000)),
        with_threads(1, || {
            reader(parallel)
                .map_or_else(Outcome::refused, |reader| read_in_steps(reader.parallel(), 5000))
        }),
        with_threads(2, || {
            let mut reader = match reader(turned) {
                Ok(reader) => reader,
                Err(error) => return Outcome::refused(error),
            };
            let mut before = [0; 100];
            match reader.read(&mut before) {
                Ok(length) => {
                    let mut outcome = read_in_steps(reader.parallel(), 5000);
                    outcome.released.splice(..0, before[..length].iter().copied());
                    outcome
                }
                Err(error) => {
                    let outcome = read_in_steps(reader.parallel(), 5000);
                    assert!(outcome.released.is_empty());
                    assert_eq!(outcome.error.map(|again| again.kind()), Some(error.kind()));
                    Outcome::refused(error)
                }
            }
        }),
    ];
    let mut failed = failed.into_iter();
    outcomes.map(|outcome| (outcome, failed.next().unwrap()))
}

/// Tells the outside that the inner reader has failed.
struct Watched<'a, 'b> {
    inner: FaultyReader<'a>,
    failed: &'b mut bool,
}

impl Read for Watched<'_, '_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let result = self.inner.read(buffer);
        *self.failed = self.inner.failed();
        result
    }
}

/// Lets the inner reader misbehave at each of its calls, until there are no more.
fn misbehave_at_each_call(
    fault: Fault,
    length: usize,
    at_most: usize,
    check: impl Fn(&Outcome, &[u8]),
) {
    let plaintext = plaintext(length);
    let sealed = seal(&plaintext);
    for call in 0.. {
        let outcomes = ways(&sealed, Plan { call, fault, at_most });
        let mut reached = false;
        for (outcome, failed) in outcomes {
            reached |= failed;
            if failed {
                check(&outcome, &plaintext);
            } else {
                assert!(outcome.error.is_none(), "{:?}", outcome.error);
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
        for (outcome, _) in ways(&seal(&plaintext), Plan::harmless(at_most)) {
            assert!(outcome.error.is_none(), "{:?}", outcome.error);
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
            for (outcome, _) in ways(&sealed, Plan { call, fault, at_most }) {
                assert!(outcome.error.is_none(), "{:?}", outcome.error);
                assert!(outcome.released == plaintext);
            }
        }
    }
}

#[test]
fn an_error_ends_it() {
    for kind in
        [ErrorKind::Other, ErrorKind::WouldBlock, ErrorKind::UnexpectedEof, ErrorKind::InvalidData]
    {
        for (length, at_most) in LENGTHS {
            misbehave_at_each_call(Fault::Error(kind), length, at_most, |outcome, plaintext| {
                let error = outcome.error.as_ref().unwrap();
                assert_eq!(error.kind(), kind);
                assert_eq!(error.to_string(), "planned", "the reader's own error comes first");
                assert!(plaintext.starts_with(&outcome.released));
                assert_eq!(outcome.released.len() % CHUNK, 0);
            });
        }
    }
}

#[test]
fn a_lie_about_the_length_ends_it() {
    for (length, at_most) in LENGTHS {
        misbehave_at_each_call(Fault::Lie, length, at_most, |outcome, plaintext| {
            assert_eq!(outcome.error.as_ref().unwrap().kind(), ErrorKind::Other);
            assert!(plaintext.starts_with(&outcome.released));
            assert_eq!(outcome.released.len() % CHUNK, 0);
        });
    }
}

#[test]
fn an_early_end_is_a_truncation() {
    for (length, at_most) in LENGTHS {
        let real_end = seal(&plaintext(length)).len();
        misbehave_at_each_call(Fault::Nothing, length, at_most, |outcome, plaintext| {
            assert!(plaintext.starts_with(&outcome.released));
            match &outcome.error {
                Some(error) => {
                    assert_eq!(error.kind(), ErrorKind::InvalidData);
                    assert_eq!(outcome.released.len() % CHUNK, 0);
                }
                // The early end was the real one.
                None => assert!(outcome.released == plaintext && real_end > plaintext.len()),
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
    fn read_on(mut reader: impl Read, plaintext: &[u8]) -> bool {
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
        let serial = read_on(reader(calls_left).unwrap(), &plaintext);
        let parallel =
            with_threads(1, || read_on(reader(calls_left).unwrap().parallel(), &plaintext));
        if serial && parallel {
            assert!(calls_left > 14);
            return;
        }
    }
    panic!("it never ends");
}
