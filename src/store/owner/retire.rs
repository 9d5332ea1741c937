//! Taking an epoch's key away, once nothing is under it.

use std::time::{Duration, SystemTime};

use futures_util::{StreamExt, TryStreamExt, stream};
use object_store::{GetOptions, GetRange, ObjectMeta, ObjectStore, path::Path};

use super::Owner;
use crate::{
    error::Error,
    store::{Pin, object, paths::Paths, sealed_store::Inside, state::LOOK_EVERY},
};

/// How long others may still write under an epoch: twice the time between their looks.
const OTHERS_LOOK: Duration = LOOK_EVERY.saturating_mul(2);

/// How many objects are looked at at once.
const AT_ONCE: usize = 32;

/// What became of an epoch that was to be retired.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Retirement {
    /// Its key has left the store, and `unreadable` objects with it.
    Retired {
        /// The new pin.
        pin: Pin,
        /// The objects that were under it; 0 unless they were [abandoned](Owner::abandon).
        unreadable: u64,
    },
    /// Nothing was changed, since objects are under it. [`reseal`](Owner::reseal) them first.
    InUse {
        /// How many.
        objects: u64,
        /// One of them.
        example: Path,
    },
}

impl Owner {
    /// Takes the key of an epoch away, if no object is under it any more. Each object is looked at: 13 bytes of it.
    ///
    /// The newest epoch stays. So does one whose successor is younger than two minutes, by this computer's clock and
    /// the bucket's: others may not have seen it yet, and still write under the old one. That suffices if nobody set a
    /// longer [`look_every`](super::super::Options::look_every) than a minute.
    ///
    /// # Errors
    ///
    /// [`Error::Misuse`] if the epoch is the newest, unknown or too young; otherwise as [`grant`](Self::grant).
    pub async fn retire(&self, epoch: u32) -> object_store::Result<Retirement> {
        self.retire_with(epoch, false).await
    }

    /// [`retire`](Self::retire), even if objects are under it, which nobody can read then. For objects that somebody
    /// put there to keep the epoch.
    ///
    /// # Errors
    ///
    /// As [`retire`](Self::retire).
    pub async fn abandon(&self, epoch: u32) -> object_store::Result<Retirement> {
        self.retire_with(epoch, true).await
    }

    async fn retire_with(&self, epoch: u32, abandon: bool) -> object_store::Result<Retirement> {
        let inside = &self.store.0;
        let current = inside.state.look(&inside.source).await?;
        let epochs = &current.signed.keys.epochs;
        let misuse = |reason| Error::Misuse { what: "epoch to retire", reason };
        if !epochs.contains_key(&epoch) {
            return Err(misuse("the store does not have it").into());
        }
        let Some((&successor, _)) = epochs.range(epoch + 1..).next() else {
            return Err(misuse("it is the newest one; begin another first").into());
        };
        if age(inside, successor).await? < OTHERS_LOOK {
            let reason =
                "the epoch after it is younger than two minutes, and not everybody has seen it";
            return Err(misuse(reason).into());
        }
        let (objects, example) = objects_under(inside, epoch).await?;
        match example {
            Some(example) if !abandon => return Ok(Retirement::InUse { objects, example }),
            _ => {}
        }
        let pin = self.change(|keys| Ok(keys.epochs.remove(&epoch).is_some())).await?;
        Ok(Retirement::Retired { pin, unreadable: objects })
    }
}

/// How long an epoch has been there, by the bucket's date and this clock.
async fn age(inside: &Inside, epoch: u32) -> object_store::Result<Duration> {
    let path = inside.paths().keys_of(epoch);
    let options = GetOptions { head: true, ..GetOptions::default() };
    let began = inside.inner().get_opts(&path, options).await?.meta.last_modified;
    // A date in the future is not old enough.
    Ok(SystemTime::now().duration_since(began.into()).unwrap_or(Duration::ZERO))
}

/// How many objects are under an epoch, and one of them.
async fn objects_under(inside: &Inside, epoch: u32) -> object_store::Result<(u64, Option<Path>)> {
    let listed = inside.inner().list(Some(&inside.paths().inner(&Path::default())));
    let objects = listed.try_filter_map(|meta| std::future::ready(Ok(candidate(inside, meta))));
    let mut epochs = objects
        .map(|found| async move {
            let (inner, outer) = found?;
            let found = epoch_of(inside, &inner).await?;
            Ok::<_, object_store::Error>((found == Some(epoch)).then_some(outer))
        })
        .buffer_unordered(AT_ONCE);
    let (mut count, mut example) = (0, None);
    while let Some(found) = epochs.try_next().await? {
        if let Some(path) = found {
            count += 1;
            example.get_or_insert(path);
        }
    }
    Ok((count, example))
}

/// Where an object is, if it can be one.
fn candidate(inside: &Inside, meta: ObjectMeta) -> Option<(Path, Path)> {
    let outer = inside.paths().outer(&meta.location)?;
    let readable = !Paths::is_reserved(&outer) && object::plaintext_len(meta.size).is_some();
    readable.then_some((meta.location, outer))
}

/// `None` if it was deleted in the meantime, or is no object.
async fn epoch_of(inside: &Inside, inner: &Path) -> object_store::Result<Option<u32>> {
    let range = GetRange::Bounded(0..object::HEADER as u64);
    let options = GetOptions { range: Some(range), ..GetOptions::default() };
    match inside.inner().get_opts(inner, options).await {
        Ok(found) => Ok(found.bytes().await?.first_chunk().and_then(object::epoch_of_header)),
        Err(object_store::Error::NotFound { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}
