//! Copying and renaming: the path is in the seal, so what is copied is sealed again.

use std::{fmt::Write, sync::Arc};

use futures_util::{TryStreamExt, stream::BoxStream};
use object_store::{
    Attributes, CopyMode, CopyOptions, Error, Extensions, GetOptions, ObjectStore, ObjectStoreExt,
    PutMode, PutMultipartOptions, PutOptions, RenameOptions, RenameTargetMode, Result, path::Path,
};

use super::{
    multipart::{Ends, Upload, WHOLE},
    object::{EpochKey, START},
    offload,
    put::check_epoch,
    read,
    sealed_store::Inside,
    sealing::{Pieces, Runs},
};
use crate::{random, stream::ChunkKey};

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
        let upload = Upload::new(store, inner, to.clone(), epoch.epoch(), ends, key);
        upload.all_of(plaintext, size).await.map(drop)
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
        if let Err(error) = self.upload(&temporary).await {
            // It can be there if the answer was lost.
            let _ = store.inner().delete(&temporary).await;
            return Err(error);
        }
        let options = CopyOptions { mode: CopyMode::Create, extensions };
        let published = store.inner().copy_opts(&temporary, &to, options).await;
        // If it stays, `reseal` deletes it.
        let _ = store.inner().delete(&temporary).await;
        published?;
        // If it was retired meanwhile, nobody can read the copy, and a rename must not delete its source.
        check_epoch(&store, epoch).await
    }
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
