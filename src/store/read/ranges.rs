//! Many ranges of one version of an object.

use std::{ops::Range, sync::Arc};

use bytes::Bytes;
use futures_util::future::try_join;
use object_store::{
    GetOptions, GetRange, OBJECT_STORE_COALESCE_DEFAULT, coalesce_ranges, path::Path,
};

use super::{
    source::broken,
    version::{Failure, Version},
};
use crate::{error::Error, store::sealed_store::Inside};

/// Reads ranges of an object. Those that are near to each other are fetched by one request.
pub(in crate::store) async fn ranges(
    store: &Arc<Inside>,
    location: &Path,
    ranges: &[Range<u64>],
) -> Result<Vec<Bytes>, Failure> {
    let options = GetOptions::default();
    let current = store.state.current(&store.source).await?;
    if let Some(kept) = Version::kept(store, location, &options, &current)
        && let Ok(wanted) = within(ranges, kept.layout().plaintext_len())
    {
        let read = read(&kept, &wanted).await;
        return read.map_err(|failure| {
            kept.forget();
            // Nobody has seen anything of it, so that it may be read as if it was never kept.
            if is_not_authentic(&failure) { Failure::Replaced } else { failure }
        });
    }
    let version = Version::open(store, location, &options).await?;
    let wanted = within(ranges, version.layout().plaintext_len())?;
    let (plaintext, ()) = try_join(read(&version, &wanted), version.authenticate()).await?;
    version.keep();
    Ok(plaintext)
}

/// The ranges, each up to the end of the object at most.
fn within(ranges: &[Range<u64>], len: u64) -> Result<Vec<Range<u64>>, Failure> {
    let within = |range: &Range<u64>| GetRange::Bounded(range.clone()).as_range(len);
    let ranges: Result<_, _> = ranges.iter().map(within).collect();
    Ok(ranges.map_err(broken)?)
}

async fn read(version: &Version<'_>, ranges: &[Range<u64>]) -> Result<Vec<Bytes>, Failure> {
    coalesce_ranges(ranges, |range| version.read(range), OBJECT_STORE_COALESCE_DEFAULT).await
}

fn is_not_authentic(failure: &Failure) -> bool {
    let Failure::Error(error) = failure else { return false };
    matches!(Error::inside(error), Some(Error::Open))
}
