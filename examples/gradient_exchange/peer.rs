//! One connection of the aggregator: identifies the worker, receives its updates and answers them.

use std::{
    collections::{HashMap, HashSet},
    io::Write,
    mem,
    net::TcpStream,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        mpsc::{self, Receiver as Inbox, Sender as Outbox},
    },
    time::{Duration, Instant},
};

use rand::{TryRng, rngs::SysRng};
use twinseal::{
    KeyId, Keyring, VerifyingKeyring,
    keyring::Shared,
    session::{FramedReceiver, ReplyNonce},
};

use crate::{
    Failure,
    message::{self, CHALLENGE, Spent, Update, What, context},
    secure::{Channel, Cost, is_forged},
    timed::Timed,
};

/// The state that all connections share.
#[derive(Debug)]
pub(crate) struct Hall {
    pub(crate) ring: Shared<Keyring>,
    pub(crate) signers: VerifyingKeyring,
    /// The workers' numbers by the keys that they sign with.
    pub(crate) workers: HashMap<KeyId, usize>,
    /// The workers that are connected. Each may have one connection.
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
    /// The average was sent.
    Answered {
        worker: usize,
        report: Report,
    },
    /// The average was sent, and the worker has finished its session.
    Left {
        worker: usize,
        report: Report,
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
}

/// What a connection has cost since its last report.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) spent: Spent,
    pub(crate) cost: Cost,
    /// Bytes that started the session.
    pub(crate) session_bytes: u64,
}

/// What the training orders a connection to do.
#[derive(Debug)]
pub(crate) enum Order {
    Begin { model: Arc<Vec<u8>>, round: u32 },
    Answer { average: Arc<Vec<u8>>, is_last: bool },
}

/// Serves a connection to its end.
pub(crate) fn serve(stream: TcpStream, hall: &Hall, events: &Outbox<Event>) {
    let address = stream.peer_addr().map_or_else(|_| "a connection".into(), |at| at.to_string());
    // The connection stays open until its end was reported: a peer that sees it close knows that
    // the report was sent, and that it may connect again.
    let held = stream.try_clone();
    // Sending fails only when the training is over, and then nobody needs the event.
    let _ = match Peer::enter(stream, hall) {
        Err(reason) => events.send(Event::Refused { who: address, reason: reason.to_string() }),
        Ok(mut peer) => {
            let worker = peer.worker;
            let reported = events.send(match peer.work(events) {
                Ok(end) => end,
                Err(reason) if is_forged(&reason) => {
                    let who = format!("in the connection of worker {worker}");
                    Event::Refused { who, reason: reason.to_string() }
                }
                Err(reason) => Event::Lost { worker, reason: reason.to_string() },
            });
            hall.present().remove(&worker);
            reported
        }
    };
    drop(held);
}

impl Hall {
    fn present(&self) -> MutexGuard<'_, HashSet<usize>> {
        self.present.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Peer<'a> {
    hall: &'a Hall,
    worker: usize,
    channel: Channel,
    spent: Spent,
    session_bytes: u64,
}

impl<'a> Peer<'a> {
    /// Accepts a connection that answers the challenge with a session signed by a registered
    /// worker, and starts the reply.
    fn enter(stream: TcpStream, hall: &'a Hall) -> Result<Self, Failure> {
        let mut connection = Timed::new(stream, hall.timeout)?;
        let mut challenge = [0; CHALLENGE];
        SysRng.try_fill_bytes(&mut challenge)?;
        connection.write_all(&challenge)?;

        let (mut spent, mut session_bytes) = (Spent::default(), ReplyNonce::LEN as u64);
        let answers = connection.try_clone()?;
        let updates = FramedReceiver::accept(connection, |hello| {
            let start = Instant::now();
            let ring = hall.ring.load();
            let accepting = ring.accepting_any(&hall.signers);
            let session = accepting.receiver(&context(&challenge), hello);
            session_bytes += hello.len() as u64;
            spent.starting += start.elapsed();
            session
        })?;
        let worker = updates.signer().and_then(|signer| hall.workers.get(&signer).copied());
        let worker = worker.ok_or("no worker signs with this key")?;
        let answers = updates.reply(answers)?;
        if !hall.present().insert(worker) {
            return Err(format!("worker {worker} is connected already").into());
        }
        let channel = Channel::new(answers, updates, hall.longest_message);
        Ok(Self { hall, worker, channel, spent, session_bytes })
    }

    /// Sends the model, receives updates and answers them, until the last one of this session.
    fn work(&mut self, events: &Outbox<Event>) -> Result<Event, Failure> {
        let worker = self.worker;
        let (orders, inbox) = mpsc::channel();
        events.send(Event::Joined { worker, orders })?;
        let Order::Begin { model, round: first } = next(&inbox)? else { return Err(OVER.into()) };
        self.channel.send((What::Model, first), model.to_vec(), false)?;
        for round in first.. {
            let update = self.update(round)?;
            events.send(Event::Updated { worker, update })?;
            let Order::Answer { average, is_last } = next(&inbox)? else { return Err(OVER.into()) };
            self.channel.send((What::Average, round), average.to_vec(), is_last)?;
            if is_last {
                self.farewell(round)?;
                return Ok(Event::Left { worker, report: self.report() });
            }
            events.send(Event::Answered { worker, report: self.report() })?;
        }
        Err(OVER.into())
    }

    fn update(&mut self, round: u32) -> Result<Update, Failure> {
        let update = Update::from_bytes(&self.channel.receive((What::Update, round))?)?;
        if update.hidden != self.hall.hidden {
            return Err(format!("its gradient is of a model of {} units", update.hidden).into());
        }
        if update.samples != self.hall.batch {
            let Update { samples, .. } = update;
            return Err(format!("it claims {samples} pictures, not {}", self.hall.batch).into());
        }
        Ok(update)
    }

    /// Receives the last message of a session. Without it, the session was cut off.
    fn farewell(&mut self, round: u32) -> Result<(), Failure> {
        let message = self.channel.receive((What::Farewell, round))?;
        if !self.channel.incoming.is_finished() {
            return Err("its session was not finished".into());
        }
        let spent = message::farewell_from_bytes(&message)?;
        self.spent.sealing += spent.sealing;
        self.spent.starting += spent.starting;
        Ok(())
    }

    fn report(&mut self) -> Report {
        Report {
            spent: mem::take(&mut self.spent),
            cost: self.channel.cost.take(),
            session_bytes: mem::take(&mut self.session_bytes),
        }
    }
}

const OVER: &str = "the training is over";

/// The aggregator has deadlines of its own: it sends an order, or drops its end.
#[expect(clippy::disallowed_methods, reason = "see above")]
fn next(inbox: &Inbox<Order>) -> Result<Order, Failure> {
    inbox.recv().map_err(|_| OVER.into())
}
