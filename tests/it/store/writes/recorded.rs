//! An inner store in memory that keeps a copy of all sealed bytes that ever reach it.

use std::{
    fmt,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use async_trait::async_trait;
use futures_util::stream::BoxStream;
use object_store::{
    CopyOptions, Extensions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result, UploadPart,
    memory::InMemory, path::Path,
};

/// Bytes that were sent: a whole object, or a part of one.
#[derive(Clone, Debug)]
pub(super) struct Sent {
    pub(super) path: Path,
    /// Which object: no two have one number.
    pub(super) object: usize,
    /// Which part of it. They are counted as the inner `put_part` was called.
    pub(super) part: usize,
    pub(super) bytes: Vec<u8>,
}

#[derive(Default)]
pub(super) struct Recorded {
    pub(super) inner: InMemory,
    log: Arc<Log>,
}

#[derive(Default)]
struct Log {
    sent: Mutex<Vec<Sent>>,
    objects: AtomicUsize,
    /// Whether the first sending of each part fails, as if the connection were lost.
    twice: AtomicBool,
    /// Of all calls about objects.
    extensions: Mutex<Vec<Extensions>>,
}

impl Recorded {
    pub(super) fn new() -> Arc<Self> {
        Arc::default()
    }

    /// From now on, each part is sent a second time.
    pub(super) fn send_twice(&self) {
        self.log.twice.store(true, Ordering::Relaxed);
    }

    pub(super) fn sent(&self) -> Vec<Sent> {
        self.log.sent.lock().unwrap().clone()
    }

    pub(super) fn extensions(&self) -> Vec<Extensions> {
        self.log.extensions.lock().unwrap().clone()
    }

    /// The objects that were sent to a path, as their parts. A part that was sent twice is there once.
    pub(super) fn objects(&self, path: &Path) -> Vec<Vec<Vec<u8>>> {
        let mut sent = self.sent();
        sent.retain(|sent| sent.path == *path);
        sent.sort_by_key(|sent| (sent.object, sent.part));
        sent.dedup_by_key(|sent| (sent.object, sent.part));
        sent.chunk_by(|one, next| one.object == next.object)
            .map(|parts| parts.iter().map(|part| part.bytes.clone()).collect())
            .collect()
    }
}

impl Log {
    fn object(&self) -> usize {
        self.objects.fetch_add(1, Ordering::Relaxed)
    }

    fn note(&self, path: &Path, extensions: &Extensions) {
        if !path.as_ref().starts_with(".twinseal/keys") {
            self.extensions.lock().unwrap().push(extensions.clone());
        }
    }

    fn send(&self, path: &Path, object: usize, part: usize, payload: &PutPayload) {
        let bytes = payload.iter().flatten().copied().collect();
        let sent = Sent { path: path.clone(), object, part, bytes };
        self.sent.lock().unwrap().push(sent);
    }
}

struct Upload {
    inner: Box<dyn MultipartUpload>,
    log: Arc<Log>,
    path: Path,
    object: usize,
    parts: usize,
}

#[async_trait]
impl MultipartUpload for Upload {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        let (log, path) = (Arc::clone(&self.log), self.path.clone());
        let (object, part) = (self.object, self.parts);
        self.parts += 1;
        let inner = self.inner.put_part(data.clone());
        Box::pin(async move {
            if log.twice.load(Ordering::Relaxed) {
                log.send(&path, object, part, &data);
            }
            // As long as others take, that they end in another order than they begin in.
            for _ in 0..7 * (part + 3) % 5 {
                tokio::task::yield_now().await;
            }
            log.send(&path, object, part, &data);
            inner.await
        })
    }

    async fn complete(&mut self) -> Result<PutResult> {
        self.inner.complete().await
    }

    async fn abort(&mut self) -> Result<()> {
        self.inner.abort().await
    }
}

#[async_trait]
impl ObjectStore for Recorded {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        opts: PutOptions,
    ) -> Result<PutResult> {
        self.log.note(location, &opts.extensions);
        self.log.send(location, self.log.object(), 0, &payload);
        self.inner.put_opts(location, payload, opts).await
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        opts: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.log.note(location, &opts.extensions);
        Ok(Box::new(Upload {
            inner: self.inner.put_multipart_opts(location, opts).await?,
            log: Arc::clone(&self.log),
            path: location.clone(),
            object: self.log.object(),
            parts: 0,
        }))
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        if !options.head {
            self.log.note(location, &options.extensions);
        }
        self.inner.get_opts(location, options).await
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        self.inner.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.inner.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.log.note(to, &options.extensions);
        self.inner.copy_opts(from, to, options).await
    }
}

impl fmt::Debug for Upload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Upload({})", self.path)
    }
}

impl fmt::Debug for Recorded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Recorded")
    }
}

impl fmt::Display for Recorded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Recorded")
    }
}
