//! Taking an epoch's key away, once nothing is under it.

use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt};
use object_store::{ObjectMeta, path::Path};

use super::{Owner, objects};
use crate::{
    error::Error,
    store::{Pin, sealed_store::Inside, state::LOOK_EVERY},
};

/// How long others may still write under an epoch: twice the time between their looks.
const OTHERS_LOOK: Duration = LOOK_EVERY.saturating_mul(2);

/// How many objects are looked at at once.
const AT_ONCE: usize = 32;

/// What became of an epoch that was to be retired.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[must_use = "it may have the new pin, which is to be saved"]
pub enum Retirement {
    /// Its key has left the store, and `unreadable` objects with it.
    #[non_exhaustive]
    Retired {
        /// The new pin.
        pin: Pin,
        /// The objects that were under it; 0 unless they were [abandoned](Owner::abandon).
        unreadable: u64,
    },
    /// Nothing was changed, since objects are under it. [`reseal`](Owner::reseal) them first, vouching for those that
    /// it [leaves](super::Fate::Left); those that do not open can only be deleted, or [abandoned](Owner::abandon).
    #[non_exhaustive]
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
    /// If the key has left already, nothing is changed, and nothing is looked at.
    ///
    /// The newest epoch stays. So does one whose successor is younger than two minutes, by this computer's clock and
    /// the bucket's: others may not have seen it yet, and still write under the old one. That suffices if nobody set a
    /// longer [`look_every`](super::super::Options::look_every) than a minute.
    ///
    /// # Errors
    ///
    /// [`Error::Misuse`] if the epoch is the newest, too young, or later than all; otherwise as [`grant`](Self::grant).
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
        let Some((&successor, _)) = epochs.range(epoch.saturating_add(1)..).next() else {
            let has_it = epochs.contains_key(&epoch);
            let newest = "it is the newest one; begin another first";
            return Err(misuse(if has_it { newest } else { "the store never had it" }).into());
        };
        if !epochs.contains_key(&epoch) {
            return Ok(Retirement::Retired { pin: inside.state.pin(), unreadable: 0 });
        }
        let began = objects::head(inside, &inside.paths().keys_of(successor)).await?;
        if objects::age(&began) < OTHERS_LOOK {
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

/// How many objects are under an epoch, and one of them.
async fn objects_under(inside: &Inside, epoch: u32) -> object_store::Result<(u64, Option<Path>)> {
    let mut epochs = objects::all(inside)
        .map(|meta| async move {
            let Ok(ObjectMeta { location: path, .. }) = meta? else { return Ok(None) };
            let found = objects::epoch(inside, &inside.paths().inner(&path)).await?;
            Ok::<_, object_store::Error>((found == objects::Names::Epoch(epoch)).then_some(path))
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
