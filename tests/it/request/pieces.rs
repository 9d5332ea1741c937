//! Is every piece of an answer refused but the next one, unchanged, and is an answer complete only behind its end?

use std::io::{ErrorKind, Read};

use twinseal::{
    Error,
    request::{Asked, Pending, PieceOpener},
};

use super::fixture::{accept, exchange, flipped, unsigned, with};

/// The first bytes, before the pieces.
const START: usize = 42;

const TEXTS: [&[u8]; 5] = [b"roses ", b"", b"are", b" ", b"red"];

/// An answer of these texts, taken apart.
struct Answer {
    pending: Pending,
    start: Vec<u8>,
    pieces: Vec<Vec<u8>>,
}

fn pieces_of(asked: Asked) -> (Vec<u8>, Vec<Vec<u8>>) {
    let (start, mut sealer) = asked.piece_sealer().unwrap();
    let (last, others) = TEXTS.split_last().unwrap();
    let mut pieces: Vec<_> = others.iter().map(|text| sealer.piece(text).unwrap()).collect();
    pieces.push(sealer.finish(last).unwrap());
    (start, pieces)
}

fn answer() -> Answer {
    let (pending, asked) = exchange();
    let (start, pieces) = pieces_of(asked);
    assert_eq!(start.len(), START);
    Answer { pending, start, pieces }
}

impl Answer {
    fn bytes(&self) -> Vec<u8> {
        [&self.start[..], &self.pieces.concat()].concat()
    }
}

fn invalid(reason: &'static str) -> Error {
    Error::Invalid { what: "answer in pieces", reason }
}

/// What came out before the error, and the error, which stays.
fn released(mut opener: PieceOpener, bytes: &[u8], step: usize) -> (Vec<Vec<u8>>, Option<Error>) {
    let mut pieces = Vec::new();
    for part in bytes.chunks(step) {
        opener.update(part);
        loop {
            match opener.next() {
                Ok(Some(piece)) => pieces.push(piece.into_vec()),
                Ok(None) => break,
                Err(error) => {
                    assert_eq!(opener.next().unwrap_err(), error, "the first one is final");
                    opener.update(bytes);
                    assert_eq!(opener.next().unwrap_err(), error);
                    assert!(!opener.is_finished());
                    assert_eq!(opener.finish().unwrap_err(), error);
                    return (pieces, Some(error));
                }
            }
        }
    }
    let ended = opener.finish().err();
    (pieces, ended)
}

/// The first `count` texts come out, then this error; in all forms.
#[track_caller]
fn assert_ends_after(count: usize, expected: &Error, change: impl Fn(&Answer) -> Vec<u8>) {
    for step in [1, 10, usize::MAX] {
        let answer = answer();
        let changed = change(&answer);
        let (pieces, error) = released(answer.pending.piece_opener(), &changed, step);
        assert_eq!(pieces, TEXTS[..count]);
        assert_eq!(error.as_ref(), Some(expected));
    }
    let answer_in_memory = answer();
    let changed = change(&answer_in_memory);
    assert_eq!(&answer_in_memory.pending.open_pieces(&changed).unwrap_err(), expected);

    let answer_read = answer();
    let changed = change(&answer_read);
    let mut reader = answer_read.pending.piece_reader(&changed[..]);
    for text in &TEXTS[..count] {
        assert_eq!(&reader.next().unwrap().unwrap()[..], *text);
    }
    for _ in 0..3 {
        let error = reader.next().unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidData);
        assert_eq!(Error::inside(&error), Some(expected));
        assert!(reader.read(&mut [0; 10]).is_err());
    }

    let answer_as_bytes = answer();
    let changed = change(&answer_as_bytes);
    let mut text = Vec::new();
    let read = answer_as_bytes.pending.piece_reader(&changed[..]).read_to_end(&mut text);
    assert_eq!(Error::inside(&read.unwrap_err()), Some(expected));
    assert_eq!(text, TEXTS[..count].concat());
}

#[test]
fn unchanged() {
    for step in [1, 10, usize::MAX] {
        let answer = answer();
        let bytes = answer.bytes();
        let (pieces, error) = released(answer.pending.piece_opener(), &bytes, step);
        assert_eq!((pieces, error), (TEXTS.map(<[u8]>::to_vec).to_vec(), None));
    }
}

#[test]
fn cut_off_at_every_byte() {
    let length = answer().bytes().len();
    for cut in 0..length {
        let answer = answer();
        let bytes = &answer.bytes()[..cut];
        let ends = answer.pieces.iter().scan(START, |end, piece| {
            *end += piece.len();
            Some(*end)
        });
        let whole = ends.filter(|end| *end <= cut).count();
        let (pieces, error) = released(answer.pending.piece_opener(), bytes, 7);
        assert_eq!(pieces, TEXTS[..whole]);
        let truncated = Error::Truncated { what: "answer in pieces", needed: cut + 1, actual: cut };
        assert_eq!(error, Some(truncated));
    }
}

/// Also where it looks as if nothing were missing.
#[test]
fn cut_off_between_pieces() {
    for count in 0..TEXTS.len() {
        let length = START + TEXTS[..count].iter().map(|text| 21 + text.len()).sum::<usize>();
        let truncated =
            Error::Truncated { what: "answer in pieces", needed: length + 1, actual: length };
        assert_ends_after(count, &truncated, |answer| answer.bytes()[..length].to_vec());
    }
}

#[test]
fn every_bit_changed() {
    let length = answer().bytes().len();
    for bit in 0..length * 8 {
        let position = bit / 8;
        let answer = answer();
        let changed = flipped(&answer.bytes(), position, (bit % 8) as u8);
        let (mut before, mut start) = (0, START);
        while position >= START && position >= start + answer.pieces[before].len() {
            start += answer.pieces[before].len();
            before += 1;
        }
        let (pieces, error) = released(answer.pending.piece_opener(), &changed, usize::MAX);
        let error = error.unwrap();
        assert_eq!(pieces, TEXTS[..before], "bit {bit}");
        let is_right = match position {
            0..8 => matches!(error, Error::Invalid { what: "answer", .. }),
            8 => matches!(error, Error::Unknown { what: "answer version", .. }),
            9 => matches!(error, Error::Unknown { what: "form of an answer", .. }),
            10..START => error == Error::Open,
            _ => match position - start {
                // Too short, too long, longer than what there is, or one of other bytes.
                0..4 => matches!(
                    error,
                    Error::Invalid { what: "answer in pieces", .. }
                        | Error::Truncated { what: "answer in pieces", .. }
                        | Error::Open
                ),
                4 => matches!(error, Error::Unknown { what: "message type", .. } | Error::Open),
                _ => error == Error::Open,
            },
        };
        assert!(is_right, "bit {bit}: {error:?}");
    }
}

#[test]
fn dropped() {
    for index in 0..TEXTS.len() - 1 {
        assert_ends_after(index, &Error::Open, |answer| {
            let mut pieces = answer.pieces.clone();
            pieces.remove(index);
            [&answer.start[..], &pieces.concat()].concat()
        });
    }
}

#[test]
fn doubled() {
    for index in 0..TEXTS.len() {
        let is_last = index == TEXTS.len() - 1;
        let expected = if is_last { invalid("bytes follow the last piece") } else { Error::Open };
        assert_ends_after(index + 1, &expected, |answer| {
            let mut pieces = answer.pieces.clone();
            pieces.insert(index, pieces[index].clone());
            [&answer.start[..], &pieces.concat()].concat()
        });
    }
}

#[test]
fn reordered() {
    for first in 0..TEXTS.len() {
        for second in first + 1..TEXTS.len() {
            assert_ends_after(first, &Error::Open, |answer| {
                let mut pieces = answer.pieces.clone();
                pieces.swap(first, second);
                [&answer.start[..], &pieces.concat()].concat()
            });
        }
    }
}

#[test]
fn anything_behind_the_last_one() {
    for more in [&[0][..], &[0, 0, 0, 17], &[7; 1000]] {
        assert_ends_after(TEXTS.len(), &invalid("bytes follow the last piece"), |answer| {
            [&answer.bytes()[..], more].concat()
        });
    }
    // An error even if it arrives when the last piece was taken.
    let answer = answer();
    let mut opener = answer.pending.piece_opener();
    opener.update(&[&answer.start[..], &answer.pieces.concat()].concat());
    while opener.next().unwrap().is_some() {}
    assert!(opener.is_finished());
    opener.update(&[0]);
    assert_eq!(opener.next().unwrap_err(), invalid("bytes follow the last piece"));
    assert!(!opener.is_finished());
}

/// A last piece that says it is not, and one of the middle that says it is.
#[test]
fn of_the_other_type() {
    for (index, kind) in [(0, 1), (2, 1), (TEXTS.len() - 1, 0)] {
        assert_ends_after(index, &Error::Open, |answer| {
            let mut pieces = answer.pieces.clone();
            pieces[index][4] = kind;
            [&answer.start[..], &pieces.concat()].concat()
        });
    }
}

/// Two pieces as one, and one as two.
#[test]
fn with_moved_borders() {
    assert_ends_after(0, &Error::Open, |answer| {
        let (first, second) = (&answer.pieces[0][4..], &answer.pieces[1][4..]);
        let length = u32::try_from(first.len() + second.len()).unwrap().to_be_bytes();
        [&answer.start[..], &length, first, second, &answer.pieces[2..].concat()].concat()
    });
    assert_ends_after(0, &Error::Open, |answer| {
        let mut pieces = answer.pieces.clone();
        let rest = pieces[0].split_off(4 + 17);
        pieces[0][3] = 17;
        let length = u32::try_from(rest.len() + 17).unwrap().to_be_bytes();
        pieces.insert(1, [&length[..], &[0], &rest, &[0; 16]].concat());
        [&answer.start[..], &pieces.concat()].concat()
    });
}

/// A length is judged when its four bytes are there: nothing is waited for.
#[test]
fn too_short_and_too_long() {
    const MIB: u32 = 1 << 20;
    for (length, reason) in [
        (0, "a piece is shorter than 17 bytes"),
        (16, "a piece is shorter than 17 bytes"),
        (MIB + 18, "a piece is longer than the bound"),
        (1 << 31, "a piece is longer than the bound"),
        (u32::MAX, "a piece is longer than the bound"),
    ] {
        assert_ends_after(2, &invalid(reason), |answer| {
            let before = &answer.bytes()[..START + 21 + 6 + 21];
            [before, &length.to_be_bytes()].concat()
        });
    }
    // The longest one of all bounds is waited for.
    for (bound, length, is_refused) in [
        (1 << 20, MIB + 17, false),
        (100, 117, false),
        (100, 118, true),
        (0, 17, false),
        (0, 18, true),
        (usize::MAX, (1 << 30) + 17, false),
        (usize::MAX, (1 << 30) + 18, true),
    ] {
        let answer = answer();
        let mut opener = answer.pending.piece_opener().with_bound(bound);
        opener.update(&answer.start);
        opener.update(&length.to_be_bytes());
        match opener.next() {
            Ok(None) => assert!(!is_refused),
            Err(error) => {
                assert!(is_refused);
                assert_eq!(error, invalid("a piece is longer than the bound"));
            }
            Ok(Some(piece)) => panic!("{piece:?}"),
        }
    }
}

#[test]
fn the_bound_of_the_writer() {
    let misuse = Error::Misuse { what: "piece", reason: "it is longer than the bound" };
    for bound in [0, 5, 1 << 20] {
        let (pending, asked) = exchange();
        let (start, sealer) = asked.piece_sealer().unwrap();
        let mut sealer = sealer.with_bound(bound);
        let long = vec![7; bound + 1];
        assert_eq!(sealer.piece(&long).unwrap_err(), misuse);
        // What was refused uses nothing up.
        let piece = sealer.piece(&long[1..]).unwrap();
        let last = sealer.finish(&long[1..]).unwrap();
        let answer = [start, piece, last].concat();
        let mut opener = pending.piece_opener().with_bound(bound);
        opener.update(&answer);
        for _ in 0..2 {
            assert!(opener.next().unwrap().unwrap()[..] == long[1..]);
        }
        opener.finish().unwrap();
    }
    let (_, asked) = exchange();
    let (_, sealer) = asked.piece_sealer().unwrap();
    assert_eq!(sealer.with_bound(3).finish(b"long").unwrap_err(), misuse);
    let (_, asked) = exchange();
    let (_, sealer) = asked.piece_sealer().unwrap();
    assert_eq!(sealer.with_bound(usize::MAX).bound(), 1 << 30);
}

/// Of another request, and of the same one that was let in twice.
#[test]
fn of_another_answer() {
    let join = |start: &[u8], pieces: &[Vec<u8>]| [start, &pieces.concat()].concat();
    for index in 0..TEXTS.len() {
        let (request, pending) = unsigned();
        let (start, mut pieces) = pieces_of(accept(&request).unwrap().1);
        let (_, again) = pieces_of(accept(&request).unwrap().1);
        pieces[index].clone_from(&again[index]);
        let (opened, error) = released(pending.piece_opener(), &join(&start, &pieces), 10);
        assert_eq!(opened, TEXTS[..index]);
        assert_eq!(error, Some(Error::Open));

        let (_, theirs) = pieces_of(exchange().1);
        assert_ends_after(index, &Error::Open, |answer| {
            let mut pieces = answer.pieces.clone();
            pieces[index].clone_from(&theirs[index]);
            join(&answer.start, &pieces)
        });
    }
    let (start, pieces) = pieces_of(exchange().1);
    assert_ends_after(0, &Error::Open, |_| join(&start, &pieces));
    assert_ends_after(0, &Error::Open, |answer| join(&start, &answer.pieces));
    assert_ends_after(0, &Error::Open, |answer| join(&answer.start, &pieces));
}

/// The request itself, and other data.
#[test]
fn something_else() {
    let (request, pending) = unsigned();
    let not_an_answer =
        Error::Invalid { what: "answer", reason: "it does not start with \"twinansw\"" };
    let (pieces, error) = released(pending.piece_opener(), &request, 10);
    assert_eq!((pieces.len(), error), (0, Some(not_an_answer.clone())));
    let (pieces, error) = released(exchange().0.piece_opener(), b"HTTP/1.1 200 OK", 1);
    assert_eq!((pieces.len(), error), (0, Some(not_an_answer)));
    let renamed = with(&request, 0..10, b"twinansw\x01\x02");
    let (request, pending) = unsigned();
    drop(request);
    let (pieces, error) = released(pending.piece_opener(), &renamed, 10);
    assert_eq!(pieces.len(), 0);
    assert!(matches!(error, Some(Error::Invalid { .. } | Error::Open)), "{error:?}");
}
