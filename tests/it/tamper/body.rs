//! Is a changed, truncated, extended, rearranged or spliced body refused?

use twinseal::{
    Error,
    envelope::{BodyKey, Header},
};

use super::{
    Extent::{self, Everything, Sample},
    bits,
    fixture::{CHUNK, Envelope, OPEN, PREFIX, SEALED_CHUNK, fields, open_both, plaintext, readers},
};
use crate::common::{errors::outcome, keys::CTX};

/// The body's key, so that only the body is opened again and again.
fn body_key(sealed: &[u8]) -> (usize, BodyKey) {
    let [key, _] = readers();
    let header = Header::parse(sealed).unwrap();
    let recipient = header.find(key.encapsulation_key()).unwrap();
    let secret = key.decapsulate(&recipient.ciphertext().unwrap()).unwrap();
    (header.len(), header.unlock(&recipient, &secret).unwrap())
}

fn flip_body(extent: Extent) {
    let envelope = Envelope::to_both(1);
    let mut sealed = envelope.bytes();
    let (header, body_key) = body_key(&sealed);
    for (name, field) in fields(&envelope) {
        if field.start < header {
            continue;
        }
        for (position, bit) in bits(&field, extent) {
            sealed[position] ^= 1 << bit;
            assert_eq!(
                outcome(body_key.open(CTX, &sealed[header..])),
                OPEN,
                "{name}: byte {position} bit {bit}"
            );
            sealed[position] ^= 1 << bit;
        }
    }
    assert_eq!(outcome(body_key.open(CTX, &sealed[header..])), "Ok");
}

#[test]
fn flipped_bits_in_the_body() {
    flip_body(Sample);
}

#[test]
#[ignore = "every bit: about a minute"]
fn every_bit_of_the_body() {
    flip_body(Everything);
}

fn truncate_envelope(extent: Extent) {
    let sealed = Envelope::to_both(1).bytes();
    let readers = readers();
    let (header, body_key) = body_key(&sealed);
    for end in 0..header {
        for key in &readers {
            match key.open(CTX, &sealed[..end]) {
                Err(Error::Truncated { what: "envelope header", needed, actual }) => {
                    assert!(actual == end && needed > end, "{end}: needs {needed}");
                }
                other => panic!("{end}: {}", outcome(other)),
            }
        }
    }
    for end in header..sealed.len() {
        let body_end = end - header;
        let near_a_boundary = body_end <= PREFIX + 40
            || (body_end - PREFIX) % SEALED_CHUNK <= 40
            || (body_end - PREFIX) % SEALED_CHUNK >= SEALED_CHUNK - 40
            || end > sealed.len() - 120;
        if extent == Everything || near_a_boundary || end % 251 == 0 {
            let found = outcome(body_key.open(CTX, &sealed[header..end]));
            assert_eq!(found, OPEN, "{end}");
        }
    }
    // The whole way at the places where it could differ.
    for end in [header, header + PREFIX, header + PREFIX + SEALED_CHUNK, sealed.len() - 1] {
        assert_eq!(open_both(&sealed[..end]), [OPEN, OPEN], "{end}");
    }
}

#[test]
fn cut_off_envelopes() {
    truncate_envelope(Sample);
}

#[test]
#[ignore = "every length: some seconds"]
fn every_length_of_an_envelope() {
    truncate_envelope(Everything);
}

#[test]
fn extended_envelopes() {
    for plain in [0, 1, CHUNK, 2 * CHUNK + 100] {
        let [first, second] = &readers();
        let keys = [first.encapsulation_key(), second.encapsulation_key()];
        let sealed = Envelope::new(&keys, 1, &plaintext(plain)).bytes();
        assert_eq!(open_both(&sealed), ["Ok", "Ok"]);
        for added in [1, 15, 16, 17, CHUNK, SEALED_CHUNK, SEALED_CHUNK + 16] {
            for byte in [0x00, 0xff] {
                let longer = [&sealed[..], &vec![byte; added]].concat();
                assert_eq!(open_both(&longer), [OPEN, OPEN], "{plain} + {added}");
            }
        }
        for byte in 0..=0xff {
            let longer = [&sealed[..], &[byte]].concat();
            assert_eq!(outcome(first.open(CTX, &longer)), OPEN);
        }
    }
}

#[test]
fn rearranged_chunks() {
    let envelope = Envelope::to_both(1);
    let other = Envelope::to_both(5);
    let sealed_chunks = envelope.chunks();
    let [a, b, c] = [0, 1, 2].map(|index| &sealed_chunks[index][..]);
    let other_chunks = other.chunks();
    let [x, y, z] = [0, 1, 2].map(|index| &other_chunks[index][..]);
    let empty: &[u8] = b"";
    let [a_start, c_tag] = [&a[..100], &c[c.len() - 16..]];

    assert_eq!(open_both(&envelope.with_chunks(&[a, b, c])), ["Ok", "Ok"]);
    let table: &[(&str, &[&[u8]])] = &[
        ("swapped", &[b, a, c]),
        ("reversed", &[c, b, a]),
        ("the first repeated", &[a, a, b, c]),
        ("the second repeated", &[a, b, b, c]),
        ("the last repeated", &[a, b, c, c]),
        ("all repeated", &[a, b, c, a, b, c]),
        ("the first in place of the second", &[a, a, c]),
        ("the first dropped", &[b, c]),
        ("the second dropped", &[a, c]),
        ("the last dropped", &[a, b]),
        ("the last two dropped", &[a]),
        ("all dropped", &[empty]),
        ("all but the last dropped", &[c]),
        ("the last is only a tag", &[a, b, c_tag]),
        ("the last is the start of the first", &[a, b, a_start]),
        ("the first of another envelope", &[x, b, c]),
        ("the second of another envelope", &[a, y, c]),
        ("the last of another envelope", &[a, b, z]),
        ("all of another envelope", &[x, y, z]),
    ];
    for (change, chunks) in table {
        assert_eq!(open_both(&envelope.with_chunks(chunks)), [OPEN, OPEN], "{change}");
    }
}

/// A body that ends with a full chunk is followed by an empty one, without which it was cut off.
#[test]
fn the_empty_last_chunk_cannot_be_dropped() {
    let [first, second] = &readers();
    let keys = [first.encapsulation_key(), second.encapsulation_key()];
    let envelope = Envelope::new(&keys, 1, &plaintext(CHUNK));
    let sealed_chunks = envelope.chunks();
    let (full, last) = (&sealed_chunks[0][..], &sealed_chunks[1][..]);
    assert_eq!((full.len(), last.len()), (SEALED_CHUNK, 16));
    assert_eq!(open_both(&envelope.with_chunks(&[full, last])), ["Ok"; 2]);
    assert_eq!(open_both(&envelope.with_chunks(&[full])), [OPEN; 2]);
    assert_eq!(open_both(&envelope.with_chunks(&[last])), [OPEN; 2]);
}

#[test]
fn spliced_envelopes() {
    let (one, two) = (Envelope::to_both(1), Envelope::to_both(5));
    let with_body = |body: Vec<u8>| Envelope { body, ..one.clone() }.bytes();
    assert_eq!(open_both(&with_body(two.body.clone())), [OPEN; 2]);
    let [prefix_of_two, chunks_of_two] = [
        [&two.body[..PREFIX], &one.body[PREFIX..]].concat(),
        [&one.body[..PREFIX], &two.body[PREFIX..]].concat(),
    ];
    assert_eq!(open_both(&with_body(prefix_of_two)), [OPEN; 2]);
    assert_eq!(open_both(&with_body(chunks_of_two)), [OPEN; 2]);
    let salt_of_two = [&two.body[..24], &one.body[24..]].concat();
    assert_eq!(open_both(&with_body(salt_of_two)), [OPEN; 2]);

    let tag_of_two = Envelope { tag: two.tag.clone(), ..one.clone() };
    assert_eq!(open_both(&tag_of_two.bytes()), [OPEN; 2]);
    for index in [0, 1] {
        let mut stanza_of_two = one.clone();
        stanza_of_two.stanzas[index] = two.stanzas[index].clone();
        assert_eq!(open_both(&stanza_of_two.bytes()), [OPEN; 2]);
    }
}
