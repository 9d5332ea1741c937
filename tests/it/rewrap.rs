//! Does rewrapping give an envelope new recipients and leave its body as it is, byte by byte?

use std::{
    io::{self, ErrorKind, Read},
    sync::{Arc, LazyLock},
};

use twinseal::{
    Decapsulate, DecapsulationKey, EncapsulationKey, Error, KemSuite, Keyring, Recipients, Unlock,
    envelope::Header,
    hazmat::{self, SealRandomness},
    kem::{Ciphertext, SharedSecret},
    provider::PORTABLE,
};

use crate::common::faulty_io::{Fault, FaultyReader, FaultyWriter, Plan};

const CTX: &[u8] = b"example.com/checkpoints";
const CHUNK: usize = 16384;

/// On the provider that takes given randomness.
fn key(suite: KemSuite, seed: u8) -> DecapsulationKey {
    DecapsulationKey::from_seed(suite, &[seed; 32]).unwrap().on(&PORTABLE).unwrap()
}

static OLD: LazyLock<DecapsulationKey> = LazyLock::new(|| key(KemSuite::X25519_ML_KEM_1024, 1));
static NEW: LazyLock<DecapsulationKey> = LazyLock::new(|| key(KemSuite::X25519_ML_KEM_1024, 2));
static OLD_P384: LazyLock<DecapsulationKey> = LazyLock::new(|| key(KemSuite::ML_KEM_1024_P384, 3));
static NEW_P384: LazyLock<DecapsulationKey> = LazyLock::new(|| key(KemSuite::ML_KEM_1024_P384, 4));

fn recipients(keys: &[&DecapsulationKey]) -> Recipients {
    Recipients::new(keys.iter().map(Decapsulate::encapsulation_key)).unwrap()
}

fn plaintext(length: usize) -> Vec<u8> {
    (0..length).map(|index| (index ^ (index >> 8)) as u8).collect()
}

fn body(sealed: &[u8]) -> &[u8] {
    &sealed[Header::parse(sealed).unwrap().len()..]
}

/// It opens with the key in every way.
#[track_caller]
fn assert_opens(key: &DecapsulationKey, sealed: &[u8], plaintext: &[u8]) {
    assert!(key.open(CTX, sealed).unwrap()[..] == *plaintext);
    let mut read = Vec::new();
    key.open_reader(CTX, sealed).unwrap().read_to_end(&mut read).unwrap();
    assert!(read == plaintext);
    let opened = key.open_at(CTX, sealed).unwrap();
    let mut whole = vec![0; usize::try_from(opened.len()).unwrap()];
    opened.read_exact_at(&mut whole, 0).unwrap();
    assert!(whole == plaintext);
}

/// The key is none of the recipients, in any way of asking.
#[track_caller]
fn assert_not_a_recipient(key: &DecapsulationKey, sealed: &[u8]) {
    assert!(matches!(key.open(CTX, sealed), Err(Error::NotARecipient)));
    for error in [
        key.open_reader(CTX, sealed).unwrap_err(),
        key.open_at(CTX, sealed).unwrap_err(),
        key.rewrap(&recipients(&[key]), sealed, io::sink()).unwrap_err(),
    ] {
        assert!(matches!(twinseal_error(&error), Error::NotARecipient));
    }
    let header = Header::parse(sealed).unwrap();
    assert!(header.find(key.encapsulation_key()).is_none());
}

fn twinseal_error(error: &io::Error) -> &Error {
    error.get_ref().and_then(|inner| inner.downcast_ref()).unwrap_or_else(|| panic!("{error:?}"))
}

/// From reader to writer; the count of bytes must be that of the bytes.
fn rewrap(key: &DecapsulationKey, to: &Recipients, sealed: &[u8]) -> Vec<u8> {
    let mut moved = Vec::new();
    let written = key.rewrap(to, sealed, &mut moved).unwrap();
    assert_eq!(written, moved.len() as u64);
    moved
}

#[test]
fn every_combination_of_keys() {
    let all = [&*OLD, &*NEW, &*OLD_P384, &*NEW_P384];
    let before = [&[&*OLD][..], &[&*OLD_P384], &[&*OLD, &*OLD_P384]];
    let after =
        [&[&*NEW][..], &[&*NEW_P384], &[&*NEW, &*NEW_P384], &[&*NEW, &*OLD], &[&*OLD], &all];
    let plaintext = plaintext(2 * CHUNK + 5);
    for old in before {
        let sealed = recipients(old).seal(CTX, &plaintext).unwrap();
        for with in old {
            for new in after {
                let to = recipients(new);
                let moved = rewrap(with, &to, &sealed);
                let header = Header::parse(&sealed).unwrap();
                let also = [&with.rewrap_header(&to, &header).unwrap()[..], body(&sealed)].concat();
                assert_eq!(to.sealed_len(plaintext.len() as u64), Some(moved.len() as u64));
                for moved in [moved, also] {
                    assert!(body(&moved) == body(&sealed));
                    assert_eq!(Header::parse(&moved).unwrap().recipients().count(), new.len());
                    for key in all {
                        if new.iter().any(|new| new.encapsulation_key() == key.encapsulation_key())
                        {
                            assert_opens(key, &moved, &plaintext);
                        } else {
                            assert_not_a_recipient(key, &moved);
                        }
                    }
                }
                // The old envelope is still there: this is not revocation.
                assert_opens(with, &sealed, &plaintext);
            }
        }
    }
}

#[test]
fn again_and_again() {
    let plaintext = plaintext(100);
    let mut sealed = OLD.encapsulation_key().seal(CTX, &plaintext).unwrap();
    let first = sealed.clone();
    let (mut from, mut to) = (&*OLD, &*NEW);
    for _ in 0..5 {
        let moved = rewrap(from, &recipients(&[to]), &sealed);
        assert_not_a_recipient(from, &moved);
        assert_opens(to, &moved, &plaintext);
        assert!(body(&moved) == body(&first));
        assert!(moved != sealed);
        sealed = moved;
        (from, to) = (to, from);
    }
}

/// Nothing but new stanzas and a new tag: not even a recipient who stays keeps its old one.
#[test]
fn nothing_of_the_old_header_stays() {
    let sealed = OLD.encapsulation_key().seal(CTX, b"weights").unwrap();
    let moved = rewrap(&OLD, &recipients(&[&OLD]), &sealed);
    let stanza = 12 + 2 + 16 + 2;
    assert_eq!(moved[..stanza], sealed[..stanza]);
    let header = sealed.len() - body(&sealed).len();
    for (old, new) in sealed[stanza..header].chunks(32).zip(moved[stanza..header].chunks(32)) {
        assert_ne!(old, new);
    }
}

#[test]
fn bodies_of_every_kind() {
    for length in [0, 1, CHUNK - 1, CHUNK, 20 * CHUNK + 5] {
        let plaintext = plaintext(length);
        let sealed = OLD.encapsulation_key().seal(CTX, &plaintext).unwrap();
        assert_opens(&NEW, &rewrap(&OLD, &recipients(&[&NEW]), &sealed), &plaintext);
    }
    // The body is copied as it is, neither opened nor checked: here it is missing altogether, and
    // here it is damaged.
    let sealed = OLD.encapsulation_key().seal(CTX, b"weights").unwrap();
    let header = sealed.len() - body(&sealed).len();
    for damaged in
        [&sealed[..header], &sealed[..sealed.len() - 1], &[&sealed[..], b"more"].concat()]
    {
        let moved = rewrap(&OLD, &recipients(&[&NEW]), damaged);
        assert!(body(&moved) == body(damaged));
        assert!(matches!(NEW.open(CTX, &moved), Err(Error::Open)));
    }
}

/// A writer that must not be touched.
fn untouched(expected: &Arc<[u8]>) -> FaultyWriter {
    FaultyWriter::new(expected, Plan::harmless(usize::MAX))
}

/// It is refused in both ways, and nothing was written.
#[track_caller]
fn assert_refused(key: &DecapsulationKey, sealed: &[u8], expected: impl Fn(&Error) -> bool) {
    let to = recipients(&[&NEW]);
    let nothing = Arc::from([]);
    let writer = untouched(&nothing);
    let error = key.rewrap(&to, sealed, writer.clone()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidData);
    assert!(expected(twinseal_error(&error)), "{error}");
    assert_eq!(writer.calls(), 0);
    let refused = Header::parse(sealed).and_then(|header| key.rewrap_header(&to, &header));
    assert!(expected(&refused.unwrap_err()));
}

#[test]
fn a_header_that_was_changed() {
    let sealed = recipients(&[&OLD, &OLD_P384]).seal(CTX, b"weights").unwrap();
    let header = sealed.len() - body(&sealed).len();
    let first = 12..12 + 2 + 16 + 2;
    let second = first.end + 1600 + 48..first.end + 1600 + 48 + 20;
    // All of the short fields, and some bytes of the ciphertexts and of what is wrapped.
    let fields = (0..first.end).chain((first.end..second.start).step_by(97)).chain(second.clone());
    let tag = header - 40..header;
    for index in fields.chain((second.end..tag.start).step_by(97)).chain(tag) {
        for key in [&*OLD, &*OLD_P384] {
            let mut changed = sealed.clone();
            changed[index] ^= 1 << (index % 8);
            assert_refused(key, &changed, |error| match error {
                Error::Open | Error::NotARecipient => index >= 10,
                Error::NotAnEnvelope => index < 8,
                Error::Unknown { .. } => (8..10).contains(&index),
                Error::Truncated { .. } | Error::Length { .. } | Error::Invalid { .. } => true,
                _ => false,
            });
        }
    }
    // A change after the header is not noticed here, but on opening.
    let mut changed = sealed;
    changed[header] ^= 1;
    let moved = rewrap(&OLD, &recipients(&[&NEW]), &changed);
    assert!(matches!(NEW.open(CTX, &moved), Err(Error::Open)));
}

#[test]
fn a_stanza_added_or_taken_away() {
    let both = recipients(&[&OLD, &OLD_P384]).seal(CTX, b"weights").unwrap();
    let first = 12..12 + 20 + 1600 + 48;
    let mut fewer = both.clone();
    fewer[11] = 1;
    fewer.drain(first.clone());
    assert_refused(&OLD_P384, &fewer, |error| matches!(error, Error::Open));
    assert_refused(&OLD, &fewer, |error| matches!(error, Error::NotARecipient));
    let other = OLD.encapsulation_key().seal(CTX, b"weights").unwrap();
    let mut mixed = both;
    mixed[first.clone()].copy_from_slice(&other[first]);
    assert_refused(&OLD, &mixed, |error| matches!(error, Error::Open));
    assert_refused(&OLD_P384, &mixed, |error| matches!(error, Error::Open));
}

#[test]
fn not_a_recipient() {
    let sealed = OLD.encapsulation_key().seal(CTX, b"weights").unwrap();
    for key in [&*NEW, &*OLD_P384] {
        assert_refused(key, &sealed, |error| matches!(error, Error::NotARecipient));
    }
}

#[test]
fn truncated_in_the_header() {
    let sealed = OLD.encapsulation_key().seal(CTX, b"weights").unwrap();
    let header = sealed.len() - body(&sealed).len();
    for length in 0..header {
        assert_refused(
            &OLD,
            &sealed[..length],
            |error| matches!(error, Error::Truncated { actual, .. } if *actual == length),
        );
    }
}

/// Old's key in a module that gives a chosen answer.
struct Module(fn(&Ciphertext) -> Result<SharedSecret, Error>);

impl Decapsulate for Module {
    fn encapsulation_key(&self) -> &EncapsulationKey {
        OLD.encapsulation_key()
    }

    fn decapsulate(&self, ciphertext: &Ciphertext) -> Result<SharedSecret, Error> {
        self.0(ciphertext)
    }
}

#[test]
fn a_key_elsewhere() {
    let sealed = OLD.encapsulation_key().seal(CTX, b"weights").unwrap();
    let header = Header::parse(&sealed).unwrap();
    let to = recipients(&[&NEW]);

    let module = Module(|ciphertext| OLD.decapsulate(ciphertext));
    let mut moved = Vec::new();
    module.rewrap(&to, &sealed[..], &mut moved).unwrap();
    assert_opens(&NEW, &moved, b"weights");

    for fail in [
        (|_| Err(Error::external("the token is locked"))) as fn(&_) -> _,
        // An answer about data, which it has not judged.
        |_| Err(Error::Open),
        // A secret that is none of this suite.
        |_| SharedSecret::from_bytes(KemSuite::ML_KEM_1024_P384, &[0; 32]),
    ] {
        let module = Module(fail);
        assert!(matches!(module.rewrap_header(&to, &header), Err(Error::External(_))));
        let writer = untouched(&Arc::from([]));
        let error = module.rewrap(&to, &sealed[..], writer.clone()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Other);
        assert!(matches!(twinseal_error(&error), Error::External(_)));
        assert_eq!(writer.calls(), 0);
    }
    // A wrong secret of the right kind is what a wrong key or a changed header is.
    let module = Module(|_| SharedSecret::from_bytes(KemSuite::X25519_ML_KEM_1024, &[0; 64]));
    assert!(matches!(module.rewrap_header(&to, &header), Err(Error::Open)));
}

/// The failure of an inner writer or reader is reported, and the bytes written before are not a whole envelope.
#[test]
fn a_writer_that_fails() {
    let plaintext = plaintext(3 * CHUNK);
    let sealed = OLD.encapsulation_key().seal(CTX, &plaintext).unwrap();
    // The writer sees a header that is not known before; so it only counts.
    struct Full(usize);
    impl io::Write for Full {
        fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
            let length = buffer.len().min(self.0).min(1000);
            self.0 -= length;
            if length == 0 { Err(ErrorKind::StorageFull.into()) } else { Ok(length) }
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    for room in (0..sealed.len()).step_by(777).chain([sealed.len() - 1]) {
        let error = OLD.rewrap(&recipients(&[&NEW]), &sealed[..], Full(room)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::StorageFull);
    }
    OLD.rewrap(&recipients(&[&NEW]), &sealed[..], Full(sealed.len())).unwrap();
}

#[test]
fn a_reader_that_fails() {
    let plaintext = plaintext(3 * CHUNK);
    let sealed = OLD.encapsulation_key().seal(CTX, &plaintext).unwrap();
    let to = recipients(&[&NEW]);
    for kind in [ErrorKind::Other, ErrorKind::UnexpectedEof, ErrorKind::Interrupted] {
        // Of all calls but the last, which only finds the end.
        for call in 0..50 {
            let plan = Plan { call, fault: Fault::Error(kind), at_most: 1000 };
            let mut reader = FaultyReader::new(&sealed, plan);
            let mut moved = Vec::new();
            let result = OLD.rewrap(&to, &mut reader, &mut moved);
            if kind == ErrorKind::Interrupted {
                result.unwrap();
                assert!(body(&moved) == body(&sealed));
            } else {
                assert!(reader.failed());
                assert_eq!(result.unwrap_err().kind(), kind);
                // Either nothing, or a header and a body that is cut off.
                assert!(moved.is_empty() || body(&sealed).starts_with(body(&moved)));
                NEW.open(CTX, &moved).unwrap_err();
            }
        }
    }
}

#[test]
fn to_many() {
    let keys: Vec<_> = (10..40).map(|seed| key(KemSuite::X25519_ML_KEM_1024, seed)).collect();
    let sealed = OLD.encapsulation_key().seal(CTX, b"weights").unwrap();
    let many = Recipients::new(keys.iter().map(DecapsulationKey::encapsulation_key)).unwrap();
    let moved = rewrap(&OLD, &many, &sealed);
    for key in &keys {
        assert_eq!(&key.open(CTX, &moved).unwrap()[..], b"weights");
    }
    let back = rewrap(&keys[17], &recipients(&[&OLD]), &moved);
    assert_eq!(back.len(), sealed.len());
    assert_opens(&OLD, &back, b"weights");
}

/// The content key stays: a rewrapped envelope of known randomness has the body of a known answer.
#[test]
fn the_content_key_stays() {
    let seal_to = |key: &DecapsulationKey| {
        let randomness =
            SealRandomness { content_key: [1; 32], salt: [2; 24], encapsulations: &[&[3; 64]] };
        hazmat::seal(&recipients(&[key]), CTX, b"weights", &randomness).unwrap()
    };
    let (to_old, to_new) = (seal_to(&OLD), seal_to(&NEW));
    let moved = rewrap(&OLD, &recipients(&[&NEW]), &to_old);
    assert!(body(&moved) == body(&to_new));
}

#[test]
fn a_ring_makes_the_new_header_with_the_key_that_the_old_one_is_for() {
    let to = recipients(&[&NEW_P384]);
    let sealed = OLD.encapsulation_key().seal(CTX, b"text").unwrap();
    let header = Header::parse(&sealed).unwrap();
    let mut ring = Keyring::new(key(KemSuite::X25519_ML_KEM_1024, 2));
    assert!(matches!(ring.rewrap_header(&to, &header), Err(Error::NotARecipient)));
    ring.rotate(key(KemSuite::X25519_ML_KEM_1024, 1)).unwrap();
    ring.rotate(key(KemSuite::X25519_ML_KEM_1024, 5)).unwrap();
    let header = ring.rewrap_header(&to, &header).unwrap();
    assert_opens(&NEW_P384, &[&header, body(&sealed)].concat(), b"text");
}
