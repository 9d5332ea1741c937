//! Which key and which plaintext?

use std::{future::poll_fn, io, pin::Pin, sync::LazyLock};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use twinseal::{
    DecapsulationKey, Error,
    envelope::{BodyKey, Header, Sealer},
    tokio::SealWriter,
};

pub(crate) const CTX: &[u8] = b"example.com/models";
pub(crate) const CHUNK: usize = Sealer::CHUNK_LEN;
pub(crate) const SEALED_CHUNK: usize = CHUNK + Sealer::TAG_LEN;
/// What a writer takes before it needs its inner writer.
pub(crate) const BATCH: usize = 8 * CHUNK;

/// Lengths around the bounds of chunks and batches.
pub(crate) const LENGTHS: [usize; 12] = [
    0,
    1,
    CHUNK - 1,
    CHUNK,
    CHUNK + 1,
    3 * CHUNK + 77,
    BATCH - 1,
    BATCH,
    BATCH + 1,
    BATCH + CHUNK,
    2 * BATCH,
    2 * BATCH + CHUNK + 1,
];

pub(crate) static BOB: LazyLock<DecapsulationKey> =
    LazyLock::new(|| DecapsulationKey::generate().unwrap());

/// Bytes that differ from chunk to chunk.
pub(crate) fn plaintext(length: usize) -> Vec<u8> {
    (0..length).map(|index| (index ^ (index >> 8) ^ (index >> 13)) as u8).collect()
}

pub(crate) fn seal(plaintext: &[u8]) -> Vec<u8> {
    BOB.encapsulation_key().seal(CTX, plaintext).unwrap()
}

/// A writer that seals for Bob.
pub(crate) fn seal_writer<W: AsyncWrite + Unpin>(inner: W) -> SealWriter<W> {
    SealWriter::new(BOB.encapsulation_key().sealer(CTX).unwrap(), inner)
}

/// Where the chunks start in an envelope.
pub(crate) fn chunks_start(sealed: &[u8]) -> usize {
    Header::parse(sealed).unwrap().len() + BodyKey::PREFIX_LEN
}

/// Makes a future, drops it after a few calls, makes it again, until one is ready.
macro_rules! again {
    ($random:expr, $future:expr) => {{
        let mut tries = 0;
        loop {
            if let Some(output) =
                $crate::common::polling::run_for($random.random() as usize % 3, $future)
            {
                break output;
            }
            tries += 1;
            assert!(tries < 1_000_000, "it is pending for ever");
        }
    }};
}
pub(crate) use again;

/// Writes in parts of this length, and shuts down.
pub(crate) async fn write_in_steps(
    writer: &mut (impl AsyncWrite + Unpin),
    plaintext: &[u8],
    step: usize,
) -> io::Result<()> {
    for part in plaintext.chunks(step) {
        writer.write_all(part).await?;
    }
    writer.shutdown().await
}

/// The bytes that a reader returned, and its end.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) released: Vec<u8>,
    pub(crate) error: Option<io::Error>,
}

/// Reads to the end or to the first error, `step` bytes at a time. After that the end, or the error, must
/// repeat.
pub(crate) async fn read_in_steps(mut reader: impl AsyncRead + Unpin, step: usize) -> Outcome {
    let mut buffer = vec![0; step];
    let mut released = Vec::new();
    let error = loop {
        match reader.read(&mut buffer).await {
            Ok(0) => break None,
            Ok(length) => released.extend_from_slice(&buffer[..length]),
            Err(error) => break Some(error),
        }
    };
    for _ in 0..3 {
        match (&error, reader.read(&mut buffer).await) {
            (None, Ok(0)) => {}
            (Some(first), Err(again)) => {
                assert_eq!(first.kind(), again.kind());
                assert_eq!(first.to_string(), again.to_string());
            }
            (first, again) => panic!("first {first:?}, then {again:?}"),
        }
    }
    // An empty buffer is not the end of anything.
    let mut nothing = ReadBuf::new(&mut []);
    poll_fn(|cx| Pin::new(&mut reader).poll_read(cx, &mut nothing)).await.unwrap();
    Outcome { released, error }
}

/// The crate's error inside an `io::Error`.
#[track_caller]
pub(crate) fn twinseal_error(error: &io::Error) -> &Error {
    Error::inside(error).unwrap_or_else(|| panic!("{error:?}"))
}
