//! Do readers of requests and answers withstand inner readers that dawdle, are interrupted, fail or lie, at any call?

use std::{
    io::{self, BufRead, ErrorKind, Read},
    panic::{AssertUnwindSafe, catch_unwind},
};

use twinseal::Error;

use super::fixture::{BOB, CHUNK, CTX, Once, exchange, plaintext};
use crate::common::faulty_io::{Fault, FaultyReader, Plan};

/// Reads to the end, again after every error of the inner reader; returns the bytes and the errors.
fn read_on(mut reader: impl Read) -> (Vec<u8>, Vec<io::Error>) {
    let (mut bytes, mut errors) = (Vec::new(), Vec::new());
    let mut buffer = [0; 5000];
    loop {
        match reader.read(&mut buffer) {
            Ok(0) => return (bytes, errors),
            Ok(length) => bytes.extend_from_slice(&buffer[..length]),
            Err(error) => {
                let is_final = Error::inside(&error).is_some();
                errors.push(error);
                assert!(errors.len() < 10, "it never ends: {errors:?}");
                if is_final {
                    let again = reader.read(&mut buffer).unwrap_err();
                    assert_eq!(
                        Error::inside(&again),
                        errors.last().and_then(|error| Error::inside(error))
                    );
                    return (bytes, errors);
                }
            }
        }
    }
}

const FAULTS: [Fault; 6] = [
    Fault::Error(ErrorKind::Other),
    Fault::Error(ErrorKind::WouldBlock),
    Fault::Error(ErrorKind::TimedOut),
    Fault::Error(ErrorKind::Interrupted),
    Fault::Nothing,
    Fault::Lie,
];

/// The kind of the error that a reader's owner sees; none if it is hidden.
fn kind_of(fault: Fault) -> Option<ErrorKind> {
    match fault {
        Fault::Error(ErrorKind::Interrupted) => None,
        Fault::Error(kind) => Some(kind),
        Fault::Nothing => Some(ErrorKind::InvalidData), // it is cut off
        Fault::Lie => Some(ErrorKind::Other),
    }
}

#[test]
fn a_request() {
    for (length, at_most) in [(0, 300), (100, 300), (3 * CHUNK + 9, 9000), (20 * CHUNK, 99_991)] {
        let question = plaintext(length);
        let (request, _) = BOB.encapsulation_key().request(CTX, &question).unwrap();
        for fault in FAULTS {
            for call in 0.. {
                let guard = Once::default();
                let mut inner = FaultyReader::new(&request, Plan { call, fault, at_most });
                let accepted = BOB.accept_reader(CTX, &mut inner, &guard);
                let mut reader = match accepted {
                    Ok(reader) => reader,
                    Err(error) => {
                        assert_eq!(Some(error.kind()), kind_of(fault));
                        // Nothing was let in: it can be sent again.
                        BOB.accept(CTX, &request, &guard).unwrap();
                        continue;
                    }
                };
                let (opened, errors) = read_on(&mut reader);
                let kinds: Vec<_> = errors.iter().map(io::Error::kind).collect();
                if !was_harmed(reader.get_ref(), fault) {
                    assert!(errors.is_empty() && opened == question);
                    reader.finish().unwrap();
                    // Interruptions leave no trace.
                    if call > 60 || fault != Fault::Error(ErrorKind::Interrupted) {
                        break;
                    }
                    continue;
                }
                assert_eq!(kinds, kind_of(fault).map_or(vec![], |kind| vec![kind]));
                if fault == Fault::Nothing {
                    assert!(question.starts_with(&opened));
                    assert!(reader.finish().is_err(), "what was cut off is not answered");
                } else {
                    assert!(opened == question);
                    reader.finish().unwrap();
                }
            }
        }
    }
}

/// Whether the fault was more than an interruption, or the end where it is anyway.
fn was_harmed(inner: &FaultyReader<'_>, fault: Fault) -> bool {
    inner.failed() && !(fault == Fault::Nothing && inner.left() == 0)
}

/// The buffered interface, too, and `finish` reads to the end by itself.
#[test]
fn finish_reads_to_the_end() {
    let (request, pending) = BOB.encapsulation_key().request(CTX, &plaintext(5 * CHUNK)).unwrap();
    for read_before in [0, 1, CHUNK, 3 * CHUNK + 1] {
        let mut reader = BOB.accept_reader(CTX, &request[..], &Once::default()).unwrap();
        let mut left = read_before;
        while left > 0 {
            let length = reader.fill_buf().unwrap().len().min(left);
            reader.consume(length);
            left -= length;
        }
        assert_eq!(reader.finish().unwrap().id(), pending.id());
        for cut in [request.len() - 1, request.len() - 116] {
            let mut reader = BOB.accept_reader(CTX, &request[..cut], &Once::default()).unwrap();
            reader.read_exact(&mut vec![0; read_before]).unwrap();
            let error = reader.finish().unwrap_err();
            assert_eq!(Error::inside(&error), Some(&Error::Open));
        }
    }
}

const TEXTS: [&[u8]; 4] = [b"roses ", b"", b"are red, and violets are blue", b"!"];

fn pieces() -> (twinseal::request::Pending, Vec<u8>) {
    let (pending, asked) = exchange();
    let (mut answer, mut sealer) = asked.piece_sealer().unwrap();
    let (last, others) = TEXTS.split_last().unwrap();
    others.iter().for_each(|text| answer.extend(sealer.piece(text).unwrap()));
    answer.extend(sealer.finish(last).unwrap());
    (pending, answer)
}

#[test]
fn pieces_of_an_answer() {
    for at_most in [1, 20, 100, 1000] {
        for fault in FAULTS {
            for call in 0.. {
                let plan = Plan { call, fault, at_most };
                let (pending, answer) = pieces();
                let mut reader = pending.piece_reader(FaultyReader::new(&answer, plan));
                let (mut opened, mut errors) = (Vec::new(), Vec::new());
                while let Some(piece) = reader.next() {
                    match piece {
                        Ok(piece) => opened.push(piece.into_vec()),
                        Err(error) if Error::inside(&error).is_some() => {
                            assert!(reader.next().unwrap().is_err());
                            errors.push(error);
                            break;
                        }
                        Err(error) => errors.push(error),
                    }
                    assert!(errors.len() < 10, "it never ends");
                }
                let kinds: Vec<_> = errors.iter().map(io::Error::kind).collect();
                let was_harmed = was_harmed(reader.get_ref(), fault);
                if was_harmed {
                    assert_eq!(kinds, kind_of(fault).map_or(vec![], |kind| vec![kind]));
                } else {
                    assert!(kinds.is_empty());
                }
                // As bytes, the same.
                let (pending, again) = pieces();
                let as_bytes = read_on(pending.piece_reader(FaultyReader::new(&again, plan)));
                let kinds_of_bytes: Vec<_> = as_bytes.1.iter().map(io::Error::kind).collect();
                assert_eq!(kinds_of_bytes, kinds);
                match errors.last().and_then(|error| Error::inside(error)) {
                    None => {
                        assert_eq!(opened, TEXTS);
                        assert_eq!(as_bytes.0, TEXTS.concat());
                        assert!(reader.next().is_none());
                    }
                    Some(Error::Truncated { what: "answer in pieces", .. }) => {
                        assert_eq!(fault, Fault::Nothing);
                        assert_eq!(opened, TEXTS[..opened.len()]);
                        assert!(TEXTS.concat().starts_with(&as_bytes.0));
                    }
                    Some(other) => panic!("{other:?}"),
                }
                if !was_harmed && call > answer.len() / at_most + 4 {
                    break;
                }
            }
        }
    }
}

/// A reader that panics once, and whose owner catches that: nothing is lost, or everything fails.
#[test]
fn nothing_is_skipped_after_a_panic() {
    struct Panics<'a> {
        bytes: &'a [u8],
        calls_left: usize,
    }
    impl Read for Panics<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.calls_left = self.calls_left.wrapping_sub(1);
            assert_ne!(self.calls_left, 0, "planned");
            let length = buffer.len().min(50);
            self.bytes.read(&mut buffer[..length])
        }
    }
    for calls_left in 1..6 {
        let (pending, answer) = pieces();
        let mut reader = pending.piece_reader(Panics { bytes: &answer, calls_left });
        let mut opened = Vec::new();
        loop {
            match catch_unwind(AssertUnwindSafe(|| reader.next())) {
                Ok(None) => break,
                Ok(Some(piece)) => opened.push(piece.unwrap().into_vec()),
                Err(_) => {}
            }
        }
        assert_eq!(opened, TEXTS);
    }
    let (request, _) = BOB.encapsulation_key().request(CTX, &plaintext(3 * CHUNK)).unwrap();
    let first_calls = (1636 + 56 + CHUNK) / 50 + 3;
    for calls_left in [first_calls + 2, first_calls + 300] {
        let inner = Panics { bytes: &request, calls_left };
        let mut reader = BOB.accept_reader(CTX, inner, &Once::default()).unwrap();
        let mut opened = Vec::new();
        let read = AssertUnwindSafe(|| reader.read_to_end(&mut opened));
        assert!(catch_unwind(read).is_err());
        reader.read_to_end(&mut opened).unwrap();
        assert!(opened == plaintext(3 * CHUNK));
        reader.finish().unwrap();
    }
}
