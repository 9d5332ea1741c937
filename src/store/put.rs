//! Writing a whole object.

use std::{sync::Arc, time::Instant};

use futures_util::stream;
use object_store::{
    ObjectStore, PutMode, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
    path::Path,
};

use super::{
    multipart::{self, WHOLE},
    object::START,
    sealed_store::Inside,
    sealing,
    state::LOOK_EVERY,
};
use crate::{
    error::{Error, StoreRefusal},
    stream::ChunkKey,
};

/// Seals it under the newest epoch. The mode, the attributes and the tags are for the inner store.
///
/// What is long goes in parts if the mode allows that, so that writing does not wait for sealing, and memory holds only
/// some of what is sealed.
pub(super) async fn put(
    store: &Arc<Inside>,
    location: &Path,
    payload: PutPayload,
    options: PutOptions,
) -> Result<PutResult> {
    if payload.content_length() as u64 > WHOLE && options.mode == PutMode::Overwrite {
        let PutOptions { mode: _, tags, attributes, extensions } = options;
        let options = PutMultipartOptions { tags, attributes, extensions };
        return in_parts(store, location, payload, options).await;
    }
    let began = Instant::now();
    let (epoch, key, start) = newest(store, location).await?;
    let sealed = sealing::seal_all(key, &start, payload).await?;
    let put =
        store.inner().put_opts(&store.paths().inner(location), sealed.into(), options).await?;
    still_there(store, epoch, began).await?;
    Ok(put)
}

/// An inner store tries for minutes. An epoch that was retired meanwhile, after a look at what is under it, has taken
/// the object with it.
pub(super) async fn still_there(store: &Inside, epoch: u32, began: Instant) -> Result<()> {
    if began.elapsed() < LOOK_EVERY {
        return Ok(());
    }
    check_epoch(store, epoch).await
}

/// Whether an epoch is still there.
pub(super) async fn check_epoch(store: &Inside, epoch: u32) -> Result<()> {
    let current = store.state.look(&store.source).await?;
    let there = current.objects.get(epoch).map(drop);
    Ok(there.ok_or(Error::Store(StoreRefusal::UnknownEpoch))?)
}

/// If a newer epoch begins meanwhile, once more under that one.
async fn in_parts(
    store: &Arc<Inside>,
    location: &Path,
    payload: PutPayload,
    options: PutMultipartOptions,
) -> Result<PutResult> {
    let size = payload.content_length() as u64;
    let mut again = true;
    loop {
        let upload = multipart::begin(store, location, options.clone()).await?;
        let pieces = payload.clone().into_iter().map(Ok);
        let done = upload.all_of(stream::iter(pieces), size).await;
        match &done {
            Err(error) if again && is_new_epoch(error) => again = false,
            _ => return done,
        }
    }
}

fn is_new_epoch(error: &object_store::Error) -> bool {
    matches!(Error::inside(error), Some(Error::Store(StoreRefusal::NewEpoch)))
}

/// The newest epoch, the key of a new object under it, and the bytes before its chunks.
pub(super) async fn newest(
    store: &Inside,
    location: &Path,
) -> Result<(u32, ChunkKey, [u8; START])> {
    let current = store.state.current(&store.source).await?;
    let epoch = current.objects.newest().ok_or(Error::Store(StoreRefusal::Malformed))?;
    let (key, start) = epoch.seal(store.context(), location.as_ref())?;
    Ok((epoch.epoch(), key, start))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use object_store::memory::InMemory;

    use super::*;
    use crate::{
        envelope::Recipients, kem::DecapsulationKey, sign::SigningKey, store::SealedStore,
    };

    #[::tokio::test]
    async fn a_write_that_took_long_is_done_only_if_its_epoch_is_still_there() {
        let (reader, owner) = (DecapsulationKey::generate(), SigningKey::generate());
        let (reader, owner) = (reader.expect("a key"), Arc::new(owner.expect("a key")));
        let recipients = Recipients::new([reader.encapsulation_key()]).expect("one");
        let inner = Arc::new(InMemory::new());
        let made = SealedStore::create(inner, b"test", reader, owner, &recipients).await;
        let store = made.expect("a store").0.store().clone();
        let now = Instant::now();
        let long_ago = now.checked_sub(Duration::from_secs(61)).expect("the machine is up");
        still_there(&store.0, 1, long_ago).await.expect("it is there");
        still_there(&store.0, 2, now).await.expect("nobody looks");
        let gone = still_there(&store.0, 2, long_ago).await.expect_err("it never was there");
        let unknown = Error::Store(StoreRefusal::UnknownEpoch);
        assert_eq!(Error::inside(&gone), Some(&unknown));
    }
}
