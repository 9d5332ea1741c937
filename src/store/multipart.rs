//! Writing an object in parts.

use std::sync::Arc;

use object_store::{MultipartUpload, PutMultipartOptions, Result, path::Path};

use super::{offload, sealed_store::Inside};

pub(super) async fn begin(
    _store: &Arc<Inside>,
    _location: &Path,
    _options: PutMultipartOptions,
) -> Result<Box<dyn MultipartUpload>> {
    Err(offload::unsupported("multipart"))
}
