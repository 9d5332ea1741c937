//! Reading an object, or ranges of one.

use std::{ops::Range, sync::Arc};

use bytes::Bytes;
use object_store::{GetOptions, GetResult, Result, path::Path};

use super::{offload, sealed_store::Inside};

pub(super) async fn get(
    _store: &Arc<Inside>,
    _location: &Path,
    _options: GetOptions,
) -> Result<GetResult> {
    Err(offload::unsupported("get"))
}

pub(super) async fn ranges(
    _store: &Arc<Inside>,
    _location: &Path,
    _ranges: &[Range<u64>],
) -> Result<Vec<Bytes>> {
    Err(offload::unsupported("ranges"))
}
