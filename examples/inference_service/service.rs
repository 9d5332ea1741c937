//! Answers requests with the model, and logs names, numbers and times, but nothing of the bodies.

use std::{error::Error, sync::Arc, time::Duration};

use axum::{
    Router,
    body::{Bytes, HttpBody, to_bytes},
    extract::Request,
    http::{HeaderValue, StatusCode, header::CONTENT_LENGTH},
    response::{IntoResponse, Response},
    routing::post,
};
use tokio::{
    task::spawn_blocking,
    time::{Instant, sleep, timeout},
};
use twinseal::{
    KeyId, SigningKey,
    keyring::Shared,
    request::{Asked, RequestId},
};

use crate::{
    batch::{PROBABILITIES, Pictures, file},
    gate::{Gate, IN_MEMORY, Refusal, Slot},
    pictures::likeliest,
    protocol::{Question, join, sign_result},
    sealed_http,
};
use common::printable;
use digits::{CLASSES, PIXELS, Perceptron};

/// How much of a whole answer HTTP gets at once. The rest waits until the client has read.
const PIECE: usize = 64 * 1024;

/// The state that all requests share.
pub(crate) struct Service {
    pub(crate) gate: Arc<Gate>,
    pub(crate) model: Perceptron,
    /// Signs results, if there is one.
    pub(crate) signing_key: Option<Shared<SigningKey>>,
    pub(crate) limits: Limits,
}

#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct Limits {
    /// Longest request body in bytes; longer ones are refused with 413. For /generate it is 65536
    #[arg(long, default_value_t = 64 << 20, value_name = "BYTES")]
    pub(crate) max_body: usize,
    /// Requests of one client at a time; more are refused with 429
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) slots: u16,
    /// Seconds for a body to arrive, else its request is refused with 408
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub(crate) timeout: u64,
    /// Milliseconds to wait after each line of /generate, as if the model were large
    #[arg(long, default_value_t = 0, value_name = "MS")]
    pub(crate) pause: u64,
}

/// Who sent a request: claimed until the signature is verified.
#[derive(Default)]
struct Peer {
    claimed: Option<KeyId>,
    client: Option<String>,
}

impl Service {
    pub(crate) fn routes(self: &Arc<Self>) -> Router {
        [Question::Predict, Question::Generate].into_iter().fold(
            Router::new(),
            |routes, question| {
                let service = Arc::clone(self);
                routes
                    .route(question.path(), post(move |request| service.answer(question, request)))
            },
        )
    }

    /// The work of `/predict` without any cryptography, to compare with. Only the demonstration has it.
    pub(crate) fn plain_routes(self: &Arc<Self>) -> Router {
        let service = Arc::clone(self);
        let plain = async move |request: Request| {
            let batch = to_bytes(request.into_body(), service.limits.max_body).await;
            let batch = batch.map_err(|_| Refusal::too_long())?;
            let (mut pictures, mut values, mut units) = (Pictures::default(), vec![], vec![]);
            let predict =
                |pixels: &[f32; PIXELS]| values.extend(service.model.predict(pixels, &mut units));
            pictures
                .feed(&batch, predict)
                .and_then(|()| pictures.finish())
                .map_err(refuse_batch)?;
            Ok::<_, Refusal>(file(PROBABILITIES, CLASSES, &values))
        };
        Router::new().route("/plain", post(plain))
    }

    async fn answer(self: Arc<Self>, question: Question, request: Request) -> Response {
        let (start, mut peer) = (Instant::now(), Peer::default());
        let result = self.ask(question, request, &mut peer).await;
        let took_ms = milliseconds(start.elapsed());
        let refused = result.as_ref().err().and_then(|refusal| refusal.client.clone());
        let client = match (peer.client.or(refused), peer.claimed) {
            (Some(name), _) => printable(name),
            (None, Some(id)) => format!("claimed {id}"),
            (None, None) => "-".into(),
        };
        match result {
            Ok((response, rows, spent)) => {
                let [verify_ms, unlock_ms, answer_ms] = spent.map(milliseconds);
                #[rustfmt::skip]
                tracing::info!(client, status = 200, rows, took_ms, verify_ms, unlock_ms, answer_ms, "answered");
                response
            }
            Err(refusal) => {
                let (status, reason) = (refusal.status.as_u16(), printable(&refusal.reason));
                tracing::warn!(client, status, took_ms, reason, "refused");
                refusal.into_response()
            }
        }
    }

    /// The answer, the number of pictures, and the time that was spent on verifying the
    /// signature, on the key exchange, and on sealing the answer.
    async fn ask(
        self: &Arc<Self>,
        question: Question,
        request: Request,
        peer: &mut Peer,
    ) -> Result<(Response, usize, [Duration; 3]), Refusal> {
        let limit = match question {
            Question::Predict => self.limits.max_body,
            Question::Generate => IN_MEMORY,
        };
        if request.body().size_hint().lower() > limit as u64 {
            return Err(Refusal::too_long());
        }
        let protocol = (question.context(), limit);
        let (verified, incoming) =
            sealed_http::verify(&self.gate, protocol, request, &mut peer.claimed).await?;
        tracing::debug!(client = printable(&verified.client), "verified");
        peer.client = Some(verified.client);

        let (mut pictures, mut values, mut units) = (Pictures::default(), vec![], vec![]);
        let opening = incoming.open(verified.request, &self.gate.guard, |plaintext| {
            let taken = pictures.feed(plaintext, |pixels| match question {
                Question::Predict => values.extend(self.model.predict(pixels, &mut units)),
                Question::Generate => values.extend(pixels),
            });
            taken.map_err(refuse_batch)
        });
        let asked = timeout(Duration::from_secs(self.limits.timeout), opening);
        let asked = asked.await??;
        let rows = pictures.finish().map_err(refuse_batch)?;

        let start = Instant::now();
        let response = match question {
            Question::Predict => self.whole(asked, verified.slot, values).await?,
            Question::Generate => self.in_pieces(asked, verified.slot, values)?,
        };
        Ok((response, rows, [verified.verify, verified.unlock, start.elapsed()]))
    }

    async fn whole(
        self: &Arc<Self>,
        asked: Asked,
        slot: Slot,
        probabilities: Vec<f32>,
    ) -> Result<Response, Refusal> {
        let service = Arc::clone(self);
        // A signature or a long answer takes more than a millisecond.
        let seal = spawn_blocking(move || {
            let result = file(PROBABILITIES, CLASSES, &probabilities);
            let signature = service.sign(asked.id(), &result)?;
            asked.answer(&join(&signature, &result))
        });
        let mut rest = Bytes::from(seal.await??);
        let length = [(CONTENT_LENGTH, HeaderValue::from(rest.len()))];
        let body = sealed_http::answer(slot, |mut sender| async move {
            while !rest.is_empty() {
                let piece = rest.split_to(rest.len().min(PIECE));
                if sender.send_data(piece).await.is_err() {
                    return; // the client is gone
                }
            }
        });
        Ok((length, body).into_response())
    }

    /// A line of text for each picture, on its way as soon as it is made. At the end comes the signature,
    /// or nothing: without that last piece the client knows that the answer was cut off.
    fn in_pieces(
        self: &Arc<Self>,
        asked: Asked,
        slot: Slot,
        pictures: Vec<f32>,
    ) -> Result<Response, Refusal> {
        let (service, request) = (Arc::clone(self), asked.id());
        let (start, mut sealer) = asked.piece_sealer()?;
        Ok(sealed_http::answer(slot, |mut sender| async move {
            let written = async {
                sender.send_data(start.into()).await?;
                let (mut text, mut units) = (String::new(), Vec::new());
                for (number, pixels) in pictures.as_chunks::<PIXELS>().0.iter().enumerate() {
                    let line = line(number, &service.model.predict(pixels, &mut units));
                    sender.send_data(sealer.piece(line.as_bytes())?.into()).await?;
                    text.push_str(&line);
                    if service.limits.pause > 0 {
                        sleep(Duration::from_millis(service.limits.pause)).await;
                    }
                }
                let sign = move || service.sign(request, text.as_bytes());
                let last = sealer.finish(&spawn_blocking(sign).await??)?;
                Ok::<_, Box<dyn Error + Send + Sync>>(sender.send_data(last.into()).await?)
            };
            if let Err(error) = written.await {
                tracing::debug!(error = printable(error), "an answer ends early");
            }
        })
        .into_response())
    }

    /// The signature of a result, empty if the service signs none.
    fn sign(&self, request: RequestId, result: &[u8]) -> Result<Vec<u8>, twinseal::Error> {
        let key = self.signing_key.as_ref().map(Shared::load);
        key.map_or(Ok(Vec::new()), |key| sign_result(&*key, request, result))
    }
}

/// `picture 3: 7 (98 %)`
fn line(number: usize, probabilities: &[f32; CLASSES]) -> String {
    let (digit, likely) = likeliest(*probabilities);
    format!("picture {number}: {digit} ({:.0} %)\n", 100.0 * likely)
}

#[expect(clippy::needless_pass_by_value, reason = "`map_err` passes it by value")]
fn refuse_batch(reason: String) -> Refusal {
    Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, format!("the batch: {reason}"))
}

fn milliseconds(duration: Duration) -> f64 {
    (1e6 * duration.as_secs_f64()).round() / 1e3
}
