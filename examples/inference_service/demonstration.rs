//! The demonstration: a service and its clients in one process, refused requests, and the cost of
//! the cryptography.

use std::{
    io::{self, Write},
    sync::{
        MutexGuard, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use twinseal::{DecapsulationKey, Keyring, SigningKey, keyring::Shared};
use ureq::http::Response;

use crate::{
    Failure,
    client::Client,
    clients::{self, Clients},
    keys::ClientKeys,
    pictures,
    service::{Service, Stages},
};

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Settings {
    /// How many requests to measure, one at a time and several, with and without cryptography
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    requests: u32,
    /// How many requests run at a time where there are several
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=256))]
    pub(crate) concurrency: u32,
    /// Pictures in a request, 256 bytes each
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    rows: u32,
}

/// Keys of a service and of its clients, all in memory. The last client is not registered.
pub(crate) struct Cast {
    pub(crate) keyring: Shared<Keyring>,
    pub(crate) signing_key: SigningKey,
    pub(crate) registered: Clients,
    pub(crate) clients: Vec<ClientKeys>,
}

const NAMES: [&str; 3] = ["alice", "mallory", "nobody"];

pub(crate) fn cast() -> Result<Cast, Failure> {
    let (opens, signing_key) = (DecapsulationKey::generate()?, SigningKey::generate()?);
    let mut clients = Vec::new();
    for _ in NAMES {
        clients.push(ClientKeys {
            signing_key: SigningKey::generate()?,
            decapsulation_key: DecapsulationKey::generate()?,
            service_verifying_key: signing_key.verifying_key().clone(),
            service_encapsulation_key: opens.encapsulation_key().clone(),
        });
    }
    let registered = NAMES.iter().zip(&clients).take(NAMES.len() - 1);
    let registered = registered.map(|(name, keys)| clients::Client {
        name: (*name).to_owned(),
        verifying_key: keys.signing_key.verifying_key().clone(),
        encapsulation_key: keys.decapsulation_key.encapsulation_key().clone(),
    });
    let registered = Clients::new(registered.collect());
    Ok(Cast { keyring: Shared::new(Keyring::new(opens)), signing_key, registered, clients })
}

/// Sends requests to the service at `url`, and prints the results.
pub(crate) fn run(
    settings: &Settings,
    url: &str,
    clients: Vec<ClientKeys>,
    service: &Service,
    out: &mut impl Write,
) -> Result<(), Failure> {
    let clients = clients.into_iter().map(|keys| Client::new(url, keys, TIMEOUT));
    let clients: Vec<_> = clients.collect();
    let [alice, mallory, nobody] = clients.as_slice() else {
        return Err("three clients were expected".into());
    };
    let batch = pictures::draw(settings.rows as usize)?;

    let mut answer = Vec::new();
    alice.predict(&mut batch.file.as_slice(), &mut answer)?;
    let right = batch.recognised(&answer)?;
    writeln!(out, "{} pictures, {right} recognised", settings.rows)?;
    refusals(alice, mallory, nobody, &batch.file, out)?;

    let agent = ureq::Agent::config_builder().timeout_global(Some(TIMEOUT)).build();
    let agent = ureq::Agent::new_with_config(agent);
    let plain_url = format!("{url}/plain");
    let plain = || {
        let response = agent.post(&plain_url).send(batch.file.as_slice())?;
        response.into_body().read_to_vec()?;
        Ok(())
    };
    let sealed = || alice.predict(&mut batch.file.as_slice(), &mut io::sink());

    let cores = thread::available_parallelism().map_or(1, usize::from);
    let Settings { requests, concurrency, .. } = *settings;
    writeln!(
        out,
        "\nLatency in ms, {requests} requests of {} bytes in each row,",
        batch.file.len()
    )?;
    writeln!(out, "clients and service together on {cores} cores")?;
    writeln!(out, "{:<44} {:>7} {:>7} {:>11}", "", "p50", "p99", "requests/s")?;
    let mut row = |what: &str, concurrency: u32, latencies: &Latencies| {
        let what = format!("{concurrency} at a time, {what}");
        let (p50, p99) = (latencies.percentile(50), latencies.percentile(99));
        writeln!(out, "  {what:<42} {p50:>7.2} {p99:>7.2} {:>11.0}", latencies.per_second())
    };
    row("without cryptography", 1, &measure(requests, 1, plain)?)?;
    *spent(service) = Stages::default();
    row("sealed and signed both ways", 1, &measure(requests, 1, sealed)?)?;
    let stages = *spent(service);
    row("without cryptography", concurrency, &measure(requests, concurrency, plain)?)?;
    row("sealed and signed both ways", concurrency, &measure(requests, concurrency, sealed)?)?;
    print_stages(&stages, sealing(alice, &batch.file)?, out)
}

fn spent(service: &Service) -> MutexGuard<'_, Stages> {
    service.spent.lock().unwrap_or_else(PoisonError::into_inner)
}

const TIMEOUT: Duration = Duration::from_secs(60);

/// Sends requests that must be refused, and prints the answers.
fn refusals(
    alice: &Client,
    mallory: &Client,
    nobody: &Client,
    batch: &[u8],
    out: &mut impl Write,
) -> Result<(), Failure> {
    let refusal = |response: Result<Response<ureq::Body>, Failure>| -> Result<String, Failure> {
        let response = response?;
        let status = response.status().as_u16();
        let reason = response.into_body().read_to_string()?;
        match status {
            200 => Err("what must fail has succeeded".into()),
            _ => Ok(format!("{status} {}", reason.trim())),
        }
    };
    writeln!(out, "\nRequests that must be refused")?;
    let mut row = |what: &str, answer: String| writeln!(out, "  {what}\n    {answer}");

    row("a client that is not registered", refusal(nobody.send(nobody.seal(&mut &*batch)?))?)?;

    let mut forged = alice.seal(&mut &*batch)?;
    forged.claim.nonce = [0; 16];
    row("another nonce than the signed one", refusal(alice.send(forged))?)?;

    let mut old = alice.seal(&mut &*batch)?;
    old.claim.timestamp = old.claim.timestamp.saturating_sub(3600);
    row("a request from an hour ago", refusal(alice.send(old))?)?;

    let mut first = alice.seal(&mut &*batch)?;
    let again = first.try_clone()?;
    alice.send(first)?.into_body().read_to_vec()?;
    row("the same request once more", refusal(alice.send(again))?)?;

    // Mallory is registered, and signs Alice's sealed body in her own name.
    let mut stolen = alice.seal(&mut &*batch)?;
    mallory.sign_as_own(&mut stolen)?;
    row("another client's sealed body, signed again", refusal(mallory.send(stolen))?)?;
    Ok(())
}

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
            while left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next).is_ok() {
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

/// The mean time that a client takes to seal and sign a request.
fn sealing(client: &Client, batch: &[u8]) -> Result<Duration, Failure> {
    const TIMES: u32 = 50;
    let start = Instant::now();
    for _ in 0..TIMES {
        client.seal(&mut &*batch)?;
    }
    Ok(start.elapsed() / TIMES)
}

fn print_stages(stages: &Stages, sealing: Duration, out: &mut impl Write) -> Result<(), Failure> {
    let requests = stages.requests.max(1);
    writeln!(out, "\nThe stages of a sealed request, one at a time, mean times in ms")?;
    for (what, time) in [
        ("client: seal the batch and sign it", sealing),
        ("service: verify the signature", stages.verify / requests),
        ("service: open the batch", stages.open / requests),
        ("service: the model", stages.model / requests),
        ("service: seal the answer", stages.seal / requests),
        ("service: sign it", stages.sign / requests),
    ] {
        writeln!(out, "  {what:<42} {:>7.3}", milliseconds(&time))?;
    }
    Ok(())
}

fn milliseconds(duration: &Duration) -> f64 {
    1e3 * duration.as_secs_f64()
}
