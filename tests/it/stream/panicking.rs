//! Does the panic of a provider reach the caller's thread, whichever thread it worked in?

use std::{
    io::{Read, Write},
    panic::{AssertUnwindSafe, catch_unwind},
};

use twinseal::{
    DecapsulationKey, Error,
    envelope::Header,
    provider::{Aead, AeadKey, PORTABLE, Provider},
};

use super::fixture::{CHUNK, CTX, SEALED_CHUNK, chunks_start};
use crate::common::any_calls::panic_as_planned;

/// Its AES-256-GCM fails at full chunks that begin with 12; it panics while it seals those that begin with 14,
/// and while it opens those that begin with 13.
pub(super) static PANICKING: Provider =
    Provider { name: "panicking", aes_256_gcm: &Panicking, ..PORTABLE };

#[derive(Debug)]
struct Panicking;

struct Key(Box<dyn AeadKey>);

impl Aead for Panicking {
    fn key(&self, key: &[u8; 32]) -> Result<Box<dyn AeadKey>, Error> {
        Ok(Box::new(Key(PORTABLE.aes_256_gcm.key(key)?)))
    }
}

impl AeadKey for Key {
    fn seal_in_place(
        &self,
        nonce: &[u8; 12],
        aad: &[u8],
        buffer: &mut [u8],
    ) -> Result<[u8; 16], Error> {
        mishap(buffer, 14)?;
        self.0.seal_in_place(nonce, aad, buffer)
    }

    fn open_in_place(
        &self,
        nonce: &[u8; 12],
        aad: &[u8],
        buffer: &mut [u8],
        tag: &[u8; 16],
    ) -> Result<(), Error> {
        self.0.open_in_place(nonce, aad, buffer, tag)?;
        mishap(buffer, 13)
    }
}

fn mishap(chunk: &[u8], panics: u8) -> Result<(), Error> {
    match chunk.first() {
        Some(first) if chunk.len() == CHUNK && *first == panics => panic_as_planned("provider"),
        Some(12) if chunk.len() == CHUNK => Err(Error::Unsupported("chunks that begin with 12")),
        _ => Ok(()),
    }
}

#[test]
fn it_panics_where_it_is_called() {
    let bob = DecapsulationKey::generate().unwrap().on(&PANICKING).unwrap();
    let mut plaintext = vec![7; 100 * 16384];
    plaintext[60 * 16384] = 13;
    let sealed = bob.encapsulation_key().seal(CTX, &plaintext).unwrap();
    let mut reader = bob.open_reader(CTX, &sealed[..]).unwrap().parallel();
    let mut opened = Vec::new();
    let outcome = catch_unwind(AssertUnwindSafe(|| reader.read_to_end(&mut opened)));
    assert!(outcome.is_err());
    assert!(opened.iter().all(|byte| *byte == 7) && opened.len() <= 60 * 16384);
    assert!(reader.read(&mut [0; 100]).is_err(), "nothing comes after it");
}

/// The chunk is lost, so that nothing may follow it.
#[test]
fn a_writer_ends_where_it_panics() {
    fn write_on(writer: &mut dyn Write, plaintext: &[u8]) {
        let write = |writer: &mut dyn Write| {
            catch_unwind(AssertUnwindSafe(|| {
                writer.write_all(plaintext).and_then(|()| writer.flush())
            }))
        };
        assert!(write(writer).is_err());
        assert!(write(writer).unwrap().is_err());
        assert!(writer.write(b"x").is_err() && writer.flush().is_err());
    }
    let bob = DecapsulationKey::generate().unwrap().on(&PANICKING).unwrap();
    let mut plaintext = vec![7; 100 * 16384];
    plaintext[60 * 16384] = 14;
    let writer = || bob.encapsulation_key().seal_writer(CTX, Vec::new()).unwrap();
    let mut serial = writer();
    write_on(&mut serial, &plaintext);
    assert!(serial.finish().is_err());
    let mut parallel = writer().parallel();
    write_on(&mut parallel, &plaintext);
    assert!(parallel.finish().is_err());
}

/// Without I/O the caller's buffer holds the bytes that the provider was processing.
#[test]
fn a_sealer_ends_where_it_panics() {
    let bob = DecapsulationKey::generate().unwrap().on(&PANICKING).unwrap();
    let mut plaintext = vec![7; 4 * CHUNK];
    plaintext[2 * CHUNK] = 14;
    for first in [0, 100] {
        let (header, prefix, mut sealer) = bob.encapsulation_key().sealer(CTX).unwrap();
        let mut sealed = [&header[..], &prefix].concat();
        let start = sealed.len();
        sealer.update(&plaintext[..first], &mut sealed).unwrap();
        let seal = AssertUnwindSafe(|| sealer.update(&plaintext[first..], &mut sealed));
        assert!(catch_unwind(seal).is_err());
        assert_eq!(sealed.len(), start + 2 * SEALED_CHUNK, "no plaintext is left in it");
        // The envelope lacks a chunk: it is not finished as if it were whole.
        assert!(sealer.update(&[7; CHUNK], &mut sealed).is_err());
        assert!(
            sealer.update(b"", &mut sealed).is_err() && sealer.update(b"x", &mut sealed).is_err()
        );
        assert!(sealer.seal_chunk(&mut [7; CHUNK]).is_err());
        assert!(sealer.finish(&mut sealed).is_err());
        assert_eq!(sealed.len(), start + 2 * SEALED_CHUNK);
    }
}

#[test]
fn an_opener_ends_where_it_panics() {
    let bob = DecapsulationKey::generate().unwrap().on(&PANICKING).unwrap();
    let mut plaintext = vec![7; 4 * CHUNK];
    plaintext[2 * CHUNK] = 13;
    let sealed = bob.encapsulation_key().seal(CTX, &plaintext).unwrap();
    let header = Header::parse(&sealed).unwrap();
    let opener = || {
        let prefix = sealed[header.len()..].first_chunk().unwrap();
        bob.unlock(&header).unwrap().opener(CTX, prefix).unwrap()
    };
    let chunks = &sealed[chunks_start(&sealed)..];

    let (before, after) = chunks.split_at(3 * SEALED_CHUNK);
    let (mut in_vector, mut opened) = (opener(), Vec::new());
    let open = AssertUnwindSafe(|| in_vector.update(before, &mut opened));
    assert!(catch_unwind(open).is_err());
    assert!(opened == plaintext[..2 * CHUNK], "only what is authentic is in it");
    // The following bytes are authentic, but not the next chunk.
    assert!(in_vector.update(after, &mut opened).is_err());
    assert!(in_vector.finish(&mut opened).is_err());
    assert_eq!(opened.len(), 2 * CHUNK);

    let mut in_place = opener();
    let mut chunks = chunks.to_vec();
    let (full, _) = chunks.as_chunks_mut::<SEALED_CHUNK>();
    let outcomes = full.iter_mut().map(|sealed| {
        let (chunk, tag) = sealed.split_first_chunk_mut::<CHUNK>().unwrap();
        let tag = (&*tag).try_into().unwrap();
        catch_unwind(AssertUnwindSafe(|| in_place.open_chunk(chunk, tag).is_ok())).ok()
    });
    let outcomes: Vec<_> = outcomes.collect();
    assert_eq!(outcomes, [Some(true), Some(true), None, Some(false)]);
}
