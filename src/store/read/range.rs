//! A range of an object: three requests at most, and one if an earlier read opened the object.

use std::{ops::Range, sync::Arc};

use bytes::Bytes;
use futures_util::{
    StreamExt, TryStreamExt,
    future::try_join,
    stream::{self, BoxStream},
};
use object_store::{GetOptions, GetRange, GetResult, path::Path};

use super::{
    source::broken,
    version::{Failure, Version},
};
use crate::store::sealed_store::Inside;

/// Up to this length, chunks are fetched together with the last one that they reach. Longer ranges begin to leave
/// before their end is there, so that the last chunk, which authenticates the length, is fetched beside them.
const TOGETHER: usize = 1024 * 1024;

/// Reads a range of an object.
pub(in crate::store) async fn range(
    store: &Arc<Inside>,
    location: &Path,
    options: &GetOptions,
    range: &GetRange,
) -> Result<GetResult, Failure> {
    range.is_valid().map_err(broken)?;
    let current = store.state.current(&store.source).await?;
    if let Some(kept) = Version::kept(store, location, options, &current)
        && let Ok(wanted) = range.as_range(kept.layout().plaintext_len())
        && !wanted.is_empty()
    {
        return again(kept, wanted).await;
    }
    let version = Version::open(store, location, options).await?;
    let wanted = range.as_range(version.layout().plaintext_len()).map_err(broken)?;
    let plaintext = opened(&version, wanted.clone()).await?;
    version.keep();
    Ok(version.into_result(None, wanted, plaintext))
}

/// Of a version that this read opens: its length is authentic when this returns.
async fn opened(
    version: &Version<'_>,
    wanted: Range<u64>,
) -> Result<BoxStream<'static, object_store::Result<Bytes>>, Failure> {
    let chunks = version.layout().holding(&wanted);
    let end = version.layout().all().end;
    let to_the_end = chunks.start..end;
    if chunks.end + 1 >= end && version.layout().len_of(&to_the_end) <= TOGETHER {
        let (plaintext, _) = version.open_chunks(to_the_end, wanted).await?;
        let plaintext: Vec<_> = plaintext.try_collect().await?;
        return Ok(stream::iter(plaintext.into_iter().map(Ok)).boxed());
    }
    let read = version.open_chunks(chunks, wanted);
    let ((plaintext, _), ()) = try_join(read, version.authenticate()).await?;
    Ok(plaintext)
}

/// Of a version that an earlier read opened.
async fn again(kept: Version<'_>, wanted: Range<u64>) -> Result<GetResult, Failure> {
    let chunks = kept.layout().holding(&wanted);
    match kept.open_chunks(chunks, wanted.clone()).await {
        Ok((plaintext, properties)) => {
            let plaintext = plaintext.inspect_err(kept.forgets()).boxed();
            Ok(kept.into_result(properties, wanted, plaintext))
        }
        Err(failure) => {
            kept.forget();
            Err(failure)
        }
    }
}
