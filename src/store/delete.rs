//! Deleting objects.

use std::sync::Arc;

use futures_util::{StreamExt, stream::BoxStream};
use object_store::{ObjectStore, Result, path::Path};

use super::{failure, paths::Paths, sealed_store::Inside};

pub(super) fn delete(
    store: &Arc<Inside>,
    locations: BoxStream<'static, Result<Path>>,
) -> BoxStream<'static, Result<Path>> {
    let inside = Arc::clone(store);
    let inner = locations.map(move |location| {
        let location = location?;
        if !Paths::is_for_callers(&location) {
            return Err(failure::not_found(&location));
        }
        Ok(inside.paths().inner(&location))
    });
    let inside = Arc::clone(store);
    let outer = move |inner: Path| inside.paths().outer(&inner).unwrap_or(inner);
    let deleted = store.inner().delete_stream(inner.boxed());
    deleted.map(move |location| location.map(&outer)).boxed()
}
