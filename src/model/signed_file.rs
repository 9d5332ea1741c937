//! One file of a manifest, held against bytes when they are used.

use std::{
    io::{self, Read},
    ops::Range,
};

use sha2::{Digest, Sha256};

use super::{
    file_digest::{FileDigest, Shard},
    hasher::FileHasher,
};
use crate::{
    error::{Error, ModelRefusal},
    retry::read_some,
    secret::{PageBuffer, SecretBuffer},
    stream::{ReadAt, read_exact_at, size},
};

/// How much is read before it is hashed, while it is in the cache.
const PART: usize = 128 * 1024;

/// One file of a [`Manifest`](super::Manifest).
///
/// A file can be changed between a look at it and its use. Here there is no such moment: what is returned is what was
/// verified. With shards of a few MiB a tensor can be read without the rest of the file, also out of an envelope, which
/// is opened at the same places:
///
/// ```
/// use std::{fs::File, io, num::NonZeroU64};
///
/// use twinseal::model::{Hashing, ManifestBuilder, Method, TrustedKey};
///
/// # let bob = twinseal::DecapsulationKey::generate()?;
/// # let alice = twinseal::SigningKey::generate()?;
/// # let directory = tempfile::tempdir()?;
/// # let path = directory.path().join("weights.sealed");
/// # let weights = vec![7; 5_000_000];
/// const CTX: &[u8] = b"example.com/models";
///
/// let mib = NonZeroU64::new(1 << 20).unwrap();
/// let mut model = ManifestBuilder::new("run-7")?.with_method(Method::Shards(mib));
/// let sealed = bob.encapsulation_key().seal_writer(CTX, File::create(&path)?)?;
/// let mut writer = Hashing::new(sealed, model.method())?;
/// io::copy(&mut &weights[..], &mut writer)?;
/// let (sealed, digest) = writer.finish()?;
/// sealed.finish()?;
/// model.add("weights", digest)?;
/// let bundle = model.sign(&alice)?;
///
/// // Later: reads and verifies the two shards that the tensor is in.
/// let manifest = bundle.verify(&[TrustedKey::from(alice.verifying_key())])?;
/// let file = manifest.file("weights").ok_or("there is no such file")?;
/// let opened = bob.open_at(CTX, File::open(&path)?)?;
/// let tensor = file.read_range(&opened, 2_000_000..2_500_000)?;
/// # assert_eq!(tensor, [7; 500_000]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct SignedFile<'a> {
    pub(super) name: &'a str,
    pub(super) digest: &'a FileDigest,
}

impl<'a> SignedFile<'a> {
    /// Its name: a relative path with `/`.
    #[must_use]
    pub fn name(&self) -> &'a str {
        self.name
    }

    /// Its digests.
    #[must_use]
    pub fn digest(&self) -> &'a FileDigest {
        self.digest
    }

    /// Its length in bytes, which is signed only if it was hashed by shards.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "a file in shards is not empty")]
    pub fn len(&self) -> Option<u64> {
        self.digest.len()
    }

    /// The shards that have a byte of the range, in order. There are none for an empty range only, so a loop over them
    /// verifies the whole range.
    ///
    /// [`read_range`](Self::read_range) needs a [`ReadAt`]. From elsewhere, read the range of each shard and
    /// [`verify`](Shard::verify) it:
    ///
    #[cfg_attr(feature = "object_store", doc = "```")]
    #[cfg_attr(not(feature = "object_store"), doc = "```ignore")]
    /// # use std::{num::NonZeroU64, sync::Arc};
    /// use object_store::{ObjectStore, ObjectStoreExt, path::Path};
    /// use twinseal::{model::SignedFile, store::SealedStore};
    ///
    /// # type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;
    /// async fn tensor(store: &SealedStore, file: SignedFile<'_>) -> Result<Vec<u8>> {
    ///     let wanted = 2_000_000..2_500_000;
    ///     let mut tensor = Vec::new();
    ///     for shard in file.shards_of(&wanted)? {
    ///         let range = shard.range();
    ///         let bytes = store.get_range(&Path::from(file.name()), range.clone()).await?;
    ///         shard.verify(&bytes)?;
    ///         let start = wanted.start.max(range.start) - range.start;
    ///         let end = wanted.end.min(range.end) - range.start;
    ///         tensor.extend_from_slice(&bytes[start as usize..end as usize]);
    ///     }
    ///     Ok(tensor)
    /// }
    /// # use twinseal::{DecapsulationKey, Recipients, SigningKey};
    /// # use twinseal::model::{ManifestBuilder, Method, PayloadHasher, TrustedKey};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let bucket = Arc::new(object_store::memory::InMemory::new());
    /// # let (alice, bob) = (SigningKey::generate()?, Arc::new(DecapsulationKey::generate()?));
    /// # let alice = Arc::new(alice);
    /// # let readers = Recipients::new([bob.encapsulation_key()])?;
    /// # let made = SealedStore::create(bucket, b"example.com/models", bob, alice.clone(), &readers);
    /// # let store = made.await?.0.store().clone();
    /// # let method = Method::Shards(NonZeroU64::new(1 << 20).unwrap());
    /// # let mut hasher = PayloadHasher::new(method)?;
    /// # let payload = hasher.hash(vec![7; 5_000_000]).await?;
    /// # store.put(&Path::from("weights"), payload).await?;
    /// # let mut model = ManifestBuilder::new("run-7")?.with_method(method);
    /// # model.add("weights", hasher.finish().await?)?;
    /// # let manifest = model.sign(&*alice)?.verify(&[TrustedKey::from(alice.verifying_key())])?;
    /// # let file = manifest.file("weights").ok_or("there is no such file")?;
    /// # assert_eq!(tensor(&store, file).await?, [7; 500_000]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Model`] with [`NoShards`](ModelRefusal::NoShards) if the file was hashed whole, so that no part of it can
    /// be verified without the rest; with [`Range`](ModelRefusal::Range) if the range ends past the end of the file or
    /// before its own start.
    pub fn shards_of(
        &self,
        range: &Range<u64>,
    ) -> Result<impl ExactSizeIterator<Item = Shard> + use<'a>, Error> {
        match self.len() {
            None => Err(Error::Model(ModelRefusal::NoShards)),
            Some(length) if range.end > length || range.end < range.start => {
                Err(Error::Model(ModelRefusal::Range))
            }
            Some(_) => Ok(self.digest.shards_in(range)),
        }
    }

    /// Checks that these bytes are the file.
    ///
    /// # Errors
    ///
    /// [`Error::Model`] with [`NotAsSigned`](ModelRefusal::NotAsSigned) if they are not.
    pub fn verify(&self, bytes: &[u8]) -> Result<(), Error> {
        let mut hasher = FileHasher::new(self.digest.method());
        hasher.update(bytes).or(Err(NOT_AS_SIGNED))?;
        self.check(hasher)
    }

    /// Reads a file to its end and checks that it is as signed. Of a file in shards it reads one byte more than were
    /// signed at most.
    ///
    /// If the file is read again when it is used, somebody may have changed it since.
    ///
    /// # Errors
    ///
    /// [`Error::Model`] with [`NotAsSigned`](ModelRefusal::NotAsSigned), wrapped in [`io::Error`], if it is not; and
    /// the errors of the reader.
    pub fn verify_reader(&self, mut reader: impl Read) -> io::Result<()> {
        let mut left = self.len().map_or(u64::MAX, |length| length.saturating_add(1));
        let mut buffer = PageBuffer::zeroed(PART);
        let mut hasher = FileHasher::new(self.digest.method());
        while left > 0 {
            // `Read::take` would panic if the reader claims too much.
            let room = left.min(PART as u64) as usize;
            match read_some(&mut reader, &mut buffer[..room])? {
                [] => return Ok(self.check(hasher)?),
                part => {
                    hasher.update(part).or(Err(NOT_AS_SIGNED))?;
                    left -= part.len() as u64;
                }
            }
        }
        Err(NOT_AS_SIGNED.into())
    }

    fn check(&self, hasher: FileHasher) -> Result<(), Error> {
        match hasher.finish() {
            Ok(found) if found == *self.digest => Ok(()),
            _ => Err(NOT_AS_SIGNED),
        }
    }

    /// Reads the shards that cover a range, verifies them, and returns the range. A file that was hashed whole is read
    /// whole.
    ///
    /// Nothing is returned that was not verified, and nothing is read twice: what is returned is what was verified.
    /// Besides what it returns, it needs 128 KiB. The example [above](SignedFile) reads out of an envelope.
    ///
    /// # Errors
    ///
    /// [`Error::Model`] with [`NotAsSigned`](ModelRefusal::NotAsSigned), wrapped in [`io::Error`], if the source has
    /// another length than was signed or one of these shards was changed;
    /// [`UnexpectedEof`](io::ErrorKind::UnexpectedEof) if the range ends past the end of the file;
    /// [`InvalidInput`](io::ErrorKind::InvalidInput) if its end is before its start or it does not fit into memory;
    /// and the errors of the source.
    pub fn read_range(
        &self,
        source: &(impl ReadAt + ?Sized),
        range: Range<u64>,
    ) -> io::Result<Vec<u8>> {
        let size = size(source)?;
        if self.len().is_some_and(|signed| signed != size) {
            return Err(NOT_AS_SIGNED.into());
        }
        if range.end > size {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let length = range.end.checked_sub(range.start);
        let length = length.and_then(|length| usize::try_from(length).ok());
        let mut verified = SecretBuffer::zeroed(length.ok_or(io::ErrorKind::InvalidInput)?);
        let mut reading = Reading {
            source,
            wanted: range.clone(),
            result: &mut verified,
            unwanted: PageBuffer::zeroed(PART),
        };
        if let Some(whole) = self.digest.whole() {
            reading.verify(0..size, whole)?;
        }
        for shard in self.digest.shards_in(&range) {
            reading.verify(shard.range, &shard.sha256)?;
        }
        Ok(verified.into_vec())
    }
}

const NOT_AS_SIGNED: Error = Error::Model(ModelRefusal::NotAsSigned);

/// Where a range is read from, and where to.
struct Reading<'a, S: ?Sized> {
    source: &'a S,
    wanted: Range<u64>,
    result: &'a mut [u8],
    /// For bytes that are hashed and not returned.
    unwanted: PageBuffer,
}

impl<S: ReadAt + ?Sized> Reading<'_, S> {
    /// Reads a part of the file that has this digest, and keeps what is wanted of it.
    fn verify(&mut self, range: Range<u64>, sha256: &[u8; 32]) -> io::Result<()> {
        let source = self.source;
        let mut hash = Sha256::new();
        let mut position = range.start;
        while position < range.end {
            let (buffer, end) = self.buffer(position);
            let length = end.min(range.end) - position;
            let length = usize::try_from(length).map_or(PART, |length| length.min(PART));
            let part = &mut buffer[..length];
            read_exact_at(source, part, position)?;
            hash.update(&*part);
            position += length as u64;
        }
        if hash.finalize()[..] == *sha256 { Ok(()) } else { Err(NOT_AS_SIGNED.into()) }
    }

    /// Where the byte at this position of the file goes, with what follows it up to the end that is returned.
    fn buffer(&mut self, position: u64) -> (&mut [u8], u64) {
        let Range { start, end } = self.wanted;
        if (start..end).contains(&position) {
            (&mut self.result[(position - start) as usize..], end)
        } else if position < start {
            (&mut self.unwanted, start)
        } else {
            (&mut self.unwanted, u64::MAX)
        }
    }
}
