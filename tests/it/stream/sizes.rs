//! Does every size around the edges of chunks come back, in pieces of every size?

use std::io::{Read, Write};

use twinseal::{
    Error,
    envelope::{Header, Sealer},
    hazmat,
};

use super::fixture::{
    BOB, CHUNK, CTX, Outcome, RANDOMNESS, TAG, TO_BOB, buffered_in_steps, chunks_start,
    open_in_place, open_reader, opener, plaintext, read_in_steps, seal, update_in_steps,
    with_threads,
};

const MIB: usize = 1 << 20;
const SIZES: [usize; 10] =
    [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK - 1, 2 * CHUNK, MIB - 1, MIB, MIB + 1];
const STEPS: [usize; 5] = [1, 7, 4096, CHUNK, MIB];

/// Where a serial writer or reader turns into a parallel one.
const TURNS: [usize; 7] = [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 8 * CHUNK, 200_000];

#[track_caller]
fn assert_complete(outcome: &Outcome, plaintext: &[u8]) {
    assert!(outcome.error.is_none(), "{:?}", outcome.error);
    assert!(outcome.released == plaintext, "{} bytes came out", outcome.released.len());
}

#[test]
fn sealed_len_is_the_length() {
    for size in SIZES {
        let sealed = BOB.encapsulation_key().seal(CTX, &plaintext(size)).unwrap();
        assert_eq!(TO_BOB.sealed_len(size as u64), Some(sealed.len() as u64));
        assert_eq!(seal(&plaintext(size)).len(), sealed.len());
    }
}

/// Lengths come from outside, as in a `Content-Length`: from 4 PiB on there is none.
#[test]
fn lengths_at_the_ends_of_their_range() {
    let header = Header::parse(&seal(b"")).unwrap();
    let fixed = header.len() as u64 + 56;
    let tags = |plaintext: u64| (plaintext / CHUNK as u64 + 1) * TAG as u64;
    let most = (1 << 52) - 1;
    for plaintext in [0, 1, u64::from(u32::MAX) - 1, u64::from(u32::MAX), 1 << 32, most - 1, most] {
        let sealed = fixed + plaintext + tags(plaintext);
        assert_eq!(TO_BOB.sealed_len(plaintext), Some(sealed));
        assert_eq!(BOB.encapsulation_key().sealed_len(plaintext), Some(sealed));
        assert_eq!(header.plaintext_len(sealed), Some(plaintext));
    }
    for offset in 0..40 {
        for plaintext in
            [(1 << 52) + offset, (1 << 53) + offset, (1 << 63) - offset].into_iter().chain([
                u64::MAX - (1 << 54) - offset,
                u64::MAX - (1 << 14) + offset,
                u64::MAX - offset,
            ])
        {
            assert_eq!(TO_BOB.sealed_len(plaintext), None, "{plaintext}");
            assert_eq!(BOB.encapsulation_key().sealed_len(plaintext), None, "{plaintext}");
        }
        assert_eq!(header.plaintext_len(offset), None);
        assert_eq!(header.plaintext_len(fixed - offset), None);
        assert_eq!(header.plaintext_len(u64::MAX - offset), None);
        assert_eq!(header.plaintext_len(fixed + most + tags(most) + 1 + offset), None);
    }
}

#[test]
fn writer_gives_the_bytes_of_seal() {
    for size in SIZES {
        let plaintext = plaintext(size);
        let expected = seal(&plaintext);
        for step in STEPS {
            let mut writer = hazmat::seal_writer(&TO_BOB, CTX, &RANDOMNESS, Vec::new()).unwrap();
            for part in plaintext.chunks(step) {
                writer.write_all(part).unwrap();
            }
            assert!(writer.finish().unwrap() == expected, "{size} in steps of {step}");
        }
    }
}

#[test]
fn parallel_writer_gives_the_bytes_of_seal() {
    for threads in [1, 2, 3] {
        for size in SIZES {
            let plaintext = plaintext(size);
            let expected = seal(&plaintext);
            for step in STEPS {
                let writer = hazmat::seal_writer(&TO_BOB, CTX, &RANDOMNESS, Vec::new()).unwrap();
                let sealed = with_threads(threads, || {
                    let mut writer = writer.parallel();
                    for part in plaintext.chunks(step) {
                        writer.write_all(part).unwrap();
                    }
                    writer.finish().unwrap()
                });
                assert!(sealed == expected, "{size} in steps of {step}, {threads} threads");
            }
        }
    }
}

#[test]
fn a_writer_turns_parallel_at_any_point() {
    let plaintext = plaintext(MIB + 1);
    let expected = seal(&plaintext);
    for turn in TURNS {
        for flush in [false, true] {
            let mut writer = hazmat::seal_writer(&TO_BOB, CTX, &RANDOMNESS, Vec::new()).unwrap();
            writer.write_all(&plaintext[..turn]).unwrap();
            if flush {
                writer.flush().unwrap();
            }
            let sealed = with_threads(2, || {
                let mut writer = writer.parallel();
                writer.write_all(&plaintext[turn..]).unwrap();
                writer.finish().unwrap()
            });
            assert!(sealed == expected, "parallel from {turn} on");
        }
    }
}

/// The first bytes of an envelope, and the sealer of its chunks.
fn sealer() -> (Vec<u8>, Sealer) {
    let (header, prefix, sealer) = hazmat::sealer(&TO_BOB, CTX, &RANDOMNESS).unwrap();
    ([&header[..], &prefix].concat(), sealer)
}

#[test]
fn sealer_gives_the_bytes_of_seal() {
    for size in SIZES {
        let plaintext = plaintext(size);
        let expected = seal(&plaintext);
        for step in STEPS {
            let (mut sealed, mut sealer) = sealer();
            for part in plaintext.chunks(step) {
                sealer.update(part, &mut sealed).unwrap();
            }
            sealer.finish(&mut sealed).unwrap();
            assert!(sealed == expected, "{size} in steps of {step}");
        }
    }
}

#[test]
fn sealer_in_place_gives_the_bytes_of_seal() {
    for size in SIZES {
        let mut plaintext = plaintext(size);
        let expected = seal(&plaintext);
        let (mut sealed, mut sealer) = sealer();
        let (full, last) = plaintext.as_chunks_mut::<CHUNK>();
        for chunk in full {
            let tag = sealer.seal_chunk(chunk).unwrap();
            sealed.extend_from_slice(chunk);
            sealed.extend_from_slice(&tag);
        }
        let tag = sealer.seal_last(last).unwrap();
        sealed.extend_from_slice(last);
        sealed.extend_from_slice(&tag);
        assert!(sealed == expected, "{size}");
    }
}

#[test]
fn sealer_in_place_refuses_what_is_no_chunk() {
    for length in [CHUNK, CHUNK + 1, 2 * CHUNK] {
        let mut last = plaintext(length);
        let refused = sealer().1.seal_last(&mut last);
        assert!(matches!(refused, Err(Error::Misuse { what: "last chunk", .. })));
        assert_eq!(last, plaintext(length));
    }
    let (mut sealed, mut waiting) = sealer();
    waiting.update(b"x", &mut sealed).unwrap();
    let mut chunk = [7; CHUNK];
    assert!(matches!(waiting.seal_chunk(&mut chunk), Err(Error::Misuse { what: "chunk", .. })));
    assert_eq!(chunk, [7; CHUNK]);
    waiting.finish(&mut sealed).unwrap();
    assert_eq!(sealed, seal(b"x"));
}

#[test]
fn update_and_in_place_alternate() {
    let plaintext = plaintext(4 * CHUNK + 5);
    let expected = seal(&plaintext);
    let (mut sealed, mut sealer) = sealer();
    sealer.update(&plaintext[..CHUNK], &mut sealed).unwrap();
    let mut chunk: [u8; CHUNK] = plaintext[CHUNK..2 * CHUNK].try_into().unwrap();
    let tag = sealer.seal_chunk(&mut chunk).unwrap();
    sealed.extend_from_slice(&[&chunk[..], &tag].concat());
    sealer.update(&plaintext[2 * CHUNK..], &mut sealed).unwrap();
    sealer.finish(&mut sealed).unwrap();
    assert!(sealed == expected);

    let (mut opener, chunks) = opener(&expected).unwrap();
    let (first, rest) = chunks.split_at(CHUNK + TAG);
    let (second, rest) = rest.split_first_chunk::<CHUNK>().unwrap();
    let (tag, rest) = rest.split_first_chunk().unwrap();
    let mut opened = Vec::new();
    opener.update(first, &mut opened).unwrap();
    let mut second = *second;
    opener.open_chunk(&mut second, tag).unwrap();
    opened.extend_from_slice(&second);
    opener.update(rest, &mut opened).unwrap();
    opener.finish(&mut opened).unwrap();
    assert!(opened == plaintext);
}

#[test]
fn opened_in_memory() {
    for size in SIZES {
        let plaintext = plaintext(size);
        let sealed = seal(&plaintext);
        assert!(BOB.open(CTX, &sealed).unwrap()[..] == plaintext);

        let header = Header::parse(&sealed).unwrap();
        let body = &sealed[header.len()..];
        let body_key = BOB.unlock(&header).unwrap();
        assert!(body_key.open(CTX, body).unwrap()[..] == plaintext);
        // The same in two steps, as with a key that is awaited.
        let recipient = header.find(BOB.encapsulation_key()).unwrap();
        let secret = BOB.decapsulate(&recipient.ciphertext().unwrap()).unwrap();
        let body_key = header.unlock(&recipient, &secret).unwrap();
        assert!(body_key.open(CTX, body).unwrap()[..] == plaintext);
    }
}

#[test]
fn opened_by_a_reader() {
    for size in SIZES {
        let plaintext = plaintext(size);
        let sealed = seal(&plaintext);
        for step in [1, 7, 4096, CHUNK, 3 * MIB] {
            let reader = open_reader(&sealed[..]).unwrap();
            assert_complete(&read_in_steps(reader, step), &plaintext);
            let reader = open_reader(&sealed[..]).unwrap();
            assert_complete(&buffered_in_steps(reader, step), &plaintext);
        }
    }
}

#[test]
fn opened_by_a_parallel_reader() {
    for threads in [1, 2, 3] {
        for size in SIZES {
            let plaintext = plaintext(size);
            let sealed = seal(&plaintext);
            for step in [1, 7, 4096, CHUNK, 3 * MIB] {
                let [read, buffered] = with_threads(threads, || {
                    let reader = || open_reader(&sealed[..]).unwrap().parallel();
                    [read_in_steps(reader(), step), buffered_in_steps(reader(), step)]
                });
                assert_complete(&read, &plaintext);
                assert_complete(&buffered, &plaintext);
            }
        }
    }
}

#[test]
fn a_reader_turns_parallel_at_any_point() {
    for size in [CHUNK, CHUNK + 1, MIB, MIB + 1] {
        let plaintext = plaintext(size);
        let sealed = seal(&plaintext);
        for turn in TURNS.into_iter().chain([size]).filter(|turn| *turn <= size) {
            let mut reader = open_reader(&sealed[..]).unwrap();
            let mut before = vec![0; turn];
            reader.read_exact(&mut before).unwrap();
            let outcome = with_threads(2, || read_in_steps(reader.parallel(), 4096));
            assert!(before == plaintext[..turn]);
            assert_complete(&outcome, &plaintext[turn..]);
        }
        let mut reader = open_reader(&sealed[..]).unwrap();
        reader.read_to_end(&mut Vec::new()).unwrap();
        assert_complete(&with_threads(2, || read_in_steps(reader.parallel(), 4096)), b"");
    }
}

#[test]
fn the_threads_may_change_underway() {
    let plaintext = plaintext(5 * MIB);
    let sealed = seal(&plaintext);
    for pools in [[1, 4, 2], [4, 1, 3]] {
        let mut writer = hazmat::seal_writer(&TO_BOB, CTX, &RANDOMNESS, Vec::new()).unwrap();
        writer.write_all(&plaintext[..10]).unwrap();
        let mut writer = with_threads(pools[0], || writer.parallel());
        let mut reader = with_threads(pools[0], || open_reader(&sealed[..]).unwrap().parallel());
        let mut opened = Vec::new();
        for (index, part) in plaintext[10..].chunks(100_000).enumerate() {
            with_threads(pools[index % 3], || {
                writer.write_all(part).unwrap();
                reader.by_ref().take(100_000).read_to_end(&mut opened).unwrap();
            });
        }
        reader.read_to_end(&mut opened).unwrap();
        assert!(opened == plaintext);
        assert!(writer.finish().unwrap() == sealed);
    }
}

#[test]
fn opened_by_an_opener() {
    for size in SIZES {
        let plaintext = plaintext(size);
        let sealed = seal(&plaintext);
        for step in [1, 7, 4096, CHUNK, CHUNK + TAG, CHUNK + TAG + 1, 3 * MIB] {
            assert_complete(&update_in_steps(&sealed, step), &plaintext);
        }
        assert_complete(&open_in_place(&sealed), &plaintext);
    }
}

#[test]
fn flush_emits_no_short_chunk() {
    let plaintext = plaintext(40 * CHUNK);
    let expected = seal(&plaintext);
    let head = chunks_start(&expected);
    for length in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 8 * CHUNK, 33 * CHUNK + 1] {
        let until = head + length / CHUNK * (CHUNK + TAG);
        let mut writer = hazmat::seal_writer(&TO_BOB, CTX, &RANDOMNESS, Vec::new()).unwrap();
        writer.write_all(&plaintext[..length]).unwrap();
        writer.flush().unwrap();
        assert!(writer.get_ref()[..] == expected[..until], "{length}");
        writer.flush().unwrap();
        assert_eq!(writer.get_ref().len(), until);

        let writer = hazmat::seal_writer(&TO_BOB, CTX, &RANDOMNESS, Vec::new()).unwrap();
        with_threads(2, || {
            let mut writer = writer.parallel();
            writer.write_all(&plaintext[..length]).unwrap();
            writer.flush().unwrap();
            assert!(writer.get_ref()[..] == expected[..until], "{length}");
            writer.write_all(&plaintext[length..]).unwrap();
            assert!(writer.finish().unwrap() == expected);
        });
    }
}
