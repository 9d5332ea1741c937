//! Writing an object in parts.

mod cutter;
mod queue;

use std::{fmt, mem, sync::Arc, time::Instant};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{FutureExt, Stream, StreamExt, TryStreamExt, future, stream};
use object_store::{
    MultipartUpload, ObjectStore, PutMultipartOptions, PutPayload, PutResult, Result, UploadPart,
    path::Path,
};

use self::queue::{Queue, misuse};
use super::{
    object::START,
    put,
    sealed_store::Inside,
    sealing::{Pieces, Runs},
};
use crate::{
    error::{Error, StoreRefusal},
    secret::SecretBuffer,
    stream::{CHUNK, ChunkKey},
};

/// Longer objects that nobody cut go in parts.
pub(super) const WHOLE: u64 = 64 << 20;

/// How long a part of them is at least. S3 wants 5 MiB.
const PART: u64 = 8 << 20;

/// So many parts are enough for any object: S3 takes 10,000.
const PARTS: u64 = 8192;

/// How many parts of them are in memory.
const AT_ONCE: usize = 4;

/// Under the newest epoch.
pub(super) async fn begin(
    store: &Arc<Inside>,
    location: &Path,
    options: PutMultipartOptions,
) -> Result<Upload> {
    let (epoch, key, start) = put::newest(store, location).await?;
    let outer = location.clone();
    let location = store.paths().inner(location);
    let inner = store.inner().put_multipart_opts(&location, options).await?;
    Ok(Upload::new(store, inner, outer, epoch, Ends::WithItsEpoch, (key, start)))
}

/// When an upload that was begun can be completed.
#[derive(Clone, Copy)]
pub(super) enum Ends {
    /// As long as its epoch is the newest.
    WithItsEpoch,
    /// As long as its epoch can be read.
    WhenItsEpochIsRetired,
}

/// An upload. The inner one is dropped with it.
pub(super) struct Upload {
    store: Arc<Inside>,
    location: Path,
    epoch: u32,
    ends: Ends,
    runs: Runs,
    /// The beginning of a chunk.
    rest: SecretBuffer,
    queue: Arc<Queue>,
    stage: Stage,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Open,
    /// All parts were sent.
    Sent,
    Completed,
    Aborted,
}

impl Upload {
    pub(super) fn new(
        store: &Arc<Inside>,
        inner: Box<dyn MultipartUpload>,
        location: Path,
        epoch: u32,
        ends: Ends,
        (key, start): (ChunkKey, [u8; START]),
    ) -> Self {
        Self {
            store: Arc::clone(store),
            location,
            epoch,
            ends,
            runs: Runs::new(key),
            rest: SecretBuffer::with_capacity(0),
            queue: Queue::new(inner, Bytes::copy_from_slice(&start)),
            stage: Stage::Open,
        }
    }

    /// Sends an object of a known length, in parts, and completes it. If that fails, nothing is left.
    pub(super) async fn all_of(
        mut self,
        plaintext: impl Stream<Item = Result<Bytes>> + Send,
        size: u64,
    ) -> Result<PutResult> {
        let sent = parts(plaintext, size)
            .map(|part| match part {
                Ok(part) => self.put_part(part),
                Err(error) => future::ready(Err(error)).boxed(),
            })
            .buffer_unordered(AT_ONCE)
            .try_for_each(|()| future::ready(Ok(())))
            .await;
        let completed = match sent {
            Ok(()) => self.complete().await,
            Err(error) => Err(error),
        };
        if completed.is_err() {
            // The first error is the one that says why.
            let _ = self.abort().await;
        }
        completed
    }

    fn take(&mut self, payload: PutPayload) -> Result<UploadPart> {
        if self.stage != Stage::Open {
            return Err(self.ended());
        }
        let mut plaintext = self.take_rest();
        let len = payload.content_length();
        payload.into_iter().for_each(|piece| plaintext.push(piece));
        let mut runs = Vec::new();
        while let Some(run) = self.runs.next_of(&mut plaintext, false) {
            runs.push(run);
        }
        self.keep_rest(plaintext);
        self.queue.put(len, runs)
    }

    /// As a piece that is wiped when it is dropped.
    fn take_rest(&mut self) -> Pieces {
        let mut plaintext = Pieces::default();
        if !self.rest.is_empty() {
            let rest = mem::replace(&mut self.rest, SecretBuffer::with_capacity(0));
            plaintext.push(Bytes::from_owner(rest));
        }
        plaintext
    }

    /// A copy, so that the caller's memory is free as soon as its part is finished.
    fn keep_rest(&mut self, mut plaintext: Pieces) {
        let len = plaintext.len();
        if len > 0 {
            self.rest = SecretBuffer::with_capacity(CHUNK);
            plaintext.take(len, self.rest.as_mut_vec());
        }
    }

    /// Sends the last chunk with what waits for it.
    async fn send_last(&mut self) -> Result<()> {
        self.queue.check()?;
        let mut rest = self.take_rest();
        let last = self.runs.next_of(&mut rest, true);
        let part = self.queue.put_last(last.ok_or_else(|| self.ended())?)?;
        part.await
    }

    /// Looks for the newest keys. Whoever was revoked during a long upload knows its epoch.
    async fn look(&self) -> Result<()> {
        let current = self.store.state.look(&self.store.source).await?;
        let newest = current.objects.newest().map(|newest| newest.epoch());
        match self.ends {
            Ends::WithItsEpoch if newest != Some(self.epoch) => {
                self.queue.fail("a newer epoch began during it");
                Err(Error::Store(StoreRefusal::NewEpoch).into())
            }
            Ends::WhenItsEpochIsRetired if current.objects.get(self.epoch).is_none() => {
                self.queue.fail("its epoch was retired during it");
                Err(Error::Store(StoreRefusal::UnknownEpoch).into())
            }
            _ => Ok(()),
        }
    }

    async fn try_complete(&mut self) -> Result<PutResult> {
        match self.stage {
            Stage::Open => {
                self.send_last().await?;
                self.stage = Stage::Sent;
            }
            Stage::Sent => self.queue.check()?,
            Stage::Completed | Stage::Aborted => return Err(self.ended()),
        }
        self.look().await?;
        let mut inner = Taken::new(&self.queue).ok_or_else(|| self.ended())?;
        let began = Instant::now();
        let completed = inner.upload()?.complete().await?;
        drop(inner.inner.take());
        self.stage = Stage::Completed;
        put::still_there(&self.store, self.epoch, began).await?;
        Ok(completed)
    }

    async fn try_abort(&mut self) -> Result<()> {
        match self.stage {
            Stage::Aborted => return Ok(()),
            Stage::Completed => return Err(self.ended()),
            Stage::Open | Stage::Sent => self.queue.fail("it was aborted"),
        }
        let mut inner = Taken::new(&self.queue).ok_or_else(|| self.ended())?;
        inner.upload()?.abort().await?;
        drop(inner.inner.take());
        self.stage = Stage::Aborted;
        Ok(())
    }

    fn ended(&self) -> object_store::Error {
        misuse(match self.stage {
            Stage::Open | Stage::Sent => "it has ended",
            Stage::Completed => "it was completed",
            Stage::Aborted => "it was aborted",
        })
    }
}

#[async_trait]
impl MultipartUpload for Upload {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        self.take(data).unwrap_or_else(|error| Box::pin(future::ready(Err(error))))
    }

    async fn complete(&mut self) -> Result<PutResult> {
        let completed = self.try_complete().await;
        if completed.is_err() && self.queue.has_failed() {
            // If this fails too, the caller can abort it again.
            let _ = self.try_abort().await;
        }
        completed
    }

    async fn abort(&mut self) -> Result<()> {
        self.try_abort().await
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        self.queue.fail("it was dropped");
        drop(self.queue.take_inner());
    }
}

impl fmt::Debug for Upload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Upload({}, epoch {})", self.location, self.epoch)
    }
}

/// Parts of one length, the last of which is what is left.
fn parts(
    plaintext: impl Stream<Item = Result<Bytes>> + Send,
    size: u64,
) -> impl Stream<Item = Result<PutPayload>> + Send {
    let len = size.div_ceil(PARTS).next_multiple_of(PART);
    let len = usize::try_from(len).unwrap_or(usize::MAX);
    stream::try_unfold(
        (Box::pin(plaintext), Pieces::default()),
        move |(mut plaintext, mut ready)| async move {
            while ready.len() < len
                && let Some(piece) = plaintext.try_next().await?
            {
                ready.push(piece);
            }
            let part = ready.split_to(len);
            Ok((part.len() > 0).then(|| (part.into(), (plaintext, ready))))
        },
    )
}

/// The inner upload, which goes back if the future that has it fails or is dropped.
struct Taken<'a> {
    queue: &'a Queue,
    inner: Option<Box<dyn MultipartUpload>>,
}

impl<'a> Taken<'a> {
    fn new(queue: &'a Queue) -> Option<Self> {
        let inner = queue.take_inner()?;
        Some(Self { queue, inner: Some(inner) })
    }

    fn upload(&mut self) -> Result<&mut Box<dyn MultipartUpload>> {
        self.inner.as_mut().ok_or_else(|| misuse("it has ended"))
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        if let Some(inner) = self.inner.take() {
            self.queue.return_inner(inner);
        }
    }
}
