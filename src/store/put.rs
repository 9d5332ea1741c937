//! Writing a whole object.

use std::sync::Arc;

use object_store::{PutOptions, PutPayload, PutResult, Result, path::Path};

use super::{offload, sealed_store::Inside};

pub(super) async fn put(
    _store: &Arc<Inside>,
    _location: &Path,
    _payload: PutPayload,
    _options: PutOptions,
) -> Result<PutResult> {
    Err(offload::unsupported("put"))
}
