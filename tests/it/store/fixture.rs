//! An owner, two readers, and a store that the owner made for the first of them.

use std::{sync::Arc, time::Duration};

use object_store::{ObjectStore, memory::InMemory};
use twinseal::{
    DecapsulationKey, Error, Recipients, SigningKey, StoreRefusal,
    store::{Options, Owner, Pin, SealedStore},
};

pub(super) const CONTEXT: &[u8] = b"example.com/checkpoints";

pub(super) struct People {
    pub(super) owner: Arc<SigningKey>,
    pub(super) alice: Arc<DecapsulationKey>,
    pub(super) bob: Arc<DecapsulationKey>,
}

impl People {
    pub(super) fn new() -> Self {
        Self {
            owner: Arc::new(SigningKey::generate().unwrap()),
            alice: Arc::new(DecapsulationKey::generate().unwrap()),
            bob: Arc::new(DecapsulationKey::generate().unwrap()),
        }
    }

    /// A store for Alice, who is also the owner.
    pub(super) async fn create(
        &self,
        inner: Arc<dyn ObjectStore>,
    ) -> object_store::Result<(Owner, Pin)> {
        let recipients = Recipients::new([self.alice.encapsulation_key()]).unwrap();
        let (reader, owner) = (Arc::clone(&self.alice), Arc::clone(&self.owner));
        eager().create(inner, CONTEXT, reader, owner, &recipients).await
    }

    /// The store in `inner`, as the holder of a key opens it.
    pub(super) async fn open(
        &self,
        inner: Arc<dyn ObjectStore>,
        reader: &Arc<DecapsulationKey>,
        pin: Pin,
    ) -> object_store::Result<SealedStore> {
        let reader = Arc::clone(reader);
        eager().open(inner, CONTEXT, reader, self.owner.verifying_key(), pin).await
    }
}

/// Looks at the keys before each use.
pub(super) fn eager() -> Options {
    Options::default().look_every(Duration::ZERO)
}

/// A store that the owner made, and what is below.
pub(super) async fn made() -> (People, Arc<InMemory>, Owner, Pin) {
    let (people, inner) = (People::new(), Arc::new(InMemory::new()));
    let (owner, pin) = people.create(Arc::clone(&inner) as _).await.unwrap();
    (people, inner, owner, pin)
}

/// The error of this crate inside one of an object store.
#[track_caller]
pub(super) fn ours<T: std::fmt::Debug>(result: object_store::Result<T>) -> Error {
    let error = result.unwrap_err();
    let ours = Error::inside(&error);
    ours.unwrap_or_else(|| panic!("this is not an error of the sealed store: {error:?}")).clone()
}

#[track_caller]
pub(super) fn assert_refused<T: std::fmt::Debug>(
    result: object_store::Result<T>,
    why: StoreRefusal,
) {
    assert_eq!(ours(result), Error::Store(why));
}
