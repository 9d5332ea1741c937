//! Is a whole answer refused that was cut off, changed, or made for something else, without costing the true one?

use std::io::{ErrorKind, Read};

use twinseal::{
    Error,
    request::{Asked, FailedAnswer, Pending},
};

use super::fixture::{
    BOB, CHUNK, CTX, QUESTION, accept, exchange, flipped, plaintext, signed, unsigned, with,
};
use crate::common::errors::outcome;

const ANSWER: &[u8] = b"a cat";

/// Does not open, in memory and with a reader; returns what waits for the true answer, and the error.
fn refused(pending: Pending, answer: &[u8]) -> (Pending, Error) {
    let id = pending.id();
    let FailedAnswer { error, pending, .. } = pending.open(answer).unwrap_err();
    assert_eq!(pending.id(), id);
    let pending = match answer.split_first_chunk() {
        None => pending,
        Some((start, rest)) => match pending.answer_opener(start) {
            Err(failed) => {
                assert_eq!(failed.error, error);
                failed.pending
            }
            // The start fits, and a chunk does not.
            Ok(mut opener) => {
                let mut plaintext = Vec::new();
                let updated = opener.update(rest, &mut plaintext);
                assert_eq!(
                    updated.and_then(|()| opener.finish(&mut plaintext)),
                    Err(error.clone())
                );
                assert_eq!(error, Error::Open);
                return (exchange().0, error);
            }
        },
    };
    (pending, error)
}

/// As the errors of a reader.
fn refused_by_reader(pending: Pending, answer: &[u8]) -> Error {
    let error = match pending.open_reader(answer) {
        Ok(mut reader) => reader.read_to_end(&mut Vec::new()).unwrap_err(),
        Err(error) => error,
    };
    assert_eq!(error.kind(), ErrorKind::InvalidData);
    Error::inside(&error).unwrap().clone()
}

#[test]
fn cut_off_at_every_byte() {
    let (mut pending, asked) = exchange();
    let answer = asked.answer(ANSWER).unwrap();
    for length in 0..answer.len() {
        let FailedAnswer { error, pending: again, .. } =
            pending.open(&answer[..length]).unwrap_err();
        let expected = match length {
            0..10 => Error::Truncated { what: "answer", needed: 10, actual: length },
            _ => Error::Open,
        };
        assert_eq!(error, expected);
        pending = again;
    }
    assert_eq!(&pending.open(&answer).unwrap()[..], ANSWER);

    for length in (0..answer.len()).step_by(5) {
        let (pending, asked) = exchange();
        let answer = asked.answer(ANSWER).unwrap();
        let expected = match length {
            0..10 => Error::Truncated { what: "answer", needed: 10, actual: length },
            _ => Error::Open,
        };
        assert_eq!(refused_by_reader(pending, &answer[..length]), expected);
    }
}

/// A reader says that it is complete only behind its end.
#[test]
fn a_long_one_cut_off() {
    for chunks in 0..3 {
        let (pending, asked) = exchange();
        let answer = asked.answer(&plaintext(2 * CHUNK + 100)).unwrap();
        let cut = &answer[..66 + chunks * (CHUNK + 16)];
        let mut opened = Vec::new();
        let error = pending.open_reader(cut).unwrap().read_to_end(&mut opened).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidData);
        assert!(opened == plaintext(chunks * CHUNK));
    }
}

#[test]
fn every_bit_changed() {
    let (mut pending, asked) = exchange();
    let answer = asked.answer(ANSWER).unwrap();
    for bit in 0..answer.len() * 8 {
        let changed = flipped(&answer, bit / 8, (bit % 8) as u8);
        let FailedAnswer { error, pending: again, .. } = pending.open(&changed).unwrap_err();
        let is_right = match bit / 8 {
            0..8 => matches!(error, Error::Invalid { what: "answer", .. }),
            8 => matches!(error, Error::Unknown { what: "answer version", .. }),
            9 => matches!(error, Error::Unknown { what: "form of an answer", .. }),
            _ => error == Error::Open,
        };
        assert!(is_right, "bit {bit}: {error:?}");
        pending = again;
    }
    assert_eq!(&pending.open(&answer).unwrap()[..], ANSWER);
}

#[test]
fn longer_than_it_is() {
    for more in [1, 16, 20_000] {
        let (pending, asked) = exchange();
        let answer = asked.answer(ANSWER).unwrap();
        let longer = [&answer[..], &vec![0; more]].concat();
        let failed = pending.open(&longer).unwrap_err();
        assert_eq!(failed.error, Error::Open);
        failed.pending.open(&answer).unwrap();
    }
}

/// A forged answer that arrives first does not cost the true one.
#[test]
fn a_forged_one_does_not_cost_the_true_one() {
    let (mut pending, asked) = exchange();
    let answer = asked.answer(ANSWER).unwrap();
    let of_another = exchange().1.answer(ANSWER).unwrap();
    for forged in [b"".to_vec(), of_another, vec![7; 200], flipped(&answer, 66, 0)] {
        let failed = pending.open(&forged).unwrap_err();
        assert_eq!(failed.to_string(), failed.error.to_string());
        pending = failed.pending;
    }
    let start = with(&answer, 9..10, &[2])[..66].try_into().unwrap();
    pending = pending.answer_opener(&start).unwrap_err().pending;
    assert_eq!(&pending.open(&answer).unwrap()[..], ANSWER);
}

#[test]
fn of_another_request() {
    for make in [unsigned, signed] {
        let open = |request: &[u8]| match request[9] {
            0 => accept(request).unwrap().1,
            _ => super::fixture::accept_signed(request).unwrap().1,
        };
        let ((first, first_pending), (second, second_pending)) = (make(), make());
        let first = open(&first).answer(ANSWER).unwrap();
        let second = open(&second).answer(ANSWER).unwrap();
        let (first_pending, error) = refused(first_pending, &second);
        assert_eq!(error, Error::Open);
        let (second_pending, error) = refused(second_pending, &first);
        assert_eq!(error, Error::Open);
        // Parts of both.
        let mixed = [&first[..66], &second[66..]].concat();
        let failed = first_pending.open(&mixed).unwrap_err();
        assert_eq!(failed.error, Error::Open);
        assert_eq!(&failed.pending.open(&first).unwrap()[..], ANSWER);
        assert_eq!(&second_pending.open(&second).unwrap()[..], ANSWER);
    }
}

/// The same bytes again, as an answer to the same question asked anew.
#[test]
fn replayed() {
    let (_, asked) = exchange();
    let recorded = asked.answer(ANSWER).unwrap();
    let (pending, asked) = exchange();
    let failed = pending.open(&recorded).unwrap_err();
    assert_eq!(failed.error, Error::Open);
    failed.pending.open(&asked.answer(ANSWER).unwrap()).unwrap();
}

/// The request itself comes back, as it is and in the form of an answer.
#[test]
fn reflected() {
    let (request, mut pending) = unsigned();
    let not_an_answer =
        Error::Invalid { what: "answer", reason: "it does not start with \"twinansw\"" };
    let body = &request[request.len() - 56 - QUESTION.len() - 16..];
    for (reflected, expected) in [
        (request.clone(), not_an_answer.clone()),
        (with(&request, 0..8, b"twinansw"), Error::Unknown { what: "form of an answer", id: 0 }),
        ([b"twinansw\x01\x01", body].concat(), Error::Open),
        (BOB.encapsulation_key().seal(CTX, ANSWER).unwrap(), not_an_answer),
    ] {
        let failed = pending.open(&reflected).unwrap_err();
        assert_eq!(failed.error, expected);
        pending = failed.pending;
    }
    let (_, asked) = accept(&request).unwrap();
    pending.open(&asked.answer(ANSWER).unwrap()).unwrap();
}

/// A whole answer is taken for one in pieces by nobody, and the other way round.
#[test]
fn of_the_other_form() {
    let in_pieces = |asked: Asked| {
        let (start, sealer) = asked.piece_sealer().unwrap();
        [start, sealer.finish(ANSWER).unwrap()].concat()
    };
    let (pending, asked) = exchange();
    let failed = pending.open(&in_pieces(asked)).unwrap_err();
    let reason = "it is in pieces, not whole";
    assert_eq!(failed.error, Error::Invalid { what: "answer", reason });

    let (pending, asked) = exchange();
    let reason = "it is whole, not in pieces";
    let found = pending.open_pieces(&asked.answer(ANSWER).unwrap());
    assert_eq!(found.unwrap_err(), Error::Invalid { what: "answer", reason });

    // Renamed: its keys are others.
    let (pending, asked) = exchange();
    let renamed = with(&in_pieces(asked), 9..10, &[1]);
    assert_eq!(pending.open(&renamed).unwrap_err().error, Error::Open);
    let (pending, asked) = exchange();
    let renamed = with(&asked.answer(ANSWER).unwrap(), 9..10, &[2]);
    let error = pending.open_pieces(&renamed).unwrap_err();
    assert!(matches!(error, Error::Invalid { what: "answer in pieces", .. }), "{error:?}");
}

/// By another recipient of the same question, and by somebody who has only the request's bytes.
#[test]
fn by_somebody_else() {
    let (request, pending) = unsigned();
    let asked_of_carol = {
        let to_carol = super::fixture::CAROL.encapsulation_key();
        let (request, _) = to_carol.request(CTX, QUESTION).unwrap();
        super::fixture::CAROL.accept(CTX, &request, super::fixture::ANY).unwrap().1
    };
    let failed = pending.open(&asked_of_carol.answer(ANSWER).unwrap()).unwrap_err();
    assert_eq!(failed.error, Error::Open);
    let (_, asked) = accept(&request).unwrap();
    assert_eq!(outcome(failed.pending.open(&asked.answer(ANSWER).unwrap())), "Ok");
}
