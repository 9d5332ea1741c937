//! Seals a file into the store and signs it, while it is read once: there is no sealed copy on this machine, and only
//! a few parts of the upload are in memory.
//!
//! A checkpoint is two objects. Its data has a random name, so that nobody overwrites the data of
//! another. `model.sig` has that name and the digests of all shards, signed. It is created last, and only if there is
//! none: of two that seal at once one is refused, and removes its own data.

use std::{
    fmt, fs, io,
    num::NonZeroU64,
    path::Path as FilePath,
    time::{Duration, Instant},
};

use object_store::{Error, ObjectStore, ObjectStoreExt, PutMode, WriteMultipart, path::Path};
use tokio::{fs::File, io::AsyncReadExt};
use twinseal::{
    SigningKey,
    model::{FileDigest, ManifestBuilder, Method, PayloadHasher},
    store::SealedStore,
};

use crate::Result;

/// Parts have at least this length. S3 accepts 10,000 of them, and the store adds one.
const MIN_PART: u64 = 8 << 20;
const MAX_PARTS: u64 = 9_999;

/// A sealed part has the same chunks as its plaintext.
const CHUNK: u64 = 16 * 1024;

/// What is verified at once, and so fetched for a tensor of a few bytes. A large file has larger shards, so that its
/// signature has 16 MB at most.
const MIN_SHARD: NonZeroU64 = NonZeroU64::new(64 << 10).expect("it is not zero");
const MAX_SHARDS: u64 = 1 << 16;

/// How many parts are uploaded at the same time.
const CONCURRENT: usize = 4;

pub(crate) struct Sealed {
    plaintext: u64,
    time: Duration,
}

impl fmt::Display for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { plaintext, time } = self;
        let speed = *plaintext as f64 / f64::from(1 << 20) / time.as_secs_f64();
        write!(f, "{plaintext} bytes in {:.0} ms, {speed:.0} MiB/s", time.as_secs_f64() * 1e3)
    }
}

/// Seals a file. Until it has returned `Ok` there is no checkpoint of this name, unless somebody
/// else has sealed one, which is then left as it is.
pub(crate) async fn seal(
    store: &SealedStore,
    name: &Path,
    path: &FilePath,
    signer: &SigningKey,
) -> Result<Sealed> {
    let start = Instant::now();
    let at = |error: io::Error| format!("{}: {error}", path.display());
    if !fs::metadata(path).map_err(at)?.is_file() {
        return Err(format!("{}: not a regular file", path.display()).into());
    }
    let mut file = File::open(path).await.map_err(at)?;
    let before = file.metadata().await?;
    let plaintext = before.len();
    let exists = || format!("{name}: there is a checkpoint of this name");
    if find(store, name).await?.is_some() {
        return Err(exists().into());
    }

    let shard = MIN_SHARD.max(plaintext.div_ceil(MAX_SHARDS).try_into().unwrap_or(MIN_SHARD));
    let model = ManifestBuilder::new(name.filename().ok_or("a checkpoint has a name")?)?;
    let mut model = model.with_method(Method::Shards(shard));
    let data = name.clone().join(format!("{:016x}", getrandom::u64()?));
    let part = MIN_PART.max(plaintext.div_ceil(MAX_PARTS).next_multiple_of(CHUNK));
    let upload = store.put_multipart(&data).await?;
    let mut upload = WriteMultipart::new_with_chunk_size(upload, usize::try_from(part)?);
    let digest = match send(&mut file, &before, part, &mut upload, model.method()).await {
        Ok(digest) => digest,
        Err(error) => {
            // The first error is the one to report. Parts that are left never become an object; a
            // lifecycle rule of the bucket deletes them.
            let _ = upload.abort().await;
            return Err(error);
        }
    };
    upload.finish().await?;

    model.add(data.as_ref(), digest)?;
    let bundle = model.sign(signer)?.as_bytes().to_vec();
    let create = PutMode::Create.into();
    if let Err(error) = store.put_opts(&signature(name), bundle.clone().into(), create).await {
        // The answer to an attempt that has succeeded may be lost: what is there now decides.
        match find(store, name).await {
            Ok(Some(found)) if found == bundle => {}
            Ok(Some(_)) => {
                let _ = store.delete(&data).await;
                return Err(exists().into());
            }
            _ => return Err(error.into()),
        }
    }
    Ok(Sealed { plaintext, time: start.elapsed() })
}

/// The signature of a checkpoint, if there is one. Nobody has verified it yet.
pub(crate) async fn find(store: &SealedStore, name: &Path) -> Result<Option<Vec<u8>>> {
    match store.get(&signature(name)).await {
        Err(Error::NotFound { .. }) => Ok(None),
        found => Ok(Some(found?.bytes().await?.into())),
    }
}

fn signature(name: &Path) -> Path {
    name.clone().join("model.sig")
}

async fn send(
    file: &mut File,
    before: &fs::Metadata,
    part: u64,
    upload: &mut WriteMultipart,
    method: Method,
) -> Result<FileDigest> {
    let mut hasher = PayloadHasher::new(method)?;
    let mut left = before.len();
    while left > 0 {
        let length = left.min(part);
        let mut plaintext = vec![0; usize::try_from(length)?];
        file.read_exact(&mut plaintext).await.map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => CHANGED.into(),
            _ => Box::<dyn std::error::Error + Send + Sync>::from(error),
        })?;
        // A mixture of two states of the file is not a checkpoint.
        let now = file.metadata().await?;
        if now.len() != before.len() || now.modified().ok() != before.modified().ok() {
            return Err(CHANGED.into());
        }
        upload.wait_for_capacity(CONCURRENT).await?;
        upload.put(hasher.hash(plaintext).await?.into());
        left -= length;
    }
    upload.wait_for_capacity(0).await?;
    Ok(hasher.finish().await?)
}

const CHANGED: &str = "the file changed while it was read";
