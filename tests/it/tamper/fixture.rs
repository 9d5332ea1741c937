//! An envelope to two recipients, one of each suite, that can be taken apart and put together.

use std::ops::Range;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha384;
use twinseal::{DecapsulationKey, EncapsulationKey, Recipients, hazmat};

use crate::common::{
    errors::outcome,
    keys::{CTX, P384, X25519, kem_key},
};

pub(super) const CHUNK: usize = 16 * 1024;
pub(super) const SEALED_CHUNK: usize = CHUNK + 16;
pub(super) const START: usize = 12;
pub(super) const TAG: usize = 32;
pub(super) const PREFIX: usize = 24 + 32;
pub(super) const OPEN: &str = "Open";
pub(super) const NOT_A_RECIPIENT: &str = "NotARecipient";
pub(super) const ORDER: &str = "its recipients are not in strictly ascending order";

#[derive(Clone)]
pub(super) struct Envelope {
    pub(super) content_key: [u8; 32],
    pub(super) stanzas: Vec<Vec<u8>>,
    pub(super) tag: Vec<u8>,
    pub(super) body: Vec<u8>,
}

pub(super) fn readers() -> [DecapsulationKey; 2] {
    [kem_key(X25519, 1), kem_key(P384, 2)]
}

pub(super) fn plaintext(length: usize) -> Vec<u8> {
    (0..length).map(|index| (index % 251) as u8).collect()
}

impl Envelope {
    /// Sealed from fixed randomness; another `number` is another envelope.
    pub(super) fn new(keys: &[&EncapsulationKey], number: u8, plaintext: &[u8]) -> Self {
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
                .map(|key| take(20 + key.suite().ciphertext_len() + 48))
                .collect(),
            tag: take(TAG),
            body: rest.to_vec(),
        }
    }

    /// For the two readers: two full chunks and a short one.
    pub(super) fn to_both(number: u8) -> Self {
        let [first, second] = &readers();
        let keys = [first.encapsulation_key(), second.encapsulation_key()];
        Self::new(&keys, number, &plaintext(2 * CHUNK + 100))
    }

    pub(super) fn untagged(&self, count: usize) -> Vec<u8> {
        let count = u16::try_from(count).unwrap().to_be_bytes();
        let stanzas = self.stanzas.concat();
        [b"twinseal\x01\x01".as_slice(), &count, &stanzas].concat()
    }

    /// With the tag as it is.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let header = self.untagged(self.stanzas.len());
        [&header[..], &self.tag, &self.body].concat()
    }

    /// With another count and the tag as it is.
    pub(super) fn with_count(&self, count: usize) -> Vec<u8> {
        [&self.untagged(count)[..], &self.tag, &self.body].concat()
    }

    /// With the tag that belongs to the stanzas: what a dishonest recipient can make.
    pub(super) fn tagged(&self) -> Vec<u8> {
        self.tagged_with_count(self.stanzas.len())
    }

    pub(super) fn tagged_with_count(&self, count: usize) -> Vec<u8> {
        let header = self.untagged(count);
        let mut keys = [0; 80];
        hazmat::hkdf_sha384(&self.content_key, b"twinseal/envelope/v1\x01\x01", &mut keys);
        let mut mac = Hmac::<Sha384>::new_from_slice(&keys[..48]).unwrap();
        mac.update(&header);
        let tag = mac.finalize().into_bytes();
        [&header[..], &tag[..TAG], &self.body].concat()
    }

    pub(super) fn chunks(&self) -> Vec<Vec<u8>> {
        self.body[PREFIX..].chunks(SEALED_CHUNK).map(<[u8]>::to_vec).collect()
    }

    pub(super) fn with_chunks(&self, chunks: &[&[u8]]) -> Vec<u8> {
        let body = [&self.body[..PREFIX], &chunks.concat()].concat();
        Self { body, ..self.clone() }.bytes()
    }
}

pub(super) fn open_both(sealed: &[u8]) -> [String; 2] {
    readers().map(|key| outcome(key.open(CTX, sealed)))
}

/// The positions of an envelope's fields, by name.
pub(super) fn fields(envelope: &Envelope) -> Vec<(String, Range<usize>)> {
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
        add(&format!("{owner} ct_t"), suite.ciphertext_len() - 1568);
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

#[test]
fn the_untouched_envelope_opens() {
    let envelope = Envelope::to_both(1);
    assert_eq!(envelope.bytes(), envelope.tagged(), "the tag is computed here as there");
    for key in readers() {
        let opened = key.open(CTX, &envelope.bytes()).unwrap();
        assert_eq!(&opened[..], plaintext(2 * CHUNK + 100));
    }
}
