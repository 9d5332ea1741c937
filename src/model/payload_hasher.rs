//! Hashes what is put into an object store.

use std::{
    fmt, io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    thread::{self, JoinHandle},
};

use ::tokio::sync::{mpsc, oneshot};
use object_store::PutPayload;

use super::{contents::Method, file_digest::FileDigest, hasher::FileHasher};
use crate::error::Error;

/// How much is hashed before the thread looks whether anybody waits for it: some 100 µs.
const PART: usize = 256 * 1024;

/// Hashes an object while it is put into a store, such as a [`SealedStore`](crate::store::SealedStore): on a thread of
/// its own, and without a copy, since payloads are shared.
///
/// ```
/// # use std::sync::Arc;
/// use object_store::{MultipartUpload, ObjectStore, ObjectStoreExt, path::Path};
/// use twinseal::model::{ManifestBuilder, PayloadHasher};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use twinseal::{DecapsulationKey, Recipients, SigningKey, store::SealedStore};
/// # let (alice, bob) = (Arc::new(SigningKey::generate()?), Arc::new(DecapsulationKey::generate()?));
/// # let (bucket, ctx) = (Arc::new(object_store::memory::InMemory::new()), b"example.com/models");
/// # let readers = Recipients::new([bob.encapsulation_key()])?;
/// # let made = SealedStore::create(bucket, ctx, bob, alice.clone(), &readers);
/// # let store = made.await?.0.store().clone();
/// # let (config, mut parts) = (vec![7; 100], vec![vec![7; 6_000_000], vec![7; 100]].into_iter());
/// let mut model = ManifestBuilder::new("run-7")?;
///
/// // A whole object.
/// let mut hasher = PayloadHasher::new(model.method())?;
/// let config = hasher.hash(config).await?;
/// store.put(&Path::from("run-7/config.json"), config).await?;
/// model.add("config.json", hasher.finish().await?)?;
///
/// // An object in parts.
/// let mut hasher = PayloadHasher::new(model.method())?;
/// let mut upload = store.put_multipart(&Path::from("run-7/weights")).await?;
/// while let Some(part) = parts.next() {
///     upload.put_part(hasher.hash(part).await?).await?;
/// }
/// upload.complete().await?;
/// model.add("weights", hasher.finish().await?)?;
///
/// let bundle = model.sign(&*alice)?;
/// store.put(&Path::from("run-7/model.sig"), bundle.as_bytes().to_vec().into()).await?;
/// # Ok(())
/// # }
/// ```
///
/// It needs no runtime. Dropped before the end, it waits for its thread, which takes less than a millisecond.
#[must_use = "without finish() there is no digest"]
pub struct PayloadHasher {
    payloads: Option<mpsc::Sender<PutPayload>>,
    digest: Option<oneshot::Receiver<Result<FileDigest, Error>>>,
    given_up: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl PayloadHasher {
    /// Starts the thread.
    ///
    /// # Errors
    ///
    /// Those of the system if there can be no other thread.
    pub fn new(method: Method) -> io::Result<Self> {
        // One payload waits while another is hashed.
        let (payloads, mut to_hash) = mpsc::channel(1);
        let (answer, digest) = oneshot::channel();
        let given_up = Arc::new(AtomicBool::new(false));
        let is_given_up = Arc::clone(&given_up);
        let work = move || {
            let mut hasher = FileHasher::new(method);
            let mut hash = |payload: &PutPayload| {
                let parts = payload.iter().flat_map(|piece| piece.chunks(PART));
                parts
                    .take_while(|_| !is_given_up.load(Relaxed))
                    .try_for_each(|part| hasher.update(part))
            };
            let mut hashed = Ok(());
            while let (Ok(()), Some(payload)) = (&hashed, to_hash.blocking_recv()) {
                hashed = hash(&payload);
            }
            // Whoever gave up does not want it.
            let _ = answer.send(hashed.and_then(|()| hasher.finish()));
        };
        let thread = thread::Builder::new().name("twinseal-hash".into()).spawn(work)?;
        Ok(Self { payloads: Some(payloads), digest: Some(digest), given_up, thread: Some(thread) })
    }

    /// Hashes the next part of the object, and returns it. Hash each part once, in the order in which the store is to
    /// have them, also if one has to be put again.
    ///
    /// It waits while two other parts are still being hashed: no more than that are kept in memory. If the future is
    /// dropped before, the part is not hashed.
    ///
    /// # Errors
    ///
    /// [`Error::Model`] with [`TooLarge`](crate::ModelRefusal::TooLarge), wrapped in [`io::Error`], for more than
    /// 2^20 shards.
    pub async fn hash(&mut self, payload: impl Into<PutPayload>) -> io::Result<PutPayload> {
        let payload = payload.into();
        let sent = match &self.payloads {
            Some(payloads) => payloads.send(payload.clone()).await.is_ok(),
            None => false,
        };
        if sent { Ok(payload) } else { Err(self.ended().await) }
    }

    /// Returns the object's digests.
    ///
    /// # Errors
    ///
    /// [`Error::Model`] with [`EmptyFile`](crate::ModelRefusal::EmptyFile) if the object is empty and the method is
    /// [`Shards`](Method::Shards), or with an earlier [`TooLarge`](crate::ModelRefusal::TooLarge), wrapped in
    /// [`io::Error`].
    pub async fn finish(mut self) -> io::Result<FileDigest> {
        self.end().await
    }

    /// Why the thread ended too early.
    async fn ended(&mut self) -> io::Error {
        match self.end().await {
            Err(error) => error,
            Ok(_) => io::Error::other("the thread that hashes has ended"),
        }
    }

    async fn end(&mut self) -> io::Result<FileDigest> {
        self.payloads = None;
        let gone = || io::Error::other("the thread that hashes has ended");
        let digest = self.digest.take().ok_or_else(gone)?.await;
        Ok(digest.map_err(|_| gone())??)
    }
}

impl Drop for PayloadHasher {
    fn drop(&mut self) {
        self.given_up.store(true, Relaxed);
        self.payloads = None;
        // A panic there has been reported as one.
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

impl fmt::Debug for PayloadHasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PayloadHasher")
    }
}
