//! Requests and answers over HTTP: a request's signature is in `X-Signature`, in base64, and its body
//! is the rest. Copy this file; what it asks of [`Gate`] depends on the service.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use base64::{Engine, engine::general_purpose::STANDARD};
use http_body_util::{BodyExt, Limited, channel};
use tokio::{task::spawn_blocking, time::timeout};
use twinseal::{
    Error, KeyId,
    request::{Asked, ReplayGuard, RequestHead, UnlockedRequest},
};

use crate::gate::{Gate, HEAD_TIME, IN_MEMORY, Refusal, START, Slot, Verified};

/// A body on its way, and what has arrived and was not used.
pub(crate) struct Incoming(Limited<Body>, Vec<u8>);

/// Reads and verifies the head of a request. Its peer gets nothing before.
pub(crate) async fn verify(
    gate: &Arc<Gate>,
    (context, limit): (&'static [u8], usize),
    request: axum::extract::Request,
    claimed: &mut Option<KeyId>,
) -> Result<(Verified, Incoming), Refusal> {
    let mut signatures = request.headers().get_all("x-signature").iter();
    let signature = signatures.next().filter(|_| signatures.next().is_none()); // of two, which?
    let signature = signature.and_then(|text| STANDARD.decode(text).ok());
    let mut incoming = Incoming(Limited::new(request.into_body(), limit), Vec::new());
    let complete = async {
        let mut head = loop {
            match RequestHead::parse(&incoming.1) {
                Err(Error::Truncated { needed, .. }) if incoming.fill(needed).await? => {}
                head => break head?,
            }
        };
        incoming.1.drain(..head.len());
        *claimed = head.claimed_signer();
        signature.and_then(|bytes| head.attach(&bytes).ok()).ok_or(Error::Unsigned)?;
        Ok::<_, Refusal>((head, Arc::clone(&gate.verifying).acquire_owned().await))
    };
    let (head, verifying) = timeout(HEAD_TIME, complete).await??;
    let gate = Arc::clone(gate);
    Ok((spawn_blocking(move || gate.verify(context, head, verifying)).await??, incoming))
}

impl Incoming {
    /// Reads until there are `length` bytes, or returns `false` at the end of the body.
    async fn fill(&mut self, length: usize) -> Result<bool, Refusal> {
        while self.1.len() < length {
            let Some(frame) = self.0.frame().await else { return Ok(false) };
            self.1.extend_from_slice(&frame?.into_data().unwrap_or_default());
        }
        Ok(true)
    }

    /// Opens the body, and gives it to `take` in pieces after the guard has let the request in.
    pub(crate) async fn open(
        mut self,
        request: UnlockedRequest,
        guard: &dyn ReplayGuard,
        mut take: impl FnMut(&[u8]) -> Result<(), Refusal>,
    ) -> Result<Asked, Refusal> {
        if !self.fill(IN_MEMORY + 1).await? {
            let whole = request.open(&self.1)?;
            let verdict = guard.admit(whole.id(), whole.signer(), whole.time());
            let (plaintext, asked) = whole.admitted(verdict)?;
            return take(&plaintext).map(|()| asked);
        }
        let rest = self.1.split_off(START);
        let (prefix, first) = self.1.split_first_chunk().ok_or(Error::Open)?;
        let begun = request.begin(prefix, first)?;
        let verdict = guard.admit(begun.id(), begun.signer(), begun.time());
        let (first, mut opener) = begun.admitted(verdict)?;
        let mut plaintext = first.into_vec();
        self.1 = rest;
        while !self.1.is_empty() {
            opener.update(&self.1, &mut plaintext)?;
            take(&plaintext)?;
            plaintext.clear();
            self.1.clear();
            self.fill(1).await?;
        }
        let asked = opener.finish(&mut plaintext)?;
        take(&plaintext).map(|()| asked)
    }
}

/// The body that `write` sends in pieces. The request keeps its slot until all are sent.
pub(crate) fn answer<F: Future<Output = ()> + Send + 'static>(
    slot: Slot,
    write: impl FnOnce(channel::Sender<Bytes>) -> F,
) -> Body {
    let (sender, body) = channel::Channel::new(1);
    let written = write(sender);
    tokio::spawn(async move { (written.await, drop(slot)) });
    Body::new(body)
}
