//! Copying and renaming: the path is in the seal, so what is copied is sealed again.

use std::{fmt::Write, sync::Arc};

use futures_util::{FutureExt, Stream, StreamExt, TryStreamExt, future, stream, stream::BoxStream};
use object_store::{
    Attributes, CopyMode, CopyOptions, Error, Extensions, GetOptions, MultipartUpload, ObjectStore,
    ObjectStoreExt, PutMode, PutMultipartOptions, PutOptions, PutPayload, RenameOptions,
    RenameTargetMode, Result, path::Path,
};

use super::{
    multipart::{Ends, Upload},
    object::{EpochKey, START},
    offload, read,
    sealed_store::Inside,
    sealing::{Pieces, Runs},
};
use crate::{
    error::{self, StoreRefusal},
    random,
    stream::ChunkKey,
};

/// Longer objects go in parts.
const WHOLE: u64 = 64 << 20;

/// How long a part is at least. S3 wants 5 MiB.
const PART: u64 = 8 << 20;

/// So many parts are enough for any object: S3 takes 10,000.
const PARTS: u64 = 8192;

/// How many parts are in memory.
const AT_ONCE: usize = 4;

/// An object on its way to another path, under the epoch that it had.
struct Copy<'a> {
    store: &'a Arc<Inside>,
    to: &'a Path,
    epoch: Arc<EpochKey>,
    size: u64,
    plaintext: BoxStream<'static, Result<bytes::Bytes>>,
    attributes: Attributes,
    extensions: Extensions,
}

pub(super) async fn copy(
    store: &Arc<Inside>,
    from: &Path,
    to: &Path,
    options: CopyOptions,
) -> Result<()> {
    let CopyOptions { mode, extensions } = options;
    let asked = GetOptions { extensions: extensions.clone(), ..GetOptions::default() };
    let source = read::whole(store, from, asked).await?;
    let create = matches!(mode, CopyMode::Create);
    if from == to {
        return if create { Err(exists(to)) } else { Ok(()) };
    }
    let copy = Copy {
        store,
        to,
        epoch: store.state.epoch(&store.source, source.epoch).await?,
        size: source.result.meta.size,
        attributes: source.result.attributes.clone(),
        plaintext: source.result.into_stream(),
        extensions,
    };
    match (copy.size <= WHOLE, create) {
        (true, false) => copy.put(PutMode::Overwrite).await,
        (true, true) => copy.put(PutMode::Create).await,
        (false, false) => {
            let path = store.paths().inner(to);
            copy.upload(&path).await
        }
        (false, true) => copy.upload_and_publish().await,
    }
}

/// The source is deleted after the copy is complete.
pub(super) async fn rename(
    store: &Arc<Inside>,
    from: &Path,
    to: &Path,
    options: RenameOptions,
) -> Result<()> {
    let RenameOptions { target_mode, extensions } = options;
    let mode = match target_mode {
        RenameTargetMode::Overwrite => CopyMode::Overwrite,
        RenameTargetMode::Create => CopyMode::Create,
    };
    copy(store, from, to, CopyOptions { mode, extensions }).await?;
    if from == to {
        return Ok(());
    }
    store.inner().delete(&store.paths().inner(from)).await
}

impl Copy<'_> {
    fn key(&self) -> Result<(ChunkKey, [u8; START])> {
        Ok(self.epoch.seal(self.store.context(), self.to.as_ref())?)
    }

    /// As a whole.
    async fn put(mut self, mode: PutMode) -> Result<()> {
        let (key, start) = self.key()?;
        let mut sealed = Pieces::default();
        sealed.push(bytes::Bytes::copy_from_slice(&start));
        let (mut runs, mut plaintext) = (Runs::new(key), Pieces::default());
        let mut ends = false;
        while !ends {
            match self.plaintext.try_next().await? {
                Some(piece) => plaintext.push(piece),
                None => ends = true,
            }
            while let Some(run) = runs.next_of(&mut plaintext, ends) {
                sealed.push(offload::offload(run.len(), move || run.seal()).await??);
            }
        }
        // An epoch that was retired since the source was read must not be written again.
        check_epoch(self.store, self.epoch.epoch()).await?;
        let path = self.store.paths().inner(self.to);
        let Self { attributes, extensions, .. } = self;
        let options = PutOptions { mode, attributes, extensions, ..PutOptions::default() };
        self.store.inner().put_opts(&path, sealed.into(), options).await?;
        Ok(())
    }

    /// In parts, to a path of the inner store. Its attributes are those of the source; tags cannot be read.
    async fn upload(self, path: &Path) -> Result<()> {
        let key = self.key()?;
        let Self { store, to, epoch, size, plaintext, attributes, extensions } = self;
        let options =
            PutMultipartOptions { attributes, extensions, ..PutMultipartOptions::default() };
        let inner = store.inner().put_multipart_opts(path, options).await?;
        let ends = Ends::WhenItsEpochIsRetired;
        let mut upload = Upload::new(store, inner, to.clone(), epoch.epoch(), ends, key);
        let sent = parts(plaintext, size)
            .map(|part| match part {
                Ok(part) => upload.put_part(part),
                Err(error) => future::ready(Err(error)).boxed(),
            })
            .buffer_unordered(AT_ONCE)
            .try_for_each(|()| future::ready(Ok(())))
            .await;
        let completed = match sent {
            Ok(()) => upload.complete().await.map(drop),
            Err(error) => Err(error),
        };
        if completed.is_err() {
            // The first error is the one that says why.
            let _ = upload.abort().await;
        }
        completed
    }

    /// In parts, to a temporary path. The inner store copies that if there is nothing at the destination.
    async fn upload_and_publish(self) -> Result<()> {
        let store = Arc::clone(self.store);
        let to = store.paths().inner(self.to);
        if store.inner().head(&to).await.is_ok() {
            return Err(exists(self.to)); // without sending all of it
        }
        let temporary = store.paths().temporary(&temporary_name()?);
        let (epoch, extensions) = (self.epoch.epoch(), self.extensions.clone());
        self.upload(&temporary).await?;
        let options = CopyOptions { mode: CopyMode::Create, extensions };
        let published = store.inner().copy_opts(&temporary, &to, options).await;
        // If it stays, `reseal` deletes it.
        let _ = store.inner().delete(&temporary).await;
        published?;
        // If it was retired meanwhile, nobody can read the copy, and a rename must not delete its source.
        check_epoch(&store, epoch).await
    }
}

/// Whether an epoch is still there.
async fn check_epoch(store: &Inside, epoch: u32) -> Result<()> {
    let current = store.state.look(&store.source).await?;
    let there = current.objects.get(epoch).map(drop);
    Ok(there.ok_or(error::Error::Store(StoreRefusal::UnknownEpoch))?)
}

/// Parts of one length, the last of which is what is left.
fn parts(
    plaintext: BoxStream<'static, Result<bytes::Bytes>>,
    size: u64,
) -> impl Stream<Item = Result<PutPayload>> {
    let len = size.div_ceil(PARTS).next_multiple_of(PART);
    let len = usize::try_from(len).unwrap_or(usize::MAX);
    stream::try_unfold(
        (plaintext, Pieces::default()),
        move |(mut plaintext, mut ready)| async move {
            while ready.len() < len
                && let Some(piece) = plaintext.try_next().await?
            {
                ready.push(piece);
            }
            let part = ready.split_to(len);
            Ok((part.len() > 0).then(|| (part.into(), (plaintext, ready))))
        },
    )
}

/// 32 hexadecimal digits that nobody can guess.
fn temporary_name() -> Result<String> {
    let mut name = String::with_capacity(32);
    for byte in *random::array::<16>()? {
        let _ = write!(name, "{byte:02x}"); // to a string, it cannot fail
    }
    Ok(name)
}

fn exists(path: &Path) -> Error {
    Error::AlreadyExists { path: path.to_string(), source: "there is an object".into() }
}
