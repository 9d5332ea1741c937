//! Sealing objects again, under the newest epoch.

use std::{fmt, time::Duration};

use futures_util::{StreamExt, TryStreamExt, stream};
use object_store::{
    GetOptions, GetResult, MultipartUpload, ObjectMeta, ObjectStore, PutMode, PutMultipartOptions,
    PutOptions, PutPayload, UpdateVersion, path::Path,
};

use super::{
    Owner,
    objects::{self, Names},
};
use crate::{
    error::Error,
    store::{failure::is_about_an_object, multipart::WHOLE, sealed_store::Inside},
};

/// The parts in which longer ones are written.
const PART: usize = 8 * 1024 * 1024;

/// How many objects are sealed again at once.
const AT_ONCE: usize = 4;

/// Temporary objects that are older are left over from somebody who was interrupted.
const LEFT_OVER: Duration = Duration::from_secs(24 * 60 * 60);

/// Seals objects again, under the newest epoch: [`Owner::reseal`].
pub struct Reseal<'a> {
    owner: &'a Owner,
    accept: Option<Accept<'a>>,
    nobody_else_writes: bool,
    progress: Progress<'a>,
}

type Accept<'a> = Box<dyn Fn(&ObjectMeta) -> bool + Send + Sync + 'a>;
type Progress<'a> = Box<dyn FnMut(&Path, Fate) + Send + 'a>;

/// What became of one object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Fate {
    /// It is now under the newest epoch.
    Resealed,
    /// It was already.
    Newest,
    /// It is as it was: it was written after the newest epoch began, under an older one, and nobody vouched for it. If
    /// you know who wrote it, [`accept`](Reseal::accept) it in another run.
    Left,
    /// Somebody replaced or deleted it in the meantime. It is as they left it.
    Replaced,
    /// It does not open: it is damaged, moved from another path, or not sealed.
    Unreadable,
}

/// How many objects met which [`Fate`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Resealed {
    /// [`Fate::Resealed`].
    pub resealed: u64,
    /// [`Fate::Newest`].
    pub newest: u64,
    /// [`Fate::Left`].
    pub left: u64,
    /// [`Fate::Replaced`].
    pub replaced: u64,
    /// [`Fate::Unreadable`].
    pub unreadable: u64,
}

impl Resealed {
    fn count(&mut self, fate: Fate) {
        *match fate {
            Fate::Resealed => &mut self.resealed,
            Fate::Newest => &mut self.newest,
            Fate::Left => &mut self.left,
            Fate::Replaced => &mut self.replaced,
            Fate::Unreadable => &mut self.unreadable,
        } += 1;
    }
}

impl Owner {
    /// Seals what is under older epochs again, under the newest one, so that a former reader's keys open nothing any
    /// more. It can be interrupted, and repeated.
    ///
    /// **To seal is to vouch.** A former reader who still writes to the bucket can put a forgery under an epoch whose
    /// key they know, and this would make it an object of the newest one. So first take their access to the bucket
    /// away, then [`revoke`](Self::revoke), then reseal. Objects that were written after the newest epoch began are
    /// left alone, by the bucket's dates, unless [`accept`](Reseal::accept) vouches for them. Where these are whole
    /// seconds, as on S3, the second in which the epoch began counts as after it.
    ///
    /// Attributes are kept. Tags are lost: the trait of object stores cannot read them.
    #[must_use = "nothing happens before `run`"]
    pub fn reseal(&self) -> Reseal<'_> {
        Reseal {
            owner: self,
            accept: None,
            nobody_else_writes: false,
            progress: Box::new(|_, _| {}),
        }
    }
}

impl<'a> Reseal<'a> {
    /// Which objects to seal again, instead of those that were written before the newest epoch began.
    #[must_use = "nothing happens before `run`"]
    pub fn accept(self, accept: impl Fn(&ObjectMeta) -> bool + Send + Sync + 'a) -> Self {
        Self { accept: Some(Box::new(accept)), ..self }
    }

    /// Nobody else writes to the store in the meantime. Without this promise, an object is replaced only in the
    /// version that was read, which not every inner store can do: a local directory cannot.
    #[must_use = "nothing happens before `run`"]
    pub fn nobody_else_writes(self) -> Self {
        Self { nobody_else_writes: true, ..self }
    }

    /// Is called after each object.
    #[must_use = "nothing happens before `run`"]
    pub fn progress(self, progress: impl FnMut(&Path, Fate) + Send + 'a) -> Self {
        Self { progress: Box::new(progress), ..self }
    }

    /// Does it. Memory is bounded: objects up to 64 MiB are held, four at once; longer ones are streamed.
    ///
    /// An object of more than 64 MiB is compared with the version that was read just before it is replaced. What others
    /// write to it in that moment is lost.
    ///
    /// # Errors
    ///
    /// [`object_store::Error::NotSupported`] if the inner store cannot replace only the version that was read; its other
    /// errors; those of a look; [`StoreRefusal::NewEpoch`](crate::error::StoreRefusal::NewEpoch) if another epoch
    /// began in the meantime. What was done until then stays: run it again.
    pub async fn run(self) -> object_store::Result<Resealed> {
        let Self { owner, accept, nobody_else_writes, mut progress } = self;
        let inside = &owner.store.0;
        let current = inside.state.look(&inside.source).await?;
        let newest = current.signed.keys.newest_epoch();
        let began = objects::head(inside, &inside.paths().keys_of(newest)).await?.last_modified;
        let vouched = |meta: &ObjectMeta| match &accept {
            Some(accept) => accept(meta),
            None => meta.last_modified < began,
        };
        let objects = Objects { owner, newest, nobody_else_writes, vouched: &vouched };
        let mut fates = objects::all(inside)
            .map(|meta| async {
                match meta? {
                    Ok(meta) => {
                        let fate = objects.one(&meta).await?;
                        Ok::<_, object_store::Error>((meta.location, fate))
                    }
                    Err(location) => Ok((location, Fate::Unreadable)),
                }
            })
            .buffer_unordered(AT_ONCE);
        let mut report = Resealed::default();
        while let Some((location, fate)) = fates.try_next().await? {
            report.count(fate);
            progress(&location, fate);
        }
        drop(fates);
        delete_left_overs(inside).await?;
        Ok(report)
    }
}

/// The objects of a store, to be sealed again one by one.
struct Objects<'a> {
    owner: &'a Owner,
    newest: u32,
    nobody_else_writes: bool,
    vouched: &'a (dyn Fn(&ObjectMeta) -> bool + Send + Sync),
}

impl Objects<'_> {
    async fn one(&self, meta: &ObjectMeta) -> object_store::Result<Fate> {
        let inside = &self.owner.store.0;
        match objects::epoch(inside, &inside.paths().inner(&meta.location)).await? {
            Names::Epoch(epoch) if epoch == self.newest => return Ok(Fate::Newest),
            Names::Epoch(_) => {}
            Names::None => return Ok(Fate::Unreadable),
            Names::Gone => return Ok(Fate::Replaced),
        }
        if !(self.vouched)(meta) {
            return Ok(Fate::Left);
        }
        let options = GetOptions { if_match: meta.e_tag.clone(), ..GetOptions::default() };
        let found = match self.owner.store.get_opts(&meta.location, options).await {
            Ok(found) => found,
            Err(error) => return fate_of(error),
        };
        // Where listings have no `ETag`, this may be another object than the one that was listed.
        if !(self.vouched)(&found.meta) {
            return Ok(Fate::Left);
        }
        let replaced = match found.meta.size {
            0..=WHOLE => self.whole(found).await,
            _ => self.in_parts(found).await,
        };
        match replaced {
            Ok(()) => Ok(Fate::Resealed),
            Err(error) => fate_of(error),
        }
    }

    async fn whole(&self, found: GetResult) -> object_store::Result<()> {
        let (meta, attributes) = (found.meta.clone(), found.attributes.clone());
        let plaintext = found.bytes().await?;
        let mode = if self.nobody_else_writes {
            PutMode::Overwrite
        } else {
            PutMode::Update(UpdateVersion { e_tag: meta.e_tag, version: meta.version })
        };
        let options = PutOptions { mode, attributes, ..PutOptions::default() };
        let put = self.owner.store.put_opts(&meta.location, plaintext.into(), options).await;
        put.map(drop).map_err(|error| if self.nobody_else_writes { error } else { unable(error) })
    }

    /// Whether the inner store can replace only a version of an object, by one that is not there.
    async fn check_update(&self) -> object_store::Result<()> {
        let inside = &self.owner.store.0;
        let path = inside.paths().temporary("none");
        let version = UpdateVersion { e_tag: Some("none".into()), version: None };
        let put =
            inside.inner().put_opts(&path, PutPayload::default(), PutMode::Update(version).into());
        use object_store::Error as E;
        match put.await.map_err(unable) {
            Err(error @ E::NotSupported { .. }) => Err(error),
            _ => Ok(()),
        }
    }

    async fn in_parts(&self, found: GetResult) -> object_store::Result<()> {
        let (meta, attributes) = (found.meta.clone(), found.attributes.clone());
        let options = PutMultipartOptions { attributes, ..PutMultipartOptions::default() };
        if !self.nobody_else_writes {
            self.check_update().await?;
        }
        let mut upload = self.owner.store.put_multipart_opts(&meta.location, options).await?;
        match self.upload(&mut *upload, found, &meta).await {
            Ok(()) => Ok(()),
            Err(error) => {
                let _ = upload.abort().await;
                Err(error)
            }
        }
    }

    async fn upload(
        &self,
        upload: &mut dyn MultipartUpload,
        found: GetResult,
        meta: &ObjectMeta,
    ) -> object_store::Result<()> {
        let mut chunks = found.into_stream();
        let (mut part, mut held) = (Vec::new(), 0);
        while let Some(bytes) = chunks.try_next().await? {
            held += bytes.len();
            part.push(bytes);
            if held >= PART {
                held = 0;
                upload.put_part(PutPayload::from_iter(part.drain(..))).await?;
            }
        }
        if held > 0 {
            upload.put_part(PutPayload::from_iter(part)).await?;
        }
        let inside = &self.owner.store.0;
        let now = objects::head(inside, &inside.paths().inner(&meta.location)).await?;
        if (&now.e_tag, &now.version, now.last_modified)
            != (&meta.e_tag, &meta.version, meta.last_modified)
        {
            return Err(object_store::Error::Precondition {
                path: meta.location.to_string(),
                source: "it was replaced while it was sealed again".into(),
            });
        }
        upload.complete().await.map(drop)
    }
}

/// An error of a store that has no [`PutMode::Update`].
fn unable(error: object_store::Error) -> object_store::Error {
    use object_store::Error as E;
    match error {
        E::NotImplemented { .. } | E::NotSupported { .. } => {
            let source = "the inner store cannot replace only the version that was read: \
                see `Reseal::nobody_else_writes`";
            E::NotSupported { source: source.into() }
        }
        other => other,
    }
}

/// What somebody left who was interrupted while he copied.
async fn delete_left_overs(inside: &Inside) -> object_store::Result<()> {
    let old: Vec<_> = inside
        .inner()
        .list(Some(&inside.paths().temporary_directory()))
        .try_filter(|meta| std::future::ready(objects::age(meta) > LEFT_OVER))
        .map_ok(|meta| meta.location)
        .try_collect()
        .await?;
    let paths = stream::iter(old.into_iter().map(Ok)).boxed();
    let mut deleted = inside.inner().delete_stream(paths);
    while let Some(one) = deleted.next().await {
        match one {
            Ok(_) | Err(object_store::Error::NotFound { .. }) => {} // another run was quicker
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// An object that does not open, or was replaced, is no reason to stop. What is wrong with the keys or the machine is:
/// a newer epoch, for example, of which this run knows nothing.
fn fate_of(error: object_store::Error) -> object_store::Result<Fate> {
    use object_store::Error as E;
    match error {
        E::Precondition { .. } | E::NotFound { .. } | E::AlreadyExists { .. } => Ok(Fate::Replaced),
        other if Error::inside(&other).is_some_and(is_about_an_object) => Ok(Fate::Unreadable),
        other => Err(other),
    }
}

impl fmt::Debug for Reseal<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Reseal({:?})", self.owner.store)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_object_that_does_not_open_is_unreadable() {
        use crate::error::StoreRefusal::{
            NewEpoch, NoKeys, OldEpoch, Older, Owner, Recipients, Replaced, UnknownEpoch,
        };

        let invalid = Error::Invalid { what: "sealed object", reason: "it begins with a 0" };
        let old = [UnknownEpoch, OldEpoch].map(Error::Store);
        for error in [Error::Open, invalid].into_iter().chain(old) {
            assert_eq!(fate_of(error.clone().into()).ok(), Some(Fate::Unreadable), "{error}");
        }
        let keys = [NewEpoch, NoKeys, Older, Owner, Recipients, Replaced].map(Error::Store);
        for error in [Error::NotARecipient, Error::Randomness].into_iter().chain(keys) {
            assert!(fate_of(error.clone().into()).is_err(), "{error}");
        }
        let gone = object_store::Error::NotFound { path: "x".into(), source: "deleted".into() };
        assert_eq!(fate_of(gone).ok(), Some(Fate::Replaced));
    }
}
