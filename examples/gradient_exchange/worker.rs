//! A worker: learns from pictures that nobody else sees, and sends only sealed gradients.

use std::{
    io::{self, Read, Write},
    net::{SocketAddr, TcpStream},
    time::{Duration, Instant},
};

use rand::{SeedableRng, rngs::StdRng};
use twinseal::{EncapsulationKey, SigningKey, session::FramedSender};

use crate::{
    Failure,
    message::{self, Average, CHALLENGE, Spent, Update, What, context},
    secure::Channel,
    timed::Timed,
};
use digits::{Perceptron, Sample};

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

    let mut rng = StdRng::seed_from_u64(settings.number as u64);
    let samples = digits::draw(&mut rng, SAMPLES, 3 * settings.number, 0.6);
    Worker { settings, samples, key, to_aggregator, round: 1, spent: Spent::default() }.learn()
}

struct Worker<'a> {
    settings: &'a Settings,
    samples: Vec<Sample>,
    key: SigningKey,
    to_aggregator: EncapsulationKey,
    round: u32,
    /// The time that the cryptography has taken since the last report.
    spent: Spent,
}

/// How many sessions in a row may fail, before the worker gives up.
const MAX_FAILED: u32 = 3;

impl Worker<'_> {
    /// Learns in one session after the other: another one when the aggregator's key was rotated, or when
    /// somebody has put other bytes into the connection, which ends it.
    fn learn(&mut self) -> Result<(), Failure> {
        let mut failed = (self.round, 0);
        loop {
            match self.session() {
                Ok(None) => return Ok(()),
                Ok(Some(key)) => self.to_aggregator = key,
                Err(error) => {
                    failed = (self.round, if failed.0 == self.round { failed.1 + 1 } else { 1 });
                    if failed.1 == MAX_FAILED || !error.is::<io::Error>() {
                        let round = self.round;
                        return Err(format!("in round {round}: the aggregator: {error}").into());
                    }
                }
            }
        }
    }

    /// Connects, and starts a session and its reply.
    fn connect(&mut self) -> Result<Channel, Failure> {
        let patience = Duration::from_secs(self.settings.patience);
        let stream = TcpStream::connect_timeout(&self.settings.connect, patience)?;
        let mut connection = Timed::new(stream, patience)?;
        let mut challenge = [0; CHALLENGE];
        connection.read_exact(&mut challenge)?;

        let start = Instant::now();
        let session = self.to_aggregator.signed_by(&self.key).sender(&context(&challenge))?;
        self.spent.starting += start.elapsed();
        let mut updates = FramedSender::start(connection.try_clone()?, session)?;
        let answers = updates.accept_reply(connection)?;
        Ok(Channel::new(updates, answers, LONGEST_MESSAGE))
    }

    /// Learns until the session ends. Returns the aggregator's next key, or `None` after the last round.
    fn session(&mut self) -> Result<Option<EncapsulationKey>, Failure> {
        let mut channel = self.connect()?;
        let Learning { batch, rate } = self.settings.learning;
        let mut model = Perceptron::from_safetensors(&channel.receive((What::Model, self.round))?)?;
        loop {
            let round = self.round;
            let batches = self.samples.chunks_exact(batch as usize);
            let batch_of_round = batches.cycle().nth(round as usize - 1);
            let (gradient, loss) = model.gradient(batch_of_round.ok_or("a batch is too large")?);
            let (hidden, samples) = (model.hidden(), batch);
            let spent = self.spent(&mut channel);
            let mut update = Update { gradient, hidden, samples, loss, spent };
            if let Some(rogue) = self.settings.rogue {
                rogue.spoil(&mut update);
            }
            channel.send((What::Update, round), update.to_bytes()?, false)?;

            let average = Average::from_bytes(&channel.receive((What::Average, round))?)?;
            if average.hidden != model.hidden() {
                return Err("the average is of another model".into());
            }
            model.descend(&average.gradient, rate);
            if !model.is_finite() {
                return Err("the average spoilt the model".into());
            }
            self.round += 1;
            if channel.incoming.is_finished() {
                // It shows the aggregator that nothing was cut off; then the aggregator closes the connection.
                let farewell = message::farewell_to_bytes(self.spent(&mut channel))?;
                channel.send((What::Farewell, round), farewell, true)?;
                channel.incoming.get_mut().restart();
                channel.incoming.expect_end()?;
                return Ok(average.next_key);
            }
        }
    }

    fn spent(&mut self, channel: &mut Channel) -> Spent {
        let Spent { sealing, starting } = std::mem::take(&mut self.spent);
        Spent { sealing: sealing + channel.cost.take().time, starting }
    }
}
