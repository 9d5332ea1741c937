//! Does what is answered arrive, in every form, whole and in pieces?

use std::io::{Read, Write};

use twinseal::{
    envelope::Opener,
    request::{Asked, PieceSealer},
};

use super::{
    fixture::{BOB, CTX, accept, exchange, plaintext, unsigned},
    round_trips::{SIZES, sealed_by},
};

type Answer = fn(Asked, &[u8]) -> Vec<u8>;
/// From all pieces but the last, and the last.
type AnswerInPieces = fn(Asked, &[Vec<u8>], &[u8]) -> Vec<u8>;

#[test]
fn every_form_and_size_of_an_answer() {
    for size in SIZES {
        let answer = plaintext(size);
        let length = Asked::answer_len(size as u64);
        let make: [Answer; 3] = [
            |asked, answer| asked.answer(answer).unwrap(),
            |asked, answer| {
                let mut writer = asked.answer_writer(Vec::new()).unwrap();
                answer.chunks(7777).for_each(|part| writer.write_all(part).unwrap());
                writer.finish().unwrap()
            },
            |asked, answer| {
                let (start, prefix, sealer) = asked.answer_sealer().unwrap();
                sealed_by(&start, &prefix, sealer, answer)
            },
        ];
        for make in make {
            for form in 0..3 {
                let (pending, asked) = exchange();
                let sealed = make(asked, &answer);
                assert_eq!(length, Some(sealed.len() as u64));
                let opened = match form {
                    0 => pending.open(&sealed).unwrap().into_vec(),
                    1 => {
                        let mut opened = Vec::new();
                        let mut reader = pending.open_reader(&sealed[..]).unwrap();
                        reader.read_to_end(&mut opened).unwrap();
                        opened
                    }
                    _ => {
                        let (start, rest) = sealed.split_first_chunk().unwrap();
                        let mut opener: Opener = pending.answer_opener(start).unwrap();
                        let mut opened = Vec::new();
                        for part in rest.chunks(3333) {
                            opener.update(part, &mut opened).unwrap();
                        }
                        opener.finish(&mut opened).unwrap();
                        opened
                    }
                };
                assert!(opened == answer);
            }
        }
    }
}

#[test]
fn lengths_at_the_end_of_their_range() {
    let most = (1_u64 << 52) - 1; // 2^38 chunks, the last one short
    assert!(Asked::answer_len(most).is_some());
    for length in [most + 1, u64::MAX - 100, u64::MAX] {
        assert_eq!(Asked::answer_len(length), None);
        let request = BOB.encapsulation_key().request_sealer(CTX).unwrap();
        assert_eq!(request.sealed_len(length), None);
    }
}

/// Each form of an answer in pieces gives the same pieces.
#[test]
fn every_form_of_pieces() {
    let pieces = [vec![], vec![7], plaintext(100), vec![], plaintext(70_000), vec![], vec![]];
    let (last, others) = pieces.split_last().unwrap();
    let make: [AnswerInPieces; 2] = [
        |asked, others, last| {
            let (mut answer, mut sealer) = asked.piece_sealer().unwrap();
            for piece in others {
                answer.extend(sealer.piece(piece).unwrap());
            }
            answer.extend(sealer.finish(last).unwrap());
            answer
        },
        |asked, others, last| {
            let mut writer = asked.piece_writer(Vec::new()).unwrap();
            others.iter().for_each(|piece| writer.piece(piece).unwrap());
            writer.write_all(last).unwrap();
            writer.finish().unwrap()
        },
    ];
    for make in make {
        for form in 0..4 {
            let (pending, asked) = exchange();
            let answer = make(asked, others, last);
            let length: usize =
                pieces.iter().map(|piece| PieceSealer::OVERHEAD + piece.len()).sum();
            assert_eq!(answer.len(), 42 + length);
            let opened: Vec<Vec<u8>> = match form {
                0 => pending.open_pieces(&answer).unwrap().iter().map(|p| p.to_vec()).collect(),
                1 => {
                    let reader = pending.piece_reader(&answer[..]);
                    reader.map(|piece| piece.unwrap().into_vec()).collect()
                }
                2 => {
                    let mut text = Vec::new();
                    pending.piece_reader(&answer[..]).read_to_end(&mut text).unwrap();
                    assert!(text == pieces.concat());
                    continue;
                }
                _ => {
                    let mut opener = pending.piece_opener();
                    let mut opened = Vec::new();
                    for part in answer.chunks(3) {
                        opener.update(part);
                        while let Some(piece) = opener.next().unwrap() {
                            opened.push(piece.into_vec());
                        }
                    }
                    assert!(opener.is_finished());
                    opener.finish().unwrap();
                    opened
                }
            };
            assert!(opened == pieces);
        }
    }
}

/// A piece ends at the bound, at `flush` and before `piece`; an empty flush makes none.
#[test]
fn where_written_pieces_end() {
    let (pending, asked) = exchange();
    let mut writer = asked.piece_writer(Vec::new()).unwrap().with_bound(10);
    writer.flush().unwrap();
    writer.write_all(b"0123456789abc").unwrap();
    writer.flush().unwrap();
    writer.flush().unwrap();
    writer.write_all(b"def").unwrap();
    writer.piece(b"").unwrap();
    writer.piece(b"ghi").unwrap();
    writer.write_all(b"0123456789").unwrap();
    writer.write_all(b"").unwrap();
    let answer = writer.finish().unwrap();
    let pieces = pending.open_pieces(&answer).unwrap();
    let pieces: Vec<_> = pieces.iter().map(|piece| &piece[..]).collect();
    assert_eq!(pieces, [&b"0123456789"[..], b"abc", b"def", b"", b"ghi", b"0123456789", b""]);
}

/// Nothing that was written is in a piece beyond the bound, even if that is lowered afterwards.
#[test]
fn a_bound_that_is_lowered() {
    for (next, written) in (0..4).flat_map(|next| [(next, &b"0123456789"[..]), (next, b"0123")]) {
        let (pending, asked) = exchange();
        let mut writer = asked.piece_writer(Vec::new()).unwrap();
        writer.write_all(written).unwrap();
        let mut writer = writer.with_bound(4);
        match next {
            0 => writer.write_all(b"abc").unwrap(),
            1 => writer.flush().unwrap(),
            2 => writer.piece(b"abc").unwrap(),
            _ => {}
        }
        let answer = writer.finish().unwrap();
        let mut opener = pending.piece_opener().with_bound(4);
        opener.update(&answer);
        let mut text = Vec::new();
        while let Some(piece) = opener.next().unwrap() {
            text.extend_from_slice(&piece);
        }
        opener.finish().unwrap();
        let expected = if next % 2 == 0 { &b"abc"[..] } else { b"" };
        assert_eq!(text, [written, expected].concat());
    }
}

/// Read in part, the rest of a piece is the next one.
#[test]
fn pieces_and_bytes_by_turns() {
    let (pending, asked) = exchange();
    let (mut answer, mut sealer) = asked.piece_sealer().unwrap();
    for piece in [&b"roses "[..], b"are ", b"red"] {
        answer.extend(sealer.piece(piece).unwrap());
    }
    answer.extend(sealer.finish(b"!").unwrap());
    let mut reader = pending.piece_reader(&answer[..]);
    let mut bytes = [0; 2];
    reader.read_exact(&mut bytes).unwrap();
    assert_eq!(&bytes, b"ro");
    assert_eq!(&reader.next().unwrap().unwrap()[..], b"ses ");
    reader.read_exact(&mut bytes).unwrap();
    assert_eq!(&bytes, b"ar");
    reader.read_exact(&mut bytes).unwrap();
    assert_eq!(&bytes, b"e ");
    assert_eq!(&reader.next().unwrap().unwrap()[..], b"red");
    reader.read_exact(&mut bytes[..1]).unwrap();
    assert_eq!(bytes[0], b'!');
    assert!(reader.next().is_none());
    assert_eq!(reader.read(&mut bytes).unwrap(), 0);
}

/// A request that is let in twice is answered twice: under keys of their own.
#[test]
fn two_answers_to_one_request() {
    let (request, pending) = unsigned();
    let (_, first) = accept(&request).unwrap();
    let (_, second) = accept(&request).unwrap();
    let (first, second) = (first.answer(b"a cat").unwrap(), second.answer(b"a dog").unwrap());
    assert_ne!(first[10..66], second[10..66]);
    assert_eq!(&pending.open(&second).unwrap()[..], b"a dog");

    let (request, pending) = unsigned();
    let starts: Vec<_> = (0..2)
        .map(|_| accept(&request).unwrap().1.piece_sealer().unwrap())
        .map(|(start, sealer)| [start, sealer.finish(b"a cat").unwrap()].concat())
        .collect();
    assert!(starts[0][10..42] != starts[1][10..42] && starts[0][42..] != starts[1][42..]);
    pending.open_pieces(&starts[1]).unwrap();
}
