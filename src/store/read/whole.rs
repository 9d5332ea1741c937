//! A whole object, by one request.

use std::sync::Arc;

use futures_util::{StreamExt, TryStreamExt, stream};
use object_store::{GetOptions, GetResult, GetResultPayload, ObjectStore, Result, path::Path};

use super::{FIRST, blocks, layout::Layout, object::Object, source::Source};
use crate::store::{failure, object::START, sealed_store::Inside};

/// A whole object. Its length is authentic when its stream has ended.
pub(in crate::store) struct Whole {
    pub(in crate::store) result: GetResult,
    /// The epoch that it is under.
    pub(in crate::store) epoch: u32,
}

/// Reads all of an object. The options have no range.
pub(in crate::store) async fn whole(
    store: &Inside,
    location: &Path,
    options: GetOptions,
) -> Result<Whole> {
    store.state.current(&store.source).await?;
    let answer = store.inner().get_opts(&store.paths().inner(location), options).await?;
    let layout = Layout::new(answer.meta.size).ok_or_else(|| failure::foreign(location))?;
    let size = layout.sealed_len();
    let mut source = Source::new(answer.payload, &answer.range, &(0..size))?;
    let is_small = size <= FIRST;
    let mut first = source.take(if is_small { size as usize } else { START }).await?;
    let chunks = first.split_off(START);
    let start = first[..].try_into().expect("it was split there");
    let object = Arc::new(Object::new(store, location, answer.meta, start).await?);
    let sealed = match source {
        Source::File { .. } if is_small => chunks.into(),
        rest => rest.preceded_by(chunks),
    };
    let range = 0..layout.plaintext_len();
    let mut plaintext = blocks::open(Arc::clone(&object), layout.all(), range.clone(), sealed);
    if is_small {
        // It is all there, so that what is wrong with it is known now.
        let opened: Vec<_> = plaintext.try_collect().await?;
        plaintext = stream::iter(opened.into_iter().map(Ok)).boxed();
    }
    let result = GetResult {
        payload: GetResultPayload::Stream(plaintext),
        meta: object.outer(location, object.meta.clone()),
        range,
        attributes: answer.attributes,
        extensions: answer.extensions,
    };
    Ok(Whole { result, epoch: object.epoch() })
}
