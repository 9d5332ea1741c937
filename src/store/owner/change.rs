//! One change of a store's keys: a keys object that only this change creates.

use std::{sync::Arc, time::Instant};

use object_store::{ObjectStore, PutMode, PutPayload};

use super::Owner;
use crate::{
    constants, envelope,
    error::Error,
    provider,
    sign::Sign,
    store::{
        Pin,
        keys::{Keys, LAST_SERIAL, SignedKeys},
        object::ObjectKeys,
        offload,
        state::{Current, Source},
    },
};

/// The owner can change the store only as long as he reads it.
pub(super) const LOCKED_OUT: &str = "the owner's own key must be one of them, to read the store";

/// How often a change is tried on what others have made in the meantime.
const TRIES: usize = 8;

/// Keys that were signed and sealed, to be created under their serial.
pub(super) struct Made {
    signed: SignedKeys,
    sealed: PutPayload,
}

/// What became of an attempt to create keys.
pub(super) enum Outcome {
    /// They are there.
    Created(Current),
    /// Others are there.
    Lost,
}

impl Owner {
    /// Changes the keys: `wanted` says what shall be, and whether that differs from what is.
    pub(super) async fn change(
        &self,
        wanted: impl Fn(&mut Keys) -> Result<bool, Error>,
    ) -> object_store::Result<Pin> {
        let inside = &self.store.0;
        let mut made: Option<Made> = None;
        let mut failure = None;
        for _ in 0..TRIES {
            let before = inside.state.look(&inside.source).await?;
            // After an error that leaves it open whether they were created, the same keys are tried again.
            let again = made.take().filter(|made| made.follows(&before.signed));
            let attempt = match again {
                Some(made) => made,
                None => {
                    let mut keys = before.signed.next()?;
                    if !wanted(&mut keys)? {
                        return Ok(inside.state.pin());
                    }
                    self.check(&keys)?;
                    self.make(keys).await?
                }
            };
            let began = Instant::now();
            match attempt.create(&inside.source).await {
                Ok(Outcome::Created(current)) => {
                    return Ok(Pin::of(&inside.state.saw(Some(Arc::new(current)), began).signed));
                }
                Ok(Outcome::Lost) => {}
                Err(error) => {
                    if is_final(&error) {
                        return Err(error);
                    }
                    failure = Some(error);
                    made = Some(attempt);
                }
            }
        }
        Err(failure.unwrap_or_else(|| {
            let reason = "others changed them at the same time, again and again";
            Error::Misuse { what: "keys of the store", reason }.into()
        }))
    }

    fn check(&self, keys: &Keys) -> Result<(), Error> {
        if keys.recipients.len() > constants::MAX_RECIPIENTS {
            return Err(Error::Misuse { what: "recipients", reason: "there must be 1 to 1000" });
        }
        if !self.store.0.source.reader.is_one_of(&keys.recipients) {
            return Err(Error::Misuse { what: "recipients", reason: LOCKED_OUT });
        }
        Ok(())
    }

    async fn make(&self, keys: Keys) -> object_store::Result<Made> {
        let (signer, context) = (Arc::clone(&self.signer), self.store.0.source.context.clone());
        Made::make(keys, signer, context).await
    }
}

impl Made {
    /// Signs and seals, on another thread: the signing key may be elsewhere.
    pub(super) async fn make(
        keys: Keys,
        signer: Arc<dyn Sign>,
        context: Vec<u8>,
    ) -> object_store::Result<Self> {
        let work = move || -> Result<Self, Error> {
            let (plaintext, fingerprint) = keys.sign(&*signer, &context)?;
            let sealed = envelope::seal_reserved(
                &keys.to_recipients()?,
                constants::STORE_KEYS_CONTEXT,
                &plaintext,
            )?;
            if sealed.len() > constants::STORE_KEYS_MAX {
                return Err(Error::Misuse {
                    what: "keys of the store",
                    reason: "they are longer than 12 MiB",
                });
            }
            Ok(Self { signed: SignedKeys { keys, fingerprint }, sealed: sealed.into() })
        };
        Ok(offload::offload(usize::MAX, work).await??)
    }

    fn follows(&self, before: &SignedKeys) -> bool {
        self.signed.keys.history.last() == Some(&before.fingerprint)
    }

    /// Creates them, never over others. After an error, what is there says whether they were created.
    pub(super) async fn create(&self, source: &Arc<Source>) -> object_store::Result<Outcome> {
        let serial = self.signed.keys.serial;
        let path = source.paths.keys_of(serial);
        let created =
            source.inner.put_opts(&path, self.sealed.clone(), PutMode::Create.into()).await;
        let Err(error) = created else { return Ok(Outcome::Created(self.current())) };
        if is_final(&error) {
            return Err(error);
        }
        match source.fetch(serial).await {
            Ok(found) if found.signed.fingerprint == self.signed.fingerprint => {
                Ok(Outcome::Created(found))
            }
            Ok(_) => Ok(Outcome::Lost),
            Err(object_store::Error::NotFound { .. }) => Err(error),
            Err(unreadable) => Err(unreadable),
        }
    }

    /// Some stores ignore the condition, and replace what is there.
    pub(super) async fn creates_only_once(&self, source: &Source) -> object_store::Result<()> {
        let path = source.paths.keys_of(self.signed.keys.serial);
        let again = source.inner.put_opts(&path, self.sealed.clone(), PutMode::Create.into()).await;
        match again {
            Err(object_store::Error::AlreadyExists { .. }) => Ok(()),
            Ok(_) => Err(object_store::Error::NotSupported {
                source: "the inner store replaces an object that shall only be created".into(),
            }),
            Err(error) => Err(error),
        }
    }

    fn current(&self) -> Current {
        let signed = self.signed.clone();
        let objects = ObjectKeys::of(&signed.keys, provider::default());
        Current { signed, objects }
    }
}

/// Another try would end the same way, and nothing was created.
fn is_final(error: &object_store::Error) -> bool {
    matches!(
        error,
        object_store::Error::NotSupported { .. }
            | object_store::Error::NotImplemented { .. }
            | object_store::Error::PermissionDenied { .. }
            | object_store::Error::Unauthenticated { .. }
            | object_store::Error::InvalidPath { .. }
            | object_store::Error::UnknownConfigurationKey { .. }
    )
}

impl SignedKeys {
    /// The keys that follow, as they are until they are changed.
    fn next(&self) -> Result<Keys, Error> {
        if self.keys.serial == LAST_SERIAL {
            let reason = "they were changed 65535 times, and cannot be changed again";
            return Err(Error::Misuse { what: "keys of the store", reason });
        }
        Ok(Keys { serial: self.keys.serial + 1, history: self.history(), ..self.keys.clone() })
    }
}
