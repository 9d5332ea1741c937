//! Reloads keys while a service runs.

use std::{convert::Infallible, io, sync::Arc, time::Duration};

use ::tokio::{task::spawn_blocking, time::sleep};

use crate::keyring::{Reload, Shared};

/// [Reloads](Shared::reload) keys at intervals, for as long as the future is polled, and reports each
/// result: whether the keys changed, or why they stay as they are.
///
/// ```
/// use std::{io, sync::Arc, time::Duration};
///
/// use twinseal::{SigningKey, keyring::Shared, tokio::watch};
///
/// #[tokio::main(flavor = "current_thread")]
/// async fn main() -> io::Result<()> {
/// #   let directory = tempfile::tempdir()?;
/// #   let path = directory.path().join("sign.pem");
/// #   SigningKey::generate()?.write_pem_file(&path)?;
///     let key = Arc::new(Shared::<SigningKey>::read_pem_file(&path)?);
///     let every = Duration::from_secs(10);
///     let watching = tokio::spawn(watch(Arc::clone(&key), every, |reloaded| match reloaded {
///         Ok(true) => println!("there is another signing key"),
///         Ok(false) => {}
///         Err(error) => eprintln!("the signing key stays as it is: {error}"),
///     }));
///
///     key.load().sign(b"example.com/releases", b"hello")?; // the service, with the key as it is now
///     watching.abort(); // when the service ends
///     Ok(())
/// }
/// ```
///
/// The first reload is when the interval is over, and the next one an interval after the last was
/// reported: they are never two at once, and none is caught up on. Each runs under
/// [`spawn_blocking`], because it reads files and expands every key that it finds, about a millisecond
/// for each. A kubelet takes a minute to bring a changed secret to a node, so some ten seconds are a
/// good interval.
///
/// It polls instead of waiting for the file system's events, because there are none for what another
/// machine changes on a network file system, and a mounted secret changes by replacing a link, which
/// an event on the file does not tell.
///
/// # Cancellation
///
/// To end it, drop the future, or abort its task. A reload that has begun is then finished on its own
/// thread, and applied or not as a whole; only its report is lost.
///
/// # Errors
///
/// Those of [`reload`](Shared::reload) are reported, and so is a panic in it; the next interval tries
/// again. A panic of `report` ends the future.
///
/// # Panics
///
/// If it is not polled in a tokio runtime with its timer enabled.
pub async fn watch<R: Reload>(
    keys: Arc<Shared<R>>,
    every: Duration,
    mut report: impl FnMut(io::Result<bool>),
) -> Infallible {
    loop {
        sleep(every).await;
        let keys = Arc::clone(&keys);
        report(match spawn_blocking(move || keys.reload()).await {
            Ok(reloaded) => reloaded,
            Err(panicked) => Err(io::Error::other(panicked)),
        });
    }
}
