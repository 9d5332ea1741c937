//! Which keys are the newest, and when to look again.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use futures_util::{
    FutureExt, TryStreamExt,
    future::{BoxFuture, Shared, WeakShared},
};
use object_store::{GetOptions, ObjectStore};

use super::{
    failure,
    keys::SignedKeys,
    object::{EpochKey, ObjectKeys},
    offload,
    paths::Paths,
    pin::Pin,
    reader::Reader,
};
use crate::{
    constants,
    error::{AtPath, Error, StoreRefusal},
    provider,
    sign::VerifyingKey,
};

/// How old the last look may be.
pub(super) const LOOK_EVERY: Duration = Duration::from_secs(60);

/// How often an unknown epoch makes the store look, at most.
const UNKNOWN_EVERY: Duration = Duration::from_secs(1);

/// What it takes to find the newest keys and to trust them.
pub(super) struct Source {
    pub(super) inner: Arc<dyn ObjectStore>,
    pub(super) paths: Paths,
    pub(super) reader: Reader,
    pub(super) owner: VerifyingKey,
    pub(super) context: Vec<u8>,
}

/// Keys that were trusted, ready for use.
pub(super) struct Current {
    pub(super) signed: SignedKeys,
    pub(super) objects: ObjectKeys,
}

/// The newest keys that were seen.
pub(super) struct State {
    seen: Mutex<Seen>,
    /// The look that is under way, and when it began.
    looking: Mutex<Option<(Instant, WeakShared<Looking>)>>,
    /// When somebody last looked because of an unknown epoch.
    unknown: Mutex<Option<Instant>>,
    every: Duration,
}

/// Whoever waits for a look drives it on. A lock would be held by a future that nobody may poll any more, as `buffered`
/// leaves them while its consumer does something else, and that may wait for the same lock.
type Look = Shared<Looking>;
type Looking = BoxFuture<'static, Result<Option<Arc<Current>>, Arc<object_store::Error>>>;

struct Seen {
    current: Arc<Current>,
    /// When the look began that found them.
    looked: Instant,
}

impl Source {
    /// Lists the keys, and fetches those with the greatest serial unless they are `known`. `None` if these still are
    /// the newest.
    pub(super) async fn look(
        self: &Arc<Self>,
        pin: Pin,
        known: Option<u32>,
    ) -> object_store::Result<Option<Current>> {
        let from = known.or(pin.serial()).unwrap_or(1);
        let Some(serial) = self.newest(from).await? else {
            // If there are older ones, somebody hides those that were there.
            let hidden = from > 1 && self.look_for_any().await?;
            let refusal = if hidden { StoreRefusal::Older } else { StoreRefusal::NoKeys };
            return Err(Error::Store(refusal).into());
        };
        if known == Some(serial) {
            return Ok(None);
        }
        let current = self.fetch(serial).await?;
        pin.check(&current.signed)?;
        Ok(Some(current))
    }

    /// Whether there is a store.
    pub(super) async fn look_for_any(&self) -> object_store::Result<bool> {
        Ok(self.newest(1).await?.is_some())
    }

    /// The greatest serial from a given one on. An inner store lists in any order.
    async fn newest(&self, from: u32) -> object_store::Result<Option<u32>> {
        let directory = self.paths.keys();
        let mut listed = match from {
            0 | 1 => self.inner.list(Some(&directory)),
            _ => self.inner.list_with_offset(Some(&directory), &self.paths.keys_of(from - 1)),
        };
        let mut newest = None;
        while let Some(meta) = listed.try_next().await? {
            newest = newest.max(self.paths.serial(&meta.location));
        }
        Ok(newest)
    }

    /// Fetches, opens and verifies one keys object.
    pub(super) async fn fetch(self: &Arc<Self>, serial: u32) -> object_store::Result<Current> {
        let path = self.paths.keys_of(serial);
        let found = self.inner.get_opts(&path, GetOptions::default()).await?;
        if found.meta.size > constants::STORE_KEYS_MAX as u64 {
            return Err(Error::Store(StoreRefusal::TooLong).into());
        }
        let mut pieces = found.into_stream();
        let mut sealed = Vec::new();
        while let Some(piece) = pieces.try_next().await? {
            if sealed.len() + piece.len() > constants::STORE_KEYS_MAX {
                return Err(Error::Store(StoreRefusal::TooLong).into());
            }
            sealed.extend_from_slice(&piece);
        }
        let source = Arc::clone(self);
        let trusted = offload::blocking(move || source.trust(serial, &sealed)).await?;
        trusted.map_err(|error| failure::at(&path, error))
    }

    /// In the order of the checks: the envelope, the owner's signature, the serial, the recipients.
    fn trust(&self, serial: u32, sealed: &[u8]) -> Result<Current, Error> {
        let (header, plaintext) = self.reader.open(constants::STORE_KEYS_CONTEXT, sealed)?;
        let signed = SignedKeys::parse(&plaintext, serial, &self.owner, &self.context)?;
        let mut sealed_to = header.recipients().map(|one| (one.suite_id(), one.key_id()));
        let mut signed_to =
            signed.keys.recipients.iter().map(|key| (key.suite().id(), key.key_id()));
        if !sealed_to.by_ref().eq(signed_to.by_ref()) {
            return Err(Error::Store(StoreRefusal::Recipients));
        }
        let objects = ObjectKeys::of(&signed.keys, provider::default());
        Ok(Current { signed, objects })
    }
}

impl State {
    pub(super) fn new(current: Current, looked: Instant, every: Duration) -> Self {
        let seen = Mutex::new(Seen { current: Arc::new(current), looked });
        Self { seen, looking: Mutex::default(), unknown: Mutex::default(), every }
    }

    /// The newest keys that were seen.
    pub(super) fn seen(&self) -> Arc<Current> {
        Arc::clone(&self.lock().current)
    }

    pub(super) fn pin(&self) -> Pin {
        Pin::of(&self.seen().signed)
    }

    /// The newest keys, as of a look that is not too old.
    pub(super) async fn current(&self, source: &Arc<Source>) -> object_store::Result<Arc<Current>> {
        self.look_if_older(source, self.every).await
    }

    /// The newest keys, as of now.
    pub(super) async fn look(&self, source: &Arc<Source>) -> object_store::Result<Arc<Current>> {
        self.look_if_older(source, Duration::ZERO).await
    }

    /// The key of an epoch. One that is not known makes the store look.
    pub(super) async fn epoch(
        &self,
        source: &Arc<Source>,
        epoch: u32,
    ) -> object_store::Result<Arc<EpochKey>> {
        let unknown = || Error::Store(StoreRefusal::UnknownEpoch);
        if let Some(key) = self.seen().objects.get(epoch) {
            return Ok(Arc::clone(key));
        }
        let at_most = UNKNOWN_EVERY.min(self.every);
        let due = {
            let (mut last, now) = (lock(&self.unknown), Instant::now());
            let due = last.is_none_or(|last| now.duration_since(last) >= at_most);
            if due {
                *last = Some(now);
            }
            due
        };
        let age = if due { Duration::ZERO } else { at_most };
        let current = self.look_if_older(source, age).await?;
        Ok(current.objects.get(epoch).map(Arc::clone).ok_or_else(unknown)?)
    }

    async fn look_if_older(
        &self,
        source: &Arc<Source>,
        age: Duration,
    ) -> object_store::Result<Arc<Current>> {
        let asked = Instant::now();
        let fresh = |seen: &Seen| seen.looked >= asked || asked.duration_since(seen.looked) < age;
        loop {
            if let Some(current) = self.if_seen(fresh) {
                return Ok(current);
            }
            let (began, looking) = self.join(source);
            let found = looking.await;
            self.looked(began);
            match found {
                Ok(found) => drop(self.saw(found, began)),
                Err(error) if began >= asked => return Err(copy_of(error)),
                // That began before this was asked for: another may succeed.
                Err(_) => {}
            }
        }
    }

    /// A look that is under way, or a new one.
    fn join(&self, source: &Arc<Source>) -> (Instant, Look) {
        let mut looking = lock(&self.looking);
        if let Some((began, look)) = &*looking
            && let Some(look) = look.upgrade()
        {
            return (*began, look);
        }
        let (before, began, source) = (self.seen(), Instant::now(), Arc::clone(source));
        let look = async move {
            let known = before.signed.keys.serial;
            let found = source.look(Pin::of(&before.signed), Some(known)).await;
            found.map(|found| found.map(Arc::new)).map_err(Arc::new)
        };
        let look = look.boxed().shared();
        *looking = look.downgrade().map(|weak| (began, weak));
        (began, look)
    }

    /// The look that began then is over. Nobody joins it any more.
    fn looked(&self, began: Instant) {
        lock(&self.looking).take_if(|(other, _)| *other == began);
    }

    /// What somebody found who began to look then.
    pub(super) fn saw(&self, found: Option<Arc<Current>>, began: Instant) -> Arc<Current> {
        let mut seen = self.lock();
        if let Some(found) = found
            && found.signed.keys.serial > seen.current.signed.keys.serial
        {
            seen.current = found;
        }
        seen.looked = seen.looked.max(began);
        Arc::clone(&seen.current)
    }

    fn if_seen(&self, fresh: impl Fn(&Seen) -> bool) -> Option<Arc<Current>> {
        let seen = self.lock();
        fresh(&seen).then(|| Arc::clone(&seen.current))
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        lock(&self.seen)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The error of a look, for each of those that waited for it.
fn copy_of(error: Arc<object_store::Error>) -> object_store::Error {
    Arc::try_unwrap(error).unwrap_or_else(|shared| {
        if let object_store::Error::Generic { source, .. } = &*shared {
            if let Some(ours) = source.downcast_ref::<Error>() {
                return ours.clone().into();
            }
            if let Some(about) = source.downcast_ref::<AtPath>() {
                return about.clone().into();
            }
        }
        object_store::Error::Generic { store: "SealedStore", source: Box::new(shared) }
    })
}
