//! Reading an object, or ranges of one.

use std::{ops::Range, sync::Arc};

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use object_store::{
    GetOptions, GetResult, GetResultPayload, ObjectMeta, ObjectStore, Result, path::Path,
};

use super::{
    failure, object,
    read::{self, Failure},
    sealed_store::Inside,
};

/// How often a read begins again because its object was replaced.
const AGAIN: usize = 3;

pub(super) async fn get(
    store: &Arc<Inside>,
    location: &Path,
    options: GetOptions,
) -> Result<GetResult> {
    if options.head {
        return head(store, location, options).await;
    }
    let Some(range) = options.range.clone() else {
        return Ok(read::whole(store, location, options).await?.result);
    };
    until_it_stays(location, || read::range(store, location, &options, &range)).await
}

pub(super) async fn ranges(
    store: &Arc<Inside>,
    location: &Path,
    ranges: &[Range<u64>],
) -> Result<Vec<Bytes>> {
    if ranges.is_empty() {
        return Ok(Vec::new());
    }
    until_it_stays(location, || read::ranges(store, location, ranges)).await
}

/// What the inner store says, with the length of the plaintext. No key is needed, and nothing is authentic.
async fn head(store: &Inside, location: &Path, mut options: GetOptions) -> Result<GetResult> {
    let range = options.range.take();
    let answer = store.inner().get_opts(&store.paths().inner(location), options).await?;
    let size = object::plaintext_len(answer.meta.size).ok_or_else(|| failure::foreign(location))?;
    let range = match range {
        Some(range) => range.as_range(size).map_err(read::broken)?,
        None => 0..size,
    };
    Ok(GetResult {
        payload: GetResultPayload::Stream(stream::empty().boxed()),
        meta: ObjectMeta { location: location.clone(), size, ..answer.meta },
        range,
        attributes: answer.attributes,
        extensions: answer.extensions,
    })
}

/// Reads again if the object was replaced in the meantime.
async fn until_it_stays<T, R: Future<Output = Result<T, Failure>>>(
    location: &Path,
    read: impl Fn() -> R,
) -> Result<T> {
    for _ in 0..=AGAIN {
        match read().await {
            Ok(read) => return Ok(read),
            Err(Failure::Error(error)) => return Err(error),
            Err(Failure::Replaced) => {}
        }
    }
    Err(read::broken(format!("{location} was replaced each time that it was read")))
}
