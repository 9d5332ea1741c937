//! Sealed bytes from an inner store, in order: a stream, or a file.

use std::{fs::File, io, ops::Range, path::PathBuf, sync::Arc};

use bytes::Bytes;
use futures_util::{
    StreamExt,
    stream::{self, BoxStream},
};
use object_store::{GetResultPayload, Result};

use crate::{
    store::{offload, pieces::Pieces},
    stream::read_exact_at,
};

/// An object's bytes from some position on.
pub(super) enum Source {
    Stream { ready: Pieces, rest: BoxStream<'static, Result<Bytes>> },
    File { file: LocalFile, position: u64 },
}

/// A file that an inner store opened. It stays the same version whatever happens to its name.
#[derive(Clone)]
pub(super) struct LocalFile {
    file: Arc<File>,
    path: PathBuf,
}

impl LocalFile {
    /// Fills the buffer.
    pub(super) fn read(&self, buffer: &mut [u8], position: u64) -> Result<()> {
        read_exact_at(&*self.file, buffer, position).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => ends_early(),
            kind => broken(io::Error::new(kind, format!("{}: {error}", self.path.display()))),
        })
    }
}

impl From<Bytes> for Source {
    fn from(all: Bytes) -> Self {
        Self::Stream { ready: all.into(), rest: stream::empty().boxed() }
    }
}

impl Source {
    /// Of the bytes in an answer.
    ///
    /// # Errors
    ///
    /// If it does not hold the range that was asked for.
    pub(super) fn new(
        payload: GetResultPayload,
        found: &Range<u64>,
        asked: &Range<u64>,
    ) -> Result<Self> {
        if found != asked {
            let message = format!("the inner store returned bytes {found:?} instead of {asked:?}");
            return Err(broken(message));
        }
        Ok(match payload {
            GetResultPayload::Stream(rest) => Self::Stream { ready: Pieces::default(), rest },
            #[cfg(not(target_arch = "wasm32"))]
            GetResultPayload::File(file, path) => {
                Self::File { file: LocalFile { file: Arc::new(file), path }, position: found.start }
            }
        })
    }

    /// With the bytes before it, which came with another answer.
    pub(super) fn preceded_by(self, before: Bytes) -> Self {
        match self {
            Self::Stream { mut ready, rest } => {
                ready.push_front(before);
                Self::Stream { ready, rest }
            }
            Self::File { file, position } => {
                Self::File { file, position: position - before.len() as u64 }
            }
        }
    }

    /// Takes exactly the next bytes off.
    pub(super) async fn take(&mut self, len: usize) -> Result<Bytes> {
        match self {
            Self::Stream { ready, rest } => {
                while ready.len() < len {
                    ready.push(rest.next().await.unwrap_or_else(|| Err(ends_early()))?);
                }
                Ok(ready.take_joined(len))
            }
            Self::File { file, position } => {
                let (file, start) = (file.clone(), *position);
                *position += len as u64;
                offload::blocking(move || {
                    let mut buffer = vec![0; len];
                    file.read(&mut buffer, start)?;
                    Ok(buffer.into())
                })
                .await?
            }
        }
    }
}

/// The inner store returned fewer bytes than the object has.
pub(super) fn ends_early() -> object_store::Error {
    broken("the inner store's answer ends before the object")
}

/// The inner store does not do what it says.
pub(in crate::store) fn broken(
    what: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> object_store::Error {
    object_store::Error::Generic { store: "SealedStore", source: what.into() }
}
