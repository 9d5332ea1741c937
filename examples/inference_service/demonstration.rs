//! The demonstration: a service and its clients in one process, refused requests, and the cost of
//! the cryptography.

use std::{
    io::Write,
    net::Ipv4Addr,
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU32, Ordering::Relaxed},
    },
    thread,
    time::{Duration, Instant},
};

use tokio::{runtime::Runtime, sync::watch};
use twinseal::{
    DecapsulationKey, Keyring, SigningKey, VerifyingKeyring,
    keyring::Shared,
    request::{Mark, RequestTime, WindowGuard},
};

use crate::{
    Failure,
    client::{Client, Sealed},
    gate::Gate,
    keys::ClientKeys,
    listener, pictures,
    protocol::Question,
    runtime, serve,
    service::{Limits, Service},
};

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Settings {
    /// How many requests to measure, one at a time and several, with and without cryptography
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    requests: u32,
    /// How many requests run at a time where there are several
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=256))]
    concurrency: u32,
    /// Pictures in a request, 256 bytes each
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=200_000))]
    rows: u32,
}

const TIMEOUT: Duration = Duration::from_secs(60);

/// As many requests run at a time, and one is left over.
const SLOTS: u16 = 257;

/// A service in this process, which serves until it is dropped.
struct Running {
    url: String,
    gate: Arc<Gate>,
    _down: watch::Sender<bool>,
}

/// Milliseconds by which the services' clocks are wrong.
static CLOCK_ERROR: AtomicI64 = AtomicI64::new(0);

const HOUR: i64 = 3_600_000;

fn now() -> RequestTime {
    let now = RequestTime::now().as_millis().saturating_add_signed(CLOCK_ERROR.load(Relaxed));
    RequestTime::from_millis(now).unwrap_or(RequestTime::MAX)
}

impl Running {
    /// Begins where the mark was left.
    fn start(
        runtime: &Runtime,
        (keys, clients): (&Keyring, &VerifyingKeyring),
        mark: Mark,
        signing_key: Option<SigningKey>,
    ) -> Result<Self, Failure> {
        let (keys, clients) = (Shared::new(keys.clone()), Shared::new(clients.clone()));
        let guard = WindowGuard::resume(mark).with_clock(now);
        let gate = Arc::new(Gate::new(keys, clients, guard, SLOTS));
        let service = Arc::new(Service {
            gate: Arc::clone(&gate),
            model: pictures::trained(),
            signing_key: signing_key.map(Shared::new),
            limits: Limits { max_body: 64 << 20, slots: SLOTS, timeout: 60, pause: 0 },
        });
        let routes = service.routes().merge(service.plain_routes());
        let listener = runtime.block_on(serve::bind((Ipv4Addr::LOCALHOST, 0).into()))?;
        let url = format!("http://{}", listener.local_addr()?);
        let (_down, shutdown) = watch::channel(false);
        runtime.spawn(listener::serve(listener, routes, TIMEOUT, shutdown));
        Ok(Self { url, gate, _down })
    }
}

pub(crate) fn run(settings: &Settings, out: &mut impl Write) -> Result<(), Failure> {
    let runtime = runtime()?;
    let (opens, signs) = (DecapsulationKey::generate()?, SigningKey::generate()?);
    let (to_service, verifies) = (opens.encapsulation_key().clone(), signs.verifying_key().clone());
    let (alice, nobody) = (Arc::new(SigningKey::generate()?), Arc::new(SigningKey::generate()?));
    let (mut clients, keys) = (VerifyingKeyring::new([])?, Keyring::new(opens));
    clients.add_named("alice", alice.verifying_key())?;
    let start = |mark, key| Running::start(&runtime, (&keys, &clients), mark, key);
    let client = |service: &Running, key: &Arc<SigningKey>, verifying_key| {
        let keys = ClientKeys {
            signing_key: Arc::clone(key),
            service_encapsulation_key: to_service.clone(),
            service_verifying_key: verifying_key,
        };
        Client::new(&service.url, keys, TIMEOUT)
    };
    let none = [0; Mark::LEN]; // nothing was answered before

    let service = start(Mark::from_bytes(&none)?, None)?;
    let (asks, strange) = (client(&service, &alice, None), client(&service, &nobody, None));
    let batch = pictures::draw(settings.rows as usize);
    let right = batch.recognised(&asks.predict(&batch.file)?)?;
    writeln!(out, "{} pictures, {right} recognised", settings.rows)?;
    writeln!(out, "\nAn answer in pieces, each printed when it arrives")?;
    asks.generate(&pictures::draw(4).file, |line| Ok(write!(out, "  {line}")?))?;

    writeln!(out, "\nRequests that must be refused")?;
    let mut refused = |what: &str, request: &Sealed, to: &Client| -> Result<(), Failure> {
        let response = to.send(request)?;
        let status = response.status().as_u16();
        let reason = response.into_body().read_to_string()?;
        match status {
            200 => Err(format!("{what}: it was answered").into()),
            _ => Ok(writeln!(out, "  {what}\n    {status} {}", reason.trim())?),
        }
    };
    let new = |client: &Client| Ok::<_, Failure>(client.seal(Question::Predict, &batch.file)?.0);
    refused("a client that is not registered", &new(&strange)?, &asks)?;
    let forged = Sealed { signature: new(&asks)?.signature, ..new(&asks)? };
    refused("the signature of another request", &forged, &asks)?;
    let unsigned = Sealed { signature: String::new(), ..forged };
    refused("no signature", &unsigned, &asks)?;
    let moved = Sealed { question: Question::Generate, ..new(&asks)? };
    refused("a request that was moved to another path", &moved, &asks)?;
    let mut changed = new(&asks)?;
    if let Some(last) = changed.body.last_mut() {
        *last ^= 1;
    }
    refused("a body that was changed on the way", &changed, &asks)?;
    let once = new(&asks)?;
    asks.send(&once)?.into_body().read_to_vec()?;
    refused("the same request once more", &once, &asks)?;
    CLOCK_ERROR.store(-HOUR, Relaxed);
    refused("a request of a client whose clock is an hour ahead", &new(&asks)?, &asks)?;
    CLOCK_ERROR.store(HOUR, Relaxed);
    refused("a request from an hour ago", &new(&asks)?, &asks)?;
    CLOCK_ERROR.store(0, Relaxed);

    let service = start(service.gate.guard.close(), None)?;
    let asks = client(&service, &alice, None);
    refused("a request from before a restart", &once, &asks)?;
    asks.predict(&batch.file)?; // but a new one is answered at once

    let signing = start(Mark::from_bytes(&none)?, Some(signs))?;
    let verifying = client(&signing, &alice, Some(verifies));
    measure_all(settings, &service.url, &asks, &verifying, &batch.file, out)
}

/// Prints lengths, and latencies with and without cryptography.
fn measure_all(
    settings: &Settings,
    url: &str,
    alice: &Client,
    verifying: &Client,
    batch: &[u8],
    out: &mut impl Write,
) -> Result<(), Failure> {
    let Settings { requests, concurrency, rows } = *settings;
    let agent = ureq::Agent::config_builder().timeout_global(Some(TIMEOUT)).build();
    let agent = ureq::Agent::new_with_config(agent);
    let plain_url = format!("{url}/plain");
    let plain = || Ok(agent.post(&plain_url).send(batch)?.into_body().read_to_vec()?.len());
    writeln!(out, "\nBytes of {rows} pictures, with the signature in base64, and of the answer")?;
    writeln!(out, "  {:<42} {:>7} {:>7}", "without cryptography", batch.len(), plain()?)?;
    for (what, client) in [("sealed and signed", alice), (SIGNED, verifying)] {
        let (request, _) = client.seal(Question::Predict, batch)?;
        let answer = client.send(&request)?.into_body().read_to_vec()?.len();
        let length = request.body.len() + request.signature.len();
        writeln!(out, "  {what:<42} {length:>7} {answer:>7}")?;
    }
    let cores = thread::available_parallelism().map_or(1, usize::from);
    writeln!(out, "\nLatency in ms, {requests} requests of {} bytes in each row,", batch.len())?;
    writeln!(out, "clients and service together on {cores} cores")?;
    writeln!(out, "{:<44} {:>7} {:>7} {:>11}", "", "p50", "p99", "requests/s")?;
    for concurrency in [1, concurrency] {
        let mut row = |what: &str, latencies: &Latencies| {
            let what = format!("{concurrency} at a time, {what}");
            let (p50, p99) = (latencies.percentile(50), latencies.percentile(99));
            writeln!(out, "  {what:<42} {p50:>7.2} {p99:>7.2} {:>11.0}", latencies.per_second())
        };
        row("without cryptography", &measure(requests, concurrency, || plain().map(drop))?)?;
        for (what, client) in [("sealed and signed", alice), (SIGNED, verifying)] {
            let sealed = || client.predict(batch).map(drop);
            row(what, &measure(requests, concurrency, sealed)?)?;
        }
    }
    Ok(())
}

const SIGNED: &str = "sealed and signed both ways";

/// Latencies of all requests, in order.
struct Latencies {
    sorted: Vec<Duration>,
    took: Duration,
}

impl Latencies {
    fn percentile(&self, percent: usize) -> f64 {
        let index = (self.sorted.len().saturating_sub(1) * percent).div_ceil(100);
        self.sorted.get(index).map_or(0.0, milliseconds)
    }

    fn per_second(&self) -> f64 {
        self.sorted.len() as f64 / self.took.as_secs_f64()
    }
}

/// Sends requests from several threads until all are answered.
fn measure(
    requests: u32,
    concurrency: u32,
    request: impl Fn() -> Result<(), Failure> + Sync,
) -> Result<Latencies, Failure> {
    let run = |left: u32| -> Result<Latencies, Failure> {
        let left = AtomicU32::new(left);
        let start = Instant::now();
        let work = || -> Result<Vec<Duration>, Failure> {
            let mut latencies = Vec::new();
            let next = |left: u32| left.checked_sub(1);
            while left.fetch_update(Relaxed, Relaxed, next).is_ok() {
                let start = Instant::now();
                request()?;
                latencies.push(start.elapsed());
            }
            Ok(latencies)
        };
        let mut sorted = thread::scope(|scope| {
            let threads: Vec<_> = (0..concurrency).map(|_| scope.spawn(work)).collect();
            let mut all = Vec::new();
            for thread in threads {
                all.extend(thread.join().map_err(|_| "a client's thread panicked")??);
            }
            Ok::<_, Failure>(all)
        })?;
        let took = start.elapsed();
        sorted.sort_unstable();
        Ok(Latencies { sorted, took })
    };
    run(2 * concurrency)?; // connects and starts the threads
    run(requests)
}

fn milliseconds(duration: &Duration) -> f64 {
    1e3 * duration.as_secs_f64()
}
