//! A store whose objects are sealed: opening and making one.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use object_store::{ObjectStore, path::Path};

use super::{
    Owner, Pin, Reader, StoreId,
    paths::Paths,
    read::Cache,
    state::{self, Current, Source, State},
};
use crate::{
    context,
    error::{Error, StoreRefusal},
    sign::{Sign, VerifyingKey},
};

/// An [`ObjectStore`] whose objects are sealed in another one: [the module](super) says how one is made and used.
///
/// Clones share what they know of the store's keys, and what they opened of its objects.
///
/// # Writing
///
/// Puts and uploads seal under the newest epoch. An upload in parts fails to complete if a newer epoch began meanwhile,
/// or if the future of a part was dropped or failed. Parts of one size have one size in the inner store, too, where
/// there can be one more of them.
///
/// Copies and renames read the source and seal it under the source's epoch. They keep attributes and lose tags, which
/// the trait cannot read. Objects above 64 MiB are copied in parts. If such a copy must not replace anything, it goes
/// through a temporary object that the inner store then copies, within the limits that it has for that.
#[derive(Clone)]
pub struct SealedStore(pub(super) Arc<Inside>);

/// What all clones of a store share.
pub(super) struct Inside {
    pub(super) source: Arc<Source>,
    pub(super) state: State,
    /// Objects that ranges were read from.
    pub(super) opened: Cache,
    options: Options,
    /// It was opened without a pin, so a change could build on keys that are not the newest.
    unpinned: bool,
    /// Objects that a listing left out.
    foreign: AtomicU64,
}

/// How to make or open a [`SealedStore`]: where it is, and how it is used.
///
/// ```
/// use std::{sync::Arc, time::Duration};
/// use object_store::{ObjectStore, ObjectStoreExt, memory::InMemory, path::Path};
/// use twinseal::{DecapsulationKey, Recipients, SigningKey, store::Options};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let ctx = b"example.com/checkpoints/v1";
/// let (bucket, signer) = (Arc::new(InMemory::new()), Arc::new(SigningKey::generate()?));
/// let key = Arc::new(DecapsulationKey::generate()?);
/// let readers = Recipients::new([key.encapsulation_key()])?;
///
/// // A bucket can have several stores, and objects that are not sealed.
/// let options = Options::default().prefix(Path::from("sealed")).look_every(Duration::from_secs(5));
/// let (owner, pin) = options.create(bucket.clone(), ctx, key, signer, &readers).await?;
/// owner.store().put(&Path::from("model"), "weights".into()).await?;
/// assert_eq!(owner.store().head(&Path::from("model")).await?.size, 7);
/// assert_eq!(bucket.head(&Path::from("sealed/model")).await?.size, 69 + 7 + 16);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Options {
    prefix: Path,
    look_every: Duration,
    not_before: u32,
    ignore_foreign: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            prefix: Path::default(),
            look_every: state::LOOK_EVERY,
            not_before: 0,
            ignore_foreign: false,
        }
    }
}

impl Options {
    /// The store is under a prefix of the inner one. Without it, it is the whole inner store.
    #[must_use]
    pub fn prefix(self, prefix: Path) -> Self {
        Self { prefix, ..self }
    }

    /// How old the last look at the store's keys may be: 60 seconds unless it is set. For so long, a reader who was
    /// revoked can read what others write. [`Owner::retire`] relies on at most 60 seconds.
    #[must_use]
    pub fn look_every(self, look_every: Duration) -> Self {
        Self { look_every, ..self }
    }

    /// Refuses all objects under an epoch before this one, with
    /// [`OldEpoch`](crate::StoreRefusal::OldEpoch). [`Owner::epochs`] has their numbers.
    #[must_use]
    pub fn not_before(self, epoch: u32) -> Self {
        Self { not_before: epoch, ..self }
    }

    /// Leaves objects out of listings whose length no sealed object can have, and [counts](SealedStore::foreign) them.
    /// Without it, each is an error in the listing. Few lengths are impossible, so most other objects are listed all
    /// the same, with a wrong size: keep them elsewhere, or the store under a [`prefix`](Self::prefix).
    #[must_use]
    pub fn ignore_foreign(self) -> Self {
        Self { ignore_foreign: true, ..self }
    }

    /// Opens a store: lists its keys, and fetches and opens the newest. It costs one key exchange.
    ///
    /// # Errors
    ///
    /// [`Error::Context`]; [`Error::Store`] if its keys are refused; [`Error::NotARecipient`]; [`Error::Open`] if the
    /// newest keys object was damaged; errors of the reader's key; the inner store's own.
    pub async fn open(
        self,
        inner: Arc<dyn ObjectStore>,
        context: &[u8],
        reader: impl Into<Reader>,
        owner: &VerifyingKey,
        pin: Pin,
    ) -> object_store::Result<SealedStore> {
        let source = self.source(inner, context, reader.into(), owner)?;
        let began = Instant::now();
        let found = source.look(pin, None).await?;
        let current = found.ok_or(Error::Store(StoreRefusal::NoKeys))?;
        Ok(self.ready(source, current, began, pin.is_first_use()))
    }

    /// A store whose keys were found by a look that began then.
    pub(super) fn ready(
        self,
        source: Arc<Source>,
        current: Current,
        began: Instant,
        unpinned: bool,
    ) -> SealedStore {
        let state = State::new(current, began, self.look_every);
        SealedStore(Arc::new(Inside {
            source,
            state,
            opened: Cache::default(),
            options: self,
            unpinned,
            foreign: AtomicU64::new(0),
        }))
    }

    pub(super) fn source(
        &self,
        inner: Arc<dyn ObjectStore>,
        context: &[u8],
        reader: Reader,
        owner: &VerifyingKey,
    ) -> Result<Arc<Source>, Error> {
        context::check(context)?;
        Ok(Arc::new(Source {
            inner,
            paths: Paths::new(self.prefix.clone()),
            reader,
            owner: owner.clone(),
            context: context.to_vec(),
        }))
    }
}

impl SealedStore {
    /// Opens a store with the default [`Options`].
    ///
    /// # Errors
    ///
    /// As [`Options::open`].
    pub async fn open(
        inner: Arc<dyn ObjectStore>,
        context: &[u8],
        reader: impl Into<Reader>,
        owner: &VerifyingKey,
        pin: Pin,
    ) -> object_store::Result<Self> {
        Options::default().open(inner, context, reader, owner, pin).await
    }

    /// The store's name: the same for all who open it, under any prefix.
    #[must_use]
    pub fn id(&self) -> StoreId {
        self.0.state.seen().signed.keys.store_id
    }

    /// What was last seen of the store's keys, to be saved outside the bucket.
    pub fn pin(&self) -> Pin {
        self.0.state.pin()
    }

    /// How many objects listings have left out; see [`Options::ignore_foreign`].
    #[must_use]
    pub fn foreign(&self) -> u64 {
        self.0.foreign.load(Ordering::Relaxed)
    }

    /// The store with its owner's signing key, to change who reads it.
    ///
    /// # Errors
    ///
    /// [`Error::Store`] if the key is not the owner's; [`Error::Misuse`] if the store was opened at
    /// [first use](Pin::first_use): a change could then build on keys that somebody led it back to.
    pub fn owned_by(&self, owner: Arc<dyn Sign>) -> Result<Owner, Error> {
        if self.0.unpinned {
            let reason =
                "it was opened at first use; save its pin, and open it with that one to change it";
            return Err(Error::Misuse { what: "use of the store", reason });
        }
        Owner::new(self.clone(), owner)
    }
}

impl Inside {
    pub(super) fn inner(&self) -> &Arc<dyn ObjectStore> {
        &self.source.inner
    }

    pub(super) fn paths(&self) -> &Paths {
        &self.source.paths
    }

    pub(super) fn context(&self) -> &[u8] {
        &self.source.context
    }

    pub(super) fn not_before(&self) -> u32 {
        self.options.not_before
    }

    /// A listing met an object whose length is impossible: whether it is left out.
    pub(super) fn leaves_out_foreign(&self) -> bool {
        if self.options.ignore_foreign {
            self.foreign.fetch_add(1, Ordering::Relaxed);
        }
        self.options.ignore_foreign
    }
}

impl fmt::Display for SealedStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SealedStore({})", self.0.inner())
    }
}

impl fmt::Debug for SealedStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SealedStore({}, {})", self.0.inner(), self.pin())
    }
}
