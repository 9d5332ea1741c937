//! Opening parts of a body, in any order, without I/O.

use std::{fmt, ops::Range};

use super::{CHUNK, ChunkKey, PREFIX, SEALED_CHUNK, plaintext_len};
use crate::{error::Error, numbered_key::TAG, plaintext::Plaintext, secret::SecretBuffer};

/// The body of an envelope of known length, before its end was authenticated.
///
/// Fetch [`range`](Self::range) of the envelope and hand it to
/// [`authenticate`](Self::authenticate): only then is the length of the plaintext known for sure.
pub struct UnverifiedBody {
    body: Body,
}

impl UnverifiedBody {
    /// `start` is where the body starts in the envelope, `end` where the envelope ends.
    pub(crate) fn new(key: ChunkKey, start: u64, end: u64) -> Result<Self, Error> {
        let length = end.checked_sub(start).and_then(plaintext_len).ok_or(Error::Open)?;
        Ok(Self { body: Body { key, first_chunk: start + PREFIX as u64, length } })
    }

    /// Which bytes of the envelope are the last chunk.
    #[must_use]
    pub fn range(&self) -> Range<u64> {
        self.body.sealed_range(self.body.last_index())
    }

    /// Authenticates the last chunk, and with it the length. Its buffer is decrypted in place.
    ///
    /// # Errors
    ///
    /// [`Error::Open`] if it is not the last chunk of this body.
    pub fn authenticate(self, sealed: &mut [u8]) -> Result<Body, Error> {
        let index = self.body.last_index();
        self.body.open_chunk(index, sealed)?;
        Ok(self.body)
    }
}

impl fmt::Debug for UnverifiedBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UnverifiedBody({:?})", self.range())
    }
}

/// A body of authenticated length, from which any range is opened: plan which bytes to fetch, fetch
/// them by whatever means, and open them.
///
/// ```
/// # use twinseal::envelope::{BodyKey, Header};
/// # let bob = twinseal::DecapsulationKey::generate()?;
/// # let sealed = bob.encapsulation_key().seal(b"example.com/notes", &[7; 100_000])?;
/// let fetch = |range: std::ops::Range<u64>| sealed[range.start as usize..range.end as usize].to_vec();
///
/// let header = Header::parse(&fetch(0..4096))?;
/// let body_key = bob.unlock(&header)?;
/// let start = header.len() as u64;
/// let prefix = fetch(start..start + BodyKey::PREFIX_LENGTH as u64);
/// let last = body_key.body(b"example.com/notes", prefix[..].try_into()?, sealed.len() as u64)?;
/// let mut tail = fetch(last.range());
/// let body = last.authenticate(&mut tail)?;
///
/// let plan = body.plan(50_000..50_010)?;
/// let plaintext = body.open(&plan, &mut fetch(plan.sealed()))?;
/// assert_eq!(&plaintext[..], &[7; 10]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Body {
    key: ChunkKey,
    /// Where the chunks start in the envelope.
    first_chunk: u64,
    /// Of the plaintext.
    length: u64,
}

/// Which bytes of an envelope hold a range of its plaintext; from [`Body::plan`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    plaintext: Range<u64>,
    sealed: Range<u64>,
}

/// One chunk of a [`Plan`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedChunk {
    /// The chunk's number, for [`Body::open_chunk`].
    pub index: u64,
    /// Which bytes of the envelope it is.
    pub sealed: Range<u64>,
    /// Which part of its plaintext was asked for.
    pub wanted: Range<usize>,
}

impl Plan {
    /// Which bytes of the envelope to fetch: one contiguous range.
    #[must_use]
    pub fn sealed(&self) -> Range<u64> {
        self.sealed.clone()
    }
}

impl Body {
    /// Length of the plaintext in bytes; it is authentic.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.length
    }

    /// Whether the plaintext is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Plans a range of the plaintext.
    ///
    /// # Errors
    ///
    /// [`Error::Misuse`] if it starts after its end, or ends after the plaintext.
    pub fn plan(&self, plaintext: Range<u64>) -> Result<Plan, Error> {
        if plaintext.start > plaintext.end || plaintext.end > self.length {
            let reason = "it is not within the plaintext";
            return Err(Error::Misuse { what: "range", reason });
        }
        let first = self.sealed_range(plaintext.start / CHUNK as u64);
        let sealed = if plaintext.is_empty() {
            first.start..first.start
        } else {
            first.start..self.sealed_range((plaintext.end - 1) / CHUNK as u64).end
        };
        Ok(Plan { plaintext, sealed })
    }

    /// The chunks of a plan, one by one.
    pub fn chunks<'a>(&'a self, plan: &'a Plan) -> impl Iterator<Item = PlannedChunk> + 'a {
        let Range { start, end } = plan.plaintext;
        let chunk = CHUNK as u64;
        let indexes = start / chunk..if start == end { start / chunk } else { end.div_ceil(chunk) };
        indexes.map(move |index| {
            let offset = index * chunk;
            let within = |position: u64| position.saturating_sub(offset).min(chunk) as usize;
            PlannedChunk {
                index,
                sealed: self.sealed_range(index),
                wanted: within(start)..within(end),
            }
        })
    }

    /// Opens what was planned, from the bytes that were fetched for it: all of it, or nothing. They
    /// are decrypted in place.
    ///
    /// # Errors
    ///
    /// [`Error::Length`] if they are not as many as planned; [`Error::Open`] if they are not
    /// authentic.
    pub fn open(&self, plan: &Plan, sealed: &mut [u8]) -> Result<Plaintext, Error> {
        let expected = plan.sealed.end - plan.sealed.start;
        if sealed.len() as u64 != expected {
            return Err(Error::Length {
                what: "planned range",
                expected: usize::try_from(expected).unwrap_or(usize::MAX),
                actual: sealed.len(),
            });
        }
        let length = plan.plaintext.end - plan.plaintext.start;
        let mut plaintext = SecretBuffer::with_capacity(length as usize);
        for (planned, sealed) in self.chunks(plan).zip(sealed.chunks_mut(SEALED_CHUNK)) {
            let chunk = self.open_chunk(planned.index, sealed)?;
            plaintext.extend_from_slice(chunk.get(planned.wanted).ok_or(Error::Open)?);
        }
        Ok(Plaintext::new(plaintext))
    }

    /// Opens one chunk with its tag behind it, in place, and gives its plaintext.
    ///
    /// # Errors
    ///
    /// [`Error::Length`] if it is not as long as the chunk of this number is; [`Error::Open`] if
    /// it is not authentic, and then the buffer holds no plaintext.
    pub fn open_chunk<'a>(&self, index: u64, sealed: &'a mut [u8]) -> Result<&'a mut [u8], Error> {
        let range = self.sealed_range(index);
        let expected = (range.end - range.start) as usize;
        if sealed.len() != expected {
            return Err(Error::Length { what: "sealed chunk", expected, actual: sealed.len() });
        }
        self.key.open_sealed(index, sealed)
    }

    fn last_index(&self) -> u64 {
        self.length / CHUNK as u64
    }

    /// Which bytes of the envelope a chunk is; empty beyond the last one.
    fn sealed_range(&self, index: u64) -> Range<u64> {
        let last = self.last_index();
        let end = self.first_chunk + self.length + (last + 1) * TAG as u64;
        if index > last {
            return end..end;
        }
        let start = self.first_chunk + index * SEALED_CHUNK as u64;
        start..end.min(start + SEALED_CHUNK as u64)
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Body({} bytes)", self.length)
    }
}
