//! The digests of one file, and of its shards.

use std::{num::NonZeroU64, ops::Range};

use sha2::{Digest, Sha256};

use super::contents::Method;
use crate::error::{Error, ModelRefusal};

/// The SHA-256 of a file, or of each of its shards. From [`FileHasher`](super::FileHasher) and
/// [`Hashing`](super::Hashing), or in a [`SignedFile`](super::SignedFile).
///
/// ```
/// use std::{io::Write, num::NonZeroU64};
///
/// use twinseal::model::{FileHasher, Method};
///
/// let four = NonZeroU64::new(4).unwrap();
/// let mut hasher = FileHasher::new(Method::Shards(four));
/// hasher.write_all(b"123456789")?;
/// let digest = hasher.finish()?;
/// let ranges: Vec<_> = digest.shards().unwrap().map(|shard| shard.range()).collect();
/// assert_eq!(ranges, [0..4, 4..8, 8..9]);
/// assert_eq!(digest.len(), Some(9));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileDigest(pub(super) Digests);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Digests {
    Whole([u8; 32]),
    /// `digests` has one for each `size` bytes of `length`, rounded up; the last shard may be shorter.
    Shards {
        size: NonZeroU64,
        length: u64,
        digests: Vec<[u8; 32]>,
    },
}

/// One shard of a file, with its signed digest. From [`FileDigest::shards`] and
/// [`SignedFile::shards_of`](super::SignedFile::shards_of).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shard {
    pub(super) range: Range<u64>,
    pub(super) sha256: [u8; 32],
}

impl FileDigest {
    /// How the file was hashed.
    #[must_use]
    pub fn method(&self) -> Method {
        match self.0 {
            Digests::Whole(_) => Method::Files,
            Digests::Shards { size, .. } => Method::Shards(size),
        }
    }

    /// The SHA-256 of the file, if it was hashed whole.
    #[must_use]
    pub fn whole(&self) -> Option<&[u8; 32]> {
        match &self.0 {
            Digests::Whole(sha256) => Some(sha256),
            Digests::Shards { .. } => None,
        }
    }

    /// The shards in the order of their ranges. `None` if the file was hashed whole, and there is nothing to verify parts
    /// with.
    #[must_use]
    pub fn shards(&self) -> Option<impl ExactSizeIterator<Item = Shard> + use<'_>> {
        self.len().map(|length| self.shards_in(&(0..length)))
    }

    /// The length of the file in bytes, which only shards know.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "a file in shards is not empty")]
    pub fn len(&self) -> Option<u64> {
        match self.0 {
            Digests::Whole(_) => None,
            Digests::Shards { length, .. } => Some(length),
        }
    }

    /// How many resources of a statement it takes.
    pub(super) fn resources(&self) -> usize {
        match &self.0 {
            Digests::Whole(_) => 1,
            Digests::Shards { digests, .. } => digests.len(),
        }
    }

    /// The shards that have a byte of the range. There are none if the file was hashed whole.
    pub(super) fn shards_in(
        &self,
        range: &Range<u64>,
    ) -> impl ExactSizeIterator<Item = Shard> + use<'_> {
        let (size, length, digests) = match &self.0 {
            Digests::Whole(_) => (NonZeroU64::MIN, 0, &[][..]),
            Digests::Shards { size, length, digests } => (*size, *length, &digests[..]),
        };
        let end = range.end.min(length);
        // A file has fewer than 2^20 shards, so the numbers fit.
        let indices = match range.start < end {
            true => (range.start / size) as usize..((end - 1) / size) as usize + 1,
            false => 0..0,
        };
        let first = indices.start;
        digests[indices].iter().enumerate().map(move |(index, sha256)| {
            let start = (first + index) as u64 * size.get();
            Shard { range: start..length.min(start.saturating_add(size.get())), sha256: *sha256 }
        })
    }
}

impl Shard {
    /// Where in the file the shard is, in bytes.
    #[must_use]
    pub fn range(&self) -> Range<u64> {
        self.range.clone()
    }

    /// The SHA-256 of its bytes.
    #[must_use]
    pub fn sha256(&self) -> &[u8; 32] {
        &self.sha256
    }

    /// Checks that these are the shard's bytes, all of them.
    ///
    /// # Errors
    ///
    /// [`Error::Model`] with [`NotAsSigned`](ModelRefusal::NotAsSigned) if they are not.
    ///
    /// ```
    /// # use std::{io::Write, num::NonZeroU64};
    /// # use twinseal::model::{FileHasher, Method};
    /// # let mut hasher = FileHasher::new(Method::Shards(NonZeroU64::new(4).unwrap()));
    /// # hasher.write_all(b"123456789")?;
    /// # let digest = hasher.finish()?;
    /// let shard = digest.shards().unwrap().nth(1).unwrap();
    /// shard.verify(b"5678")?;
    /// assert!(shard.verify(b"567").is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn verify(&self, bytes: &[u8]) -> Result<(), Error> {
        let length = self.range.end - self.range.start;
        if bytes.len() as u64 == length && Sha256::digest(bytes)[..] == self.sha256 {
            return Ok(());
        }
        Err(Error::Model(ModelRefusal::NotAsSigned))
    }
}
