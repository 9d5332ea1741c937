//! Writing a whole object.

use std::sync::Arc;

use futures_util::stream;
use object_store::{
    ObjectStore, PutMode, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
    path::Path,
};

use super::{
    multipart::{self, WHOLE},
    object::START,
    sealed_store::Inside,
    sealing,
};
use crate::{
    error::{Error, StoreRefusal},
    stream::ChunkKey,
};

/// Seals it under the newest epoch. The mode, the attributes and the tags are for the inner store.
///
/// What is long goes in parts if the mode allows that, so that writing does not wait for sealing, and memory holds only
/// some of what is sealed.
pub(super) async fn put(
    store: &Arc<Inside>,
    location: &Path,
    payload: PutPayload,
    options: PutOptions,
) -> Result<PutResult> {
    if payload.content_length() as u64 > WHOLE && options.mode == PutMode::Overwrite {
        let PutOptions { mode: _, tags, attributes, extensions } = options;
        let options = PutMultipartOptions { tags, attributes, extensions };
        return in_parts(store, location, payload, options).await;
    }
    let (_, key, start) = newest(store, location).await?;
    let sealed = sealing::seal_all(key, &start, payload).await?;
    store.inner().put_opts(&store.paths().inner(location), sealed.into(), options).await
}

/// If a newer epoch begins meanwhile, once more under that one.
async fn in_parts(
    store: &Arc<Inside>,
    location: &Path,
    payload: PutPayload,
    options: PutMultipartOptions,
) -> Result<PutResult> {
    let size = payload.content_length() as u64;
    let mut again = true;
    loop {
        let upload = multipart::begin(store, location, options.clone()).await?;
        let pieces = payload.clone().into_iter().map(Ok);
        let done = upload.all_of(stream::iter(pieces), size).await;
        match &done {
            Err(error) if again && is_new_epoch(error) => again = false,
            _ => return done,
        }
    }
}

fn is_new_epoch(error: &object_store::Error) -> bool {
    matches!(Error::inside(error), Some(Error::Store(StoreRefusal::NewEpoch)))
}

/// The newest epoch, the key of a new object under it, and the bytes before its chunks.
pub(super) async fn newest(
    store: &Inside,
    location: &Path,
) -> Result<(u32, ChunkKey, [u8; START])> {
    let current = store.state.current(&store.source).await?;
    let epoch = current.objects.newest().ok_or(Error::Store(StoreRefusal::Malformed))?;
    let (key, start) = epoch.seal(store.context(), location.as_ref())?;
    Ok((epoch.epoch(), key, start))
}
