//! Sessions over a wire: seals and sends messages, receives and opens them, and counts the cost.

use std::{
    mem,
    time::{Duration, Instant},
};

use twinseal::{
    KeyId,
    session::{MessageTag, SessionReceiver, SessionSender},
};

use crate::{
    Failure,
    message::{What, aad},
    wire::{Frame, Kind, Wire},
};

/// The cost of sealing and opening messages.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Cost {
    /// Time for sealing and opening.
    pub(crate) time: Duration,
    /// Bytes of the messages as they would travel without sealing.
    pub(crate) plain: u64,
    /// Bytes that sealing added to them.
    pub(crate) added: u64,
}

impl Cost {
    /// Returns the cost so far, and counts from zero again.
    pub(crate) fn take(&mut self) -> Self {
        mem::take(self)
    }

    fn add(&mut self, since: Instant, plain: usize) {
        self.time += since.elapsed();
        self.plain += plain as u64;
        self.added += MessageTag::LEN as u64;
    }
}

/// Seals a message in its own buffer and sends it: no gradient is copied. With `is_last` the other
/// end knows that no message follows.
pub(crate) fn send(
    wire: &mut Wire,
    sender: &mut SessionSender,
    (what, round): (What, u32),
    mut message: Vec<u8>,
    is_last: bool,
    cost: &mut Cost,
) -> Result<(), Failure> {
    let start = Instant::now();
    let aad = aad(what, round);
    let detached = match is_last {
        false => sender.seal_in_place(&aad, &mut message)?,
        true => sender.finish_in_place(&aad, &mut message)?,
    };
    cost.add(start, message.len());
    Ok(wire.write(Kind::Message, &[&detached.to_bytes(), &message])?)
}

/// How many frames that are not the peer's own are skipped for each message.
const MAX_REFUSED: u32 = 16;

/// One end's incoming messages. A reply starts with 32 bytes that anyone could have sent. Until a
/// message has opened, there is a receiver for each start that has arrived.
pub(crate) struct Incoming {
    receivers: Vec<SessionReceiver>,
}

/// How many starts of a reply are kept until a message has opened.
const MAX_STARTS: usize = 8;

impl Incoming {
    pub(crate) fn new(receiver: SessionReceiver) -> Self {
        Self { receivers: vec![receiver] }
    }

    pub(crate) fn is_finished(&self) -> bool {
        self.receivers.iter().any(SessionReceiver::is_finished)
    }

    /// The key that signed the session, or `None` for its reply.
    pub(crate) fn signer(&self) -> Option<KeyId> {
        self.receivers.first().and_then(SessionReceiver::signer)
    }

    fn open(
        &mut self,
        place: (What, u32),
        mut payload: Vec<u8>,
        cost: &mut Cost,
    ) -> Result<Vec<u8>, twinseal::Error> {
        let several = self.receivers.len() > 1;
        let mut outcome = Err(twinseal::Error::Open);
        for index in 0..self.receivers.len() {
            let payload = if several { payload.clone() } else { mem::take(&mut payload) };
            outcome = open(&mut self.receivers[index], place, payload, cost);
            if outcome.is_ok() {
                self.receivers.swap(0, index);
                self.receivers.truncate(1);
                break;
            }
        }
        outcome
    }
}

/// Reads the next message. Frames that somebody else put on the wire are reported to `refused` and
/// skipped: after a failed open the session still waits for the same message, so that injected
/// frames cannot stop it. `start` makes a receiver from another start of a reply, while that is
/// possible.
pub(crate) fn receive(
    wire: &mut Wire,
    incoming: &mut Incoming,
    place: (What, u32),
    cost: &mut Cost,
    start: &mut dyn FnMut(&[u8]) -> Option<SessionReceiver>,
    refused: &mut dyn FnMut(String),
) -> Result<Vec<u8>, Failure> {
    for _ in 0..MAX_REFUSED {
        match wire.read()? {
            None => return Err("the connection was closed".into()),
            Some(Frame { kind: Kind::Message, payload }) => {
                match incoming.open(place, payload, cost) {
                    Ok(message) => return Ok(message),
                    Err(error) => refused(error.to_string()),
                }
            }
            Some(Frame { kind: Kind::Reply, payload }) => match start(&payload) {
                Some(receiver) if incoming.receivers.len() < MAX_STARTS => {
                    incoming.receivers.push(receiver);
                }
                _ => refused("a Reply in the middle of a session".into()),
            },
            Some(Frame { kind, .. }) => refused(format!("a {kind:?} in the middle of a session")),
        }
    }
    Err(format!("{MAX_REFUSED} frames in a row were refused").into())
}

/// Opens a message in its own buffer.
fn open(
    receiver: &mut SessionReceiver,
    (what, round): (What, u32),
    mut payload: Vec<u8>,
    cost: &mut Cost,
) -> Result<Vec<u8>, twinseal::Error> {
    let start = Instant::now();
    let too_short = twinseal::Error::Truncated {
        what: "message",
        needed: MessageTag::LEN,
        actual: payload.len(),
    };
    let (detached, message) = payload.split_first_chunk_mut().ok_or(too_short)?;
    receiver.open_in_place(&aad(what, round), message, &MessageTag::from_bytes(detached)?)?;
    cost.add(start, message.len());
    payload.drain(..MessageTag::LEN);
    Ok(payload)
}
