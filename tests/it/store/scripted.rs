//! An inner store that notes what is read from it, and answers as a test wants it to.

use std::{
    fmt, mem,
    ops::Range,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{FutureExt, Stream, StreamExt, stream::BoxStream};
use object_store::{
    CopyOptions, Error, GetOptions, GetRange, GetResult, GetResultPayload, ListResult,
    MultipartUpload, ObjectMeta, ObjectStore, PutMultipartOptions, PutOptions, PutPayload,
    PutResult, RenameOptions, Result, memory::InMemory, path::Path,
};

/// A read of an object that is not the store's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Request {
    pub(super) range: Option<GetRange>,
    pub(super) if_match: Option<String>,
    pub(super) head: bool,
    /// How many bytes the answer has.
    pub(super) bytes: u64,
}

/// What happens before a request, which has this number.
type Before = Box<dyn FnMut(usize, &InMemory) + Send>;

/// What the body of an answer becomes: its number, and which range of the object it is.
type Answer = Box<dyn FnMut(usize, &Range<u64>, Bytes) -> Vec<Result<Bytes>> + Send>;

/// Objects in memory, read through a script. Calls are counted from the last [`Scripted::restart`] on.
#[derive(Default)]
pub(super) struct Scripted {
    pub(super) objects: InMemory,
    script: Mutex<Script>,
    requests: Mutex<Vec<Request>>,
    calls: AtomicUsize,
    /// Bytes of answers that were taken.
    taken: Arc<AtomicUsize>,
}

#[derive(Default)]
pub(super) struct Script {
    /// Whatever is asked for, conditions are met.
    pub(super) ignores_conditions: bool,
    /// Listings are waited for once.
    pub(super) slow_lists: bool,
    /// What keys objects have behind their end, beyond the length that is said.
    pub(super) behind_keys: Option<Vec<Result<Bytes>>>,
    /// No answer has an `ETag`, and no listing.
    pub(super) no_e_tags: bool,
    /// All are weak, so `If-Match` never matches.
    pub(super) weak_e_tags: bool,
    /// The call that fails, of all kinds of reads.
    pub(super) fails: Option<usize>,
    /// The request whose answer begins a byte too late.
    pub(super) misses: Option<usize>,
    pub(super) before: Option<Before>,
    pub(super) answer: Option<Answer>,
}

impl Scripted {
    pub(super) fn new() -> Arc<Self> {
        Arc::default()
    }

    /// From now on, answers are these, and calls are counted anew.
    pub(super) fn restart(&self, script: Script) {
        *self.script.lock().unwrap() = script;
        self.calls.store(0, Ordering::Relaxed);
        self.taken.store(0, Ordering::Relaxed);
        self.requests.lock().unwrap().clear();
    }

    /// The reads since the last time that somebody asked.
    pub(super) fn requests(&self) -> Vec<Request> {
        mem::take(&mut self.requests.lock().unwrap())
    }

    pub(super) fn calls(&self) -> usize {
        self.calls.load(Ordering::Relaxed)
    }

    pub(super) fn taken(&self) -> usize {
        self.taken.load(Ordering::Relaxed)
    }

    /// An object's bytes.
    pub(super) fn bytes(&self, path: &Path) -> Vec<u8> {
        let found = now(self.objects.get_opts(path, GetOptions::default()));
        now(found.unwrap().bytes()).unwrap().to_vec()
    }

    /// Replaces an object's bytes.
    pub(super) fn replace(&self, path: &Path, bytes: &[u8]) {
        replace(&self.objects, path, bytes);
    }

    fn listed(
        &self,
        listed: BoxStream<'static, Result<ObjectMeta>>,
    ) -> BoxStream<'static, Result<ObjectMeta>> {
        let script = self.script.lock().unwrap();
        let (slow, no_e_tags) = (script.slow_lists, script.no_e_tags);
        let listed = listed.map(move |meta| {
            let meta = meta?;
            let e_tag = meta.e_tag.filter(|_| !no_e_tags);
            Ok(ObjectMeta { e_tag, ..meta })
        });
        let later = async move {
            if slow {
                tokio::task::yield_now().await;
            }
            listed
        };
        later.flatten_stream().boxed()
    }

    fn call(&self) -> Result<()> {
        let number = self.calls.fetch_add(1, Ordering::Relaxed);
        match self.script.lock().unwrap().fails {
            Some(fails) if fails == number => Err(fault()),
            _ => Ok(()),
        }
    }
}

pub(super) fn replace(objects: &InMemory, path: &Path, bytes: &[u8]) {
    let bytes = Bytes::copy_from_slice(bytes);
    now(objects.put_opts(path, bytes.into(), PutOptions::default())).unwrap();
}

/// What is in memory does not wait.
pub(super) fn now<T>(future: impl Future<Output = T>) -> T {
    future.now_or_never().expect("a store in memory answers at once")
}

pub(super) fn fault() -> Error {
    Error::Generic { store: "Scripted", source: "the connection was lost".into() }
}

/// Pieces that arrive one by one: each is waited for once.
struct Arriving {
    pieces: std::vec::IntoIter<Result<Bytes>>,
    waited: bool,
    taken: Arc<AtomicUsize>,
}

impl Stream for Arriving {
    type Item = Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.waited = !self.waited;
        if self.waited {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let piece = self.pieces.next();
        if let Some(Ok(piece)) = &piece {
            self.taken.fetch_add(piece.len(), Ordering::Relaxed);
        }
        Poll::Ready(piece)
    }
}

/// Bytes in pieces of a length.
pub(super) fn in_pieces(bytes: &Bytes, len: usize) -> Vec<Result<Bytes>> {
    bytes.chunks(len).map(|piece| Ok(bytes.slice_ref(piece))).collect()
}

#[async_trait]
impl ObjectStore for Scripted {
    async fn get_opts(&self, location: &Path, mut options: GetOptions) -> Result<GetResult> {
        self.call()?;
        if location.as_ref().contains(".twinseal") {
            let mut found = self.objects.get_opts(location, options).await?;
            if let Some(behind) = self.script.lock().unwrap().behind_keys.take() {
                let (range, meta) = (found.range.clone(), found.meta.clone());
                let said = now(found.bytes())?;
                let pieces = futures_util::stream::iter([Ok(said)].into_iter().chain(behind));
                let (attributes, extensions) = Default::default();
                let payload = GetResultPayload::Stream(pieces.boxed());
                found = GetResult { payload, meta, range, attributes, extensions };
            }
            return Ok(found);
        }
        let mut script = self.script.lock().unwrap();
        let mut requests = self.requests.lock().unwrap();
        let number = requests.len();
        if let Some(before) = &mut script.before {
            before(number, &self.objects);
        }
        let (range, if_match, head) =
            (options.range.clone(), options.if_match.clone(), options.head);
        if let (true, Some(GetRange::Bounded(range))) =
            (script.misses == Some(number), &mut options.range)
        {
            *range = range.start + 1..range.end + 1;
        }
        if script.ignores_conditions {
            options.if_match = None;
        }
        let found = now(self.objects.get_opts(location, options));
        let bytes = found.as_ref().map_or(0, |found| found.range.end - found.range.start);
        requests.push(Request { range, if_match, head, bytes: if head { 0 } else { bytes } });
        let mut found = found?;
        if script.no_e_tags {
            found.meta.e_tag = None;
        }
        if script.weak_e_tags {
            found.meta.e_tag = found.meta.e_tag.map(|e_tag| format!("W/{e_tag}"));
        }
        if head {
            return Ok(found);
        }
        let (meta, range, attributes) =
            (found.meta.clone(), found.range.clone(), found.attributes.clone());
        let body = now(found.bytes())?;
        let pieces = match &mut script.answer {
            Some(answer) => answer(number, &range, body),
            None => vec![Ok(body)],
        };
        let (pieces, taken) = (pieces.into_iter(), Arc::clone(&self.taken));
        let payload = GetResultPayload::Stream(Arriving { pieces, waited: false, taken }.boxed());
        Ok(GetResult { payload, meta, range, attributes, extensions: Default::default() })
    }

    async fn get_ranges(&self, _: &Path, _: &[Range<u64>]) -> Result<Vec<Bytes>> {
        unreachable!("sealed ranges have conditions, which this call has not")
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        match self.call() {
            Ok(()) => self.listed(self.objects.list(prefix)),
            Err(error) => futures_util::stream::iter([Err(error)]).boxed(),
        }
    }

    fn list_with_offset(
        &self,
        prefix: Option<&Path>,
        offset: &Path,
    ) -> BoxStream<'static, Result<ObjectMeta>> {
        match self.call() {
            Ok(()) => self.listed(self.objects.list_with_offset(prefix, offset)),
            Err(error) => futures_util::stream::iter([Err(error)]).boxed(),
        }
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.call()?;
        self.objects.list_with_delimiter(prefix).await
    }

    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        opts: PutOptions,
    ) -> Result<PutResult> {
        self.objects.put_opts(location, payload, opts).await
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        opts: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.objects.put_multipart_opts(location, opts).await
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        self.objects.delete_stream(locations)
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.objects.copy_opts(from, to, options).await
    }

    async fn rename_opts(&self, from: &Path, to: &Path, options: RenameOptions) -> Result<()> {
        self.objects.rename_opts(from, to, options).await
    }
}

impl fmt::Display for Scripted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Scripted")
    }
}

impl fmt::Debug for Scripted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Scripted")
    }
}
