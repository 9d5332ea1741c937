//! Sessions over a wire: one end seals what it sends and opens what it gets, and counts what that cost.

use std::{
    mem,
    time::{Duration, Instant},
};

use twinseal::{Detached, Receiver, Sender};

use crate::{
    Failure,
    message::{What, aad},
    wire::{Frame, Kind, Wire},
};

/// What was added to the plain messages.
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
    /// Takes what has gathered.
    pub(crate) fn take(&mut self) -> Self {
        mem::take(self)
    }

    fn add(&mut self, since: Instant, plain: usize) {
        self.time += since.elapsed();
        self.plain += plain as u64;
        self.added += Detached::LENGTH as u64;
    }
}

/// Seals a message in its own buffer and sends it: no gradient is copied. With `is_last` the other
/// end knows that nothing was cut off behind it.
pub(crate) fn send(
    wire: &mut Wire,
    sender: &mut Sender,
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

/// How many frames that are not the peer's own are passed over, for each message.
const MAX_REFUSED: u32 = 16;

/// Reads the next message. What somebody else put on the wire is told to `refused` and passed over:
/// after a failed open the session still waits for the same message, so that injected frames cannot
/// stop it.
pub(crate) fn receive(
    wire: &mut Wire,
    receiver: &mut Receiver,
    place: (What, u32),
    cost: &mut Cost,
    refused: &mut dyn FnMut(String),
) -> Result<Vec<u8>, Failure> {
    for _ in 0..MAX_REFUSED {
        match wire.read()? {
            None => return Err("the connection was closed".into()),
            Some(Frame { kind: Kind::Message, payload }) => {
                match open(receiver, place, payload, cost) {
                    Ok(message) => return Ok(message),
                    Err(error) => refused(error.to_string()),
                }
            }
            Some(Frame { kind, .. }) => refused(format!("a {kind:?} in the middle of a session")),
        }
    }
    Err(format!("{MAX_REFUSED} frames in a row were refused").into())
}

/// Opens a message in its own buffer.
fn open(
    receiver: &mut Receiver,
    (what, round): (What, u32),
    mut payload: Vec<u8>,
    cost: &mut Cost,
) -> Result<Vec<u8>, twinseal::Error> {
    let start = Instant::now();
    let too_short = twinseal::Error::Truncated {
        what: "message",
        needed: Detached::LENGTH,
        actual: payload.len(),
    };
    let (detached, message) = payload.split_first_chunk_mut().ok_or(too_short)?;
    receiver.open_in_place(&aad(what, round), message, &Detached::from_bytes(detached)?)?;
    cost.add(start, message.len());
    payload.drain(..Detached::LENGTH);
    Ok(payload)
}
