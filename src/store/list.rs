//! Listings: plaintext sizes, and nothing of the store's own.

use std::sync::Arc;

use futures_util::{StreamExt, future, stream::BoxStream};
use object_store::{ListResult, ObjectMeta, ObjectStore, Result, path::Path};

use super::{failure, object, paths::Paths, sealed_store::Inside};

pub(super) fn list(
    store: &Arc<Inside>,
    prefix: Option<&Path>,
) -> BoxStream<'static, Result<ObjectMeta>> {
    let listed = store.inner().list(Some(&within(store, prefix)));
    shown(store, listed)
}

pub(super) fn list_with_offset(
    store: &Arc<Inside>,
    prefix: Option<&Path>,
    offset: &Path,
) -> BoxStream<'static, Result<ObjectMeta>> {
    let offset = store.paths().inner(offset);
    let listed = store.inner().list_with_offset(Some(&within(store, prefix)), &offset);
    shown(store, listed)
}

pub(super) async fn list_with_delimiter(
    store: &Arc<Inside>,
    prefix: Option<&Path>,
) -> Result<ListResult> {
    let listed = store.inner().list_with_delimiter(Some(&within(store, prefix))).await?;
    let outer = |inner: Path| store.paths().outer(inner).filter(|path| !Paths::is_reserved(path));
    Ok(ListResult {
        common_prefixes: listed.common_prefixes.into_iter().filter_map(outer).collect(),
        objects: listed
            .objects
            .into_iter()
            .filter_map(|meta| show(store, meta).transpose())
            .collect::<Result<_>>()?,
        extensions: listed.extensions,
    })
}

fn within(store: &Inside, prefix: Option<&Path>) -> Path {
    store.paths().inner(prefix.unwrap_or(&Path::default()))
}

fn shown(
    store: &Arc<Inside>,
    listed: BoxStream<'static, Result<ObjectMeta>>,
) -> BoxStream<'static, Result<ObjectMeta>> {
    let store = Arc::clone(store);
    let shown =
        move |meta: Result<_>| future::ready(meta.and_then(|meta| show(&store, meta)).transpose());
    listed.filter_map(shown).boxed()
}

/// What a caller sees of an object; `None` if nothing.
fn show(store: &Inside, meta: ObjectMeta) -> Result<Option<ObjectMeta>> {
    let ObjectMeta { location, size, .. } = meta;
    let Some(location) = store.paths().outer(location) else { return Ok(None) };
    if Paths::is_reserved(&location) {
        return Ok(None);
    }
    match object::plaintext_len(size) {
        Some(size) => Ok(Some(ObjectMeta { location, size, ..meta })),
        None if store.leaves_out_foreign() => Ok(None),
        None => Err(failure::foreign(&location)),
    }
}
