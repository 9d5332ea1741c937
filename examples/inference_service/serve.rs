//! Runs the service: reads its keys, listens, reads the keys again when they change, and ends on a
//! signal.

use std::{io, net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use tokio::{net::TcpListener, select, sync::watch, time::sleep};

use crate::{
    Failure,
    keys::ServiceKeys,
    listener, pictures,
    replay::ReplayCache,
    server::{Limits, Server},
    service::{Service, Stages, now},
    spool,
};
use common::{chain, printable};
use digits::Perceptron;

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Settings {
    /// Where to listen
    #[arg(long, default_value = "127.0.0.1:8080", value_name = "ADDRESS")]
    listen: SocketAddr,
    #[command(flatten)]
    keys: ServiceKeys,
    /// A model as gradient_exchange saves it [default: a small one, trained at the start]
    #[arg(long, value_name = "FILE")]
    model: Option<PathBuf>,
    /// Directory for the sealed bodies of long requests [default: the system's for temporary files]
    #[arg(long, value_name = "DIR")]
    spool: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) limits: Limits,
    /// Seconds that a request's timestamp may differ from the clock
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=3600))]
    window: u64,
    /// Requests of one client that are remembered; more in two windows are refused with 429
    #[arg(long, default_value_t = 100_000, value_name = "REQUESTS")]
    replay_cache: usize,
    /// Seconds between checks of the key directories
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=3600))]
    reload: u64,
    /// Seconds that requests have to finish after SIGTERM or SIGINT
    #[arg(long, default_value_t = 25, value_parser = clap::value_parser!(u64).range(0..=3600))]
    grace: u64,
}

pub(crate) async fn run(settings: Settings) -> Result<(), Failure> {
    let (keyring, signing_key, clients) = settings.keys.read()?;
    if let Some(directory) = &settings.spool {
        // Fail now, not at the first long request.
        tempfile::tempfile_in(directory)
            .map_err(|error| format!("{}: {error}", directory.display()))?;
    }
    let service = Arc::new(Service {
        model: model(settings.model.as_ref())?,
        replays: ReplayCache::new(settings.window, settings.replay_cache, now()).into(),
        spool_directory: settings.spool.clone(),
        spent: Stages::default().into(),
        keyring,
        signing_key: Box::new(signing_key),
        clients,
    });
    let listener = bind(settings.listen).await?;
    let (service_id, opens_with) = (service.id(), service.keyring.load().primary().key_id());
    let (address, clients) = (listener.local_addr()?, service.clients.len());
    tracing::info!(%address, %service_id, %opens_with, clients, "listening");

    let reloading = tokio::spawn(reload(Arc::clone(&service), settings.reload));
    let (down, shutdown) = watch::channel(false);
    tokio::spawn(async move {
        terminated().await;
        tracing::info!("signal received, finishing the requests that have begun");
        down.send_replace(true);
    });
    let server = Server::new(service, settings.limits);
    let grace = Duration::from_secs(settings.grace);
    listener::serve(listener, server.routes(), settings.limits.timeout(), grace, shutdown).await?;
    reloading.abort();
    Ok(())
}

pub(crate) async fn bind(address: SocketAddr) -> Result<TcpListener, Failure> {
    let listener = TcpListener::bind(address).await;
    listener.map_err(|error| format!("cannot listen on {address}: {error}").into())
}

fn model(path: Option<&PathBuf>) -> Result<Perceptron, Failure> {
    let Some(path) = path else { return Ok(pictures::trained()) };
    let bytes = std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let model = Perceptron::from_safetensors(&bytes);
    model.map_err(|error| {
        format!("{}: not a model of gradient_exchange: {error}", path.display()).into()
    })
}

/// Reads the directories at intervals, because a mounted secret changes without a signal. An
/// invalid new key must not end a service that has valid ones.
async fn reload(service: Arc<Service>, seconds: u64) {
    loop {
        sleep(Duration::from_secs(seconds)).await;
        let reloaded = Arc::clone(&service);
        let both = move || Ok((reloaded.keyring.reload(), reloaded.clients.reload()));
        if let Ok((keyring, clients)) = spool::blocking(both).await {
            report("keys", keyring);
            report("clients", clients);
        }
    }
}

fn report(what: &str, reloaded: io::Result<bool>) {
    match reloaded {
        Ok(true) => tracing::info!(what, "reloaded"),
        Ok(false) => {}
        Err(error) => tracing::error!(
            what,
            error = printable(chain(&error)),
            "cannot reload, the current ones stay"
        ),
    }
}

/// Kubernetes sends SIGTERM, a terminal SIGINT.
async fn terminated() {
    let interrupted = tokio::signal::ctrl_c();
    #[cfg(unix)]
    let terminated = async {
        use tokio::signal::unix::{SignalKind, signal};
        match signal(SignalKind::terminate()) {
            Ok(mut signal) => signal.recv().await,
            Err(_) => std::future::pending().await,
        }
    };
    #[cfg(not(unix))]
    let terminated = std::future::pending::<()>();
    select! {
        _ = interrupted => {}
        _ = terminated => {}
    }
}
