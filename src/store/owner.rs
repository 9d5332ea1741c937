//! Changing who reads a store.

use std::{fmt, sync::Arc, time::Instant};

use object_store::{ObjectStore, PutMode, PutPayload};
use zeroize::Zeroizing;

use super::{Options, Pin, Reader, SealedStore, id::StoreId, keys::Keys};
use crate::{
    constants,
    envelope::{self, Recipients},
    error::{Error, StoreRefusal},
    random,
    sign::Sign,
};

/// A [`SealedStore`] with its owner's signing key.
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
}

impl Options {
    /// Makes a store: its id, its first epoch, and its first keys, sealed to the recipients, of which the owner must
    /// be one.
    ///
    /// # Errors
    ///
    /// [`object_store::Error::AlreadyExists`] if there is one; the errors of [`open`](Self::open).
    pub async fn create(
        self,
        inner: Arc<dyn ObjectStore>,
        context: &[u8],
        reader: impl Into<Reader>,
        owner: Arc<dyn Sign>,
        recipients: &Recipients,
    ) -> object_store::Result<(Owner, Pin)> {
        let source = self.source(inner, context, reader.into(), owner.verifying_key())?;
        let keys = Keys {
            store_id: StoreId::from_bytes(*random::array().map_err(Error::from)?),
            serial: 1,
            history: Vec::new(),
            recipients: recipients.keys().cloned().collect(),
            epochs: [(1, Zeroizing::new(*random::array()?))].into(),
        };
        let (sealed, _) = sealed(&keys, &*owner, context)?;
        let path = source.paths.keys_of(1);
        let options = PutMode::Create.into();
        source.inner.put_opts(&path, PutPayload::from(sealed), options).await?;
        let began = Instant::now();
        let _ = began;
        let pin = Pin::first_use();
        let verifying_key = owner.verifying_key().clone();
        let store = self.open(source.inner, context, source.reader, &verifying_key, pin).await?;
        let pin = store.pin();
        Ok((store.owned_by(owner)?, pin))
    }
}

/// Signed, then sealed to exactly the recipients, with a content key of its own.
fn sealed(keys: &Keys, owner: &dyn Sign, context: &[u8]) -> Result<(Vec<u8>, [u8; 48]), Error> {
    let (plaintext, fingerprint) = keys.sign(owner, context)?;
    let recipients = keys.to_recipients()?;
    let sealed = envelope::seal_reserved(&recipients, constants::STORE_KEYS_CONTEXT, &plaintext)?;
    Ok((sealed, fingerprint))
}

impl fmt::Debug for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Owner({:?})", self.store)
    }
}
