//! One connection of the aggregator: identifies the worker, receives its updates and answers them.

use std::{
    collections::{HashMap, HashSet},
    net::TcpStream,
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{self, Receiver as Inbox, Sender as Outbox},
    },
    time::{Duration, Instant},
};

use rand::{TryRng, rngs::SysRng};
use twinseal::{
    EncapsulationKey, KeyId, Keyring, VerifyingKeyring,
    keyring::Shared,
    session::{ReplyNonce, SessionSender},
};

use crate::{
    Failure,
    message::{self, Spent, Update, What, context},
    secure::{self, Cost, Incoming},
    wire::{Kind, Wire},
};

/// The state that all connections share.
#[derive(Debug)]
pub(crate) struct Hall {
    pub(crate) ring: Shared<Keyring>,
    pub(crate) signers: VerifyingKeyring,
    /// The workers' numbers by the keys that they sign with.
    pub(crate) workers: HashMap<KeyId, usize>,
    /// The workers that have connected. Each may connect once.
    pub(crate) present: Mutex<HashSet<usize>>,
    pub(crate) hidden: usize,
    /// How many pictures a worker is asked to learn from in a step.
    pub(crate) batch: u32,
    pub(crate) timeout: Duration,
    pub(crate) longest_message: usize,
}

/// What a connection reports to the training.
#[derive(Debug)]
pub(crate) enum Event {
    Joined {
        worker: usize,
        orders: Outbox<Order>,
    },
    Updated {
        worker: usize,
        update: Update,
    },
    /// The answer was sent, and a new session was started if one was ordered.
    Answered {
        worker: usize,
        spent: Spent,
        cost: Cost,
        /// Bytes that started sessions since the last report.
        session_bytes: u64,
    },
    Left {
        worker: usize,
        spent: Spent,
        cost: Cost,
    },
    Lost {
        worker: usize,
        reason: String,
    },
    Refused {
        who: String,
        reason: String,
    },
    /// A line that another process printed.
    Said(String),
    /// The other process has closed its output.
    Silent,
}

/// What the training orders a connection to do.
#[derive(Debug)]
pub(crate) enum Order {
    Begin { model: Arc<Vec<u8>> },
    Answer { average: Arc<Vec<u8>>, rotates: bool, is_last: bool },
}

/// Serves a connection to its end.
pub(crate) fn serve(stream: TcpStream, hall: &Hall, events: &Outbox<Event>) {
    let address = stream.peer_addr().map_or_else(|_| "a connection".into(), |at| at.to_string());
    // The connection stays open until its end was reported: a peer that sees it close knows that
    // the report was sent.
    let held = stream.try_clone();
    let entered = Wire::new(stream, hall.timeout)
        .map_err(Failure::from)
        .and_then(|wire| Peer::enter(wire, hall));
    // Sending fails only when the training is over, and then nobody needs the event.
    let _ = match entered {
        Err(reason) => events.send(Event::Refused { who: address, reason: reason.to_string() }),
        Ok(mut peer) => match peer.work(events) {
            Ok(end) => events.send(end),
            Err(reason) => {
                let (worker, reason) = (peer.worker, reason.to_string());
                events.send(Event::Lost { worker, reason })
            }
        },
    };
    drop(held);
}

struct Session {
    updates: Incoming,
    answers: SessionSender,
    /// The number of bytes that were sent to start it.
    bytes: u64,
}

struct Peer<'a> {
    hall: &'a Hall,
    wire: Wire,
    worker: usize,
    challenge: [u8; 32],
    session: Session,
    cost: Cost,
    spent: Spent,
    /// Bytes that started sessions since the last report.
    session_bytes: u64,
}

impl<'a> Peer<'a> {
    /// Accepts a connection that answers the challenge with a session signed by a registered
    /// worker.
    fn enter(mut wire: Wire, hall: &'a Hall) -> Result<Self, Failure> {
        let mut challenge = [0; 32];
        SysRng.try_fill_bytes(&mut challenge)?;
        wire.write(Kind::Challenge, &[&challenge])?;

        let mut spent = Spent::default();
        let ring = hall.ring.load();
        let session = accept(&mut wire, &ring, hall, &context(&challenge, 1), &mut spent)?;
        let worker = session
            .updates
            .signer()
            .and_then(|signer| hall.workers.get(&signer).copied())
            .ok_or("no worker signs with this key")?;
        let mut present = hall.present.lock().unwrap_or_else(PoisonError::into_inner);
        if !present.insert(worker) {
            return Err(format!("worker {worker} has connected before").into());
        }
        wire.allow(hall.longest_message);
        let cost = Cost::default();
        let session_bytes = session.bytes;
        Ok(Self { hall, wire, worker, challenge, session, cost, spent, session_bytes })
    }

    /// Receives updates and answers them, until the last one.
    fn work(&mut self, events: &Outbox<Event>) -> Result<Event, Failure> {
        let (orders, inbox) = mpsc::channel();
        events.send(Event::Joined { worker: self.worker, orders })?;
        let Order::Begin { model } = next(&inbox)? else { return Err(OVER.into()) };
        self.answer(What::Model, 1, &model, false)?;
        for round in 1.. {
            let update = self.update(round, events)?;
            events.send(Event::Updated { worker: self.worker, update })?;
            let Order::Answer { average, rotates, is_last } = next(&inbox)? else {
                return Err(OVER.into());
            };
            self.answer(What::Average, round, &average, is_last)?;
            if is_last {
                let spent = self.farewell(round, events)?;
                let (worker, cost) = (self.worker, self.cost.take());
                return Ok(Event::Left { worker, spent: self.spent_with(spent), cost });
            }
            if rotates {
                self.renew(round, events)?;
            }
            events.send(Event::Answered {
                worker: self.worker,
                spent: std::mem::take(&mut self.spent),
                cost: self.cost.take(),
                session_bytes: std::mem::take(&mut self.session_bytes),
            })?;
        }
        Err(OVER.into())
    }

    fn update(&mut self, round: u32, events: &Outbox<Event>) -> Result<Update, Failure> {
        let message = self.receive(What::Update, round, events)?;
        let update = Update::from_bytes(&message)?;
        if update.hidden != self.hall.hidden {
            return Err(format!("its gradient is of a model of {} units", update.hidden).into());
        }
        if update.samples != self.hall.batch {
            let Update { samples, .. } = update;
            return Err(format!("it claims {samples} pictures, not {}", self.hall.batch).into());
        }
        Ok(update)
    }

    fn receive(
        &mut self,
        what: What,
        round: u32,
        events: &Outbox<Event>,
    ) -> Result<Vec<u8>, Failure> {
        let who = format!("in the connection of worker {}", self.worker);
        let Self { wire, session, cost, .. } = self;
        let no_start = &mut |_: &[u8]| None; // replies start at this end
        secure::receive(wire, &mut session.updates, (what, round), cost, no_start, &mut |reason| {
            // Sending fails only when the training is over, which the next read notices.
            let _ = events.send(Event::Refused { who: who.clone(), reason });
        })
    }

    fn answer(
        &mut self,
        what: What,
        round: u32,
        message: &[u8],
        is_last: bool,
    ) -> Result<(), Failure> {
        let Self { wire, session, cost, .. } = self;
        secure::send(wire, &mut session.answers, (what, round), message.to_vec(), is_last, cost)
    }

    /// Receives the last message of a session. Without it, the session was truncated.
    fn farewell(&mut self, round: u32, events: &Outbox<Event>) -> Result<Spent, Failure> {
        let message = self.receive(What::Farewell, round, events)?;
        if !self.session.updates.is_finished() {
            return Err("its session was not finished".into());
        }
        message::farewell_from_bytes(&message)
    }

    /// The worker has received a new key: it finishes its session and starts another, to that key
    /// only.
    fn renew(&mut self, round: u32, events: &Outbox<Event>) -> Result<(), Failure> {
        let spent = self.farewell(round, events)?;
        let mut newest = Keyring::clone(&self.hall.ring.load());
        let primary = newest.primary().key_id();
        let older: Vec<_> =
            newest.keys().map(EncapsulationKey::key_id).filter(|key| *key != primary).collect();
        older.into_iter().try_for_each(|key| newest.retire(key))?;

        let context = context(&self.challenge, 2);
        self.session = accept(&mut self.wire, &newest, self.hall, &context, &mut self.spent)?;
        let signer = self.session.updates.signer();
        if signer.and_then(|signer| self.hall.workers.get(&signer)) != Some(&self.worker) {
            return Err("its new session is signed by another worker".into());
        }
        self.spent = self.spent_with(spent);
        self.session_bytes += self.session.bytes;
        Ok(())
    }

    fn spent_with(&self, other: Spent) -> Spent {
        Spent {
            sealing: self.spent.sealing + other.sealing,
            starting: self.spent.starting + other.starting,
        }
    }
}

const OVER: &str = "the training is over";

/// The aggregator has deadlines of its own: it sends an order, or drops its end.
#[expect(clippy::disallowed_methods, reason = "see above")]
fn next(inbox: &Inbox<Order>) -> Result<Order, Failure> {
    inbox.recv().map_err(|_| OVER.into())
}

/// Accepts a session and starts its reply.
fn accept(
    wire: &mut Wire,
    ring: &Keyring,
    hall: &Hall,
    context: &[u8],
    spent: &mut Spent,
) -> Result<Session, Failure> {
    let hello = wire.expect(Kind::Hello)?;
    let start = Instant::now();
    let updates = ring.accepting_any(&hall.signers).receiver(context, &hello)?;
    let (nonce, answers) = updates.reply()?;
    spent.starting += start.elapsed();
    wire.write(Kind::Reply, &[nonce.as_bytes()])?;
    let bytes = (hello.len() + ReplyNonce::LEN) as u64;
    Ok(Session { updates: Incoming::new(updates), answers, bytes })
}
