//! Which ways of opening are there? One key, one set of randomness, and each way as a function.

use std::{
    io::{self, BufRead, Read},
    sync::LazyLock,
};

use rayon::{ThreadPool, ThreadPoolBuilder};
use twinseal::{
    DecapsulationKey, Error, KemSuite, Recipients,
    envelope::{BodyKey, Header, Opener, Sealer},
    hazmat::SealRandomness,
    provider::PORTABLE,
    stream::OpenReader,
};

use crate::common::process::Watch;

pub(crate) const CTX: &[u8] = b"example.com/streams";
pub(crate) const CHUNK: usize = Sealer::CHUNK_LEN;
pub(crate) const TAG: usize = Sealer::TAG_LEN;
pub(crate) const SEALED_CHUNK: usize = CHUNK + TAG;

/// On the provider that takes given randomness.
pub(crate) static BOB: LazyLock<DecapsulationKey> = LazyLock::new(|| {
    let key = DecapsulationKey::from_seed(KemSuite::X25519_ML_KEM_1024, &[0xb0; 32]).unwrap();
    key.on(&PORTABLE).unwrap()
});

pub(crate) static TO_BOB: LazyLock<Recipients> =
    LazyLock::new(|| Recipients::new([BOB.encapsulation_key()]).unwrap());

pub(crate) static RANDOMNESS: SealRandomness<'static> =
    SealRandomness { content_key: [1; 32], salt: [2; 24], encapsulations: &[&[3; 64]] };

/// Bytes that differ from chunk to chunk.
pub(crate) fn plaintext(length: usize) -> Vec<u8> {
    (0..length).map(|index| (index ^ (index >> 8) ^ (index >> 13)) as u8).collect()
}

/// The bytes that every way of sealing must give.
pub(crate) fn seal(plaintext: &[u8]) -> Vec<u8> {
    twinseal::hazmat::seal(&TO_BOB, CTX, plaintext, &RANDOMNESS).unwrap()
}

/// Where the chunks start in an envelope.
pub(crate) fn chunks_start(sealed: &[u8]) -> usize {
    Header::parse(sealed).unwrap().len() + BodyKey::PREFIX_LEN
}

/// The opener of an envelope, and the chunks for it.
pub(crate) fn opener(sealed: &[u8]) -> Result<(Opener, &[u8]), Error> {
    let header = Header::parse(sealed)?;
    let body_key = BOB.unlock(&header)?;
    let (prefix, chunks) = sealed[header.len()..].split_first_chunk().ok_or(Error::Open)?;
    Ok((body_key.opener(CTX, prefix)?, chunks))
}

pub(crate) fn open_reader<R: Read>(inner: R) -> io::Result<OpenReader<R>> {
    BOB.open_reader(CTX, inner)
}

/// Threads of a number from 1 to 4 that does not depend on the machine.
pub(crate) fn with_threads<T: Send>(threads: usize, run: impl FnOnce() -> T + Send) -> T {
    static POOLS: LazyLock<[ThreadPool; 4]> = LazyLock::new(|| {
        [1, 2, 3, 4].map(|count| ThreadPoolBuilder::new().num_threads(count).build().unwrap())
    });
    let _watch = Watch::over("a pool of threads");
    POOLS[threads - 1].install(run)
}

/// The bytes that a reader returned, and its end.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) released: Vec<u8>,
    pub(crate) error: Option<io::Error>,
}

impl Outcome {
    /// Nothing, because of an error.
    pub(crate) fn refused(error: impl Into<io::Error>) -> Self {
        Self { released: Vec::new(), error: Some(error.into()) }
    }
}

/// Reads to the end or to the first error, `step` bytes at a time. After that the end, or the
/// error, must repeat, and nothing be written into the buffer.
pub(crate) fn read_in_steps(mut reader: impl Read, step: usize) -> Outcome {
    let mut buffer = vec![0; step];
    let mut released = Vec::new();
    let error = loop {
        match reader.read(&mut buffer) {
            Ok(0) => break None,
            Ok(length) => released.extend_from_slice(&buffer[..length]),
            Err(error) => break Some(error),
        }
    };
    buffer.fill(0xee);
    for _ in 0..3 {
        match (&error, reader.read(&mut buffer)) {
            (None, Ok(0)) => {}
            (Some(first), Err(again)) => {
                assert_eq!(first.kind(), again.kind());
                if is_twinseal(first) {
                    assert_eq!(first.to_string(), again.to_string());
                }
            }
            (first, again) => panic!("first {first:?}, then {again:?}"),
        }
        assert!(buffer.iter().all(|byte| *byte == 0xee));
    }
    Outcome { released, error }
}

/// The same through `BufRead`, consuming at most `step` bytes of what is there.
pub(crate) fn buffered_in_steps(mut reader: impl BufRead, step: usize) -> Outcome {
    let mut released = Vec::new();
    let error = loop {
        match reader.fill_buf() {
            Ok([]) => break None,
            Ok(ready) => {
                let length = ready.len().min(step);
                released.extend_from_slice(&ready[..length]);
                reader.consume(length);
            }
            Err(error) => break Some(error),
        }
    };
    reader.consume(0);
    match (&error, reader.fill_buf()) {
        (None, Ok([])) => {}
        (Some(first), Err(again)) => assert_eq!(first.kind(), again.kind()),
        (first, again) => panic!("first {first:?}, then {again:?}"),
    }
    Outcome { released, error }
}

/// Feeds an opener in pieces.
pub(crate) fn update_in_steps(sealed: &[u8], step: usize) -> Outcome {
    let (mut opener, chunks) = match opener(sealed) {
        Ok(opener) => opener,
        Err(error) => return Outcome::refused(error),
    };
    let mut released = Vec::new();
    for part in chunks.chunks(step) {
        if let Err(error) = opener.update(part, &mut released) {
            let length = released.len();
            // After an error it gives nothing more, whatever it is fed, and says so.
            for later in [&b"x"[..], part, chunks] {
                assert!(matches!(opener.update(later, &mut released), Err(Error::Open)));
            }
            assert!(matches!(opener.finish(&mut released), Err(Error::Open)));
            assert_eq!(released.len(), length);
            return Outcome { released, error: Some(error.into()) };
        }
    }
    let error = opener.finish(&mut released).err().map(io::Error::from);
    Outcome { released, error }
}

/// Hands an opener whole chunks, to be decrypted where they are.
pub(crate) fn open_in_place(sealed: &[u8]) -> Outcome {
    let (mut opener, chunks) = match opener(sealed) {
        Ok(opener) => opener,
        Err(error) => return Outcome::refused(error),
    };
    let mut released = Vec::new();
    let mut chunks = chunks.to_vec();
    let (full, last) = chunks.as_chunks_mut::<SEALED_CHUNK>();
    let mut failed = None;
    for chunk in full {
        let (chunk, tag) = chunk.split_first_chunk_mut::<CHUNK>().unwrap();
        let tag: &[u8; TAG] = (&*tag).try_into().unwrap();
        match opener.open_chunk(chunk, tag) {
            // After an error it gives nothing more, even if what follows is authentic.
            Ok(()) => assert!(failed.is_none()),
            Err(error) => {
                assert_eq!(chunk, &[0; CHUNK]);
                failed.get_or_insert(error);
            }
        }
        if failed.is_none() {
            released.extend_from_slice(chunk);
        }
    }
    let Some((last, tag)) = last.split_last_chunk_mut::<TAG>() else {
        return Outcome { released, error: Some(failed.unwrap_or(Error::Open).into()) };
    };
    match opener.open_last(last, tag) {
        Ok(()) if failed.is_some() => panic!("the last chunk opens after one that did not"),
        Ok(()) => released.extend_from_slice(last),
        Err(error) => {
            assert!(last.iter().all(|byte| *byte == 0));
            return Outcome { released, error: Some(error.into()) };
        }
    }
    Outcome { released, error: None }
}

/// The crate's error inside an `io::Error`.
pub(crate) fn twinseal_error(error: &io::Error) -> &Error {
    error.get_ref().and_then(|inner| inner.downcast_ref()).unwrap_or_else(|| panic!("{error:?}"))
}

fn is_twinseal(error: &io::Error) -> bool {
    error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()).is_some()
}
