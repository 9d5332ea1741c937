//! The trait of object stores, for a sealed one.

use std::ops::Range;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream::BoxStream};
use object_store::{
    CopyOptions, GetOptions, GetResult, GetResultPayload, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, PutMultipartOptions, PutOptions, PutPayload, PutResult, RenameOptions, Result,
    path::Path,
};

use super::{SealedStore, copy, delete, failure, get, list, multipart, paths::Paths, put};

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl ObjectStore for SealedStore {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        opts: PutOptions,
    ) -> Result<PutResult> {
        writable(location)?;
        put::put(&self.0, location, payload, opts).await
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        opts: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        writable(location)?;
        Ok(Box::new(multipart::begin(&self.0, location, opts).await?))
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        readable(location)?;
        let found = get::get(&self.0, location, options).await;
        Ok(about(location.clone(), found.map_err(|error| failure::at_object(location, error))?))
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        readable(location)?;
        let found = get::ranges(&self.0, location, ranges).await;
        found.map_err(|error| failure::at_object(location, error))
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        delete::delete(&self.0, locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        list::list(&self.0, prefix)
    }

    fn list_with_offset(
        &self,
        prefix: Option<&Path>,
        offset: &Path,
    ) -> BoxStream<'static, Result<ObjectMeta>> {
        list::list_with_offset(&self.0, prefix, offset)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        list::list_with_delimiter(&self.0, prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        readable(from)?;
        writable(to)?;
        let copied = copy::copy(&self.0, from, to, options).await;
        copied.map_err(|error| failure::at_object(from, error))
    }

    async fn rename_opts(&self, from: &Path, to: &Path, options: RenameOptions) -> Result<()> {
        readable(from)?;
        writable(to)?;
        let renamed = copy::rename(&self.0, from, to, options).await;
        renamed.map_err(|error| failure::at_object(from, error))
    }
}

/// Errors of the stream name the object, too.
fn about(location: Path, found: GetResult) -> GetResult {
    let payload = match found.payload {
        GetResultPayload::Stream(plaintext) => {
            let named = plaintext.map_err(move |error| failure::at_object(&location, error));
            GetResultPayload::Stream(named.boxed())
        }
        #[cfg(not(target_arch = "wasm32"))]
        file @ GetResultPayload::File(..) => file,
    };
    GetResult { payload, ..found }
}

fn readable(path: &Path) -> Result<()> {
    if Paths::is_for_callers(path) { Ok(()) } else { Err(failure::not_found(path)) }
}

fn writable(path: &Path) -> Result<()> {
    if Paths::is_for_callers(path) { Ok(()) } else { Err(failure::denied(path)) }
}
