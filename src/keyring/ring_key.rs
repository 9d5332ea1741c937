//! A key of a keyring: in memory or external.

use std::{any::Any, fmt, sync::Arc};

use super::distinct::Handle;
use crate::{
    error::Error,
    kem::{Decapsulate, DecapsulationKey, EncapsulationKey},
};

/// A handle to a decapsulation key. A clone shares it.
#[derive(Clone)]
pub(crate) struct RingKey {
    key: Arc<dyn Held>,
    /// Asked of the key once: a ring compares keys while it holds a lock, and its policy is about
    /// this one.
    public: EncapsulationKey,
}

/// Any kind of decapsulation key, of which one in memory is still known as such.
trait Held: Decapsulate + Any {}

impl<T: Decapsulate + Any> Held for T {}

impl RingKey {
    pub(super) fn new(key: impl Decapsulate + 'static) -> Self {
        Self { public: key.encapsulation_key().clone(), key: Arc::new(key) }
    }

    pub(super) fn as_dyn(&self) -> &dyn Decapsulate {
        &*self.key
    }

    pub(super) fn public(&self) -> &EncapsulationKey {
        &self.public
    }

    /// The key itself, to be written to a file.
    pub(crate) fn in_memory(&self) -> Result<&DecapsulationKey, Error> {
        let key: &dyn Any = &*self.key;
        key.downcast_ref::<DecapsulationKey>()
            .or_else(|| key.downcast_ref::<Arc<DecapsulationKey>>().map(|key| &**key))
            .or_else(|| key.downcast_ref::<Box<DecapsulationKey>>().map(|key| &**key))
            .ok_or(Error::Unsupported("writing an external key"))
    }
}

impl Handle for RingKey {
    type Key = EncapsulationKey;

    fn key(&self) -> &EncapsulationKey {
        &self.public
    }
}

impl fmt::Debug for RingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RingKey({:?})", self.public)
    }
}
