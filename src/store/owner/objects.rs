//! Looking at all objects of a store, whatever they are under.

use std::time::{Duration, SystemTime};

use futures_util::{StreamExt, TryStreamExt, stream::BoxStream};
use object_store::{GetOptions, GetRange, ObjectMeta, ObjectStore, path::Path};

use crate::store::{object, paths::Paths, sealed_store::Inside};

/// All that is there, with its path and size as the caller sees them; or only its path, if it cannot be an object.
pub(super) fn all(
    inside: &Inside,
) -> BoxStream<'_, object_store::Result<Result<ObjectMeta, Path>>> {
    let listed = inside.inner().list(Some(&inside.paths().inner(&Path::default())));
    let shown = listed.try_filter_map(|meta| std::future::ready(Ok(one(inside, meta))));
    shown.boxed()
}

fn one(inside: &Inside, meta: ObjectMeta) -> Option<Result<ObjectMeta, Path>> {
    let location = inside.paths().outer(meta.location)?;
    if Paths::is_reserved(&location) {
        return None;
    }
    Some(match object::plaintext_len(meta.size) {
        Some(size) => Ok(ObjectMeta { location, size, ..meta }),
        None => Err(location),
    })
}

/// What an inner object says in its first 13 bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Names {
    Epoch(u32),
    /// It is no object.
    None,
    /// It was deleted in the meantime.
    Gone,
}

/// The epoch that an inner object names.
pub(super) async fn epoch(inside: &Inside, inner: &Path) -> object_store::Result<Names> {
    let range = GetRange::Bounded(0..object::HEADER as u64);
    let options = GetOptions { range: Some(range), ..GetOptions::default() };
    match inside.inner().get_opts(inner, options).await {
        Ok(found) => {
            let start = found.bytes().await?;
            let epoch = start.first_chunk().and_then(object::epoch_of_header);
            Ok(epoch.map_or(Names::None, Names::Epoch))
        }
        Err(object_store::Error::NotFound { .. }) => Ok(Names::Gone),
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
