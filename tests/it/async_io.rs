//! Can asynchronous code seal and open without a thread of its own? Meant to be copied.
//!
//! The parts that do no I/O are driven over tokio's pipes, and over an object store that answers later.

use std::{io, ops::Range};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, duplex};
use twinseal::{
    DecapsulationKey, EncapsulationKey, Error, Plaintext,
    envelope::{Body, BodyKey, Header},
    kem::{Ciphertext, SharedSecret},
};
use zeroize::Zeroizing;

const CTX: &[u8] = b"example.com/checkpoints";

/// How much is read at once; any size does.
const BUFFER: usize = 64 * 1024;

/// Seals everything that `plaintext` gives. If it is dropped half-way, or fails, what was written
/// does not open.
async fn seal(
    to: &EncapsulationKey,
    mut plaintext: impl AsyncRead + Unpin,
    mut sealed: impl AsyncWrite + Unpin,
) -> io::Result<()> {
    let (header, prefix, mut sealer) = to.sealer(CTX)?;
    sealed.write_all(&header).await?;
    let mut outgoing = prefix.to_vec();
    let mut buffer = Zeroizing::new(vec![0; BUFFER]);
    loop {
        match plaintext.read(&mut buffer).await? {
            0 => break,
            length => sealer.update(&buffer[..length], &mut outgoing)?,
        }
        sealed.write_all(&outgoing).await?;
        outgoing.clear();
    }
    sealer.finish(&mut outgoing)?;
    sealed.write_all(&outgoing).await?;
    sealed.shutdown().await
}

/// Opens what [`seal`] made. What arrives in `plaintext` is authentic, and complete once this has
/// returned `Ok`: not before, so write to a place from which a failure can still be undone.
async fn open(
    kms: &Kms,
    mut sealed: impl AsyncRead + Unpin,
    mut plaintext: impl AsyncWrite + Unpin,
) -> io::Result<()> {
    let body_key = kms.unlock(&read_header(&mut sealed).await?).await?;
    let mut prefix = [0; BodyKey::PREFIX_LEN];
    sealed.read_exact(&mut prefix).await?;
    let mut opener = body_key.opener(CTX, &prefix)?;

    let mut buffer = vec![0; BUFFER];
    let mut opened = Zeroizing::new(Vec::with_capacity(2 * BUFFER));
    loop {
        match sealed.read(&mut buffer).await? {
            0 => break,
            length => opener.update(&buffer[..length], &mut opened)?,
        }
        plaintext.write_all(&opened).await?;
        opened.clear();
    }
    opener.finish(&mut opened)?;
    plaintext.write_all(&opened).await?;
    plaintext.shutdown().await
}

/// Reads a header and not a byte more: the parser says how many bytes it misses.
async fn read_header(mut sealed: impl AsyncRead + Unpin) -> io::Result<Header> {
    let mut bytes = Vec::new();
    loop {
        match Header::parse(&bytes) {
            Err(Error::Truncated { needed, actual, .. }) => {
                bytes.resize(needed, 0);
                sealed.read_exact(&mut bytes[actual..]).await?;
            }
            parsed => return Ok(parsed?),
        }
    }
}

/// A key that is asked over the network: here, a local one that takes its time.
struct Kms(DecapsulationKey);

impl Kms {
    async fn unlock(&self, header: &Header) -> Result<BodyKey, Error> {
        let recipient = header.find(self.0.encapsulation_key()).ok_or(Error::NotARecipient)?;
        let secret = self.decapsulate(&recipient.ciphertext()?).await?;
        header.unlock(&recipient, &secret)
    }

    async fn decapsulate(&self, ciphertext: &Ciphertext) -> Result<SharedSecret, Error> {
        tokio::task::yield_now().await;
        self.0.decapsulate(ciphertext)
    }
}

/// An envelope in an object store, where each range costs a request.
struct Object(Vec<u8>);

impl Object {
    async fn length(&self) -> io::Result<u64> {
        tokio::task::yield_now().await;
        Ok(self.0.len() as u64)
    }

    async fn get(&self, range: Range<u64>) -> io::Result<Vec<u8>> {
        tokio::task::yield_now().await;
        let range = range.start as usize..range.end as usize;
        Ok(self.0.get(range).ok_or(io::ErrorKind::UnexpectedEof)?.to_vec())
    }
}

/// A sealed object, opened once, of which any range is read with one request.
struct SealedObject {
    object: Object,
    body: Body,
    body_start: usize,
}

/// Where a range of the body is in an envelope.
fn within(range: Range<u64>, body_start: usize) -> Range<u64> {
    range.start + body_start as u64..range.end + body_start as u64
}

impl SealedObject {
    /// Three requests: the length, the beginning, the end.
    async fn open(kms: &Kms, object: Object) -> io::Result<Self> {
        let length = object.length().await?;
        let mut front = object.get(0..length.min(4096)).await?;
        let header = loop {
            match Header::parse(&front) {
                // More than two recipients.
                Err(Error::Truncated { needed, actual, .. }) if (needed as u64) < length => {
                    front.extend(object.get(actual as u64..needed as u64).await?);
                }
                parsed => break parsed?,
            }
        };
        let body_key = kms.unlock(&header).await?;
        let start = header.len();
        let end = start + BodyKey::PREFIX_LEN;
        if front.len() < end {
            front.extend(object.get(front.len() as u64..end as u64).await?);
        }
        let prefix = front[start..end].try_into().expect("it was fetched");

        let body_len = length.checked_sub(start as u64).ok_or(io::ErrorKind::UnexpectedEof)?;
        let unverified = body_key.body(CTX, prefix, body_len)?;
        let mut last_chunk = object.get(within(unverified.range(), start)).await?;
        Ok(Self { body: unverified.authenticate(&mut last_chunk)?, object, body_start: start })
    }

    async fn read(&self, range: Range<u64>) -> io::Result<Plaintext> {
        let plan = self.body.plan(range)?;
        let mut fetched = self.object.get(within(plan.sealed(), self.body_start)).await?;
        Ok(self.body.open(&plan, &mut fetched)?)
    }
}

fn plaintext(length: usize) -> Vec<u8> {
    (0..length).map(|index| (index ^ (index >> 8) ^ (index >> 13)) as u8).collect()
}

fn is_open(error: &io::Error) -> bool {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
    error.kind() == io::ErrorKind::InvalidData && matches!(inner, Some(Error::Open))
}

/// Sealed and opened at the same time, through a pipe that holds far less than the whole.
#[tokio::test]
async fn through_a_pipe() -> io::Result<()> {
    let kms = Kms(DecapsulationKey::generate()?);
    for length in [0, 1, 16383, 16384, 16385, 1_000_000] {
        for pipe in [1, 1000, 100_000].into_iter().filter(|pipe| length / pipe < 100_000) {
            let plaintext = plaintext(length);
            let (sealed_in, sealed_out) = duplex(pipe);
            let mut opened = Vec::new();
            let (sealing, opening) = tokio::join!(
                seal(kms.0.encapsulation_key(), &plaintext[..], sealed_in),
                open(&kms, sealed_out, &mut opened),
            );
            sealing?;
            opening?;
            assert!(opened == plaintext);
        }
    }
    Ok(())
}

/// The format is one: what asynchronous code seals, the blocking readers open, and the other way
/// round.
#[tokio::test]
async fn the_same_format() -> io::Result<()> {
    let kms = Kms(DecapsulationKey::generate()?);
    let plaintext = plaintext(100_000);
    let mut sealed = Vec::new();
    seal(kms.0.encapsulation_key(), &plaintext[..], &mut sealed).await?;
    assert!(kms.0.open(CTX, &sealed)?[..] == plaintext);

    let sealed = kms.0.encapsulation_key().seal(CTX, &plaintext)?;
    let mut opened = Vec::new();
    open(&kms, &sealed[..], &mut opened).await?;
    assert!(opened == plaintext);
    Ok(())
}

/// A future that was dropped, or a connection that was cut: authentic chunks, and then an error.
#[tokio::test]
async fn cut_off() -> io::Result<()> {
    let kms = Kms(DecapsulationKey::generate()?);
    let plaintext = plaintext(200_000);
    let sealed = kms.0.encapsulation_key().seal(CTX, &plaintext)?;
    let body = Header::parse(&sealed)?.len();
    for length in (0..sealed.len()).step_by(1999).chain([body, body + 56, sealed.len() - 1]) {
        let mut opened = Vec::new();
        let error = open(&kms, &sealed[..length], &mut opened).await.unwrap_err();
        if length < body + BodyKey::PREFIX_LEN {
            assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
        } else {
            assert!(is_open(&error));
        }
        assert!(plaintext.starts_with(&opened));
        assert_eq!(opened.len() % 16384, 0);
    }
    Ok(())
}

#[tokio::test]
async fn ranges_of_an_object() -> io::Result<()> {
    let kms = Kms(DecapsulationKey::generate()?);
    for length in [0, 100, 16384, 1_000_000] {
        let plaintext = plaintext(length);
        let sealed = kms.0.encapsulation_key().seal(CTX, &plaintext)?;
        let object = SealedObject::open(&kms, Object(sealed)).await?;
        assert_eq!(object.body.len(), length as u64);
        for start in (0..length).step_by(9973) {
            for end in [start, start + 1, start + 20_000, length] {
                let range = start..end.min(length);
                let opened = object.read(range.start as u64..range.end as u64).await?;
                assert!(opened[..] == plaintext[range]);
            }
        }
        object.read(0..length as u64 + 1).await.unwrap_err();
    }
    Ok(())
}

/// With more recipients than the first request covers.
#[tokio::test]
async fn ranges_of_an_object_for_many() -> io::Result<()> {
    let others = (0..5).map(|_| DecapsulationKey::generate()).collect::<Result<Vec<_>, _>>()?;
    let kms = Kms(DecapsulationKey::generate()?);
    let keys = others.iter().chain([&kms.0]).map(DecapsulationKey::encapsulation_key);
    let sealed = twinseal::Recipients::new(keys)?.seal(CTX, b"weights")?;
    let object = SealedObject::open(&kms, Object(sealed)).await?;
    assert_eq!(&object.read(2..5).await?[..], b"igh");
    Ok(())
}

#[tokio::test]
async fn damaged_objects() -> io::Result<()> {
    let kms = Kms(DecapsulationKey::generate()?);
    let sealed = kms.0.encapsulation_key().seal(CTX, &plaintext(100_000))?;
    // Without its end it is refused before any range is read.
    for length in [sealed.len() - 1, sealed.len() - 10_000, 2000] {
        let cut = Object(sealed[..length].to_vec());
        assert!(is_open(&SealedObject::open(&kms, cut).await.err().unwrap()));
    }
    // Elsewhere, the ranges that it touches are refused.
    let mut changed = sealed.clone();
    changed[5000] ^= 1;
    let object = SealedObject::open(&kms, Object(changed)).await?;
    assert!(is_open(&object.read(0..10).await.unwrap_err()));
    object.read(50_000..60_000).await?;
    Ok(())
}
