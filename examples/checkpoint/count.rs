//! Counts the requests to a bucket, and the bytes both ways.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use futures_util::stream::BoxStream;
use object_store::{
    CopyOptions, GetOptions, GetResult, GetResultPayload, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result, UploadPart,
    path::Path,
};

/// A bucket, counted.
#[derive(Debug)]
pub(crate) struct Counted {
    inner: Arc<dyn ObjectStore>,
    counts: Arc<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    requests: AtomicU64,
    sent: AtomicU64,
    fetched: AtomicU64,
}

impl Counted {
    pub(crate) fn new(inner: Arc<dyn ObjectStore>) -> Arc<Self> {
        Arc::new(Self { inner, counts: Arc::default() })
    }

    /// The requests and the bytes so far, in words.
    pub(crate) fn traffic(&self) -> String {
        let count = |count: &AtomicU64| count.load(Relaxed);
        let Counts { requests, sent, fetched } = &*self.counts;
        let (requests, sent, fetched) = (count(requests), count(sent), count(fetched));
        format!("{requests} requests sent {sent} sealed bytes and fetched {fetched}")
    }
}

impl Counts {
    fn request(&self) {
        self.requests.fetch_add(1, Relaxed);
    }

    fn send(&self, payload: &PutPayload) {
        self.request();
        self.sent.fetch_add(payload.content_length() as u64, Relaxed);
    }
}

impl fmt::Display for Counted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Counted({})", self.inner)
    }
}

#[async_trait::async_trait]
impl ObjectStore for Counted {
    async fn put_opts(&self, to: &Path, bytes: PutPayload, how: PutOptions) -> Result<PutResult> {
        self.counts.send(&bytes);
        self.inner.put_opts(to, bytes, how).await
    }

    async fn put_multipart_opts(
        &self,
        to: &Path,
        how: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.counts.request();
        let upload = self.inner.put_multipart_opts(to, how).await?;
        Ok(Box::new(CountedUpload { upload, counts: self.counts.clone() }))
    }

    async fn get_opts(&self, from: &Path, how: GetOptions) -> Result<GetResult> {
        self.counts.request();
        let head = how.head;
        let found = self.inner.get_opts(from, how).await?;
        if !head {
            self.counts.fetched.fetch_add(found.range.end - found.range.start, Relaxed);
        }
        // Of an open file, more could be read without a request: a directory is counted as a bucket.
        let (meta, range) = (found.meta.clone(), found.range.clone());
        let (attributes, extensions) = (found.attributes.clone(), found.extensions.clone());
        let payload = GetResultPayload::Stream(found.into_stream());
        Ok(GetResult { payload, meta, range, attributes, extensions })
    }

    fn delete_stream(
        &self,
        paths: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        self.counts.request();
        self.inner.delete_stream(paths)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.counts.request();
        self.inner.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.counts.request();
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, how: CopyOptions) -> Result<()> {
        self.counts.request();
        self.inner.copy_opts(from, to, how).await
    }
}

#[derive(Debug)]
struct CountedUpload {
    upload: Box<dyn MultipartUpload>,
    counts: Arc<Counts>,
}

#[async_trait::async_trait]
impl MultipartUpload for CountedUpload {
    fn put_part(&mut self, part: PutPayload) -> UploadPart {
        self.counts.send(&part);
        self.upload.put_part(part)
    }

    async fn complete(&mut self) -> Result<PutResult> {
        self.counts.request();
        self.upload.complete().await
    }

    async fn abort(&mut self) -> Result<()> {
        self.counts.request();
        self.upload.abort().await
    }
}
