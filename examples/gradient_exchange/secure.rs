//! The messages of a connection: sends and receives them in its session, and counts the cost.

use std::{
    io, mem,
    time::{Duration, Instant},
};

use twinseal::{
    Plaintext,
    session::{FramedReceiver, FramedSender, MessageTag},
};

use crate::{
    Failure,
    message::{What, aad},
    timed::Timed,
};

/// The cost of sealing and opening messages.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Cost {
    /// Time for sealing and opening, without the time in the socket.
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

    fn add(&mut self, time: Duration, plain: usize) {
        self.time += time;
        self.plain += plain as u64;
        self.added += MessageTag::LEN as u64;
    }
}

/// A session and its reply on one connection: what this end sends, and what it receives.
pub(crate) struct Channel {
    pub(crate) outgoing: FramedSender<Timed>,
    pub(crate) incoming: FramedReceiver<Timed>,
    pub(crate) cost: Cost,
}

impl Channel {
    pub(crate) fn new(
        outgoing: FramedSender<Timed>,
        incoming: FramedReceiver<Timed>,
        longest: usize,
    ) -> Self {
        Self {
            outgoing: outgoing.with_bound(longest),
            incoming: incoming.with_bound(longest),
            cost: Cost::default(),
        }
    }

    /// Sends a message, which is sealed in its own buffer: no gradient is copied. With `is_last` the other
    /// end knows that no message follows.
    pub(crate) fn send(
        &mut self,
        (what, round): (What, u32),
        mut message: Vec<u8>,
        is_last: bool,
    ) -> io::Result<()> {
        self.outgoing.get_mut().restart();
        let (start, aad) = (Instant::now(), aad(what, round));
        match is_last {
            false => self.outgoing.send_in_place(&aad, &mut message)?,
            true => self.outgoing.finish_in_place(&aad, &mut message)?,
        }
        let took = start.elapsed();
        self.cost.add(took.saturating_sub(self.outgoing.get_mut().restart()), message.len());
        Ok(())
    }

    /// Receives the next message, which must be this one.
    pub(crate) fn receive(&mut self, (what, round): (What, u32)) -> Result<Plaintext, Failure> {
        self.incoming.get_mut().restart();
        let (start, aad) = (Instant::now(), aad(what, round));
        let message = self.incoming.receive_with_aad(&aad)?.ok_or("it has finished its session")?;
        let took = start.elapsed();
        self.cost.add(took.saturating_sub(self.incoming.get_mut().restart()), message.len());
        Ok(message)
    }
}

/// Whether a session ended because of bytes that its peer did not send, and not because the connection did.
pub(crate) fn is_forged(failure: &Failure) -> bool {
    let error = failure.downcast_ref::<io::Error>();
    error.is_some_and(|error| error.kind() == io::ErrorKind::InvalidData)
}
