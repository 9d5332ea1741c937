//! Deleting objects.

use std::sync::{Arc, Mutex, PoisonError};

use futures_util::{
    StreamExt,
    future::ready,
    stream::{self, BoxStream},
};
use object_store::{ObjectStore, Result, path::Path};

use super::{failure, paths::Paths, sealed_store::Inside};

/// A reserved path is refused after all others: between them, its error would keep some stores from deleting the
/// paths that they had collected for one request.
pub(super) fn delete(
    store: &Arc<Inside>,
    locations: BoxStream<'static, Result<Path>>,
) -> BoxStream<'static, Result<Path>> {
    let refused = Arc::new(Mutex::new(Vec::new()));
    let refuse = Arc::clone(&refused);
    let inside = Arc::clone(store);
    let inner = locations.filter_map(move |location| {
        ready(match location {
            Ok(location) if !Paths::is_for_callers(&location) => {
                refuse.lock().unwrap_or_else(PoisonError::into_inner).push(location);
                None
            }
            location => Some(location.map(|location| inside.paths().inner(&location))),
        })
    });
    let inside = Arc::clone(store);
    let outer = move |inner: Path| inside.paths().outer(inner.clone()).unwrap_or(inner);
    let deleted = store.inner().delete_stream(inner.boxed()).map(move |path| path.map(&outer));
    let refused = stream::once(async move {
        let refused = std::mem::take(&mut *refused.lock().unwrap_or_else(PoisonError::into_inner));
        stream::iter(refused).map(|path| Err(failure::not_found(&path)))
    });
    deleted.chain(refused.flatten()).boxed()
}
