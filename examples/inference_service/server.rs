//! The HTTP side: routes, limits, timeouts and logs.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, timeout},
};

use crate::{
    batch,
    service::{Answer, Refusal, Service, storage},
    signature_header::{Claim, SIGNATURE, signature, signature_to_text},
    spool::{self, ReceiveError, SpoolBody},
};
use common::printable;

#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct Limits {
    /// Longest request body in bytes; longer ones are refused with 413
    #[arg(long, default_value_t = 64 << 20, value_name = "BYTES")]
    pub(crate) max_body: u64,
    /// Requests at a time; more are refused with 503
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=65_536))]
    pub(crate) max_requests: u32,
    /// Seconds for a request's headers to arrive (else the connection is closed), and for its body
    /// (else it is refused with 408)
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub(crate) timeout: u64,
}

impl Limits {
    pub(crate) fn timeout(&self) -> Duration {
        Duration::from_secs(self.timeout)
    }
}

pub(crate) struct Server {
    pub(crate) service: Arc<Service>,
    pub(crate) limits: Limits,
    /// A slot for each request, until the last byte of its answer: it may take disk space and a
    /// thread.
    slots: Arc<Semaphore>,
}

impl Server {
    pub(crate) fn new(service: Arc<Service>, limits: Limits) -> Arc<Self> {
        let slots = Arc::new(Semaphore::new(limits.max_requests as usize));
        Arc::new(Self { service, limits, slots })
    }

    /// The routes of a service.
    pub(crate) fn routes(self: &Arc<Self>) -> Router {
        Router::new()
            .route("/healthz", get(|| async { "ok\n" }))
            .route("/predict", post(predict))
            .with_state(Arc::clone(self))
    }

    /// The same work without any cryptography, to compare with. Only the demonstration has it.
    pub(crate) fn plain_routes(self: &Arc<Self>) -> Router {
        Router::new().route("/plain", post(plain)).with_state(Arc::clone(self))
    }

    async fn receive(&self, request: Request) -> Result<(tempfile::SpooledTempFile, u64), Refusal> {
        let limit = self.limits.max_body;
        let too_long =
            || Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, format!("at most {limit} bytes"));
        let announced = request.headers().get(header::CONTENT_LENGTH);
        let announced = announced.and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
        if announced.is_some_and(|length| length > limit) {
            return Err(too_long());
        }
        let spool = spool::new(&self.service.spool_directory);
        let received = spool::receive(request.into_body(), limit, spool);
        match timeout(self.limits.timeout(), received).await {
            Ok(Ok(received)) => Ok(received),
            Ok(Err(ReceiveError::TooLong)) => Err(too_long()),
            Ok(Err(ReceiveError::Storage(error))) => Err(storage(error)),
            Ok(Err(ReceiveError::Broken)) => {
                Err(Refusal::new(StatusCode::BAD_REQUEST, "the body is incomplete"))
            }
            Err(_) => Err(Refusal::new(StatusCode::REQUEST_TIMEOUT, "the body came too slowly")),
        }
    }
}

/// Answers a request, and logs names, numbers and times, but nothing of the bodies.
async fn predict(State(server): State<Arc<Server>>, request: Request) -> Response {
    let start = Instant::now();
    let mut client = None;
    let result = answer(&server, request, &mut client).await;
    let client = client.map_or_else(|| "-".into(), printable);
    let took_ms = milliseconds(start.elapsed());
    match result {
        Ok((Answer { body, length, signature, rows, stages }, slot)) => {
            tracing::info!(
                client,
                status = 200,
                rows,
                took_ms,
                verify_ms = milliseconds(stages.verify),
                open_ms = milliseconds(stages.open),
                model_ms = milliseconds(stages.model),
                seal_ms = milliseconds(stages.seal),
                sign_ms = milliseconds(stages.sign),
                "answered"
            );
            let mut response = sealed(SpoolBody::new(body, length, slot));
            // Base64 is always a valid header value.
            if let Ok(signature) = HeaderValue::from_str(&signature_to_text(&signature)) {
                response.headers_mut().insert(SIGNATURE, signature);
            }
            response
        }
        Err(refusal) => {
            let (status, reason) = (refusal.status.as_u16(), printable(&refusal.reason));
            tracing::warn!(client, status, took_ms, reason, "refused");
            refusal.into_response()
        }
    }
}

async fn answer(
    server: &Arc<Server>,
    request: Request,
    client_name: &mut Option<String>,
) -> Result<(Answer, OwnedSemaphorePermit), Refusal> {
    let malformed =
        |header| Refusal::new(StatusCode::UNAUTHORIZED, format!("{header}: missing or malformed"));
    let target = request.uri().path_and_query().map_or("", |target| target.as_str());
    let target = format!("{} {target}", request.method());
    let headers = request.headers();
    let claim = Claim::from_headers(target, server.service.id(), headers).map_err(malformed)?;
    let signature = signature(headers).map_err(malformed)?;
    let client = server.service.expect(&claim)?;
    *client_name = Some(client.name.clone());

    let busy = || Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "too many requests at a time");
    let slot = Arc::clone(&server.slots).try_acquire_owned().map_err(|_| busy())?;
    let (body, _) = server.receive(request).await?;
    let service = Arc::clone(&server.service);
    // The work continues if the client disconnects, and keeps its slot until it is done.
    let work = move || Ok((service.answer(&claim, &client, &signature, body), slot));
    let (answer, slot) = spool::blocking(work).await.map_err(|error| {
        Refusal::ours(StatusCode::INTERNAL_SERVER_ERROR, "the service failed", &error)
    })?;
    Ok((answer?, slot))
}

async fn plain(State(server): State<Arc<Server>>, request: Request) -> Result<Response, Refusal> {
    let (mut body, _) = server.receive(request).await?;
    let service = Arc::clone(&server.service);
    let predictions = spool::blocking(move || {
        let mut predictions = Vec::new();
        batch::predict(&service.model, &mut body, &mut predictions)?;
        Ok(predictions)
    });
    Ok(predictions.await.map_err(storage)?.into_response())
}

fn sealed(body: SpoolBody) -> Response {
    let mut response = Response::new(Body::new(body));
    let kind = HeaderValue::from_static("application/octet-stream");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = (self.status, format!("{}\n", self.reason)).into_response();
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}

fn milliseconds(duration: Duration) -> f64 {
    (1e6 * duration.as_secs_f64()).round() / 1e3
}
