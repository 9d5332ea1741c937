//! Opening parts of a body, in any order, without I/O.

use std::{fmt, ops::Range};

use super::{CHUNK, ChunkKey, PREFIX, SEALED_CHUNK, plaintext_len};
use crate::{error::Error, numbered_key::TAG, plaintext::Plaintext, secret::SecretBuffer};

/// The body of an envelope, before its length was authenticated; from
/// [`BodyKey::body`](crate::envelope::BodyKey::body).
///
/// Fetch [`range`](Self::range) of the body and pass it to [`authenticate`](Self::authenticate). Before
/// that, the length of the plaintext is not certain.
pub struct UnverifiedBody {
    body: Body,
}

impl UnverifiedBody {
    pub(crate) fn new(key: ChunkKey, body_len: u64) -> Result<Self, Error> {
        let len = plaintext_len(body_len).ok_or(Error::Open)?;
        Ok(Self { body: Body { key, len } })
    }

    /// The range of the body that is its last chunk.
    #[must_use]
    pub fn range(&self) -> Range<u64> {
        self.body.sealed_range(self.body.last_index())
    }

    /// Authenticates the last chunk, and with it the length. The buffer is decrypted in place.
    ///
    /// # Errors
    ///
    /// [`Error::Length`] if it is not as long as [`range`](Self::range); [`Error::Open`] if it is
    /// not the last chunk of this body.
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
/// them, and open them. From [`UnverifiedBody::authenticate`].
///
/// All ranges of bytes are counted from the start of the body. They stay the same if the envelope is
/// rewrapped.
///
/// ```
/// # use twinseal::envelope::{BodyKey, Header};
/// # let bob = twinseal::DecapsulationKey::generate()?;
/// # let sealed = bob.encapsulation_key().seal(b"example.com/notes", &[7; 100_000])?;
/// # let (header, sealed) = sealed.split_at(Header::parse(&sealed)?.len());
/// // Header and body are two objects in a store.
/// let fetch = |range: std::ops::Range<u64>| sealed[range.start as usize..range.end as usize].to_vec();
/// let body_len = sealed.len() as u64;
///
/// let body_key = bob.unlock(&Header::parse(header)?)?;
/// let prefix = fetch(0..BodyKey::PREFIX_LEN as u64);
/// let unverified = body_key.body(b"example.com/notes", prefix[..].try_into()?, body_len)?;
/// let mut last_chunk = fetch(unverified.range());
/// let body = unverified.authenticate(&mut last_chunk)?;
///
/// let plan = body.plan(50_000..50_010)?;
/// let plaintext = body.open(&plan, &mut fetch(plan.sealed()))?;
/// assert_eq!(&plaintext[..], &[7; 10]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Body {
    key: ChunkKey,
    /// Of the plaintext.
    len: u64,
}

/// The bytes of a body that hold a range of its plaintext; from [`Body::plan`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    plaintext: Range<u64>,
    sealed: Range<u64>,
}

/// One chunk of a [`Plan`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PlannedChunk {
    /// The chunk's number, for [`Body::open_chunk`].
    pub index: u64,
    /// Its range of the body, tag included.
    pub sealed: Range<u64>,
    /// The wanted part of its plaintext.
    pub wanted: Range<usize>,
}

impl Plan {
    /// The range of the body to fetch.
    #[must_use]
    pub fn sealed(&self) -> Range<u64> {
        self.sealed.clone()
    }
}

impl Body {
    /// Length of the plaintext in bytes; it is authentic.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether the plaintext is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Plans a range of the plaintext.
    ///
    /// # Errors
    ///
    /// [`Error::Misuse`] if the range starts after its end, or ends after the plaintext.
    pub fn plan(&self, plaintext: Range<u64>) -> Result<Plan, Error> {
        if plaintext.start > plaintext.end || plaintext.end > self.len {
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

    /// Opens a planned range from the bytes that were fetched for it: all of it, or nothing. The bytes
    /// are decrypted in place.
    ///
    /// # Errors
    ///
    /// [`Error::Length`] if the number of bytes is not the planned one; [`Error::Open`] if they are
    /// not authentic.
    pub fn open(&self, plan: &Plan, sealed: &mut [u8]) -> Result<Plaintext, Error> {
        let expected = plan.sealed.end - plan.sealed.start;
        if sealed.len() as u64 != expected {
            return Err(Error::Length {
                what: "planned range",
                expected: usize::try_from(expected).unwrap_or(usize::MAX),
                actual: sealed.len(),
            });
        }
        let len = plan.plaintext.end - plan.plaintext.start;
        let mut plaintext = SecretBuffer::with_capacity(len as usize);
        for (planned, sealed) in self.chunks(plan).zip(sealed.chunks_mut(SEALED_CHUNK)) {
            let chunk = self.open_chunk(planned.index, sealed)?;
            plaintext.extend_from_slice(chunk.get(planned.wanted).ok_or(Error::Open)?);
        }
        Ok(Plaintext::new(plaintext))
    }

    /// Opens one chunk with its tag behind it, in place, and returns its plaintext.
    ///
    /// # Errors
    ///
    /// [`Error::Length`] if the chunk of this number has another length; [`Error::Open`] if it is not
    /// authentic, and then the buffer holds no plaintext.
    pub fn open_chunk<'a>(&self, index: u64, sealed: &'a mut [u8]) -> Result<&'a mut [u8], Error> {
        let range = self.sealed_range(index);
        let expected = (range.end - range.start) as usize;
        if sealed.len() != expected {
            return Err(Error::Length { what: "sealed chunk", expected, actual: sealed.len() });
        }
        self.key.open_sealed(index, sealed)
    }

    fn last_index(&self) -> u64 {
        self.len / CHUNK as u64
    }

    /// A chunk's range of the body; empty beyond the last one.
    fn sealed_range(&self, index: u64) -> Range<u64> {
        let last = self.last_index();
        let end = PREFIX as u64 + self.len + (last + 1) * TAG as u64;
        if index > last {
            return end..end;
        }
        let start = PREFIX as u64 + index * SEALED_CHUNK as u64;
        start..end.min(start + SEALED_CHUNK as u64)
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Body({} bytes)", self.len)
    }
}
