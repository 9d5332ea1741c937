//! Does everything that was cut, changed, extended or put together anew fail, with the right error?
//!
//! The normal run takes every bit of short fields and a fixed sample of long ones;
//! `cargo test --features hazmat --test it tamper:: -- --ignored` takes every bit and every length.

use std::ops::Range;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha384;
use twinseal::{
    DecapsulationKey, EncapsulationKey, Error, KemSuite, Recipients, Signature, SigningKey,
    VerifyingKey,
    envelope::{BodyKey, Header},
    hazmat,
    kem::Ciphertext,
};

use crate::common::{
    COMPOSITE, CTX, P384, Parser, X25519, bad_pem, der_parsers, invalid, kem_key, length, outcome,
    parsers_of_fixed_length, pem, pem_parsers, signing_key, truncated, unknown,
};

const CHUNK: usize = 16 * 1024;
const SEALED_CHUNK: usize = CHUNK + 16;
const START: usize = 12;
const TAG: usize = 32;
const PREFIX: usize = 24 + 32;
const OPEN: &str = "Open";
const NOT_A_RECIPIENT: &str = "NotARecipient";
const ORDER: &str = "its recipients are not in strictly ascending order";

/// How much of a long field is tried.
#[derive(Clone, Copy, PartialEq)]
enum Extent {
    Sample,
    Everything,
}

use Extent::{Everything, Sample};

// An envelope to two recipients, one of each suite, that can be taken apart and put together.

#[derive(Clone)]
struct Envelope {
    content_key: [u8; 32],
    stanzas: Vec<Vec<u8>>,
    tag: Vec<u8>,
    body: Vec<u8>,
}

fn readers() -> [DecapsulationKey; 2] {
    [kem_key(X25519, 1), kem_key(P384, 2)]
}

fn plaintext(length: usize) -> Vec<u8> {
    (0..length).map(|index| (index % 251) as u8).collect()
}

impl Envelope {
    /// Sealed from fixed randomness; another `number` is another envelope.
    fn new(keys: &[&EncapsulationKey], number: u8, plaintext: &[u8]) -> Self {
        let content_key = [number; 32];
        let mut sorted = keys.to_vec();
        sorted.sort_by_key(|key| (key.suite().id(), key.key_id()));
        let encapsulations: Vec<_> = sorted
            .iter()
            .map(|key| vec![number + 1; if key.suite() == X25519 { 64 } else { 80 }])
            .collect();
        let encapsulations: Vec<_> = encapsulations.iter().map(Vec::as_slice).collect();
        let randomness = hazmat::SealRandomness {
            content_key,
            salt: [number + 2; 24],
            encapsulations: &encapsulations,
        };
        let recipients = Recipients::new(keys.iter().copied()).unwrap();
        let sealed = hazmat::seal(&recipients, CTX, plaintext, &randomness).unwrap();

        let mut rest = &sealed[START..];
        let mut take = |length: usize| {
            let (field, after) = rest.split_at(length);
            rest = after;
            field.to_vec()
        };
        Self {
            content_key,
            stanzas: sorted
                .iter()
                .map(|key| take(20 + key.suite().ciphertext_length() + 48))
                .collect(),
            tag: take(TAG),
            body: rest.to_vec(),
        }
    }

    /// For the two readers: two full chunks and a short one.
    fn to_both(number: u8) -> Self {
        let [first, second] = &readers();
        let keys = [first.encapsulation_key(), second.encapsulation_key()];
        Self::new(&keys, number, &plaintext(2 * CHUNK + 100))
    }

    fn untagged(&self, count: usize) -> Vec<u8> {
        let count = u16::try_from(count).unwrap().to_be_bytes();
        let stanzas = self.stanzas.concat();
        [b"twinseal\x01\x01".as_slice(), &count, &stanzas].concat()
    }

    /// With the tag as it is.
    fn bytes(&self) -> Vec<u8> {
        let header = self.untagged(self.stanzas.len());
        [&header[..], &self.tag, &self.body].concat()
    }

    /// With another count and the tag as it is.
    fn with_count(&self, count: usize) -> Vec<u8> {
        [&self.untagged(count)[..], &self.tag, &self.body].concat()
    }

    /// With the tag that belongs to the stanzas: what a dishonest recipient can make.
    fn tagged(&self) -> Vec<u8> {
        self.tagged_with_count(self.stanzas.len())
    }

    fn tagged_with_count(&self, count: usize) -> Vec<u8> {
        let header = self.untagged(count);
        let mut keys = [0; 80];
        hazmat::hkdf_sha384(&self.content_key, b"twinseal/envelope/v1\x01\x01", &mut keys);
        let mut mac = Hmac::<Sha384>::new_from_slice(&keys[..48]).unwrap();
        mac.update(&header);
        let tag = mac.finalize().into_bytes();
        [&header[..], &tag[..TAG], &self.body].concat()
    }

    fn chunks(&self) -> Vec<Vec<u8>> {
        self.body[PREFIX..].chunks(SEALED_CHUNK).map(<[u8]>::to_vec).collect()
    }

    fn with_chunks(&self, chunks: &[&[u8]]) -> Vec<u8> {
        let body = [&self.body[..PREFIX], &chunks.concat()].concat();
        Self { body, ..self.clone() }.bytes()
    }
}

fn open_both(sealed: &[u8]) -> [String; 2] {
    readers().map(|key| outcome(key.open(CTX, sealed)))
}

/// The body's key, so that only the body is opened again and again.
fn body_key(sealed: &[u8]) -> (usize, BodyKey) {
    let [key, _] = readers();
    let header = Header::parse(sealed).unwrap();
    let recipient = header.find(key.encapsulation_key()).unwrap();
    let secret = key.decapsulate(&recipient.ciphertext().unwrap()).unwrap();
    (header.len(), header.unlock(&recipient, &secret).unwrap())
}

#[test]
fn the_untouched_envelope_opens() {
    let envelope = Envelope::to_both(1);
    assert_eq!(envelope.bytes(), envelope.tagged(), "the tag is computed here as there");
    for key in readers() {
        let opened = key.open(CTX, &envelope.bytes()).unwrap();
        assert_eq!(&opened[..], plaintext(2 * CHUNK + 100));
    }
}

// Flipped bits.

/// The positions of an envelope's fields, by name.
fn fields(envelope: &Envelope) -> Vec<(String, Range<usize>)> {
    let mut fields: Vec<(String, Range<usize>)> = Vec::new();
    let mut add = |name: &str, length| {
        let start = fields.last().map_or(0, |(_, range)| range.end);
        fields.push((name.into(), start..start + length));
    };
    add("magic", 8);
    add("version", 1);
    add("body id", 1);
    add("count", 2);
    for (owner, suite) in [("x", X25519), ("p", P384)] {
        add(&format!("{owner} suite"), 2);
        add(&format!("{owner} key id"), 16);
        add(&format!("{owner} length"), 2);
        add(&format!("{owner} ct_pq"), 1568);
        add(&format!("{owner} ct_t"), suite.ciphertext_length() - 1568);
        add(&format!("{owner} wrapped"), 48);
    }
    add("tag", TAG);
    add("salt", 24);
    add("commitment", 32);
    for chunk in envelope.chunks() {
        add("chunk", chunk.len() - 16);
        add("chunk tag", 16);
    }
    assert_eq!(fields.last().unwrap().1.end, envelope.bytes().len());
    fields
}

/// Every bit of fields up to 48 bytes. Of longer ones all bits of the first and the last byte, and
/// of a few between.
fn bits(field: &Range<usize>, extent: Extent) -> Vec<(usize, u8)> {
    let stride = field.len() / 24 + 1;
    field
        .clone()
        .flat_map(|position| (0..8).map(move |bit| (position, bit)))
        .filter(|&(position, bit)| {
            let offset = position - field.start;
            extent == Everything
                || field.len() <= 48
                || offset == 0
                || position == field.end - 1
                || (offset.is_multiple_of(stride) && offset / stride % 8 == usize::from(bit))
        })
        .collect()
}

/// What both readers must be told after a flip in this field of the header.
fn expected(name: &str, offset: usize, value: u8, field: &[u8]) -> [Vec<String>; 2] {
    let both = |error: String| [vec![error.clone()], vec![error]];
    let number = |field: &[u8]| u16::from_be_bytes(field.try_into().unwrap());
    let one = |text: &str| vec![text.to_string()];
    match name {
        "magic" => both("NotAnEnvelope".into()),
        "version" => both(unknown("envelope version", value.into())),
        "body id" => both(unknown("envelope body", value.into())),
        "count" => match number(field) {
            0 | 1001.. => both(invalid("envelope header", "it must have 1 to 1000 recipients")),
            // Tag and body are read as a recipient, whatever that gives.
            _ => [vec![], vec![]],
        },
        "x suite" if number(field) > P384.id() => both(invalid("envelope header", ORDER)),
        "x suite" | "x key id" => [one(NOT_A_RECIPIENT), one(OPEN)],
        "p suite" | "p key id" => [one(OPEN), one(NOT_A_RECIPIENT)],
        "x length" => both(length("recipient's ciphertext", 1600, number(field).into())),
        "p length" => both(length("recipient's ciphertext", 1665, number(field).into())),
        "x ct_t" if offset == 31 && value >= 0x80 => {
            [vec![invalid("X25519 public value", "it is not below 2^255 - 19")], one(OPEN)]
        }
        "p ct_t" if offset == 0 => {
            [one(OPEN), vec![invalid("P-384 point", "it is not in uncompressed form")]]
        }
        "p ct_t" => [one(OPEN), vec![invalid("P-384 point", "it is not on the curve")]],
        _ => both(OPEN.into()),
    }
}

fn flip_header(extent: Extent) {
    let envelope = Envelope::to_both(1);
    let original = envelope.bytes();
    let readers = readers();
    let header = Header::parse(&original).unwrap().len();
    let mut tried = 0;
    for (name, field) in fields(&envelope) {
        if field.start >= header {
            break;
        }
        for (position, bit) in bits(&field, extent) {
            let mut changed = original.clone();
            changed[position] ^= 1 << bit;
            let expected =
                expected(&name, position - field.start, changed[position], &changed[field.clone()]);
            for (key, expected) in readers.iter().zip(expected) {
                let found = outcome(key.open(CTX, &changed));
                assert_ne!(found, "Ok", "{name}: byte {position} bit {bit}");
                assert!(
                    expected.is_empty() || expected.contains(&found),
                    "{name}: byte {position} bit {bit}: {found}, not {expected:?}"
                );
                tried += 1;
            }
        }
    }
    let all = 2 * 8 * header;
    assert!(if extent == Everything { tried == all } else { tried > 2500 }, "{tried}");
}

#[test]
fn flipped_bits_in_the_header() {
    flip_header(Sample);
}

#[test]
#[ignore = "every bit: about a minute"]
fn every_bit_of_the_header() {
    flip_header(Everything);
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

fn flip_signature(extent: Extent) {
    let key = signing_key(3);
    let signature = hazmat::sign(&key, CTX, b"message").unwrap();
    let bytes = signature.as_bytes();
    for field in [0..4627, 4627..bytes.len()] {
        for (position, bit) in bits(&field, extent) {
            let mut changed = bytes.to_vec();
            changed[position] ^= 1 << bit;
            match Signature::from_bytes(COMPOSITE, &changed) {
                Ok(signature) => {
                    let found = outcome(key.verifying_key().verify(CTX, b"message", &signature));
                    assert_eq!(found, "Verify", "byte {position} bit {bit}");
                }
                Err(error) => {
                    let der = "it is not the DER form of two integers from 1 to n - 1";
                    assert_eq!(format!("{error:?}"), invalid("ECDSA signature", der));
                    assert!(position >= 4627, "ML-DSA's half is not judged on parsing");
                }
            }
        }
    }
}

#[test]
fn flipped_bits_in_a_signature() {
    flip_signature(Sample);
}

#[test]
#[ignore = "every bit: about a minute"]
fn every_bit_of_a_signature() {
    flip_signature(Everything);
}

/// A flipped bit in a KEM ciphertext is refused, or gives another secret.
#[test]
fn flipped_bits_in_a_ciphertext() {
    for suite in KemSuite::ALL {
        let key = kem_key(suite, 4);
        let (ciphertext, secret) = key.encapsulation_key().encapsulate().unwrap();
        let length = ciphertext.as_bytes().len();
        for field in [0..1568, 1568..length] {
            for (position, bit) in bits(&field, Sample) {
                let mut changed = ciphertext.as_bytes().to_vec();
                changed[position] ^= 1 << bit;
                match Ciphertext::from_bytes(suite, &changed) {
                    Ok(changed) => {
                        let other = key.decapsulate(&changed).unwrap();
                        assert_ne!(other.as_bytes(), secret.as_bytes(), "{position} {bit}");
                    }
                    Err(error) => {
                        assert!(matches!(error, Error::Invalid { .. }), "{error:?}");
                        assert!(position >= 1568, "ML-KEM's half is never judged");
                    }
                }
            }
        }
    }
}

fn is_of_a_key(error: &Error) -> bool {
    matches!(error, Error::Invalid { .. } | Error::Length { .. } | Error::Algorithm { .. })
}

/// A flipped bit in a key file is refused, or makes another key that is written just so.
fn flip_key_files(extent: Extent) {
    let key = signing_key(5);
    let pkcs8 = key.to_pkcs8_der().unwrap().as_bytes().to_vec();
    let secret_part = pkcs8.len() - 96..pkcs8.len();
    for (position, bit) in bits(&(0..pkcs8.len()), Everything) {
        let mut changed = pkcs8.clone();
        changed[position] ^= 1 << bit;
        match SigningKey::from_pkcs8_der(&changed) {
            Ok(other) => {
                assert_ne!(other.verifying_key(), key.verifying_key());
                assert_eq!(other.to_pkcs8_der().unwrap().as_bytes(), changed);
                assert!(secret_part.contains(&position), "{position} {bit}");
            }
            Err(error) => assert!(is_of_a_key(&error), "{error:?}"),
        }
    }

    let spki = key.verifying_key().to_spki_der().unwrap();
    for field in [0..spki.len() - 2689, spki.len() - 2689..spki.len()] {
        for (position, bit) in bits(&field, extent) {
            let mut changed = spki.clone();
            changed[position] ^= 1 << bit;
            match VerifyingKey::from_spki_der(&changed) {
                Ok(other) => {
                    assert_eq!(other.to_spki_der().unwrap(), changed);
                    assert!(position >= spki.len() - 2689, "{position} {bit}");
                }
                Err(error) => assert!(is_of_a_key(&error), "{error:?}"),
            }
        }
    }

    let pem = kem_key(X25519, 6).to_pem().as_str().to_string();
    for (position, bit) in bits(&(0..pem.len()), Everything) {
        let mut changed = pem.clone().into_bytes();
        changed[position] ^= 1 << bit;
        let Ok(changed) = String::from_utf8(changed) else {
            continue;
        };
        if let Ok(other) = DecapsulationKey::from_pem(&changed) {
            let same_key = *other.seed() == [6; 32] && other.suite() == X25519;
            let end = position == pem.len() - 1;
            assert!(!same_key || end, "{position} {bit}: {changed}");
        }
    }
}

#[test]
fn flipped_bits_in_key_files() {
    flip_key_files(Sample);
}

#[test]
#[ignore = "every bit: about a minute"]
fn every_bit_of_key_files() {
    flip_key_files(Everything);
}

// Cut off and extended.

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

/// Every length but the right one, of everything that has one fixed length.
#[test]
fn cut_off_and_extended_values_of_fixed_length() {
    for parser in parsers_of_fixed_length() {
        let Parser { what, valid, .. } = &parser;
        assert_eq!(parser.parse(valid), "Ok", "{what}");
        let longer = [&valid[..], valid].concat();
        for end in (0..longer.len()).filter(|end| *end != valid.len()) {
            let found = parser.parse(&longer[..end]);
            assert_eq!(found, length(what, valid.len(), end));
        }
    }
}

#[test]
fn cut_off_and_extended_signatures() {
    let key = signing_key(9);
    let signature = key.sign(CTX, b"message").unwrap();
    let bytes = signature.as_bytes();
    let der = "it is not the DER form of two integers from 1 to n - 1";
    for end in 0..bytes.len() {
        let expected = match end {
            0..4627 => truncated("signature", 4627, end),
            _ => invalid("ECDSA signature", der),
        };
        let found = outcome(Signature::from_bytes(COMPOSITE, &bytes[..end]));
        assert_eq!(found, expected);
    }
    for added in 1..200 {
        let longer = [bytes, &vec![0; added]].concat();
        let expected = match longer.len() {
            0..=4731 => invalid("ECDSA signature", der),
            _ => invalid("signature", "it is longer than any of its suite"),
        };
        let found = outcome(Signature::from_bytes(COMPOSITE, &longer));
        assert_eq!(found, expected);
    }
}

#[test]
fn cut_off_and_extended_der() {
    for parser in der_parsers() {
        let Parser { what, valid, .. } = &parser;
        assert_eq!(parser.parse(valid), "Ok");
        let not_der = invalid(what, "it is not DER of this type");
        for end in 0..valid.len() {
            assert_eq!(parser.parse(&valid[..end]), not_der, "{end}");
        }
        for byte in 0..=0xff {
            assert_eq!(parser.parse(&[&valid[..], &[byte]].concat()), not_der);
        }
        assert_eq!(parser.parse(&[&valid[..], valid].concat()), not_der);
    }
}

#[test]
fn cut_off_and_extended_pem() {
    for parser in pem_parsers() {
        let text = parser.valid.as_slice();
        assert_eq!(parser.parse(text), "Ok");
        let trimmed = text.trim_ascii_end();
        assert_eq!(parser.parse(trimmed), "Ok", "the last line end may miss");
        for end in 0..trimmed.len() {
            let found = parser.parse(&trimmed[..end]);
            assert!(found.starts_with("Pem {") || found.starts_with("NotPem"), "{end}: {found}");
        }
        let lines = text.iter().filter(|byte| **byte == b'\n').count();
        let after_end = [
            ("-----", "it has five hyphens, and is neither a BEGIN nor an END line"),
            ("-----BEGIN", "it has five hyphens, and is neither a BEGIN nor an END line"),
            ("-----BEGIN X-----", "its document is cut off, it has no END line"),
            ("-----END X-----", "an END line without a BEGIN line"),
            (
                "MFECAQEwBQYDK2VwBCIEILsT0bqAhS3VuQbGwf6oFRYd",
                "base64 without a BEGIN line before it",
            ),
        ];
        for (added, reason) in after_end {
            let longer = [text, added.as_bytes()].concat();
            assert_eq!(parser.parse(&longer), bad_pem(lines + 1, reason), "{added:?}");
        }
        let nul = parser.parse(&[text, b"\0"].concat());
        assert!(nul.starts_with("NotPem"), "{nul}");
    }
}

/// The content of a KEM key file is cut off or extended, in a PEM document that is whole.
#[test]
fn cut_off_and_extended_content_of_pem() {
    let key = kem_key(X25519, 12);
    let private = [&[0, 1], key.seed()].concat();
    let public = [&[0, 1], key.encapsulation_key().as_bytes()].concat();
    let from_private = |pem: &str| outcome(DecapsulationKey::from_pem(pem));
    let from_public = |pem: &str| outcome(EncapsulationKey::from_pem(pem));
    cut_content("TWINSEAL KEM PRIVATE KEY", "decapsulation key seed", &private, from_private);
    cut_content("TWINSEAL KEM PUBLIC KEY", "encapsulation key", &public, from_public);
}

fn cut_content(label: &str, what: &'static str, valid: &[u8], parse: fn(&str) -> String) {
    assert_eq!(parse(&pem(label, valid)), "Ok");
    let longer = [valid, &[0]].concat();
    for end in (1..=longer.len()).filter(|end| *end != valid.len()) {
        let expected = match end {
            1 => truncated("KEM key file", 2, 1),
            _ => length(what, valid.len() - 2, end - 2),
        };
        assert_eq!(parse(&pem(label, &longer[..end])), expected);
    }
}

// Put together anew.

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
        ("the last is a tag alone", &[a, b, c_tag]),
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

#[test]
fn rearranged_recipients() {
    let third = kem_key(X25519, 13);
    let [first, second] = &readers();
    let all = [first.encapsulation_key(), second.encapsulation_key(), third.encapsulation_key()];
    let both = Envelope::to_both(1);
    let three = Envelope::new(&all, 1, &plaintext(10));
    let misordered = invalid("envelope header", ORDER);
    let pick = |from: &Envelope, indices: &[usize]| Envelope {
        stanzas: indices.iter().map(|index| from.stanzas[*index].clone()).collect(),
        ..from.clone()
    };

    // Order and uniqueness are rules of the format: the right tag does not help.
    for indices in [&[1, 0][..], &[0, 0], &[0, 0, 1], &[0, 1, 1], &[0, 1, 0]] {
        let changed = pick(&both, indices);
        assert_eq!(open_both(&changed.bytes()), [&misordered[..]; 2]);
        assert_eq!(open_both(&changed.tagged()), [&misordered[..]; 2]);
    }
    for indices in [&[1, 0, 2][..], &[2, 1, 0], &[0, 2, 1]] {
        let changed = pick(&three, indices);
        assert_eq!(open_both(&changed.tagged()), [&misordered[..]; 2]);
    }

    // Left out.
    assert_eq!(open_both(&pick(&both, &[0]).bytes()), [OPEN, NOT_A_RECIPIENT]);
    assert_eq!(open_both(&pick(&both, &[1]).bytes()), [NOT_A_RECIPIENT, OPEN]);
    assert_eq!(
        open_both(&pick(&both, &[0]).tagged()),
        ["Ok", NOT_A_RECIPIENT],
        "a recipient may write another header, as rewrapping does"
    );

    // Added from another envelope.
    let own = three
        .stanzas
        .iter()
        .position(|stanza| stanza[2..18] == *third.encapsulation_key().key_id().as_bytes());
    let own = three.stanzas[own.unwrap()].clone();
    let mut added = both.clone();
    added.stanzas.push(own);
    added.stanzas.sort_by(|one, other| one[..18].cmp(&other[..18]));
    assert_eq!(open_both(&added.bytes()), [OPEN; 2]);
    assert_eq!(outcome(third.open(CTX, &added.bytes())), OPEN);

    // A stanza under the name of another key.
    let mut renamed = three.clone();
    let [id_of_0, id_of_1] = [0, 1].map(|index| three.stanzas[index][2..18].to_vec());
    renamed.stanzas[0][2..18].copy_from_slice(&id_of_1);
    renamed.stanzas[1][2..18].copy_from_slice(&id_of_0);
    let renamed = pick(&renamed, &[1, 0, 2]).tagged();
    for key in [first, &third] {
        assert_eq!(outcome(key.open(CTX, &renamed)), OPEN);
    }
    assert_eq!(outcome(second.open(CTX, &renamed)), "Ok");
}

#[test]
fn changed_counts() {
    let both = Envelope::to_both(1);
    let out_of_range = invalid("envelope header", "it must have 1 to 1000 recipients");
    for count in [0, 1001, 65535] {
        assert_eq!(open_both(&both.with_count(count)), [&out_of_range[..]; 2]);
        let tagged = both.tagged_with_count(count);
        assert_eq!(open_both(&tagged), [&out_of_range[..]; 2]);
    }
    assert_eq!(open_both(&both.with_count(1)), [OPEN, NOT_A_RECIPIENT]);
    let tagged = both.tagged_with_count(1);
    assert_eq!(open_both(&tagged), [OPEN, NOT_A_RECIPIENT]);
    for count in [3, 4, 1000] {
        for sealed in [both.with_count(count), both.tagged_with_count(count)] {
            for found in open_both(&sealed) {
                assert_ne!(found, "Ok", "{count}");
            }
        }
    }
    // Only as many recipients as there are bytes for are ever looked at.
    let start = [b"twinseal\x01\x01".as_slice(), &1000u16.to_be_bytes()].concat();
    let found = outcome(Header::parse(&start));
    assert_eq!(found, truncated("envelope header", 12 + 1000 * 68 + 32, 12));
}

/// `suite || key id || length || ct || wrapped`, of a suite that nobody knows.
fn stanza_of_unknown_suite(suite: u16, length: usize) -> Vec<u8> {
    [
        &suite.to_be_bytes()[..],
        &[9; 16],
        &u16::try_from(length).unwrap().to_be_bytes(),
        &vec![7; length],
        &[8; 48],
    ]
    .concat()
}

#[test]
fn unknown_suites_are_skipped_and_authenticated() {
    for suite in [0x0000, 0x0002, 0x0050, 0x0052, 0xffff] {
        for length in [0, 1, 1600, 8192] {
            let mut envelope = Envelope::to_both(1);
            envelope.stanzas.push(stanza_of_unknown_suite(suite, length));
            envelope.stanzas.sort_by(|one, other| one[..18].cmp(&other[..18]));
            let sealed = envelope.tagged();
            assert_eq!(open_both(&sealed), ["Ok"; 2], "{suite:#06x} of {length}");

            let header = Header::parse(&sealed).unwrap();
            let stranger =
                header.recipients().find(|recipient| recipient.suite_id() == suite).unwrap();
            assert_eq!(stranger.suite(), None);
            assert_eq!(stranger.key_id().as_bytes(), &[9; 16]);
            assert_eq!(outcome(stranger.ciphertext()), unknown("KEM suite", suite));

            // The tag covers it.
            let position = envelope.untagged(3).len() - 1;
            let mut changed = sealed.clone();
            changed[position] ^= 1;
            assert_eq!(open_both(&changed), [OPEN; 2]);
            envelope.tag = Envelope::to_both(1).tag;
            assert_eq!(open_both(&envelope.bytes()), [OPEN; 2]);
        }
    }
}

#[test]
fn a_stanza_of_an_unknown_suite_is_not_cut_off_silently() {
    let mut envelope = Envelope::to_both(1);
    let mut stanza = stanza_of_unknown_suite(0xffff, 10);
    stanza[18..20].copy_from_slice(&8192u16.to_be_bytes());
    envelope.stanzas.push(stanza);
    envelope.body.clear();
    let sealed = envelope.tagged();
    let needed = envelope.untagged(3).len() - 10 + 8192 + 32;
    let expected = truncated("envelope header", needed, sealed.len());
    assert_eq!(open_both(&sealed), [&expected[..]; 2]);
}

#[test]
fn wrong_context_and_wrong_key() {
    let sealed = Envelope::to_both(1).bytes();
    let [first, second] = readers();
    for context in [&CTX[1..], &CTX[..CTX.len() - 1], b"example.com/tests/v2"] {
        assert_eq!(outcome(first.open(context, &sealed)), OPEN);
        assert_eq!(outcome(second.open(context, &sealed)), OPEN);
    }
    for suite in KemSuite::ALL {
        let stranger = kem_key(suite, 99);
        assert_eq!(outcome(stranger.open(CTX, &sealed)), NOT_A_RECIPIENT);
    }
}
