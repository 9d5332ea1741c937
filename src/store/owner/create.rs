//! Making a store.

use std::{sync::Arc, time::Instant};

use object_store::ObjectStore;

use super::{
    Owner,
    change::{LOCKED_OUT, Made, Outcome},
};
use crate::{
    envelope::Recipients,
    error::Error,
    random,
    sign::Sign,
    store::{Options, Pin, Reader, SealedStore, id::StoreId, keys::Keys},
};

impl Options {
    /// Makes a store: its id, its first epoch and its first keys, sealed to the recipients. One of them must be a key
    /// of `reader`, so that the owner can read the store.
    ///
    /// The inner store must be able to create an object only if there is none
    /// ([`PutMode::Create`](object_store::PutMode::Create)). One that says it cannot, or that replaces an object
    /// nevertheless, is refused.
    ///
    /// If it ends before its [`Pin`] was saved, there can be a store already: see [what to do](Pin#a-pin-that-was-lost).
    ///
    /// # Errors
    ///
    /// [`object_store::Error::AlreadyExists`] if there is a store already; [`object_store::Error::NotSupported`];
    /// [`Error::Misuse`] if the owner is not a recipient; the errors of signing, and the inner store's.
    pub async fn create(
        self,
        inner: Arc<dyn ObjectStore>,
        context: &[u8],
        reader: impl Into<Reader>,
        owner: Arc<dyn Sign>,
        recipients: &Recipients,
    ) -> object_store::Result<(Owner, Pin)> {
        let source = self.source(inner, context, reader.into(), owner.verifying_key())?;
        let mut keys = Keys {
            store_id: StoreId::from_bytes(*random::array()?),
            serial: 1,
            history: Vec::new(),
            recipients: recipients.keys().cloned().collect(),
            epochs: [].into(),
        };
        keys.begin_epoch(random::array()?);
        if !source.reader.is_one_of(&keys.recipients) {
            return Err(Error::Misuse { what: "recipients", reason: LOCKED_OUT }.into());
        }
        let path = source.paths.keys_of(1);
        let taken = |source| object_store::Error::AlreadyExists { path: path.to_string(), source };
        if source.look_for_any().await? {
            return Err(taken("there is a sealed store here".into()));
        }
        let began = Instant::now();
        let made = Made::make(keys, Arc::clone(&owner), context.to_vec()).await?;
        let current = match made.create(&source).await? {
            Outcome::Created(current) => current,
            Outcome::Lost => return Err(taken("somebody made a sealed store here".into())),
        };
        made.creates_only_once(&source).await?;
        let pin = Pin::of(&current.signed);
        let store = self.ready(source, current, began, false);
        Ok((Owner::new(store, owner)?, pin))
    }
}

impl SealedStore {
    /// Makes a store with the default [`Options`].
    ///
    /// # Errors
    ///
    /// As [`Options::create`].
    pub async fn create(
        inner: Arc<dyn ObjectStore>,
        context: &[u8],
        reader: impl Into<Reader>,
        owner: Arc<dyn Sign>,
        recipients: &Recipients,
    ) -> object_store::Result<(Owner, Pin)> {
        Options::default().create(inner, context, reader, owner, recipients).await
    }
}
