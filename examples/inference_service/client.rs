//! The client's side: asks with sealed and signed requests, and opens the answers.

use std::{io::Read, time::Duration};

use base64::{Engine, engine::general_purpose::STANDARD};
use twinseal::{
    Error,
    request::{Pending, RequestId, detach},
};
use ureq::{
    Agent,
    http::{Response, StatusCode},
};

use crate::{
    Failure,
    keys::ClientKeys,
    protocol::{Question, split, verify_result},
};
use common::printable;

/// The longest answer that is accepted.
const MAX_ANSWER: u64 = 64 << 20;

/// From this length on the client waits until the service asks for the body, so that it learns before
/// the upload that the body is too long.
const ASK_FIRST: usize = 256 * 1024;

/// A client of one service. It reuses its connections.
pub(crate) struct Client {
    agent: Agent,
    url: String,
    keys: ClientKeys,
}

/// A request as it travels.
#[derive(Clone)]
pub(crate) struct Sealed {
    pub(crate) question: Question,
    pub(crate) signature: String,
    pub(crate) body: Vec<u8>,
}

impl Client {
    /// `url` is that of the service, without a path.
    pub(crate) fn new(url: &str, keys: ClientKeys, timeout: Duration) -> Self {
        let agent = Agent::config_builder()
            .timeout_global(Some(timeout))
            .http_status_as_error(false) // the body has the reason
            .max_redirects(0) // the signature is for this path
            .build()
            .into();
        Self { agent, url: url.trim_end_matches('/').to_owned(), keys }
    }

    /// Sends a batch, and returns the probabilities.
    pub(crate) fn predict(&self, batch: &[u8]) -> Result<Vec<u8>, Failure> {
        let (request, pending) = self.seal(Question::Predict, batch)?;
        self.open(pending, self.send(&request)?)
    }

    /// Sends a batch, and passes on each line of the answer when it arrives. The answer is complete
    /// only when this has returned.
    pub(crate) fn generate(
        &self,
        batch: &[u8],
        mut each: impl FnMut(&str) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let (request, pending) = self.seal(Question::Generate, batch)?;
        let (id, mut text, mut signature) = (pending.id(), Vec::new(), Vec::new());
        let (mut answer, mut opener) = (answer(self.send(&request)?)?, pending.piece_opener());
        let mut buffer = [0; 16 * 1024];
        loop {
            match answer.read(&mut buffer)? {
                0 => break,
                length => opener.update(&buffer[..length]),
            }
            while let Some(piece) = opener.next().map_err(|error| not_to_this(&error))? {
                if opener.is_finished() {
                    signature = piece.into_vec();
                } else {
                    each(str::from_utf8(&piece)?)?;
                    text.extend_from_slice(&piece);
                }
            }
        }
        opener.finish().map_err(|error| not_to_this(&error))?;
        self.verify(id, &text, &signature)
    }

    pub(crate) fn seal(
        &self,
        question: Question,
        batch: &[u8],
    ) -> Result<(Sealed, Pending), Failure> {
        let service = self.keys.service_encapsulation_key.signed_by(&*self.keys.signing_key);
        let (mut body, pending) = service.request(question.context(), batch)?;
        let signature = STANDARD.encode(detach(&mut body)?);
        Ok((Sealed { question, signature, body }, pending))
    }

    pub(crate) fn send(&self, request: &Sealed) -> Result<Response<ureq::Body>, Failure> {
        let mut post = self
            .agent
            .post(format!("{}{}", self.url, request.question.path()))
            .content_type("application/octet-stream")
            .header("x-signature", &request.signature);
        if request.body.len() > ASK_FIRST {
            post = post.header("expect", "100-continue");
        }
        let response = post.send(&request.body);
        response.map_err(|error| format!("{}: {error}", self.url).into())
    }

    /// Opens a whole answer.
    pub(crate) fn open(
        &self,
        pending: Pending,
        response: Response<ureq::Body>,
    ) -> Result<Vec<u8>, Failure> {
        let (id, mut sealed) = (pending.id(), Vec::new());
        answer(response)?.take(MAX_ANSWER).read_to_end(&mut sealed)?;
        let plaintext = pending.open(&sealed).map_err(|failed| not_to_this(&failed.error))?;
        let (signature, result) = split(&plaintext).ok_or("the answer is too short")?;
        self.verify(id, result, signature)?;
        Ok(result.to_vec())
    }

    /// The answer is the service's without it: nobody else has a key to make it.
    fn verify(&self, request: RequestId, result: &[u8], signature: &[u8]) -> Result<(), Failure> {
        let Some(key) = &self.keys.service_verifying_key else { return Ok(()) };
        let verified = verify_result(key, request, result, signature);
        verified.map_err(|error| format!("the service has not signed the result: {error}").into())
    }
}

fn not_to_this(error: &Error) -> Failure {
    format!("not the service's answer to this request: {error}").into()
}

/// The body of an answer. A refusal may be from anyone, and have any content: it is only printed.
fn answer(response: Response<ureq::Body>) -> Result<impl Read, Failure> {
    let (parts, body) = response.into_parts();
    let mut body = body.into_reader();
    if parts.status == StatusCode::OK {
        return Ok(body);
    }
    let mut reason = Vec::new();
    // If the reason cannot be read, the status is enough.
    let _ = body.by_ref().take(500).read_to_end(&mut reason);
    let reason = printable(String::from_utf8_lossy(&reason).trim());
    Err(format!("the service refused, with {}: {reason}", parts.status).into())
}
