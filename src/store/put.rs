//! Writing a whole object.

use std::sync::Arc;

use object_store::{ObjectStore, PutOptions, PutPayload, PutResult, Result, path::Path};

use super::{object::START, sealed_store::Inside, sealing};
use crate::{
    error::{Error, StoreRefusal},
    stream::ChunkKey,
};

/// Seals it under the newest epoch. The mode, the attributes and the tags are for the inner store.
pub(super) async fn put(
    store: &Arc<Inside>,
    location: &Path,
    payload: PutPayload,
    options: PutOptions,
) -> Result<PutResult> {
    let (_, key, start) = newest(store, location).await?;
    let sealed = sealing::seal_all(key, &start, payload).await?;
    store.inner().put_opts(&store.paths().inner(location), sealed.into(), options).await
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
