//! Seals a file into the store while it is read: there is no sealed copy on this machine, and only
//! a few parts of the upload are in memory.

use std::{
    fs::{File, Metadata},
    io::{self, Read, Write},
    path::Path,
    time::{Duration, Instant},
};

use indicatif::ProgressBar;
use object_store::{ObjectStoreExt, PutMode, WriteMultipart};
use tokio::sync::mpsc;
use twinseal::{
    Recipients,
    envelope::{BodyKey, Sealer},
    secret::SecretBuffer,
};

use crate::{Result, at, place::Place, progress};
use common::printable;

/// Stores require parts of at least 5 MiB, all of the same length except the last.
const MIN_PART: u64 = 8 << 20;

/// The most parts that S3 accepts.
const MAX_PARTS: u64 = 10_000;

/// How many parts are uploaded at the same time.
const CONCURRENT: usize = 4;

/// How much plaintext is read at once.
const BUFFER: usize = 256 * 1024;

pub(crate) struct Sealed {
    pub(crate) plaintext: u64,
    pub(crate) header: u64,
    pub(crate) body: u64,
    pub(crate) parts: u64,
    pub(crate) time: Duration,
}

/// Seals a file for all recipients. Until it has returned `Ok` there is no checkpoint in the store,
/// and after an error it leaves none.
pub(crate) async fn seal(
    path: &Path,
    context: &[u8],
    to: &Recipients,
    place: &Place,
) -> Result<Sealed> {
    let start = Instant::now();
    let file = common::open_regular(path).map_err(|error| at(path, &error))?;
    let before = file.metadata().map_err(|error| at(path, &error))?;
    let plaintext = before.len();
    match place.store.head(&place.header()).await {
        Err(object_store::Error::NotFound { .. }) => {}
        Err(error) => return Err(error.into()),
        Ok(_) => return Err(format!("{} has a checkpoint already", place.name()).into()),
    }

    let (header, prefix, sealer) = to.sealer(context)?;
    let sealed_len = to.sealed_len(plaintext).ok_or("the file is too large")?;
    let body = sealed_len - header.len() as u64;
    let part_length = MIN_PART.max(body.div_ceil(MAX_PARTS));

    let upload = place.store.put_multipart(&place.body()).await?;
    let mut upload = WriteMultipart::new_with_chunk_size(upload, usize::try_from(part_length)?);
    let (sender, receiver) = mpsc::channel(1);
    let sealing =
        tokio::task::spawn_blocking(move || seal_parts(file, &before, sealer, prefix, &sender));
    let bar = progress::bar("seal", body);
    let outcome = tokio::select! {
        outcome = send(receiver, &mut upload, &bar) => match outcome {
            Ok(()) => sealing.await?,
            Err(error) => Err(error),
        },
        stopped = stopped() => Err(stopped),
    };
    bar.finish_and_clear();
    if let Err(error) = outcome {
        // The first error is the one to report. Parts of an upload that cannot even be aborted
        // never become an object; a lifecycle rule of the store deletes them.
        let _ = upload.abort().await;
        return Err(error);
    }
    // From here on signals have no effect. Without a header there is no checkpoint.
    upload.finish().await?;

    let header_length = header.len() as u64;
    let put = place.store.put_opts(&place.header(), header.into(), PutMode::Create.into()).await;
    match put {
        Ok(_) => {}
        Err(object_store::Error::AlreadyExists { .. }) => {
            return Err(
                format!("{}: somebody else has sealed a checkpoint to it", place.name()).into()
            );
        }
        Err(error) => {
            let _ = place.store.delete(&place.body()).await; // without a header nobody can open it
            return Err(error.into());
        }
    }
    let parts = body.div_ceil(part_length);
    Ok(Sealed { plaintext, header: header_length, body, parts, time: start.elapsed() })
}

pub(crate) fn report(sealed: &Sealed, place: &Place, out: &mut impl Write) -> Result<()> {
    let Sealed { plaintext, header, body, parts, time } = sealed;
    let growth = 100.0 * (header + body - plaintext) as f64 / (*plaintext).max(1) as f64;
    let speed = *plaintext as f64 / f64::from(1 << 20) / time.as_secs_f64();
    writeln!(out, "  {}", printable(place.name()))?;
    writeln!(out, "  header  {header:>12} bytes")?;
    writeln!(out, "  body    {body:>12} bytes, uploaded in {parts} parts")?;
    writeln!(out, "  the file had {plaintext} bytes: {growth:.2} % more")?;
    writeln!(out, "  {:.0} ms, {speed:.0} MiB/s", time.as_secs_f64() * 1e3)?;
    Ok(())
}

/// Reads and seals the file, and sends the sealed parts. It has a thread of its own, because it
/// blocks.
fn seal_parts(
    mut file: File,
    before: &Metadata,
    mut sealer: Sealer,
    prefix: [u8; BodyKey::PREFIX_LEN],
    parts: &mpsc::Sender<Vec<u8>>,
) -> Result<()> {
    let mut buffer = SecretBuffer::zeroed(BUFFER);
    let mut length = 0;
    let mut sealed = prefix.to_vec();
    loop {
        let read = match file.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error.into()),
        };
        sealer.update(buffer.get(..read).unwrap_or_default(), &mut sealed)?;
        length += read as u64;
        // A mixture of two states of the file is not a checkpoint. Then the rest need not be sent.
        unchanged(&file, before)?;
        let next = Vec::with_capacity(sealed.capacity());
        if parts.blocking_send(std::mem::replace(&mut sealed, next)).is_err() {
            return Ok(()); // the upload has failed and reports why
        }
    }
    unchanged(&file, before)?;
    if length != before.len() {
        return Err(format!("the file has {} bytes, but {length} were read", before.len()).into());
    }
    sealer.finish(&mut sealed)?;
    // If the receiver is gone, the upload has failed and reports why.
    let _ = parts.blocking_send(sealed);
    Ok(())
}

/// Compares the length and the time of the last change, or only the length if the file system has
/// no times.
fn unchanged(file: &File, before: &Metadata) -> Result<()> {
    let after = file.metadata()?;
    let same_time = match (before.modified(), after.modified()) {
        (Ok(before), Ok(after)) => before == after,
        _ => true,
    };
    if same_time && after.len() == before.len() {
        return Ok(());
    }
    Err(format!("the file changed while it was read; it has {} bytes now", after.len()).into())
}

async fn send(
    mut parts: mpsc::Receiver<Vec<u8>>,
    upload: &mut WriteMultipart,
    bar: &ProgressBar,
) -> Result<()> {
    while let Some(sealed) = parts.recv().await {
        upload.wait_for_capacity(CONCURRENT).await?;
        bar.inc(sealed.len() as u64);
        upload.put(sealed.into());
    }
    Ok(())
}

/// Waits for Ctrl-C, or for the SIGTERM with which Kubernetes ends a Job.
async fn stopped() -> Box<dyn std::error::Error + Send + Sync> {
    #[cfg(unix)]
    let terminated = async {
        use tokio::signal::unix::{SignalKind, signal};
        match signal(SignalKind::terminate()) {
            Ok(mut signal) => signal.recv().await,
            Err(_) => std::future::pending().await, // without a handler the process just ends
        }
    };
    #[cfg(not(unix))]
    let terminated = std::future::pending::<Option<()>>();
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminated => {}
    }
    "stopped before the upload was complete; it was aborted".into()
}
