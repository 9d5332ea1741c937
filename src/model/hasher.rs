//! Hashes a file that is written to it.

use std::{
    fmt,
    io::{self, Write},
    mem,
};

use sha2::{Digest, Sha256};

use super::{
    contents::{MAX_RESOURCES, Method},
    file_digest::{Digests, FileDigest},
};
use crate::error::{Error, ModelRefusal};

/// Hashes one file that is written to it, in constant memory.
///
/// ```
/// use std::{fs::File, io};
///
/// use twinseal::model::{FileHasher, ManifestBuilder, Method};
///
/// # let file = tempfile::NamedTempFile::new()?;
/// # std::fs::write(&file, [7; 100_000])?;
/// # let path = file.path();
/// let mut hasher = FileHasher::new(Method::Files);
/// io::copy(&mut File::open(path)?, &mut hasher)?;
/// let mut model = ManifestBuilder::new("run-7")?;
/// model.add("weights", hasher.finish()?)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct FileHasher {
    method: Method,
    /// Of the file, or of the shard that is not full yet.
    hash: Sha256,
    /// How many bytes were written.
    length: u64,
    /// Of the shards that are full.
    digests: Vec<[u8; 32]>,
}

impl FileHasher {
    /// By this method.
    #[must_use]
    pub fn new(method: Method) -> Self {
        Self { method, hash: Sha256::new(), length: 0, digests: Vec::new() }
    }

    /// Returns the file's digests.
    ///
    /// # Errors
    ///
    /// [`Error::Model`] with [`EmptyFile`](ModelRefusal::EmptyFile) if nothing was written and the method is
    /// [`Shards`](Method::Shards).
    pub fn finish(mut self) -> Result<FileDigest, Error> {
        let Method::Shards(size) = self.method else {
            return Ok(FileDigest(Digests::Whole(self.hash.finalize().into())));
        };
        if self.length == 0 {
            return Err(Error::Model(ModelRefusal::EmptyFile));
        }
        if self.length % size != 0 {
            self.digests.push(self.hash.finalize().into());
        }
        Ok(FileDigest(Digests::Shards { size, length: self.length, digests: self.digests }))
    }

    pub(super) fn update(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let Method::Shards(size) = self.method else {
            self.hash.update(bytes);
            return Ok(());
        };
        let mut rest = bytes;
        while !rest.is_empty() {
            if self.digests.len() == MAX_RESOURCES {
                return Err(Error::Model(ModelRefusal::TooLarge));
            }
            let missing = size.get() - self.length % size;
            let now =
                usize::try_from(missing).map_or(rest.len(), |missing| missing.min(rest.len()));
            let (now, later) = rest.split_at(now);
            self.hash.update(now);
            self.length += now.len() as u64;
            rest = later;
            if self.length % size == 0 {
                self.digests.push(mem::take(&mut self.hash).finalize().into());
            }
        }
        Ok(())
    }
}

/// It takes all bytes. Its only error is [`TooLarge`](ModelRefusal::TooLarge), for more than 2^20 shards.
impl Write for FileHasher {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.update(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl fmt::Debug for FileHasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FileHasher({:?})", self.method)
    }
}
