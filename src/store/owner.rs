//! Changing who reads a store.

mod change;
mod create;
mod objects;
mod reseal;
mod retire;

use std::{fmt, sync::Arc};

pub use reseal::{Fate, Reseal, Resealed};
pub use retire::Retirement;

use super::{Pin, SealedStore};
use crate::{
    error::{Error, StoreRefusal},
    kem::EncapsulationKey,
    key_id::KeyId,
    random,
    sign::Sign,
};

/// A [`SealedStore`] with its owner's signing key: who reads, and under which epoch.
///
/// ```
/// # use std::sync::Arc;
/// # use object_store::{ObjectStore, memory::InMemory};
/// use twinseal::{DecapsulationKey, Recipients, SigningKey, store::{Pin, SealedStore}};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let (ctx, bucket) = (b"example.com/checkpoints/v1", Arc::new(InMemory::new()));
/// # let signer = Arc::new(SigningKey::generate()?);
/// # let admin = Arc::new(DecapsulationKey::generate()?);
/// # let readers = Recipients::new([admin.encapsulation_key()])?;
/// # let made = SealedStore::create(bucket.clone(), ctx, admin.clone(), signer.clone(), &readers);
/// # let saved = made.await?.1.to_string();
/// // Another day: from the saved pin.
/// let pin: Pin = saved.parse()?;
/// let store = SealedStore::open(bucket, ctx, admin, signer.verifying_key(), pin).await?;
/// let owner = store.owned_by(signer)?;
/// let bob = DecapsulationKey::generate()?;
/// let pin = owner.grant(bob.encapsulation_key()).await?;
/// let saved = pin.to_string(); // save it now
/// assert_eq!(owner.recipients().await?.len(), 2);
/// assert_eq!(owner.epochs().await?, [1]);
/// # Ok(())
/// # }
/// ```
///
/// Each change is one new keys object, and it is there or not: two owners at once, or one who is interrupted at any
/// moment, leave nothing behind that has to be mended. A change returns the new [`Pin`]: save it before you report
/// the change as made, because whoever controls the bucket could hide the change from a program without it.
///
/// Changes say what shall be, so they can be repeated: to grant a key that is a recipient, or to revoke one that is
/// none, changes nothing.
#[derive(Clone)]
pub struct Owner {
    store: SealedStore,
    signer: Arc<dyn Sign>,
}

impl Owner {
    pub(super) fn new(store: SealedStore, signer: Arc<dyn Sign>) -> Result<Self, Error> {
        if *signer.verifying_key() != store.0.source.owner {
            return Err(Error::Store(StoreRefusal::Owner));
        }
        Ok(Self { store, signer })
    }

    /// The store.
    #[must_use]
    pub fn store(&self) -> &SealedStore {
        &self.store
    }

    /// The keys that read the store now, after a look.
    ///
    /// # Errors
    ///
    /// Those of the look: [`Error::Store`], and the inner store's.
    pub async fn recipients(&self) -> object_store::Result<Vec<EncapsulationKey>> {
        let current = self.store.0.state.look(&self.store.0.source).await?;
        Ok(current.signed.keys.recipients.clone())
    }

    /// The epochs that are in use now, after a look; each is the serial of the keys object that began it.
    ///
    /// # Errors
    ///
    /// As [`recipients`](Self::recipients).
    pub async fn epochs(&self) -> object_store::Result<Vec<u32>> {
        let current = self.store.0.state.look(&self.store.0.source).await?;
        Ok(current.signed.keys.epochs.keys().copied().collect())
    }

    /// One recipient more, who reads everything that is in the store, written before or later.
    ///
    /// # Errors
    ///
    /// [`Error::Misuse`] if there are 1000 already; the errors of signing; [`Error::Store`]; the inner store's, if the
    /// change is not made after 8 tries.
    pub async fn grant(&self, key: &EncapsulationKey) -> object_store::Result<Pin> {
        self.change(|keys| {
            let place = |other: &EncapsulationKey| (other.suite().id(), other.key_id());
            match keys.recipients.binary_search_by_key(&place(key), place) {
                Ok(_) => Ok(false),
                Err(index) => {
                    keys.recipients.insert(index, key.clone());
                    Ok(true)
                }
            }
        })
        .await
    }

    /// One recipient less, and a new epoch, because the former one knows the keys of the others: with access to the
    /// bucket they still read what was written until now. [`reseal`](Self::reseal) takes that from them. Nothing takes
    /// back what they have read.
    ///
    /// If the key is not a recipient's, nothing changes, and the pin is the one before: a wrong key id is no error. See
    /// [`recipients`](Self::recipients).
    ///
    /// # Errors
    ///
    /// [`Error::Misuse`] if the owner could then not read the store; otherwise as [`grant`](Self::grant).
    pub async fn revoke(&self, key_id: KeyId) -> object_store::Result<Pin> {
        self.change(|keys| {
            let before = keys.recipients.len();
            keys.recipients.retain(|key| key.key_id() != key_id);
            if keys.recipients.len() == before {
                return Ok(false);
            }
            keys.begin_epoch(random::array()?);
            Ok(true)
        })
        .await
    }

    /// A new epoch: what is written from now on is under a new key.
    ///
    /// # Errors
    ///
    /// As [`grant`](Self::grant).
    pub async fn new_epoch(&self) -> object_store::Result<Pin> {
        self.change(|keys| {
            keys.begin_epoch(random::array()?);
            Ok(true)
        })
        .await
    }
}

impl fmt::Debug for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Owner({:?})", self.store)
    }
}
