//! Answers requests. The order matters: the service verifies the signature first, then refuses a
//! replay, and only then uses a private key.

use std::{
    io::{self, Read, Seek, Write},
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use axum::http::StatusCode;
use tempfile::SpooledTempFile;
use twinseal::{Error, ErrorKind, KeyId, Keyring, Sign, Signature, keyring::Shared};

use crate::{
    batch,
    clients::{Client, Clients},
    replay::{self, ReplayCache},
    signature_header::{Claim, SIGNATURE, TIMESTAMP},
    spool,
};
use common::{chain, printable};
use digits::Perceptron;

/// The state that all requests share.
pub(crate) struct Service {
    pub(crate) model: Perceptron,
    /// Opens requests. During a rotation, requests sealed to an older key still open.
    pub(crate) keyring: Shared<Keyring>,
    /// Signs answers: a key in memory, or in an HSM.
    pub(crate) signing_key: Box<dyn Sign>,
    pub(crate) clients: Clients,
    pub(crate) replays: Mutex<ReplayCache>,
    pub(crate) spool_directory: Option<PathBuf>,
    /// The time of all answered requests.
    pub(crate) spent: Mutex<Stages>,
}

/// Time that went into the stages of requests.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Stages {
    pub(crate) requests: u32,
    pub(crate) verify: Duration,
    pub(crate) open: Duration,
    pub(crate) model: Duration,
    pub(crate) seal: Duration,
    pub(crate) sign: Duration,
}

/// A request that is not answered. The reason is sent to the client, who may be anyone.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    pub(crate) reason: String,
}

impl Refusal {
    pub(crate) fn new(status: StatusCode, reason: impl Into<String>) -> Self {
        Self { status, reason: reason.into() }
    }

    /// A failure of the service itself, which is logged.
    pub(crate) fn ours(
        status: StatusCode,
        reason: &str,
        error: &(dyn std::error::Error + 'static),
    ) -> Self {
        tracing::error!(error = printable(chain(error)), "{reason}");
        Self::new(status, reason)
    }
}

/// A sealed and signed answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) body: SpooledTempFile,
    pub(crate) length: u64,
    pub(crate) signature: Signature,
    pub(crate) rows: usize,
    pub(crate) stages: Stages,
}

impl Service {
    pub(crate) fn id(&self) -> KeyId {
        self.signing_key.verifying_key().key_id()
    }

    /// Finds the client. Refuses unknown clients and old requests before the body is read.
    pub(crate) fn expect(&self, claim: &Claim) -> Result<Arc<Client>, Refusal> {
        let mut replays = self.replays.lock().unwrap_or_else(PoisonError::into_inner);
        replays.check_time(claim.timestamp, now()).map_err(refuse_replay)?;
        // The same reason as for a wrong signature, so that nobody learns who is registered.
        self.clients.find(claim.client).ok_or_else(refuse_signature)
    }

    /// Answers a request whose body has arrived. It blocks.
    pub(crate) fn answer(
        &self,
        claim: &Claim,
        client: &Client,
        signature: &Signature,
        mut body: SpooledTempFile,
    ) -> Result<Answer, Refusal> {
        let mut stages = Stages { requests: 1, ..Stages::default() };
        let context = claim.request_context();

        // Verifying takes 1 ms and no private key. Without a registered key a request gets no
        // further.
        let start = Instant::now();
        match client.verifying_key.verify_reader(&context, &mut body, signature) {
            Err(error) if Error::inside(&error).is_some() => return Err(refuse_signature()),
            result => result.and_then(|()| body.rewind()).map_err(storage)?,
        }
        self.replays
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .admit(claim.client, claim.nonce, claim.timestamp, now())
            .map_err(refuse_replay)?;
        stages.verify = start.elapsed();

        let (sealed, rows) = self.predict(&context, claim, client, body, &mut stages)?;
        self.sign(claim, sealed, rows, stages)
    }

    /// Opens, predicts and seals piece by piece, in constant memory.
    fn predict(
        &self,
        context: &[u8],
        claim: &Claim,
        client: &Client,
        body: SpooledTempFile,
        stages: &mut Stages,
    ) -> Result<(SpooledTempFile, usize), Refusal> {
        let start = Instant::now();
        let batch = self.keyring.load().open_reader(context, body).map_err(refuse_batch)?;
        stages.open = start.elapsed();

        let start = Instant::now();
        let answer = spool::new(&self.spool_directory);
        let answer = client.encapsulation_key.seal_writer(&claim.answer_context(), answer);
        let answer = answer.map_err(storage)?;
        stages.seal = start.elapsed();

        let start = Instant::now();
        let (mut batch, mut answer) = (Timed::new(batch), Timed::new(answer));
        let rows = batch::predict(&self.model, &mut batch, &mut answer).map_err(refuse_batch)?;
        stages.open += batch.time;
        stages.seal += answer.time;
        stages.model = start.elapsed().saturating_sub(batch.time + answer.time);
        Ok((answer.inner.finish().map_err(storage)?, rows))
    }

    fn sign(
        &self,
        claim: &Claim,
        mut body: SpooledTempFile,
        rows: usize,
        mut stages: Stages,
    ) -> Result<Answer, Refusal> {
        let start = Instant::now();
        let length = body.stream_position().map_err(storage)?;
        body.rewind().map_err(storage)?;
        let signature = self.signing_key.sign_reader(&claim.answer_context(), &mut body);
        let signature = signature.map_err(storage)?;
        body.rewind().map_err(storage)?;
        stages.sign = start.elapsed();

        self.spent.lock().unwrap_or_else(PoisonError::into_inner).add(&stages);
        Ok(Answer { body, length, signature, rows, stages })
    }
}

impl Stages {
    fn add(&mut self, other: &Self) {
        self.requests += other.requests;
        self.verify += other.verify;
        self.open += other.open;
        self.model += other.model;
        self.seal += other.seal;
        self.sign += other.sign;
    }
}

/// Counts the time that reading or writing takes.
struct Timed<T> {
    inner: T,
    time: Duration,
}

impl<T> Timed<T> {
    fn new(inner: T) -> Self {
        Self { inner, time: Duration::ZERO }
    }
}

impl<T: Read> Read for Timed<T> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let start = Instant::now();
        let result = self.inner.read(buffer);
        self.time += start.elapsed();
        result
    }
}

impl<T: Write> Write for Timed<T> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let start = Instant::now();
        let result = self.inner.write(bytes);
        self.time += start.elapsed();
        result
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

fn refuse_signature() -> Refusal {
    Refusal::new(StatusCode::UNAUTHORIZED, format!("{SIGNATURE}: not of a registered client"))
}

fn refuse_replay(refused: replay::Refused) -> Refusal {
    let (status, reason) = match refused {
        replay::Refused::OutsideWindow => {
            (StatusCode::UNAUTHORIZED, format!("{TIMESTAMP}: too far from the service's clock"))
        }
        replay::Refused::Seen => {
            (StatusCode::UNAUTHORIZED, "this request was answered before".into())
        }
        replay::Refused::Full => {
            (StatusCode::TOO_MANY_REQUESTS, "too many requests in the replay window".into())
        }
    };
    Refusal::new(status, reason)
}

/// A signed request that cannot be answered.
fn refuse_batch(error: io::Error) -> Refusal {
    match Error::inside(&error) {
        Some(refused) => match status(refused.kind()) {
            Some(status) => Refusal::new(status, format!("the body: {refused}")),
            None => {
                Refusal::ours(StatusCode::SERVICE_UNAVAILABLE, "the key is not available", &error)
            }
        },
        None if error.kind() == io::ErrorKind::InvalidInput => {
            Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, format!("the batch: {error}"))
        }
        None => storage(error),
    }
}

/// The status for a body that its client has signed. `None` if the client cannot do anything about
/// it: the HSM and the source of randomness belong to the service.
fn status(kind: ErrorKind) -> Option<StatusCode> {
    match kind {
        ErrorKind::Malformed | ErrorKind::Unauthenticated => Some(StatusCode::BAD_REQUEST),
        ErrorKind::Refused => Some(StatusCode::FORBIDDEN),
        ErrorKind::NotForUs => Some(StatusCode::MISDIRECTED_REQUEST),
        _ => None,
    }
}

#[expect(clippy::needless_pass_by_value, reason = "`map_err` passes it by value")]
pub(crate) fn storage(error: io::Error) -> Refusal {
    Refusal::ours(StatusCode::INSUFFICIENT_STORAGE, "the service has no room", &error)
}

/// Seconds since 1970.
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs())
}
