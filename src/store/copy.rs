//! Copying and renaming: the path is in the seal, so what is copied is sealed again.

use std::sync::Arc;

use object_store::{CopyOptions, RenameOptions, Result, path::Path};

use super::{offload, sealed_store::Inside};

pub(super) async fn copy(
    _store: &Arc<Inside>,
    _from: &Path,
    _to: &Path,
    _options: CopyOptions,
) -> Result<()> {
    Err(offload::unsupported("copy"))
}

pub(super) async fn rename(
    _store: &Arc<Inside>,
    _from: &Path,
    _to: &Path,
    _options: RenameOptions,
) -> Result<()> {
    Err(offload::unsupported("rename"))
}
