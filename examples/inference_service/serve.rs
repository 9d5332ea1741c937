//! Runs the service: reads its keys, listens, reads the keys again when they change, and ends on a
//! signal.

use std::{
    fs, io,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use axum::{Router, routing::get};
use tokio::{net::TcpListener, signal::ctrl_c, sync::watch, task::spawn_blocking, time::sleep};
#[cfg(unix)]
use tokio::{
    select,
    signal::unix::{SignalKind, signal},
};
use twinseal::{
    keyring::Shared,
    request::{Mark, Window, WindowGuard},
};

use crate::{
    Failure,
    gate::Gate,
    listener, pictures,
    service::{Limits, Service},
};
use common::{chain, printable};
use digits::Perceptron;

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Settings {
    /// Where to listen
    #[arg(long, default_value = "127.0.0.1:8080", value_name = "ADDRESS")]
    listen: SocketAddr,
    /// Where to answer GET /healthz, whatever the load is
    #[arg(long, default_value = "127.0.0.1:8081", value_name = "ADDRESS")]
    health: SocketAddr,
    /// Directory of the private keys that open requests: primary.pem, and older ones as any other
    /// *.pem; read again when it changes
    #[arg(long, value_name = "DIR")]
    keys: PathBuf,
    /// Directory of the clients' public keys, NAME.pem; read again when it changes
    #[arg(long, value_name = "DIR")]
    clients: PathBuf,
    /// Sign every result with this private key; read again when it changes
    #[arg(long, value_name = "FILE")]
    sign_answers: Option<PathBuf>,
    /// File for a mark that the next start needs to accept requests at once, and not after 2 s.
    /// Written at the end, deleted at the start
    #[arg(long, value_name = "FILE")]
    mark: Option<PathBuf>,
    /// A model as gradient_exchange saves it [default: a small one, trained at the start]
    #[arg(long, value_name = "FILE")]
    model: Option<PathBuf>,
    #[command(flatten)]
    limits: Limits,
    /// Seconds that a request may be old
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=3600))]
    window: u64,
    /// Requests of one client that are remembered; more in a window are refused with 429
    #[arg(long, default_value_t = WindowGuard::DEFAULT_ROOM, value_name = "REQUESTS")]
    room: usize,
    /// Seconds between checks of the keys
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=3600))]
    reload: u64,
    /// Seconds that requests have to finish after SIGTERM or SIGINT
    #[arg(long, default_value_t = 25, value_parser = clap::value_parser!(u64).range(0..=3600))]
    grace: u64,
    /// Seconds to add to the system's clock, for tests
    #[arg(long, default_value_t = 0, hide = true, allow_negative_numbers = true)]
    clock_error: i64,
}

pub(crate) async fn run(settings: Settings) -> Result<(), Failure> {
    let clients = Shared::read_dir(&settings.clients)?;
    let gate = Gate::new(
        Shared::read_dir(&settings.keys)?,
        clients,
        guard(&settings)?,
        settings.limits.slots,
    );
    let signing_key = settings.sign_answers.as_ref().map(Shared::read_pem_file).transpose()?;
    let service = Arc::new(Service {
        gate: Arc::new(gate),
        model: model(settings.model.as_deref())?,
        signing_key,
        limits: settings.limits,
    });
    let (listener, health) = (bind(settings.listen).await?, bind(settings.health).await?);
    let (address, health_address) = (listener.local_addr()?, health.local_addr()?);
    let opens_with = service.gate.keys.load().primary().key_id();
    let clients = service.gate.clients.load().len();
    tracing::info!(%address, health = %health_address, %opens_with, clients, "listening");

    let reloading = tokio::spawn(reload(Arc::clone(&service), settings.reload));
    let (down, shutdown) = watch::channel(false);
    let healthz = Router::new().route("/healthz", get(|| async { "ok\n" }));
    let grace = Duration::from_secs(settings.grace);
    tokio::spawn(listener::serve(health, healthz, grace, shutdown.clone()));
    tokio::spawn(async move {
        terminated().await;
        tracing::info!("signal received, finishing the requests that have begun");
        down.send_replace(true);
    });
    listener::serve(listener, service.routes(), grace, shutdown).await?;
    reloading.abort();
    // From here on nothing is let in, whatever still runs.
    let mark = service.gate.guard.close();
    match &settings.mark {
        Some(path) => Ok(mark.write_file(path)?),
        None => Ok(()),
    }
}

pub(crate) async fn bind(address: SocketAddr) -> Result<TcpListener, Failure> {
    let listener = TcpListener::bind(address).await;
    listener.map_err(|error| format!("cannot listen on {address}: {error}").into())
}

/// Begins where the guard before ended, so that no request is let in that was answered before.
fn guard(settings: &Settings) -> Result<WindowGuard, Failure> {
    let guard = match &settings.mark {
        Some(path) => Mark::take_file(path)?.map_or_else(WindowGuard::new, WindowGuard::resume),
        None => WindowGuard::new(),
    };
    let ahead = guard.window().ahead();
    let window = Window::new(Duration::from_secs(settings.window), ahead);
    let guard = guard.with_window(window).with_room(settings.room);
    let guard = match settings.clock_error {
        0 => guard,
        error => guard.with_clock(move || {
            let off = Duration::from_secs(error.unsigned_abs());
            let now = SystemTime::now();
            if error < 0 { now - off } else { now + off }.into()
        }),
    };
    if guard.refuses_for() > ahead {
        let seconds = guard.refuses_for().as_secs();
        tracing::warn!(seconds, "the clock is or was wrong: no request is let in for a while");
    }
    Ok(guard)
}

fn model(path: Option<&Path>) -> Result<Perceptron, Failure> {
    let Some(path) = path else { return Ok(pictures::trained()) };
    let bytes = fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let model = Perceptron::from_safetensors(&bytes);
    model.map_err(|error| {
        format!("{}: not a model of gradient_exchange: {error}", path.display()).into()
    })
}

/// Reads the keys at intervals, because a mounted secret changes without a signal. An invalid new key
/// must not end a service that has valid ones.
async fn reload(service: Arc<Service>, seconds: u64) {
    loop {
        sleep(Duration::from_secs(seconds)).await;
        let service = Arc::clone(&service);
        // Reading files blocks. A panic is printed, and the keys stay.
        let _ = spawn_blocking(move || {
            report("keys", service.gate.keys.reload());
            report("clients", service.gate.clients.reload());
            if let Some(key) = &service.signing_key {
                report("signing key", key.reload());
            }
        })
        .await;
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
    #[cfg(unix)]
    if let Ok(mut terminate) = signal(SignalKind::terminate()) {
        select! {
            _ = terminate.recv() => return,
            _ = ctrl_c() => return,
        }
    }
    let _ = ctrl_c().await;
}
