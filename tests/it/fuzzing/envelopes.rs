//! Envelopes: headers, bodies, and both together.

use std::{io::Read, sync::LazyLock};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha384;
use twinseal::{
    Error, Plaintext, Recipients,
    envelope::{BodyKey, Header},
    hazmat::{self, SealRandomness},
};

use super::{
    people::{ALL, CTX, P384, X25519, bob, hkdf, on_all},
    script::{Object, Script},
};

const CONTENT_KEY: [u8; 32] = [3; 32];
const TAG: usize = 32;
const CHUNK: usize = 16 * 1024;

struct Envelope {
    /// Without its tag.
    header: Object,
    body: Object,
    plaintext: Vec<u8>,
}

impl Envelope {
    fn new(suites: &[twinseal::KemSuite], length: usize) -> Self {
        let plaintext: Vec<u8> = (0..length).map(|index| (index % 251) as u8).collect();
        let keys: Vec<_> = suites.iter().map(|suite| bob(*suite)[0].encapsulation_key()).collect();
        let encapsulations: Vec<&[u8]> = suites
            .iter()
            .map(|suite| if *suite == X25519 { &[4; 64][..] } else { &[4; 80][..] })
            .collect();
        let randomness = SealRandomness {
            content_key: CONTENT_KEY,
            salt: [5; 24],
            encapsulations: &encapsulations,
        };
        let recipients = Recipients::new(keys).unwrap();
        let sealed = hazmat::seal(&recipients, CTX, &plaintext, &randomness).unwrap();
        let (header, body) = sealed.split_at(Header::parse(&sealed).unwrap().len());
        let mut fields = vec![&header[..8], &header[8..9], &header[9..10], &header[10..12]];
        let mut rest = &header[12..header.len() - TAG];
        while !rest.is_empty() {
            let length = usize::from(u16::from_be_bytes([rest[18], rest[19]]));
            for length in [2, 16, 2, 1568, length - 1568, 48] {
                let (field, behind) = rest.split_at(length);
                fields.push(field);
                rest = behind;
            }
        }
        let header = Object::of_fields(&fields);
        let mut fields = vec![&body[..24], &body[24..56]];
        fields.extend(body[56..].chunks(CHUNK + 16));
        Self { header, body: Object::of_fields(&fields), plaintext }
    }
}

static ENVELOPES: LazyLock<Vec<Envelope>> = LazyLock::new(|| {
    let mut envelopes = vec![Envelope::new(&[X25519], 5), Envelope::new(&[P384], 0)];
    for length in [100, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK + 7] {
        envelopes.push(Envelope::new(&[X25519, P384], length));
    }
    envelopes
});

static HEADERS: LazyLock<Vec<Object>> = LazyLock::new(|| {
    let unknown = [b"\x7f\xff".as_slice(), &[1; 16], &[0, 3], b"abc", &[2; 48]].concat();
    let mut headers: Vec<_> =
        ENVELOPES.iter().take(3).map(|envelope| envelope.header.clone()).collect();
    headers.push(Object::of_fields(&[
        b"twinseal",
        &[1, 1],
        &[0, 1],
        &unknown[..18],
        &unknown[18..20],
        &unknown[20..],
    ]));
    headers
});

/// The tag that belongs to these bytes: what a dishonest recipient can make.
fn tag(header: &[u8]) -> Vec<u8> {
    let keys: [u8; 80] = hkdf(&CONTENT_KEY, &[b"twinseal/envelope/v1\x01\x01"]);
    let mac = Hmac::<Sha384>::new_from_slice(&keys[..48]).unwrap();
    mac.chain_update(header).finalize().into_bytes()[..TAG].to_vec()
}

/// All ways to parse a header agree.
pub fn header(data: &[u8]) {
    let mut bytes = Script::new(data).changed(&HEADERS);
    bytes.extend_from_slice(&[6; TAG]);
    let parsed = Header::parse(&bytes);
    let read = Header::read(&bytes[..]);
    assert_eq!(parsed.is_ok(), read.is_ok());
    let Ok(parsed) = parsed else { return };
    assert_eq!(read.unwrap().len(), parsed.len());
    assert!(Header::len_range(&bytes).unwrap().contains(&parsed.len()));
    assert!(parsed.len() <= bytes.len());
    let mut last = None;
    for recipient in parsed.recipients() {
        let order = Some((recipient.suite_id(), recipient.key_id()));
        assert!(last < order, "in order, and none twice");
        last = order;
        let _ = recipient.ciphertext();
    }
    for length in [0, 1, bytes.len() as u64, u64::MAX] {
        let _ = parsed.plaintext_len(length);
    }
}

fn read_in_parts(
    mut reader: impl Read,
    script: &mut Script<'_>,
    most: usize,
) -> std::io::Result<Vec<u8>> {
    let mut plaintext = Vec::new();
    let mut buffer = vec![0; 1 + script.number() % most];
    loop {
        match reader.read(&mut buffer)? {
            0 => return Ok(plaintext),
            length => plaintext.extend_from_slice(&buffer[..length]),
        }
    }
}

/// A changed header, with its own tag or with one that fits, and a changed body: every way to open it, on all
/// providers.
pub fn open(data: &[u8]) {
    let mut script = Script::new(data);
    let envelope = script.one_of(&ENVELOPES[..]);
    let mode = script.byte();
    let mut header = envelope.header.bytes.clone();
    let right = tag(&header);
    let mut body = envelope.body.bytes.clone();
    if mode & 2 != 0 {
        let body_first = mode & 4 != 0;
        let (first, object) =
            if body_first { (&mut body, &envelope.body) } else { (&mut header, &envelope.header) };
        script.change(first, object, &HEADERS);
    }
    if mode & 8 != 0 {
        script.change(&mut header, &envelope.header, &HEADERS);
    }
    let is_same = header == envelope.header.bytes && body == envelope.body.bytes;
    let tag = if mode & 1 != 0 { tag(&header) } else { right };
    let is_retagged = mode & 1 != 0;
    let sealed = [&header[..], &tag, &body].concat();
    // The two take turns: that is half the cost of an execution.
    let suite = [X25519, P384][usize::from(mode >> 7)];
    let opened = on_all(|index| bob(suite)[index].open(CTX, &sealed).map(Plaintext::into_vec));
    if let Ok(plaintext) = &opened {
        assert_eq!(*plaintext, envelope.plaintext);
        assert!(is_same || is_retagged, "nobody made it");
    }
    let key = &bob(suite)[usize::from(mode >> 4) % ALL.len()];
    let read = key.open_reader(CTX, &sealed[..]);
    let read = read.and_then(|reader| read_in_parts(reader, &mut script, 40_000));
    assert_eq!(read.ok(), opened.as_ref().ok().cloned());
    let at = key.open_at(CTX, &sealed[..]);
    let at = at.and_then(|reader| read_in_parts(reader, &mut script, 40_000));
    assert_eq!(at.ok(), opened.ok());
}

/// Rewrapped, an envelope that opened still does.
pub fn rewrap(data: &[u8]) {
    static CAROL: LazyLock<(twinseal::DecapsulationKey, Recipients)> = LazyLock::new(|| {
        let key = crate::common::keys::kem_key(X25519, 9);
        let recipients = Recipients::new([key.encapsulation_key()]).unwrap();
        (key, recipients)
    });
    let mut script = Script::new(data);
    let envelope = script.one_of(&ENVELOPES[..3]);
    let mut header = envelope.header.bytes.clone();
    script.change(&mut header, &envelope.header, &HEADERS);
    let sealed = [&header[..], &tag(&header), &envelope.body.bytes].concat();
    let (carol, to) = &*CAROL;
    for suite in [X25519, P384] {
        let key = &bob(suite)[0];
        let mut written = Vec::new();
        let rewrapped = key.rewrap(to, &sealed[..], &mut written).is_ok();
        let opened = key.open(CTX, &sealed).ok();
        assert_eq!(rewrapped, opened.is_some());
        if let Some(opened) = opened {
            assert_eq!(carol.open(CTX, &written).unwrap()[..], opened[..]);
        }
    }
}

/// Bodies alone, which need no key exchange: opened at once, in pieces, and in ranges.
pub fn body(data: &[u8]) {
    static KEYS: LazyLock<Vec<BodyKey>> = LazyLock::new(|| {
        let envelope = &ENVELOPES[2];
        let sealed = [&envelope.header.bytes[..], &tag(&envelope.header.bytes)].concat();
        let header = Header::parse(&sealed).unwrap();
        bob(X25519).iter().map(|key| key.unlock(&header).unwrap()).collect()
    });
    static BODIES: LazyLock<Vec<Object>> =
        LazyLock::new(|| ENVELOPES.iter().map(|envelope| envelope.body.clone()).collect());
    let mut script = Script::new(data);
    let index = usize::from(script.byte()) % ENVELOPES.len();
    let mut sealed = BODIES[index].bytes.clone();
    for _ in 0..2 {
        script.change(&mut sealed, &BODIES[index], &BODIES);
    }
    let opened = on_all(|provider| KEYS[provider].open(CTX, &sealed).map(Plaintext::into_vec));
    if let Ok(opened) = &opened {
        // The others have the same key and salt, so each of them may come out.
        assert!(ENVELOPES.iter().any(|envelope| envelope.plaintext == *opened));
    }
    let Some((prefix, chunks)) = sealed.split_first_chunk() else { return };
    let key = &KEYS[usize::from(script.byte()) % KEYS.len()];
    let in_pieces = key.opener(CTX, prefix).and_then(|mut opener| {
        let mut plaintext = Vec::new();
        let size = 1 + script.number() % 20_000;
        for piece in chunks.chunks(size) {
            opener.update(piece, &mut plaintext)?;
        }
        opener.finish(&mut plaintext)?;
        Ok(plaintext)
    });
    assert_eq!(in_pieces, opened);
    let in_a_range = key.body(CTX, prefix, sealed.len() as u64).and_then(|body| {
        let range = body.range();
        let within =
            |range: std::ops::Range<u64>| sealed[range.start as usize..range.end as usize].to_vec();
        let body = body.authenticate(&mut within(range))?;
        let start = script.number() as u64 % (body.len() + 1);
        let end = start + script.number() as u64 % (body.len() - start + 1);
        let plan = body.plan(start..end)?;
        let part = body.open(&plan, &mut within(plan.sealed()))?;
        Ok((start as usize, end as usize, part.into_vec()))
    });
    match (in_a_range, &opened) {
        (Ok((start, end, part)), Ok(whole)) => assert_eq!(part, whole[start..end]),
        (Err(error), Ok(_)) => panic!("{error:?}"),
        (range, Err(error)) => {
            assert_eq!(*error, Error::Open);
            // Only the last chunk and those of the range were authenticated.
            let _ = range;
        }
    }
}
