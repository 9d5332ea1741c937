//! An object whose key is known: its chunks are opened in any order.

use std::ops::Range;

use bytes::Bytes;
use object_store::{ObjectMeta, Result, path::Path};

use super::layout::Layout;
use crate::{
    error::{Error, StoreRefusal},
    secret::SecretBuffer,
    store::{
        failure,
        object::{self, START},
        pieces::Pieces,
        sealed_store::Inside,
    },
    stream::{CHUNK, ChunkKey},
};

/// One version of an object: its key, and where its chunks are.
pub(in crate::store) struct Object {
    key: ChunkKey,
    epoch: u32,
    pub(super) layout: Layout,
    /// As the inner store says it.
    pub(super) meta: ObjectMeta,
}

impl Object {
    /// From an object's first bytes. Its length is not authentic before its last chunk was opened.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] if these are no object's bytes, [`Error::Store`] for its epoch, [`Error::Open`] if it is not
    /// sealed for this path, store and context.
    pub(super) async fn new(
        store: &Inside,
        location: &Path,
        meta: ObjectMeta,
        start: &[u8; START],
    ) -> Result<Self> {
        let layout = Layout::new(meta.size).ok_or_else(|| failure::foreign(location))?;
        let reason = "it does not begin as an object that this version can read";
        let epoch = object::epoch(start).ok_or(Error::Invalid { what: "sealed object", reason })?;
        if epoch < store.not_before() {
            return Err(Error::Store(StoreRefusal::OldEpoch).into());
        }
        let epoch_key = store.state.epoch(&store.source, epoch).await?;
        let key = epoch_key.open(store.context(), location.as_ref(), start)?;
        Ok(Self { key, epoch, layout, meta })
    }

    pub(in crate::store) fn epoch(&self) -> u32 {
        self.epoch
    }

    /// The object's properties as callers see them.
    pub(super) fn outer(&self, location: &Path, inner: ObjectMeta) -> ObjectMeta {
        ObjectMeta { location: location.clone(), size: self.layout.plaintext_len(), ..inner }
    }

    /// Opens chunks from their bytes.
    pub(super) fn open(
        &self,
        chunks: Range<u64>,
        wanted: &Range<u64>,
        mut sealed: Pieces,
    ) -> Result<Bytes, Error> {
        let mut opened = Opened::new(self, &chunks, wanted);
        for index in chunks {
            let sealed = sealed.take_joined(self.layout.len_of(&(index..index + 1)));
            opened.append(index, &sealed)?;
        }
        Ok(opened.finish())
    }
}

/// The wanted part of some chunks' plaintext. The rest of it does not leave.
pub(super) struct Opened<'a> {
    object: &'a Object,
    wanted: &'a Range<u64>,
    plaintext: SecretBuffer,
}

impl<'a> Opened<'a> {
    /// With room for what is wanted of these chunks.
    pub(super) fn new(object: &'a Object, chunks: &Range<u64>, wanted: &'a Range<u64>) -> Self {
        let chunk = CHUNK as u64;
        let (start, end) = (chunks.start * chunk, chunks.end * chunk);
        let room = wanted.end.min(end).saturating_sub(wanted.start.max(start));
        Self { object, wanted, plaintext: SecretBuffer::with_capacity(room as usize) }
    }

    /// Opens one chunk with its tag behind it, and appends what is wanted of it.
    pub(super) fn append(&mut self, index: u64, sealed: &[u8]) -> Result<(), Error> {
        let (chunk, tag) = sealed.split_last_chunk().ok_or(Error::Open)?;
        let range = self.object.layout.plaintext_of(index);
        if chunk.len() as u64 != range.end - range.start {
            return Err(Error::Open);
        }
        let within =
            |position: u64| (position.clamp(range.start, range.end) - range.start) as usize;
        let wanted = within(self.wanted.start)..within(self.wanted.end);
        if wanted.len() == chunk.len() {
            let filled = self.plaintext.len();
            // Within the capacity, so nothing moves.
            self.plaintext.as_mut_vec().resize(filled + chunk.len(), 0);
            let room = &mut self.plaintext[filled..];
            self.object.key.open_chunk_into(index, chunk, room, tag)
        } else {
            let mut whole = SecretBuffer::zeroed(chunk.len());
            self.object.key.open_chunk_into(index, chunk, &mut whole, tag)?;
            self.plaintext.extend_from_slice(&whole[wanted]);
            Ok(())
        }
    }

    pub(super) fn finish(self) -> Bytes {
        self.plaintext.into_vec().into()
    }
}
