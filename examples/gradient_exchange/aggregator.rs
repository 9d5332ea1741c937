//! The aggregator: collects updates and sends averages in rounds, and continues when a worker is
//! lost.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    io::Write,
    mem,
    net::{SocketAddr, TcpListener},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
        mpsc::{self, Receiver as Inbox, RecvTimeoutError, Sender as Outbox},
    },
    thread,
    time::{Duration, Instant},
};

use rand::{SeedableRng, rngs::StdRng};
use twinseal::{DecapsulationKey, EncapsulationKey, Keyring, VerifyingKeyring, keyring::Shared};

use crate::{
    Failure,
    children::Process,
    mean::{self, Mean},
    message::{Average, Spent, Update},
    peer::{self, Event, Hall, Order},
    report::{Report, Round},
    settings::Settings,
};
use digits::{Perceptron, Sample};

/// The most connections at the same time, of workers and strangers.
const MAX_CONNECTIONS: usize = 256;

/// Pictures that no worker learns from.
const HELD_OUT: usize = 500;

/// Trains, and returns the model.
pub(crate) fn run<W: Write>(
    settings: &Settings,
    report: &mut Report<W>,
) -> Result<Perceptron, Failure> {
    let listener = TcpListener::bind(settings.listen)
        .map_err(|error| format!("cannot listen on {}: {error}", settings.listen))?;
    let address = listener.local_addr()?;
    let ring = Keyring::new(DecapsulationKey::generate()?);
    let (events, inbox) = mpsc::channel();

    let started = start(settings, address, ring.primary(), &events)?;
    let (processes, signers): (Vec<_>, Vec<_>) = started.into_iter().unzip();
    let signers: Vec<_> = signers.into_iter().flatten().collect();
    let gradient = Perceptron::len(settings.hidden()) * 4;
    let hall = Arc::new(Hall {
        ring: Shared::new(ring),
        workers: (1..).zip(&signers).map(|(number, key)| (key.key_id(), number)).collect(),
        signers: VerifyingKeyring::new(&signers)?,
        present: Mutex::new(HashSet::new()),
        hidden: settings.hidden(),
        batch: settings.learning.batch,
        timeout: settings.timeout(),
        longest_message: gradient + 16 * 1024, // its safetensors header, and a key in it
    });
    report.line(format_args!("aggregator: listening on {address}"))?;
    for (number, process) in (1..=settings.workers()).zip(&processes) {
        report.line(format_args!("worker {number}: process {}", process.id()))?;
    }
    thread::spawn({
        let hall = Arc::clone(&hall);
        move || listen(&listener, &hall, &events)
    });

    let mut rng = StdRng::seed_from_u64(0);
    let mut training = Training {
        model: Perceptron::new(&mut rng, settings.hidden()),
        held_out: digits::draw(&mut rng, HELD_OUT, 0, 0.0),
        settings,
        hall,
        inbox,
        peers: BTreeMap::new(),
        coming: BTreeSet::new(),
        suspects: BTreeSet::new(),
        updates: BTreeMap::new(),
        unanswered: BTreeSet::new(),
        round: Round::default(),
        next_update: 1,
        before: None,
        left: 0,
        report,
    };
    training.train()?;
    let model = training.model;
    for (number, mut process) in (1..=settings.workers()).zip(processes) {
        if !process.end(Duration::from_secs(2))? {
            report.line(format_args!("worker {number}: did not end well"))?;
        }
    }
    Ok(model)
}

/// Starts all processes: the workers with their keys, then the attacker.
fn start(
    settings: &Settings,
    address: SocketAddr,
    key: &EncapsulationKey,
    events: &Outbox<Event>,
) -> Result<Vec<(Process, Option<twinseal::VerifyingKey>)>, Failure> {
    let patience = 3 * settings.timeout();
    let mut attacker = None;
    let mut first = address;
    if !settings.no_attacker {
        let mut process = Process::attacker(address, key)?;
        first = process.line(patience)?.parse()?; // worker 1 reaches the aggregator through it
        process.pass_on(events.clone());
        attacker = Some((process, None));
    }
    let workers: Vec<_> = (1..=settings.workers())
        .map(|number| {
            let address = if number == 1 { first } else { address };
            let rogue = settings.rogue.filter(|_| number == settings.workers());
            Process::worker(number, address, &settings.learning, rogue, patience, key)
        })
        .collect::<Result<_, _>>()?;
    let mut started = Vec::new();
    for process in workers {
        let key = process.verifying_key(patience)?;
        started.push((process, Some(key)));
    }
    started.extend(attacker);
    Ok(started)
}

/// Serves each connection in a thread of its own.
fn listen(listener: &TcpListener, hall: &Arc<Hall>, events: &Outbox<Event>) {
    let connections = Arc::new(AtomicUsize::new(0));
    for stream in listener.incoming() {
        // The error is of one connection, or a temporary lack of file descriptors.
        let Ok(stream) = stream else {
            thread::sleep(Duration::from_millis(10));
            continue;
        };
        if connections.fetch_add(1, Ordering::Relaxed) >= MAX_CONNECTIONS {
            connections.fetch_sub(1, Ordering::Relaxed);
            continue; // and the stream is closed
        }
        let (hall, events) = (Arc::clone(hall), events.clone());
        let served = Arc::clone(&connections);
        let serving = thread::Builder::new().spawn(move || {
            peer::serve(stream, &hall, &events);
            served.fetch_sub(1, Ordering::Relaxed);
        });
        if serving.is_err() {
            connections.fetch_sub(1, Ordering::Relaxed); // no thread could be started, for now
        }
    }
}

struct Training<'a, W> {
    settings: &'a Settings,
    hall: Arc<Hall>,
    inbox: Inbox<Event>,
    model: Perceptron,
    held_out: Vec<Sample>,
    peers: BTreeMap<usize, Outbox<Order>>,
    /// The workers that have not connected yet, or not again after the key was rotated.
    coming: BTreeSet<usize>,
    /// The workers whose gradients were far too long. Each is reported once.
    suspects: BTreeSet<usize>,
    /// The next round's updates: a quick worker sends one before a slow one has its average.
    updates: BTreeMap<usize, Update>,
    /// The workers that have not received the round's average yet.
    unanswered: BTreeSet<usize>,
    round: Round,
    /// The round of the updates that workers learn now.
    next_update: u32,
    /// The previous round, until the workers have reported its cost.
    before: Option<Round>,
    /// How many workers have received the last average, sent a farewell and left.
    left: usize,
    report: &'a mut Report<W>,
}

impl<W: Write> Training<'_, W> {
    fn train(&mut self) -> Result<(), Failure> {
        self.round.number = 1;
        self.coming = (1..=self.settings.workers()).collect();
        let mut started = Instant::now(); // the first round begins with the sessions
        self.gather("it did not connect", |this| this.coming.clone())?;
        self.report.head()?;

        let last = self.settings.rounds;
        for number in 1..=last {
            self.round.number = number;
            self.round.workers = self.peers.len();
            self.gather("it sent no update", Self::without_update)?;
            self.print_before()?;
            let gradient = self.average()?;
            self.model.descend(&gradient, self.settings.learning.rate);
            self.next_update = number + 1;
            if !self.model.is_finite() {
                return Err(format!("round {number} spoilt the model: lower the --rate").into());
            }

            let (is_last, rotates) = (number == last, number == self.settings.rotate_after());
            let old = self.hall.ring.load().primary().key_id();
            let next_key = if rotates && !is_last { Some(self.rotate()?) } else { None };
            let rotates = next_key.is_some();
            // With a new key, a new session.
            let is_last = is_last || rotates;
            let average = Average { gradient, hidden: self.settings.hidden(), next_key };
            let average = Arc::new(average.to_bytes()?);
            self.unanswered = self.peers.keys().copied().collect();
            self.order(|| Order::Answer { average: Arc::clone(&average), is_last });
            self.gather("it did not take the average", |this| this.unanswered.clone())?;
            if rotates {
                self.gather("it did not connect again", |this| this.coming.clone())?;
                // Nobody needs the old key now: a worker that has not connected with the new one is lost.
                self.hall.ring.update(|ring| ring.retire(old))?;
                let text = format_args!("all sessions are new, the old key {old} is retired");
                self.report.event(number, "key rotation", text)?;
            }
            self.round.time = started.elapsed();
            started = Instant::now();
            (self.round.loss, self.round.accuracy) = self.model.evaluate(&self.held_out);
            self.before = Some(mem::take(&mut self.round));
        }
        self.round.number = last;
        while let Ok(event) = self.inbox.try_recv() {
            self.take(event)?; // the last lines
        }
        self.print_before()?;
        Ok(self.report.summary(self.gradient_len()?)?)
    }

    /// Length of a gradient as a plain message.
    fn gradient_len(&self) -> Result<u64, Failure> {
        let gradient = self.model.parameters().to_vec();
        let samples = self.settings.learning.batch;
        let update = Update {
            gradient,
            hidden: self.settings.hidden(),
            samples,
            loss: self.round.loss,
            spent: Spent::default(),
        };
        Ok(update.to_bytes()?.len() as u64)
    }

    fn without_update(&self) -> BTreeSet<usize> {
        self.peers.keys().copied().filter(|worker| !self.updates.contains_key(worker)).collect()
    }

    /// Handles events until no worker is missing. A worker that is missing for too long is lost.
    fn gather(
        &mut self,
        otherwise: &str,
        missing: impl Fn(&Self) -> BTreeSet<usize>,
    ) -> Result<(), Failure> {
        // A little more than a connection's own timeout, whose error is more specific.
        let deadline = Instant::now() + self.settings.timeout() + Duration::from_secs(1);
        while !missing(self).is_empty() {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.inbox.recv_timeout(left) {
                Ok(event) => self.take(event)?,
                Err(RecvTimeoutError::Timeout) => {
                    missing(self)
                        .into_iter()
                        .try_for_each(|worker| self.lose(worker, otherwise))?;
                }
                Err(RecvTimeoutError::Disconnected) => return Err("nobody listens".into()),
            }
        }
        if self.peers.is_empty() && self.coming.is_empty() && self.left == 0 {
            return Err(format!("no worker is left in round {}", self.round.number).into());
        }
        Ok(())
    }

    fn take(&mut self, event: Event) -> Result<(), Failure> {
        let number = self.round.number;
        match event {
            // It comes, or comes back after something forged has ended its session.
            Event::Joined { worker, orders }
                if self.coming.remove(&worker) || self.peers.contains_key(&worker) =>
            {
                let model = Arc::new(self.model.to_safetensors()?);
                // A connection that has ended reports it with an event.
                let _ = orders.send(Order::Begin { model, round: self.next_update });
                self.peers.insert(worker, orders);
            }
            Event::Updated { worker, update } if self.peers.contains_key(&worker) => {
                // It reports the cost of the previous round.
                self.before.as_mut().unwrap_or(&mut self.round).added.add_spent(update.spent);
                self.updates.insert(worker, update);
            }
            Event::Answered { worker, report } if self.unanswered.remove(&worker) => {
                self.round.added.add_connection(&report);
            }
            Event::Left { worker, report } if self.unanswered.remove(&worker) => {
                self.round.added.add_connection(&report);
                self.peers.remove(&worker);
                match number == self.settings.rounds {
                    true => self.left += 1,
                    false => drop(self.coming.insert(worker)),
                }
            }
            // A lost worker stays lost: the others have continued.
            Event::Joined { .. }
            | Event::Updated { .. }
            | Event::Answered { .. }
            | Event::Left { .. } => {}
            Event::Lost { worker, reason } => self.lose(worker, &reason)?,
            Event::Refused { who, reason } => {
                self.report.event(number, "refused", format_args!("{who}: {reason}"))?;
            }
            Event::Said(line) => self.report.event(number, "attack", line)?,
        }
        Ok(())
    }

    fn lose(&mut self, worker: usize, reason: &str) -> Result<(), Failure> {
        self.unanswered.remove(&worker);
        self.updates.remove(&worker);
        let was_here = self.peers.remove(&worker).is_some() || self.coming.remove(&worker);
        if was_here {
            let text = format_args!("worker {worker}: {reason}; the others continue");
            self.report.event(self.round.number, "dropped", text)?;
        }
        Ok(())
    }

    /// The mean of the round's gradients. See [`mean::mean`].
    fn average(&mut self) -> Result<Vec<f32>, Failure> {
        let updates = mem::take(&mut self.updates);
        let updates =
            updates.iter().map(|(worker, update)| (*worker, update.gradient.as_slice())).collect();
        let Mean { gradient, shortened } = mean::mean(&updates)?;
        for (worker, times) in shortened {
            if self.suspects.insert(worker) {
                let text = format_args!(
                    "worker {worker}: its gradient is {times:.0} times as long as the median, and \
                     is shortened to it"
                );
                self.report.event(self.round.number, "shortened", text)?;
            }
        }
        Ok(gradient)
    }

    /// Makes a new primary key. The old one stays until no session uses it.
    fn rotate(&mut self) -> Result<EncapsulationKey, Failure> {
        let new = DecapsulationKey::generate()?;
        let key = new.encapsulation_key().clone();
        self.hall.ring.update(|ring| ring.rotate(new))?;
        let text = format_args!("the new key {} is announced", key.key_id());
        self.report.event(self.round.number, "key rotation", text)?;
        Ok(key)
    }

    fn order(&self, order: impl Fn() -> Order) {
        for orders in self.peers.values() {
            // A connection that has ended reports it with an event.
            let _ = orders.send(order());
        }
    }

    fn print_before(&mut self) -> Result<(), Failure> {
        match self.before.take() {
            Some(round) => Ok(self.report.round(&round)?),
            None => Ok(()),
        }
    }
}
