//! Hashes a file that is written to it, beside another writer.

use std::io::{self, Write};

use super::{contents::Method, file_digest::FileDigest};

/// Hashes one file that is written to it.
pub struct FileHasher {}

impl FileHasher {
    /// By this method.
    #[must_use]
    pub fn new(method: Method) -> Self {
        todo!()
    }

    /// The file's digests.
    pub fn finish(self) -> io::Result<FileDigest> {
        todo!()
    }
}

/// Writes to another writer, such as one that seals, and hashes the same bytes on a thread of its own.
pub struct Hashing<W> {
    writer: W,
}

impl<W: Write> Hashing<W> {
    /// Beside this writer, by this method.
    pub fn new(writer: W, method: Method) -> io::Result<Self> {
        todo!()
    }

    /// The writer, which is not finished by this, and the digests.
    pub fn finish(self) -> io::Result<(W, FileDigest)> {
        todo!()
    }
}
