//! The client's side: seals and signs a batch, and accepts an answer only if the service signed it
//! for this request.

use std::{
    io::{self, Read, Seek, Write},
    time::Duration,
};

use rand::{TryRng, rngs::SysRng};
use twinseal::KeyId;
use ureq::{
    Agent, SendBody,
    http::{Response, StatusCode},
};

use crate::{
    Failure,
    keys::ClientKeys,
    service::now,
    signature_header::{
        CLIENT, Claim, NONCE, SIGNATURE, TIMESTAMP, hex, signature, signature_to_text,
    },
    spool,
};
use common::printable;

/// The longest answer that is accepted.
const MAX_ANSWER: u64 = 1 << 30;

/// From this length on the client waits until the service asks for the body, so that a refusal
/// costs no upload.
const ASK_FIRST: u64 = 256 * 1024;

/// A client of one service. It reuses its connections.
pub(crate) struct Client {
    agent: Agent,
    url: String,
    keys: ClientKeys,
}

/// A sealed and signed request.
pub(crate) struct Sealed {
    pub(crate) claim: Claim,
    pub(crate) signature: String,
    pub(crate) body: tempfile::SpooledTempFile,
    pub(crate) length: u64,
}

impl Sealed {
    /// A copy of the request, as somebody on the way could record it.
    pub(crate) fn try_clone(&mut self) -> io::Result<Self> {
        let mut body = spool::new(&None);
        io::copy(&mut self.body, &mut body)?;
        self.body.rewind()?;
        body.rewind()?;
        let (claim, signature) = (self.claim.clone(), self.signature.clone());
        Ok(Self { claim, signature, body, length: self.length })
    }
}

impl Client {
    /// `url` is that of the service, without a path.
    pub(crate) fn new(url: &str, keys: ClientKeys, timeout: Duration) -> Self {
        let agent = Agent::config_builder()
            .timeout_global(Some(timeout))
            .http_status_as_error(false) // the body has the reason
            .max_redirects(0) // the signature is for this target
            .build()
            .into();
        Self { agent, url: url.trim_end_matches('/').to_owned(), keys }
    }

    /// Sends a batch, and writes the answer to `predictions`.
    pub(crate) fn predict(
        &self,
        batch: &mut impl Read,
        predictions: &mut impl Write,
    ) -> Result<(), Failure> {
        let request = self.seal(batch)?;
        let claim = request.claim.clone();
        let response = self.send(request)?;
        self.open(&claim, response, predictions)
    }

    /// Seals and signs, in constant memory.
    pub(crate) fn seal(&self, batch: &mut impl Read) -> Result<Sealed, Failure> {
        let claim = self.claim()?;
        let context = claim.request_context();
        let to_service = &self.keys.service_encapsulation_key;
        let mut writer = to_service.seal_writer(&context, spool::new(&None))?;
        io::copy(batch, &mut writer)?;
        let mut body = writer.finish()?;
        let length = body.stream_position()?;
        body.rewind()?;
        let signature = self.keys.signing_key.sign_reader(&context, &mut body)?;
        body.rewind()?;
        Ok(Sealed { claim, signature: signature_to_text(&signature), body, length })
    }

    fn claim(&self) -> Result<Claim, Failure> {
        let mut nonce = [0; 16];
        SysRng.try_fill_bytes(&mut nonce)?;
        Ok(Claim {
            target: "POST /predict".into(),
            client: self.id(),
            service: self.keys.service_verifying_key.key_id(),
            timestamp: now(),
            nonce,
        })
    }

    fn id(&self) -> KeyId {
        self.keys.signing_key.verifying_key().key_id()
    }

    pub(crate) fn send(&self, mut request: Sealed) -> Result<Response<ureq::Body>, Failure> {
        let claim = &request.claim;
        let mut post = self
            .agent
            .post(format!("{}/predict", self.url))
            .content_type("application/octet-stream")
            .header("content-length", request.length)
            .header(CLIENT, claim.client.to_string())
            .header(TIMESTAMP, claim.timestamp)
            .header(NONCE, hex(&claim.nonce))
            .header(SIGNATURE, &request.signature);
        if request.length > ASK_FIRST {
            post = post.header("expect", "100-continue");
        }
        let response = post.send(SendBody::from_reader(&mut request.body));
        response.map_err(|error| format!("{}: {error}", self.url).into())
    }

    /// Puts this client's id and signature on another client's request, to show that it is refused.
    pub(crate) fn sign_as_own(&self, request: &mut Sealed) -> Result<(), Failure> {
        request.claim.client = self.id();
        let context = request.claim.request_context();
        let signature = self.keys.signing_key.sign_reader(&context, &mut request.body)?;
        request.body.rewind()?;
        request.signature = signature_to_text(&signature);
        Ok(())
    }

    /// Verifies an answer, then opens it. Nothing is written of an answer that the service has not
    /// signed.
    pub(crate) fn open(
        &self,
        claim: &Claim,
        response: Response<ureq::Body>,
        predictions: &mut impl Write,
    ) -> Result<(), Failure> {
        let (parts, body) = response.into_parts();
        if parts.status != StatusCode::OK {
            return Err(refusal(parts.status, body));
        }
        let signature = signature(&parts.headers)
            .map_err(|header| format!("the answer's {header} is missing or malformed"))?;
        let mut sealed = spool::new(&None);
        io::copy(&mut body.into_with_config().limit(MAX_ANSWER).reader(), &mut sealed)?;
        sealed.rewind()?;
        let context = claim.answer_context();
        let ClientKeys { service_verifying_key, decapsulation_key, .. } = &self.keys;
        service_verifying_key
            .verify_reader(&context, &mut sealed, &signature)
            .map_err(|error| format!("the service has not signed the answer: {error}"))?;
        sealed.rewind()?;
        io::copy(&mut decapsulation_key.open_reader(&context, sealed)?, predictions)?;
        Ok(())
    }
}

/// A refusal is not signed: anyone may have sent it, with any content. It is only printed.
fn refusal(status: StatusCode, body: ureq::Body) -> Failure {
    let mut reason = Vec::new();
    // If the reason cannot be read, the status is enough.
    let _ = body.into_reader().take(500).read_to_end(&mut reason);
    let reason = printable(String::from_utf8_lossy(&reason).trim());
    format!("the service refused, with {status}: {reason}").into()
}
