//! Which keys are the newest, and when to look again.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use futures_util::TryStreamExt;
use object_store::{GetOptions, ObjectStore};

use super::{
    keys::SignedKeys,
    object::{EpochKey, ObjectKeys},
    paths::Paths,
    pin::Pin,
    reader::Reader,
};
use crate::{
    constants,
    error::{Error, StoreRefusal},
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
    /// Held while somebody looks, so that the others wait for what he finds.
    looking: ::tokio::sync::Mutex<()>,
    every: Duration,
}

struct Seen {
    current: Arc<Current>,
    /// When the look began that found them.
    looked: Instant,
}

impl Source {
    /// Lists the keys, and fetches those with the greatest serial unless they are `known`. `None` if these still are
    /// the newest.
    pub(super) async fn look(
        &self,
        pin: Pin,
        known: Option<u32>,
    ) -> object_store::Result<Option<Current>> {
        let from = known.or(pin.serial()).unwrap_or(1);
        let Some(serial) = self.newest(from).await? else {
            // There were some.
            let refusal = if from > 1 { StoreRefusal::Older } else { StoreRefusal::NoKeys };
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
    pub(super) async fn fetch(&self, serial: u32) -> object_store::Result<Current> {
        let path = self.paths.keys_of(serial);
        let found = self.inner.get_opts(&path, GetOptions::default()).await?;
        if found.meta.size > constants::STORE_KEYS_MAX as u64 {
            return Err(Error::Store(StoreRefusal::TooLong).into());
        }
        let sealed = found.bytes().await?;
        Ok(self.trust(serial, &sealed)?)
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
        Self { seen, looking: ::tokio::sync::Mutex::new(()), every }
    }

    /// The newest keys that were seen.
    pub(super) fn seen(&self) -> Arc<Current> {
        Arc::clone(&self.lock().current)
    }

    pub(super) fn pin(&self) -> Pin {
        Pin::of(&self.seen().signed)
    }

    /// The newest keys, as of a look that is not too old.
    pub(super) async fn current(&self, source: &Source) -> object_store::Result<Arc<Current>> {
        self.look_if_older(source, self.every).await
    }

    /// The newest keys, as of now.
    pub(super) async fn look(&self, source: &Source) -> object_store::Result<Arc<Current>> {
        self.look_if_older(source, Duration::ZERO).await
    }

    /// The key of an epoch. One that is not known makes the store look.
    pub(super) async fn epoch(
        &self,
        source: &Source,
        epoch: u32,
    ) -> object_store::Result<Arc<EpochKey>> {
        let unknown = || Error::Store(StoreRefusal::UnknownEpoch);
        if let Some(key) = self.seen().objects.get(epoch) {
            return Ok(Arc::clone(key));
        }
        let current = self.look_if_older(source, UNKNOWN_EVERY.min(self.every)).await?;
        Ok(current.objects.get(epoch).map(Arc::clone).ok_or_else(unknown)?)
    }

    async fn look_if_older(
        &self,
        source: &Source,
        age: Duration,
    ) -> object_store::Result<Arc<Current>> {
        let asked = Instant::now();
        let fresh = |seen: &Seen| seen.looked >= asked || asked.duration_since(seen.looked) < age;
        if let Some(current) = self.if_seen(fresh) {
            return Ok(current);
        }
        let _looking = self.looking.lock().await;
        if let Some(current) = self.if_seen(fresh) {
            return Ok(current); // somebody else looked in the meantime
        }
        let (before, began) = (self.seen(), Instant::now());
        let serial = before.signed.keys.serial;
        let found = source.look(Pin::of(&before.signed), Some(serial)).await?;
        Ok(self.saw(found, began))
    }

    /// What somebody found who began to look then.
    pub(super) fn saw(&self, found: Option<Current>, began: Instant) -> Arc<Current> {
        let mut seen = self.lock();
        if let Some(found) = found
            && found.signed.keys.serial > seen.current.signed.keys.serial
        {
            seen.current = Arc::new(found);
        }
        seen.looked = seen.looked.max(began);
        Arc::clone(&seen.current)
    }

    fn if_seen(&self, fresh: impl Fn(&Seen) -> bool) -> Option<Arc<Current>> {
        let seen = self.lock();
        fresh(&seen).then(|| Arc::clone(&seen.current))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
