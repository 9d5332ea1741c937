//! Does every range of an envelope open, with one reader, several cursors and many threads?

use std::{
    fs::{self, File},
    io::{self, BufRead, ErrorKind, Read, Seek, SeekFrom},
    ops::Range,
    thread,
};

use twinseal::{
    Error,
    envelope::{Body, BodyKey, Header},
};

use super::fixture::{BOB, CHUNK, CTX, SEALED_CHUNK, TAG, chunks_start, plaintext, seal};
use crate::common::process::Watch;

const SIZES: [usize; 9] =
    [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK - 1, 2 * CHUNK, 2 * CHUNK + 77, 20 * CHUNK + 5];

/// Every range between two interesting positions.
fn ranges(size: usize) -> impl Iterator<Item = Range<usize>> {
    let mut edges = vec![0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK - 1, 2 * CHUNK];
    edges.extend([size.saturating_sub(1), size]);
    edges.retain(|edge| *edge <= size);
    let starts = edges.clone();
    starts.into_iter().flat_map(move |start| {
        edges.clone().into_iter().filter(move |end| start <= *end).map(move |end| start..end)
    })
}

/// The key to the body, where that starts, and its prefix.
fn unlocked(sealed: &[u8]) -> (BodyKey, &[u8; BodyKey::PREFIX_LEN]) {
    let header = Header::parse(sealed).unwrap();
    let prefix = sealed[header.len()..].first_chunk().unwrap();
    (BOB.unlock(&header).unwrap(), prefix)
}

fn body(sealed: &[u8]) -> Body {
    let (body_key, prefix) = unlocked(sealed);
    let unverified = body_key.body(CTX, prefix, sealed_body(sealed).len() as u64).unwrap();
    let mut last_chunk = fetch(sealed, unverified.range());
    unverified.authenticate(&mut last_chunk).unwrap()
}

/// All that follows the header.
fn sealed_body(sealed: &[u8]) -> &[u8] {
    &sealed[Header::parse(sealed).unwrap().len()..]
}

/// A range of an envelope's body.
fn fetch(sealed: &[u8], range: Range<u64>) -> Vec<u8> {
    sealed_body(sealed)[range.start as usize..range.end as usize].to_vec()
}

#[test]
fn every_range() {
    for size in SIZES {
        let plaintext = plaintext(size);
        let sealed = seal(&plaintext);
        let opened = BOB.open_at(CTX, &sealed).unwrap();
        assert_eq!((opened.len(), opened.is_empty()), (size as u64, size == 0));
        for range in ranges(size) {
            let mut buffer = vec![0xee; range.len()];
            opened.read_exact_at(&mut buffer, range.start as u64).unwrap();
            assert!(buffer == plaintext[range.clone()], "{range:?} of {size}");
        }
    }
}

#[test]
fn every_range_by_plan() {
    for size in SIZES {
        let plaintext = plaintext(size);
        let sealed = seal(&plaintext);
        let body = body(&sealed);
        assert_eq!((body.len(), body.is_empty()), (size as u64, size == 0));
        for range in ranges(size) {
            let plan = body.plan(range.start as u64..range.end as u64).unwrap();
            let opened = body.open(&plan, &mut fetch(&sealed, plan.sealed())).unwrap();
            assert!(opened[..] == plaintext[range.clone()], "{range:?} of {size}");

            // Chunk by chunk, in any order, fetching only what is needed.
            let chunks: Vec<_> = body.chunks(&plan).collect();
            let mut pieces = vec![Vec::new(); chunks.len()];
            for (piece, planned) in pieces.iter_mut().zip(&chunks).rev() {
                let mut bytes = fetch(&sealed, planned.sealed.clone());
                let chunk = body.open_chunk(planned.index, &mut bytes).unwrap();
                piece.extend_from_slice(&chunk[planned.wanted.clone()]);
                assert!(!planned.wanted.is_empty());
            }
            assert!(pieces.concat() == plaintext[range.clone()]);
            let whole = chunks.first().map(|first| first.sealed.start..plan.sealed().end);
            assert_eq!(whole.unwrap_or_else(|| plan.sealed()), plan.sealed());
            let start = BodyKey::PREFIX_LEN + range.start / CHUNK * SEALED_CHUNK;
            assert_eq!(plan.sealed().start as usize, start);
            assert_eq!(plan.sealed().is_empty(), range.is_empty());
        }
    }
}

#[test]
fn out_of_range() {
    for size in SIZES {
        let sealed = seal(&plaintext(size));
        let opened = BOB.open_at(CTX, &sealed).unwrap();
        let size = size as u64;
        for (offset, length) in [
            (0, size + 1),
            (size, 1),
            (size + 1, 0),
            (size.saturating_sub(1), 3),
            (u64::MAX, 0),
            (u64::MAX, 1),
            (u64::MAX - 1, 5),
            (1 << 63, 100),
        ] {
            let mut buffer = vec![0xee; length as usize];
            let error = opened.read_exact_at(&mut buffer, offset).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
            assert!(buffer.iter().all(|byte| *byte == 0));
        }
        let body = body(&sealed);
        #[expect(clippy::reversed_empty_ranges, reason = "refused, not swapped")]
        for range in
            [0..size + 1, size..size + 1, size + 1..size + 1, 1..0, u64::MAX..u64::MAX, u64::MAX..0]
        {
            let refused = body.plan(range.clone());
            assert!(matches!(refused, Err(Error::Misuse { what: "range", .. })), "{range:?}");
        }
    }
}

#[test]
fn chunks_of_wrong_length_or_number() {
    let plaintext = plaintext(2 * CHUNK + 77);
    let sealed = seal(&plaintext);
    let body = body(&sealed);
    let chunk = |index: usize| {
        let start = chunks_start(&sealed) + index * SEALED_CHUNK;
        sealed[start..sealed.len().min(start + SEALED_CHUNK)].to_vec()
    };
    for index in 0..3 {
        let right = chunk(index);
        let expected = right.len();
        for actual in [0, 1, TAG - 1, TAG, expected - 1, expected + 1, 2 * SEALED_CHUNK] {
            let mut wrong = right.clone();
            wrong.resize(actual, 0);
            match body.open_chunk(index as u64, &mut wrong) {
                Err(Error::Length { expected: needed, actual: found, .. }) => {
                    assert_eq!((needed, found), (expected, actual));
                }
                other => panic!("{other:?}"),
            }
        }
        for other in (0..3).filter(|other| *other != index) {
            let mut moved = chunk(other);
            moved.resize(expected, 0);
            assert!(matches!(body.open_chunk(index as u64, &mut moved), Err(Error::Open)));
            let text = plaintext.chunks(CHUNK).nth(other).unwrap();
            assert!(moved[..40] != text[..40]);
            assert!(moved[..expected - TAG].iter().all(|byte| *byte == 0));
        }
    }
    for index in [3, 4, 1 << 38, u64::MAX / SEALED_CHUNK as u64, u64::MAX] {
        let mut right = chunk(2);
        let refused = body.open_chunk(index, &mut right);
        assert!(matches!(refused, Err(Error::Length { expected: 0, .. })));
        assert!(matches!(body.open_chunk(index, &mut []), Err(Error::Open)));
    }
}

#[test]
fn what_was_not_planned() {
    let sealed = seal(&plaintext(2 * CHUNK + 77));
    let body = body(&sealed);
    let plan = body.plan(CHUNK as u64 - 1..CHUNK as u64 + 1).unwrap();
    let fetched = fetch(&sealed, plan.sealed());
    for actual in [0, 1, SEALED_CHUNK, fetched.len() - 1, fetched.len() + 1] {
        let mut wrong = fetched.clone();
        wrong.resize(actual, 0);
        let refused = body.open(&plan, &mut wrong);
        let expected = fetched.len();
        assert!(matches!(refused, Err(Error::Length { expected: needed, actual: found, .. })
            if (needed, found) == (expected, actual)));
    }
    for index in [0, SEALED_CHUNK - 1, SEALED_CHUNK, fetched.len() - 1] {
        let mut changed = fetched.clone();
        changed[index] ^= 1;
        assert!(matches!(body.open(&plan, &mut changed), Err(Error::Open)));
    }
    // The plan of one body is none of another.
    for size in [0, 1, CHUNK, CHUNK + 77, 10 * CHUNK] {
        let other = seal(&plaintext(size));
        let other = self::body(&other);
        for range in ranges(2 * CHUNK + 77).filter(|range| !range.is_empty()) {
            let plan = body.plan(range.start as u64..range.end as u64).unwrap();
            let mut fetched = fetch(&sealed, plan.sealed());
            // All have the same keys here, so chunks that are the same in both do open.
            if other.open(&plan, &mut fetched).is_ok() {
                assert!(range.end <= size / CHUNK * CHUNK, "{range:?} of {size}");
            }
            other.chunks(&plan).for_each(drop);
        }
    }
}

/// The length comes from outside. Whatever it says, it is refused or it leads to an honest range.
#[test]
fn any_length_may_be_claimed() {
    let sealed = seal(&plaintext(100));
    let (body_key, prefix) = unlocked(&sealed);
    let right = sealed_body(&sealed).len();
    let around = |length: u64| (0..70_000).map(move |less| length.saturating_sub(less));
    let claims =
        around(u64::MAX).chain(around(1 << 63)).chain(around(1 << 52)).chain(around(100_000));
    for claim in claims.filter(|claim| *claim != right as u64) {
        match body_key.body(CTX, prefix, claim) {
            Ok(last) => {
                let Range { start, end } = last.range();
                assert_eq!(end, claim);
                assert!(start >= BodyKey::PREFIX_LEN as u64 && start + TAG as u64 <= end);
                assert!(end - start < SEALED_CHUNK as u64);
            }
            Err(error) => assert!(matches!(error, Error::Open)),
        }
    }
    // A chunk that fits the claim is still not the last one.
    for claim in BodyKey::PREFIX_LEN + TAG..right + 100 {
        if claim != right {
            let last = body_key.body(CTX, prefix, claim as u64).unwrap();
            let Range { start, end } = last.range();
            let mut bytes =
                [sealed_body(&sealed), &[0; 100]].concat()[start as usize..end as usize].to_vec();
            assert!(matches!(last.authenticate(&mut bytes), Err(Error::Open)));
        }
    }
    let last = body_key.body(CTX, prefix, right as u64).unwrap();
    assert!(matches!(last.authenticate(&mut []), Err(Error::Length { .. })));
}

#[test]
fn by_several_threads_at_once() {
    let plaintext = plaintext(60 * CHUNK + 5);
    let sealed = seal(&plaintext);
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("sealed");
    fs::write(&path, &sealed).unwrap();
    let file = BOB.open_at(CTX, File::open(&path).unwrap()).unwrap();
    let bytes = BOB.open_at(CTX, &sealed[..]).unwrap();
    let _watch = Watch::over("threads that read");
    thread::scope(|scope| {
        for thread in 0..4 {
            let (file, bytes, plaintext) = (&file, &bytes, &plaintext);
            scope.spawn(move || {
                for turn in 0..60 {
                    let start = (thread * 7919 + turn * 104_729) % plaintext.len();
                    let end = plaintext.len().min(start + turn * 4001);
                    let mut buffer = vec![0; end - start];
                    file.read_exact_at(&mut buffer, start as u64).unwrap();
                    assert!(buffer == plaintext[start..end]);
                    bytes.read_exact_at(&mut buffer, start as u64).unwrap();
                    assert!(buffer == plaintext[start..end]);
                }
            });
        }
    });
}

/// As a file it is what `io::Cursor` is over the plaintext, whatever is called in whatever order.
#[test]
fn it_reads_and_seeks_as_a_file() {
    for size in SIZES {
        let plaintext = plaintext(size);
        let sealed = seal(&plaintext);
        let mut opened = BOB.open_at(CTX, &sealed).unwrap();
        let mut expected = io::Cursor::new(&plaintext);
        let mut number = 1_u64;
        for _ in 0..300 {
            number = number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695);
            let (choice, amount) = (number >> 60, (number >> 24) as usize % (3 * CHUNK));
            let offset = amount as i64 - CHUNK as i64;
            let to = match choice {
                0..4 => {
                    let (mut a, mut b) = (vec![0; amount], vec![0; amount]);
                    let (read, right) = (opened.read_exact(&mut a), expected.read_exact(&mut b));
                    assert_eq!(read.map_err(|e| e.kind()), right.map_err(|e| e.kind()));
                    let position = opened.stream_position().unwrap();
                    assert!(a == b || position == size as u64);
                    expected.set_position(position); // behind the end it differs
                    continue;
                }
                4..8 => {
                    let ready = opened.fill_buf().unwrap();
                    let length = ready.len().min(amount);
                    let position = expected.position() as usize;
                    assert!(plaintext.get(position..).unwrap_or_default().starts_with(ready));
                    assert_eq!(ready.is_empty(), position >= size);
                    opened.consume(length);
                    expected.consume(length);
                    continue;
                }
                8..11 => SeekFrom::Start(amount as u64),
                11..14 => SeekFrom::End(offset),
                _ => SeekFrom::Current(offset),
            };
            let (a, b) = (opened.seek(to), expected.seek(to));
            assert_eq!(a.map_err(|e| e.kind()), b.map_err(|e| e.kind()), "{to:?}");
        }
        opened.rewind().unwrap();
        let mut all = Vec::new();
        opened.read_to_end(&mut all).unwrap();
        assert!(all == plaintext);
        for outside in [SeekFrom::End(i64::MIN), SeekFrom::Current(i64::MIN)] {
            assert_eq!(opened.seek(outside).unwrap_err().kind(), ErrorKind::InvalidInput);
        }
        assert_eq!(opened.stream_position().unwrap(), size as u64, "after an error it stays");
        for far in [u64::MAX, 1 << 63, size as u64] {
            opened.seek(SeekFrom::Start(far)).unwrap();
            assert_eq!(opened.read(&mut [0; 10]).unwrap(), 0);
            assert_eq!(opened.read(&mut vec![0; 3 * CHUNK]).unwrap(), 0);
            assert!(opened.fill_buf().unwrap().is_empty());
        }
        opened.seek(SeekFrom::Start(u64::MAX)).unwrap();
        assert_eq!(opened.seek(SeekFrom::Current(1)).unwrap_err().kind(), ErrorKind::InvalidInput);
        assert_eq!(opened.stream_position().unwrap(), u64::MAX);
    }
}

#[test]
fn cursors_have_positions_of_their_own() {
    let plaintext = plaintext(3 * CHUNK + 9);
    let sealed = seal(&plaintext);
    let mut opened = BOB.open_at(CTX, &sealed).unwrap();
    opened.seek(SeekFrom::Start(50)).unwrap();
    let (mut first, mut second) = (opened.cursor(), opened.cursor());
    let mut part = [0; 100];
    first.read_exact(&mut part).unwrap();
    assert_eq!(part, plaintext[..100]);
    thread::scope(|scope| {
        scope.spawn(move || {
            second.seek(SeekFrom::End(-100)).unwrap();
            second.read_exact(&mut part).unwrap();
            assert_eq!(part, plaintext[plaintext.len() - 100..]);
        });
    });
    assert_eq!((first.stream_position().unwrap(), opened.stream_position().unwrap()), (100, 50));
}

/// Every chunk but the damaged one comes out, before it and after it.
#[test]
fn a_damaged_chunk_costs_no_other() {
    let plaintext = plaintext(20 * CHUNK + 5);
    for lost in 0..20 {
        let mut sealed = seal(&plaintext);
        let place = chunks_start(&sealed) + lost * SEALED_CHUNK + 77;
        sealed[place] ^= 1;
        let mut opened = BOB.open_at(CTX, &sealed).unwrap();
        let mut before = Vec::new();
        let error = opened.read_to_end(&mut before).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidData);
        assert!(before == plaintext[..lost * CHUNK]);
        let mut after = Vec::new();
        opened.seek(SeekFrom::Current(CHUNK as i64)).unwrap();
        opened.read_to_end(&mut after).unwrap();
        assert!(after == plaintext[(lost + 1) * CHUNK..]);
        // One that is read in small pieces neither.
        let mut cursor = opened.cursor();
        let mut piece = [0; 100];
        for start in (0..20 * CHUNK).step_by(10_000) {
            cursor.seek(SeekFrom::Start(start as u64)).unwrap();
            let length = cursor.read(&mut piece).ok();
            assert_eq!(length.is_none(), start / CHUNK == lost);
            assert!(plaintext[start..].starts_with(&piece[..length.unwrap_or_default()]));
        }
    }
}
