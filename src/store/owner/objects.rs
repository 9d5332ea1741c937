//! Looking at all objects of a store, whatever they are under.

use std::time::{Duration, SystemTime};

use futures_util::{StreamExt, TryStreamExt, stream::BoxStream};
use object_store::{GetOptions, GetRange, ObjectMeta, ObjectStore, path::Path};

use crate::store::{object, paths::Paths, sealed_store::Inside};

/// All that can be an object, with its path and size as the caller sees them.
pub(super) fn candidates(inside: &Inside) -> BoxStream<'_, object_store::Result<ObjectMeta>> {
    let listed = inside.inner().list(Some(&inside.paths().inner(&Path::default())));
    let shown = listed.try_filter_map(|meta| std::future::ready(Ok(candidate(inside, meta))));
    shown.boxed()
}

fn candidate(inside: &Inside, meta: ObjectMeta) -> Option<ObjectMeta> {
    let location = inside.paths().outer(&meta.location)?;
    let size = object::plaintext_len(meta.size)?;
    (!Paths::is_reserved(&location)).then_some(ObjectMeta { location, size, ..meta })
}

/// The epoch that an inner object names in its first 13 bytes; `None` if it was deleted in the meantime, or is no
/// object.
pub(super) async fn epoch(inside: &Inside, inner: &Path) -> object_store::Result<Option<u32>> {
    let range = GetRange::Bounded(0..object::HEADER as u64);
    let options = GetOptions { range: Some(range), ..GetOptions::default() };
    match inside.inner().get_opts(inner, options).await {
        Ok(found) => Ok(found.bytes().await?.first_chunk().and_then(object::epoch_of_header)),
        Err(object_store::Error::NotFound { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

pub(super) async fn head(inside: &Inside, inner: &Path) -> object_store::Result<ObjectMeta> {
    let options = GetOptions { head: true, ..GetOptions::default() };
    Ok(inside.inner().get_opts(inner, options).await?.meta)
}

/// How long an object has been there, by the bucket's date and this clock. One of the future is not old.
pub(super) fn age(meta: &ObjectMeta) -> Duration {
    SystemTime::now().duration_since(meta.last_modified.into()).unwrap_or(Duration::ZERO)
}
