//! A worker: learns from pictures that nobody else sees, and sends only sealed gradients.

use std::{
    io::{self, Read, Write},
    net::{SocketAddr, TcpStream},
    time::{Duration, Instant},
};

use rand::{SeedableRng, rngs::StdRng};
use twinseal::{
    EncapsulationKey, SigningKey,
    session::{ReplyNonce, SessionReceiver, SessionSender},
};

use crate::{
    Failure,
    message::{self, Average, Spent, Update, What, context},
    secure::{self, Cost, Incoming},
    wire::{Kind, Wire},
};
use common::complain;
use digits::Perceptron;

/// Pictures of each worker.
const SAMPLES: usize = 2000;

/// The longest message that a worker accepts: it does not know the model's size beforehand.
const LONGEST_MESSAGE: usize = 256 << 20;

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Settings {
    /// The number of this worker, from 1; its pictures depend on it
    #[arg(long)]
    pub(crate) number: usize,
    /// Where the aggregator listens
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) connect: SocketAddr,
    #[command(flatten)]
    pub(crate) learning: Learning,
    /// Seconds to wait for the aggregator's next message
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub(crate) patience: u64,
    /// Behave like this, as a compromised worker
    #[arg(long, hide = true)]
    pub(crate) rogue: Option<Rogue>,
}

/// The behaviour of a compromised worker. Its key is registered, so its updates are authentic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Rogue {
    /// It sends the opposite of its gradient, a million times as long
    Scale,
    /// It sends the opposite of its gradient, as long as it was
    Oppose,
    /// It claims to have learned from a million pictures
    Weigh,
}

impl Rogue {
    fn spoil(self, update: &mut Update) {
        let factor = match self {
            Self::Scale => -1e6,
            Self::Oppose => -1.0,
            Self::Weigh => {
                update.samples = 1_000_000;
                return;
            }
        };
        update.gradient.iter_mut().for_each(|value| *value *= factor);
    }
}

/// The settings that the aggregator passes on to its workers.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Learning {
    /// Pictures that a worker learns from in a step
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=2000))]
    pub(crate) batch: u32,
    /// Length of a step down the gradient
    #[arg(long, default_value_t = 1.0)]
    pub(crate) rate: f32,
}

/// Registers with the parent process over standard output and input, then learns.
pub(crate) fn run(settings: &Settings) -> Result<(), Failure> {
    // The private key never leaves the process. The pipe to the parent stands for the registration
    // of the verifying key, which must be authentic, but not secret.
    let key = SigningKey::generate()?;
    let mut stdout = io::stdout().lock();
    stdout.write_all(key.verifying_key().to_pem().as_bytes())?;
    stdout.flush()?;
    let mut pem = String::new();
    io::stdin().lock().take(64 * 1024).read_to_string(&mut pem)?;
    let to_aggregator = EncapsulationKey::from_pem(&pem)?;

    let patience = Duration::from_secs(settings.patience);
    let stream = TcpStream::connect_timeout(&settings.connect, patience)?;
    let mut wire = Wire::new(stream, patience)?;
    let challenge = wire.expect(Kind::Challenge)?;
    let mut worker = Worker {
        session: {
            let session = start(&mut wire, &to_aggregator, &key, &context(&challenge, 1))?;
            wire.allow(LONGEST_MESSAGE);
            session
        },
        wire,
        key,
        challenge,
        number: settings.number,
        cost: Cost::default(),
    };
    worker.learn(&settings.learning, settings.rogue)
}

struct Session {
    updates: SessionSender,
    answers: Incoming,
    /// The time that it took to start, until that is reported.
    starting: Duration,
}

/// Starts a session, and waits until the aggregator has started its reply.
fn start(
    wire: &mut Wire,
    to: &EncapsulationKey,
    key: &SigningKey,
    context: &[u8],
) -> Result<Session, Failure> {
    let start = Instant::now();
    let (hello, mut updates) = to.signed_by(key).sender(context)?;
    let starting = start.elapsed();
    wire.write(Kind::Hello, &[&hello])?;
    let nonce = wire.expect(Kind::Reply)?;
    let answers = reply(&mut updates, &nonce).ok_or("a reply does not start with 32 bytes")?;
    Ok(Session { updates, answers: Incoming::new(answers), starting })
}

/// A receiver for what may be the start of the reply: its first message shows whether it is.
fn reply(updates: &mut SessionSender, nonce: &[u8]) -> Option<SessionReceiver> {
    updates.accept_reply(ReplyNonce::from_bytes(nonce.try_into().ok()?)).ok()
}

struct Worker {
    number: usize,
    wire: Wire,
    key: SigningKey,
    challenge: Vec<u8>,
    session: Session,
    cost: Cost,
}

impl Worker {
    fn learn(&mut self, settings: &Learning, rogue: Option<Rogue>) -> Result<(), Failure> {
        let mut rng = StdRng::seed_from_u64(self.number as u64);
        let samples = digits::draw(&mut rng, SAMPLES, 3 * self.number, 0.6);
        let mut batches = samples.chunks_exact(settings.batch as usize).cycle();

        let mut model = Perceptron::from_safetensors(&self.receive(What::Model, 1)?)?;
        for round in 1.. {
            let batch = batches.next().ok_or("a batch is larger than all pictures")?;
            let (gradient, loss) = model.gradient(batch);
            let (hidden, samples) = (model.hidden(), settings.batch);
            let mut update = Update { gradient, hidden, samples, loss, spent: self.spent() };
            if let Some(rogue) = rogue {
                rogue.spoil(&mut update);
            }
            self.send(What::Update, round, update.to_bytes()?, false)?;

            let average = Average::from_bytes(&self.receive(What::Average, round)?)?;
            if average.hidden != model.hidden() {
                return Err("the average is of another model".into());
            }
            model.descend(&average.gradient, settings.rate);
            if !model.is_finite() {
                return Err(format!("the average of round {round} spoilt the model").into());
            }

            let is_last = self.session.answers.is_finished();
            if is_last || average.next_key.is_some() {
                // It shows the aggregator that nothing was truncated.
                let farewell = message::farewell_to_bytes(self.spent())?;
                self.send(What::Farewell, round, farewell, true)?;
            }
            if is_last {
                return Ok(());
            }
            if let Some(key) = average.next_key {
                let context = context(&self.challenge, 2);
                self.session = start(&mut self.wire, &key, &self.key, &context)?;
            }
        }
        Ok(())
    }

    /// The time that the cryptography has taken since the last report.
    fn spent(&mut self) -> Spent {
        let starting = std::mem::take(&mut self.session.starting);
        Spent { sealing: self.cost.take().time, starting }
    }

    fn send(
        &mut self,
        what: What,
        round: u32,
        message: Vec<u8>,
        is_last: bool,
    ) -> Result<(), Failure> {
        let Self { wire, session, cost, .. } = self;
        secure::send(wire, &mut session.updates, (what, round), message, is_last, cost)
            .map_err(|error| while_at(round, &error))
    }

    fn receive(&mut self, what: What, round: u32) -> Result<Vec<u8>, Failure> {
        let Self { wire, session, cost, number, .. } = self;
        let Session { updates, answers, .. } = session;
        let start = &mut |nonce: &[u8]| reply(updates, nonce);
        secure::receive(wire, answers, (what, round), cost, start, &mut |reason| {
            // A log that cannot be written must not stop the training.
            complain(format_args!("worker {number}: refused a frame"), reason);
        })
        .map_err(|error| while_at(round, &error))
    }
}

fn while_at(round: u32, error: &Failure) -> Failure {
    format!("in round {round}: the aggregator: {error}").into()
}
