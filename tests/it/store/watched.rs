//! An inner store that notes each call, and fails where a test wants it to.

use std::{
    fmt,
    ops::Range,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::{self, BoxStream, StreamExt, TryStreamExt};
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, PutMultipartOptions, PutOptions, PutPayload, PutResult, RenameOptions, Result,
    UploadPart, path::Path,
};

/// What an inner store is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    Put,
    Multipart,
    Part,
    Complete,
    Abort,
    Get,
    Head,
    Delete,
    List,
    Copy,
    Rename,
}

/// One call.
#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) kind: Kind,
    pub(super) path: Path,
    /// How many calls there were before.
    pub(super) number: usize,
}

/// What becomes of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Pass,
    /// It fails, and has done nothing.
    Fail,
    /// It is done, and fails nevertheless: the answer was lost.
    DoneButFail,
}

type Judge = dyn Fn(&Call) -> Verdict + Send + Sync;

/// Passes calls on to another store.
pub(super) struct Watched {
    inner: Arc<dyn ObjectStore>,
    judge: Arc<Mutex<Arc<Judge>>>,
    calls: Arc<Mutex<Vec<Call>>>,
    older: Mutex<Duration>,
}

impl Watched {
    pub(super) fn new(inner: Arc<dyn ObjectStore>) -> Arc<Self> {
        let judge: Arc<Judge> = Arc::new(|_| Verdict::Pass);
        let judge = Arc::new(Mutex::new(judge));
        Arc::new(Self { inner, judge, calls: Arc::default(), older: Mutex::default() })
    }

    /// From now on, what a `get` or `head` finds seems to be older than it is.
    pub(super) fn make_older(&self, by: Duration) {
        *self.older.lock().unwrap() = by;
    }

    /// From now on, calls are judged like this, and counted from 0.
    pub(super) fn judge(&self, judge: impl Fn(&Call) -> Verdict + Send + Sync + 'static) {
        self.calls.lock().unwrap().clear();
        *self.judge.lock().unwrap() = Arc::new(judge);
    }

    /// The calls since the last judge came.
    pub(super) fn calls(&self) -> Vec<Call> {
        self.calls.lock().unwrap().clone()
    }

    fn call(&self, kind: Kind, path: &Path) -> Verdict {
        judged(&self.judge, &self.calls, kind, path)
    }
}

fn judged(judge: &Mutex<Arc<Judge>>, calls: &Mutex<Vec<Call>>, kind: Kind, path: &Path) -> Verdict {
    let judge = Arc::clone(&judge.lock().unwrap());
    let call = {
        let mut calls = calls.lock().unwrap();
        let call = Call { kind, path: path.clone(), number: calls.len() };
        calls.push(call.clone());
        call
    };
    judge(&call)
}

/// The error of a call that was to fail.
pub(super) fn fault() -> Error {
    Error::Generic { store: "Watched", source: "the connection was lost".into() }
}

impl Verdict {
    async fn of<T>(self, work: impl Future<Output = Result<T>>) -> Result<T> {
        match self {
            Self::Pass => work.await,
            Self::Fail => Err(fault()),
            Self::DoneButFail => {
                work.await?;
                Err(fault())
            }
        }
    }
}

#[async_trait]
impl ObjectStore for Watched {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        opts: PutOptions,
    ) -> Result<PutResult> {
        let verdict = self.call(Kind::Put, location);
        verdict.of(self.inner.put_opts(location, payload, opts)).await
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        opts: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        let verdict = self.call(Kind::Multipart, location);
        let upload = verdict.of(self.inner.put_multipart_opts(location, opts)).await?;
        Ok(Box::new(WatchedUpload {
            upload,
            path: location.clone(),
            judge: Arc::clone(&self.judge),
            calls: Arc::clone(&self.calls),
        }))
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        let kind = if options.head { Kind::Head } else { Kind::Get };
        let verdict = self.call(kind, location);
        let mut found = verdict.of(self.inner.get_opts(location, options)).await?;
        found.meta.last_modified -= *self.older.lock().unwrap();
        Ok(found)
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        let verdict = self.call(Kind::Get, location);
        verdict.of(self.inner.get_ranges(location, ranges)).await
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        let (inner, judge, calls) =
            (Arc::clone(&self.inner), Arc::clone(&self.judge), Arc::clone(&self.calls));
        locations
            .and_then(move |path| {
                let verdict = judged(&judge, &calls, Kind::Delete, &path);
                let inner = Arc::clone(&inner);
                async move {
                    let one = stream::iter([Ok(path.clone())]).boxed();
                    let work = async { inner.delete_stream(one).try_collect::<Vec<_>>().await };
                    verdict.of(work).await.map(|_| path)
                }
            })
            .boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        match self.call(Kind::List, prefix.unwrap_or(&Path::default())) {
            Verdict::Pass => self.inner.list(prefix),
            _ => stream::iter([Err(fault())]).boxed(),
        }
    }

    fn list_with_offset(
        &self,
        prefix: Option<&Path>,
        offset: &Path,
    ) -> BoxStream<'static, Result<ObjectMeta>> {
        match self.call(Kind::List, prefix.unwrap_or(&Path::default())) {
            Verdict::Pass => self.inner.list_with_offset(prefix, offset),
            _ => stream::iter([Err(fault())]).boxed(),
        }
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        let verdict = self.call(Kind::List, prefix.unwrap_or(&Path::default()));
        verdict.of(self.inner.list_with_delimiter(prefix)).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        let verdict = self.call(Kind::Copy, to);
        verdict.of(self.inner.copy_opts(from, to, options)).await
    }

    async fn rename_opts(&self, from: &Path, to: &Path, options: RenameOptions) -> Result<()> {
        let verdict = self.call(Kind::Rename, to);
        verdict.of(self.inner.rename_opts(from, to, options)).await
    }
}

struct WatchedUpload {
    upload: Box<dyn MultipartUpload>,
    path: Path,
    judge: Arc<Mutex<Arc<Judge>>>,
    calls: Arc<Mutex<Vec<Call>>>,
}

impl WatchedUpload {
    fn call(&self, kind: Kind) -> Verdict {
        judged(&self.judge, &self.calls, kind, &self.path)
    }
}

#[async_trait]
impl MultipartUpload for WatchedUpload {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        let verdict = self.call(Kind::Part);
        match verdict {
            Verdict::Fail => Box::pin(async { Err(fault()) }),
            _ => {
                let part = self.upload.put_part(data);
                Box::pin(verdict.of(part))
            }
        }
    }

    async fn complete(&mut self) -> Result<PutResult> {
        let verdict = self.call(Kind::Complete);
        verdict.of(self.upload.complete()).await
    }

    async fn abort(&mut self) -> Result<()> {
        let verdict = self.call(Kind::Abort);
        verdict.of(self.upload.abort()).await
    }
}

impl fmt::Debug for WatchedUpload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WatchedUpload({})", self.path)
    }
}

impl fmt::Display for Watched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Watched({})", self.inner)
    }
}

impl fmt::Debug for Watched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Watched({:?})", self.inner)
    }
}
