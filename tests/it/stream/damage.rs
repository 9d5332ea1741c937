//! Do cut, swapped, repeated, mixed and extended envelopes give only authentic chunks, and never a false
//! end?

use std::io::{self, Read};

use twinseal::Error;

use super::fixture::{
    BOB, CHUNK, CTX, Outcome, SEALED_CHUNK, buffered_in_steps, chunks_start, open_in_place,
    open_reader, opener, plaintext, read_in_steps, seal, twinseal_error, update_in_steps,
    with_threads,
};

/// Every way of opening, to its end or its first error.
fn ways(sealed: &[u8], plaintext: &[u8]) -> Vec<(&'static str, Outcome)> {
    let read = |step| open_reader(sealed).map(|reader| read_in_steps(reader, step));
    let buffered = open_reader(sealed).map(|reader| buffered_in_steps(reader, 10_000));
    let parallel = |threads| {
        with_threads(threads, || {
            open_reader(sealed).map(|reader| read_in_steps(reader.parallel(), 10_000))
        })
    };
    let or_refused = |outcome: io::Result<_>| outcome.unwrap_or_else(Outcome::refused);
    vec![
        ("open", open(sealed)),
        ("open_reader", or_refused(read(10_000))),
        ("open_reader, all at once", or_refused(read(1 << 20))),
        ("open_reader, buffered", or_refused(buffered)),
        ("open_reader, 1 thread", or_refused(parallel(1))),
        ("open_reader, 2 threads", or_refused(parallel(2))),
        ("open_at", or_refused(open_at(sealed, plaintext))),
        ("Opener::update", update_in_steps(sealed, 10_000)),
        ("Opener::update, all at once", update_in_steps(sealed, usize::MAX)),
        ("Opener::open_chunk", open_in_place(sealed)),
    ]
}

fn open(sealed: &[u8]) -> Outcome {
    match BOB.open(CTX, sealed) {
        Ok(released) => Outcome { released: released.to_vec(), error: None },
        Err(error) => Outcome::refused(error),
    }
}

/// Once it is constructed, the length is the true one, and every chunk is the true one or refused.
fn open_at(sealed: &[u8], plaintext: &[u8]) -> io::Result<Outcome> {
    let opened = BOB.open_at(CTX, sealed)?;
    assert_eq!(opened.len(), plaintext.len() as u64);
    let mut chunks_refused = 0;
    for (index, expected) in plaintext.chunks(CHUNK).enumerate() {
        let mut chunk = vec![0xee; expected.len()];
        match opened.read_exact_at(&mut chunk, (index * CHUNK) as u64) {
            Ok(()) => assert!(chunk == expected),
            Err(error) => {
                assert!(matches!(twinseal_error(&error), Error::Open));
                assert!(chunk.iter().all(|byte| *byte == 0));
                chunks_refused += 1;
            }
        }
    }
    let mut released = vec![0xee; plaintext.len()];
    let error = opened.read_exact_at(&mut released, 0).err();
    assert_eq!(error.is_some(), chunks_refused > 0);
    if error.is_some() {
        assert!(released.iter().all(|byte| *byte == 0));
        released.clear();
    }
    Ok(Outcome { released, error })
}

#[track_caller]
fn assert_refused_with(sealed: &[u8], plaintext: &[u8], expected: impl Fn(&Error) -> bool) {
    for (way, Outcome { released, error }) in ways(sealed, plaintext) {
        let error = error.unwrap_or_else(|| panic!("{way} opens it"));
        assert_eq!(error.kind(), io::ErrorKind::InvalidData, "{way}");
        assert!(expected(twinseal_error(&error)), "{way}: {error}");
        assert!(plaintext.starts_with(&released), "{way} releases what is not plaintext");
        assert_eq!(released.len() % CHUNK, 0, "{way} releases a part of a chunk");
    }
}

/// No way of opening accepts it, and all that comes out before the error is authentic.
#[track_caller]
pub(crate) fn assert_refused(sealed: &[u8], plaintext: &[u8]) {
    assert_refused_with(sealed, plaintext, |error| matches!(error, Error::Open));
}

/// Of a damaged file, every way of streaming gives each chunk before the fault, and none after it.
#[test]
fn what_precedes_the_fault_comes_out() {
    let plaintext = plaintext(20 * CHUNK + 60);
    let sealed = seal(&plaintext);
    let start = chunks_start(&sealed);
    let assert_precedes = |damaged: &[u8], chunks: usize| {
        for (way, Outcome { released, error }) in ways(damaged, &plaintext) {
            let error = error.unwrap_or_else(|| panic!("{way} opens it"));
            assert!(matches!(twinseal_error(&error), Error::Open), "{way}: {error}");
            let whole_or_nothing = ["open", "open_at"].contains(&way);
            let expected = if whole_or_nothing { 0 } else { chunks * CHUNK };
            assert!(released == plaintext[..expected], "{way}: {} of {chunks}", released.len());
        }
    };
    for chunk in 0..=20 {
        let place = start + chunk * SEALED_CHUNK;
        let mut changed = sealed.clone();
        changed[place + 5] ^= 1;
        assert_precedes(&changed, chunk);
        // Cut before it, within it, and behind its start by less than a tag.
        for cut in [0, 5, 16, 70] {
            assert_precedes(&sealed[..place + cut], chunk);
        }
        // Two faults.
        let last = changed.len() - 1;
        changed[last] ^= 1;
        assert_precedes(&changed, chunk);
    }
    assert_precedes(&[&sealed[..], b"x"].concat(), 20);
}

/// A reader that has failed stays failed, also when it continues with all cores.
#[test]
fn a_reader_that_has_failed_may_become_parallel() {
    let plaintext = plaintext(5 * CHUNK + 60);
    let mut sealed = seal(&plaintext);
    let place = chunks_start(&sealed) + 2 * SEALED_CHUNK;
    sealed[place] ^= 1;
    let mut reader = open_reader(&sealed[..]).unwrap();
    let mut released = Vec::new();
    let error = reader.read_to_end(&mut released).unwrap_err();
    assert_eq!(twinseal_error(&error), &Error::Open);
    let mut reader = with_threads(2, || reader.parallel());
    for _ in 0..2 {
        let error = reader.read_to_end(&mut released).unwrap_err();
        assert_eq!(twinseal_error(&error), &Error::Open);
    }
    assert!(released == plaintext[..2 * CHUNK]);
}

/// An envelope in parts: what precedes the chunks, the full chunks, and the last one.
struct Parts<'a> {
    head: &'a [u8],
    full: Vec<&'a [u8]>,
    last: &'a [u8],
}

impl<'a> Parts<'a> {
    fn of(sealed: &'a [u8]) -> Self {
        let (head, chunks) = sealed.split_at(chunks_start(sealed));
        let full = chunks.chunks_exact(SEALED_CHUNK);
        let last = full.remainder();
        Self { head, full: full.collect(), last }
    }

    fn concat(&self) -> Vec<u8> {
        [self.head, &self.full.concat(), self.last].concat()
    }
}

/// Does something to the full chunks.
fn rearranged<'a>(sealed: &'a [u8], rearrange: impl FnOnce(&mut Vec<&'a [u8]>)) -> Vec<u8> {
    let mut parts = Parts::of(sealed);
    rearrange(&mut parts.full);
    parts.concat()
}

/// More than one batch, of the serial and of the parallel readers.
const LONG: usize = 40 * CHUNK + 5;

/// Chunks around the edges of batches, the last one included.
fn some_chunks(length: usize) -> impl Iterator<Item = usize> {
    let last = length / CHUNK;
    [0, 1, 2, 3, 4, 7, 8, 15, 16, 31, 32, 39, 40].into_iter().filter(move |index| *index <= last)
}

#[test]
fn the_undamaged_envelope_opens() {
    for length in [0, 100, 4 * CHUNK, LONG] {
        let plaintext = plaintext(length);
        for (way, outcome) in ways(&seal(&plaintext), &plaintext) {
            assert!(outcome.error.is_none(), "{way}");
            assert!(outcome.released == plaintext, "{way}");
        }
    }
}

#[test]
fn truncated_at_every_byte() {
    for length in [0, 60] {
        let plaintext = plaintext(length);
        let sealed = seal(&plaintext);
        let header = chunks_start(&sealed) - 56;
        for length in 0..header {
            assert_refused_with(&sealed[..length], &plaintext, |error| {
                matches!(error, Error::Truncated { actual, needed, .. }
                    if *actual == length && *needed > length && *needed <= header)
            });
        }
        for length in header..sealed.len() {
            assert_refused(&sealed[..length], &plaintext);
        }
    }
}

#[test]
fn truncated_around_every_chunk() {
    for length in [4 * CHUNK, LONG] {
        let plaintext = plaintext(length);
        let sealed = seal(&plaintext);
        for chunk in some_chunks(length) {
            let edge = chunks_start(&sealed) + chunk * SEALED_CHUNK;
            for at in [edge - 17, edge - 16, edge - 1, edge, edge + 1, edge + 15, edge + 16] {
                if at < sealed.len() {
                    assert_refused(&sealed[..at], &plaintext);
                }
            }
        }
    }
}

#[test]
fn extended() {
    for length in [0, 100, CHUNK - 1, 4 * CHUNK, LONG] {
        let plaintext = plaintext(length);
        let sealed = seal(&plaintext);
        for more in [1, 15, 16, 17, CHUNK, SEALED_CHUNK, SEALED_CHUNK + 16] {
            for byte in [0, 0xff] {
                assert_refused(&[&sealed[..], &vec![byte; more]].concat(), &plaintext);
            }
        }
        let chunks = &sealed[chunks_start(&sealed)..];
        assert_refused(&[&sealed[..], chunks].concat(), &plaintext);
    }
}

#[test]
fn every_byte_of_a_body_changed() {
    let plaintext = plaintext(60);
    let sealed = seal(&plaintext);
    for index in chunks_start(&sealed) - 56..sealed.len() {
        let mut changed = sealed.clone();
        changed[index] ^= 1 << (index % 8);
        assert_refused(&changed, &plaintext);
    }
}

#[test]
fn a_byte_of_a_chunk_changed() {
    let plaintext = plaintext(LONG);
    let sealed = seal(&plaintext);
    for chunk in some_chunks(LONG) {
        let start = chunks_start(&sealed) + chunk * SEALED_CHUNK;
        let mut changed = sealed.clone();
        changed[start + 20] ^= 0x80;
        assert_refused(&changed, &plaintext);
    }
}

#[test]
fn swapped() {
    let plaintext = plaintext(4 * CHUNK);
    let sealed = seal(&plaintext);
    for (i, j) in [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)] {
        assert_refused(&rearranged(&sealed, |chunks| chunks.swap(i, j)), &plaintext);
    }
    let plaintext = self::plaintext(LONG);
    let sealed = seal(&plaintext);
    for (i, j) in [(0, 39), (7, 8), (15, 16), (31, 32), (38, 39)] {
        assert_refused(&rearranged(&sealed, |chunks| chunks.swap(i, j)), &plaintext);
    }
}

#[test]
fn repeated_and_dropped() {
    for length in [4 * CHUNK, LONG] {
        let plaintext = plaintext(length);
        let sealed = seal(&plaintext);
        for index in some_chunks(length).filter(|index| *index < length / CHUNK) {
            let chunk = Parts::of(&sealed).full[index];
            assert_refused(&rearranged(&sealed, |chunks| chunks.insert(index, chunk)), &plaintext);
            assert_refused(&rearranged(&sealed, |chunks| _ = chunks.remove(index)), &plaintext);
            // In place of its neighbour, which leaves the length as it was.
            let next = (index + 1) % (length / CHUNK);
            assert_refused(&rearranged(&sealed, |chunks| chunks[next] = chunk), &plaintext);
        }
        assert_refused(&rearranged(&sealed, |chunks| chunks.truncate(0)), &plaintext);
    }
}

#[test]
fn the_last_chunk_moved() {
    let plaintext = plaintext(4 * CHUNK + 60);
    let sealed = seal(&plaintext);
    let parts = Parts::of(&sealed);
    for after in 0..4 {
        let early = [parts.head, &parts.full[..after].concat(), parts.last].concat();
        assert_refused(&early, &plaintext);
        assert_refused(&[&early[..], &parts.full[after..].concat()].concat(), &plaintext);
    }
    assert_refused(&[&sealed[..], parts.last].concat(), &plaintext);
}

/// The same plaintext for the same recipient, and even so no part fits another envelope.
#[test]
fn taken_from_another_envelope() {
    let plaintext = plaintext(4 * CHUNK + 60);
    let sealed = seal(&plaintext);
    let other = BOB.encapsulation_key().seal(CTX, &plaintext).unwrap();
    let (ours, theirs) = (Parts::of(&sealed), Parts::of(&other));
    for index in 0..4 {
        let mixed = rearranged(&sealed, |chunks| chunks[index] = theirs.full[index]);
        assert_refused(&mixed, &plaintext);
    }
    let chunks = ours.full.clone();
    assert_refused(
        &Parts { head: ours.head, full: chunks, last: theirs.last }.concat(),
        &plaintext,
    );
    let chunks = theirs.full.clone();
    assert_refused(
        &Parts { head: ours.head, full: chunks, last: theirs.last }.concat(),
        &plaintext,
    );
    // A whole body, with its salt and its commitment.
    let body = ours.head.len() - 56;
    assert_refused(&[&sealed[..body], &other[body..]].concat(), &plaintext);
    assert_refused(&[&other[..body], &sealed[body..]].concat(), &plaintext);
}

/// A full chunk is never the last one, or an end could be cut off behind it.
#[test]
fn a_full_chunk_for_the_last_one() {
    for length in [CHUNK, 4 * CHUNK + 60] {
        let sealed = seal(&plaintext(length));
        let (opener, chunks) = opener(&sealed).unwrap();
        let (mut chunk, rest) = chunks.split_first_chunk::<CHUNK>().map(|(c, r)| (*c, r)).unwrap();
        let refused = opener.open_last(&mut chunk, rest.first_chunk().unwrap());
        assert!(matches!(refused, Err(Error::Open)));
        assert_eq!(chunk, [0; CHUNK]);
    }
}

/// A part of a chunk that was fed does not go away because a whole one is handed over.
#[test]
fn a_whole_chunk_after_a_part() {
    let sealed = seal(&plaintext(2 * CHUNK));
    let (mut opener, chunks) = opener(&sealed).unwrap();
    let (mut chunk, rest) = chunks.split_first_chunk::<CHUNK>().map(|(c, r)| (*c, r)).unwrap();
    let mut released = Vec::new();
    opener.update(b"x", &mut released).unwrap();
    let refused = opener.open_chunk(&mut chunk, rest.first_chunk().unwrap());
    assert!(matches!(refused, Err(Error::Open)));
    assert_eq!(chunk, [0; CHUNK]);
    assert!(matches!(opener.update(chunks, &mut released), Err(Error::Open)));
    assert!(released.is_empty());
}

#[test]
fn opened_for_another_purpose() {
    let other: &[u8] = b"example.com/other";
    let sealed = seal(&plaintext(100));
    let opens = |error: &io::Error| matches!(twinseal_error(error), Error::Open);
    assert!(matches!(BOB.open(other, &sealed), Err(Error::Open)));
    assert!(opens(&BOB.open_reader(other, &sealed[..]).unwrap_err()));
    assert!(opens(&BOB.open_at(other, &sealed[..]).unwrap_err()));
    for context in [&b""[..], b"twinseal/", b"twinseal/x", &[b'x'; 256]] {
        let kind = io::ErrorKind::InvalidInput;
        assert!(matches!(BOB.open(context, &sealed), Err(Error::Context(_))));
        assert_eq!(BOB.open_reader(context, &sealed[..]).unwrap_err().kind(), kind);
        assert_eq!(BOB.open_at(context, &sealed[..]).unwrap_err().kind(), kind);
        let key = BOB.encapsulation_key();
        assert!(matches!(key.seal(context, b""), Err(Error::Context(_))));
        assert!(matches!(key.sealer(context), Err(Error::Context(_))));
        assert_eq!(key.seal_writer(context, io::sink()).unwrap_err().kind(), kind);
    }
}
