//! Who gets in: what a request has to pass, in this order, and what a refusal says.

use std::{
    collections::HashMap,
    error,
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};
use http_body_util::LengthLimitError;
use tokio::{
    sync::{AcquireError, OwnedSemaphorePermit, Semaphore},
    task::JoinError,
    time::error::Elapsed,
};
use twinseal::{
    Error, ErrorKind, KeyId, Keyring, VerifyingKeyring,
    envelope::BodyKey,
    keyring::Shared,
    request::{ReplayGuard, RequestHead, UnlockedRequest, WindowGuard},
};

use common::{chain, printable};

/// A body up to this length is opened as a whole, a longer one while it arrives.
pub(crate) const IN_MEMORY: usize = 64 * 1024;

/// A body's prefix and first chunk, which is opened before a longer request is let in.
pub(crate) const START: usize = BodyKey::PREFIX_LEN + UnlockedRequest::SEALED_CHUNK_LEN;

/// For a head, from the first byte of HTTP to the beginning of its verification: the listener gives
/// the first part of it to the headers.
pub(crate) const HEADERS_TIME: Duration = Duration::from_secs(2);
pub(crate) const HEAD_TIME: Duration = Duration::from_secs(3);

/// A place for one of a signer's requests.
pub(crate) type Slot = OwnedSemaphorePermit;

/// Whatever all requests pass.
pub(crate) struct Gate {
    /// Open requests. During a rotation, those to an older key still open.
    pub(crate) keys: Shared<Keyring>,
    pub(crate) clients: Shared<VerifyingKeyring>,
    pub(crate) guard: WindowGuard,
    /// A place for each verification that runs. Anyone can cause one, so there are as many as cores.
    pub(crate) verifying: Arc<Semaphore>,
    slots_each: u16,
    slots: Mutex<HashMap<KeyId, Arc<Semaphore>>>,
}

/// A request whose signature holds. It is not yet sent by its signer: whoever saw it on the way can
/// send it, until it is let in. So it takes one of its signer's slots.
pub(crate) struct Verified {
    pub(crate) client: String,
    pub(crate) slot: Slot,
    pub(crate) request: UnlockedRequest,
    pub(crate) verify: Duration,
    pub(crate) unlock: Duration,
}

impl Gate {
    pub(crate) fn new(
        keys: Shared<Keyring>,
        clients: Shared<VerifyingKeyring>,
        guard: WindowGuard,
        slots_each: u16,
    ) -> Self {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let verifying = Arc::new(Semaphore::new(cores));
        Self { keys, clients, guard, verifying, slots_each, slots: Mutex::default() }
    }

    /// Verifies a head. Only then it gets a slot, and a private key is used. It blocks for about a
    /// millisecond, or for as long as an external key takes.
    pub(crate) fn verify(
        &self,
        context: &[u8],
        head: RequestHead,
        verifying: Result<OwnedSemaphorePermit, AcquireError>,
    ) -> Result<Verified, Refusal> {
        let start = Instant::now();
        let (keys, clients) = (self.keys.load(), self.clients.load());
        let head = keys.accepting_any(&clients).accept_head(context, head)?;
        drop(verifying);
        let verify = start.elapsed();

        let signer = head.signer().ok_or(Error::Unsigned)?;
        let client = clients.name_of(signer).unwrap_or("-").to_owned();
        let unlock = || {
            let (start, slot) = (Instant::now(), self.slot(signer)?);
            self.guard.look(head.id(), Some(signer), head.time())?;
            Ok((slot, head.unlock()?, start.elapsed()))
        };
        match unlock() {
            Ok((slot, request, unlock)) => Ok(Verified { client, slot, request, verify, unlock }),
            Err(refusal) => Err(Refusal { client: Some(client), ..refusal }),
        }
    }

    fn slot(&self, signer: KeyId) -> Result<Slot, Refusal> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        let of_signer =
            slots.entry(signer).or_insert_with(|| Arc::new(Semaphore::new(self.slots_each.into())));
        let busy = "too many requests of this client at a time";
        let busy = |_| Refusal::new(StatusCode::TOO_MANY_REQUESTS, busy);
        Arc::clone(of_signer).try_acquire_owned().map_err(busy)
    }
}

/// Why a request is not answered: the status, and a reason for a peer who may be anyone.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    pub(crate) reason: String,
    /// Whose signature was verified.
    pub(crate) client: Option<String>,
}

impl Refusal {
    pub(crate) fn new(status: StatusCode, reason: impl Into<String>) -> Self {
        Self { status, reason: reason.into(), client: None }
    }

    /// A failure of the service itself, whose cause only the log has.
    fn ours(error: &(dyn error::Error + 'static)) -> Self {
        tracing::error!(error = printable(chain(error)), "the service failed");
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "the service failed; try again later")
    }

    pub(crate) fn too_long() -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "the body is too long")
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        let status = match error.kind() {
            ErrorKind::Malformed => StatusCode::BAD_REQUEST,
            ErrorKind::Unauthenticated => StatusCode::UNAUTHORIZED,
            ErrorKind::Refused => StatusCode::FORBIDDEN,
            ErrorKind::NotForUs => StatusCode::MISDIRECTED_REQUEST,
            ErrorKind::Replay => StatusCode::CONFLICT,
            ErrorKind::Busy => StatusCode::TOO_MANY_REQUESTS,
            // The HSM and the source of randomness belong to the service.
            _ => return Self::ours(&error),
        };
        match error {
            Error::Unsigned => Self::new(status, "x-signature: missing or malformed"),
            error => Self::new(status, error.to_string()),
        }
    }
}

impl From<Elapsed> for Refusal {
    fn from(_: Elapsed) -> Self {
        Self::new(StatusCode::REQUEST_TIMEOUT, "the request came too slowly")
    }
}

impl From<JoinError> for Refusal {
    fn from(panic: JoinError) -> Self {
        Self::ours(&panic)
    }
}

/// The error of a body.
impl From<Box<dyn error::Error + Send + Sync>> for Refusal {
    fn from(error: Box<dyn error::Error + Send + Sync>) -> Self {
        match error.is::<LengthLimitError>() {
            true => Self::too_long(),
            false => Self::new(StatusCode::BAD_REQUEST, "the body is incomplete"),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.status, format!("{}\n", self.reason)).into_response()
    }
}
