//! Seals a file into the store while it is read: there is no sealed copy on this machine, and only
//! a few parts of the upload are in memory.
//!
//! A checkpoint is two objects. Its data has a random name, so that nobody overwrites the data of
//! another. `published` has that name, and is created last, and only if there is none: of two that
//! seal at once one is refused, and removes its own data.

use std::{
    fmt, fs, io,
    path::Path as FilePath,
    time::{Duration, Instant},
};

use object_store::{Error, ObjectStore, ObjectStoreExt, PutMode, WriteMultipart, path::Path};
use tokio::{fs::File, io::AsyncReadExt};
use twinseal::store::SealedStore;

use crate::Result;

/// Parts have at least this length. S3 accepts 10,000 of them, and the store adds one.
const MIN_PART: u64 = 8 << 20;
const MAX_PARTS: u64 = 9_999;

/// A sealed part has the same chunks as its plaintext.
const CHUNK: u64 = 16 * 1024;

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
pub(crate) async fn seal(store: &SealedStore, name: &Path, path: &FilePath) -> Result<Sealed> {
    let start = Instant::now();
    let at = |error: io::Error| format!("{}: {error}", path.display());
    if !fs::metadata(path).map_err(at)?.is_file() {
        return Err(format!("{}: not a regular file", path.display()).into());
    }
    let mut file = File::open(path).await.map_err(at)?;
    let before = file.metadata().await?;
    let plaintext = before.len();
    let exists = || format!("{name}: there is a checkpoint of this name");
    match store.head(&published(name)).await {
        Err(Error::NotFound { .. }) => {}
        Err(error) => return Err(error.into()),
        Ok(_) => return Err(exists().into()),
    }

    let data = name.clone().join(format!("{:016x}", getrandom::u64()?));
    let part = MIN_PART.max(plaintext.div_ceil(MAX_PARTS).next_multiple_of(CHUNK));
    let upload = store.put_multipart(&data).await?;
    let mut upload = WriteMultipart::new_with_chunk_size(upload, usize::try_from(part)?);
    if let Err(error) = send(&mut file, &before, part, &mut upload).await {
        // The first error is the one to report. Parts that are left never become an object; a
        // lifecycle rule of the bucket deletes them.
        let _ = upload.abort().await;
        return Err(error);
    }
    upload.finish().await?;

    let content = data.filename().unwrap_or_default().to_owned();
    let put = store.put_opts(&published(name), content.into(), PutMode::Create.into()).await;
    if let Err(error) = put {
        // The answer to an attempt that has succeeded may be lost: what is there now decides.
        match find(store, name).await {
            Ok(found) if found == data => {}
            Ok(_) => {
                let _ = store.delete(&data).await;
                return Err(exists().into());
            }
            Err(_) => return Err(error.into()),
        }
    }
    Ok(Sealed { plaintext, time: start.elapsed() })
}

/// The data of a checkpoint.
pub(crate) async fn find(store: &SealedStore, name: &Path) -> Result<Path> {
    let found = match store.get(&published(name)).await {
        Err(Error::NotFound { .. }) => {
            return Err(format!("{name}: there is no checkpoint of this name").into());
        }
        found => found?.bytes().await?,
    };
    Ok(name.clone().join(std::str::from_utf8(&found)?))
}

fn published(name: &Path) -> Path {
    name.clone().join("published")
}

async fn send(
    file: &mut File,
    before: &fs::Metadata,
    part: u64,
    upload: &mut WriteMultipart,
) -> Result<()> {
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
        upload.put(plaintext.into());
        left -= length;
    }
    Ok(upload.wait_for_capacity(0).await?)
}

const CHANGED: &str = "the file changed while it was read";
