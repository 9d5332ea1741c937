//! What sealing adds to messages between machines: bytes counted and time taken on loopback TCP, with
//! and without.

use std::{
    io::{self, BufReader, BufWriter, Read, Write},
    net::{TcpListener, TcpStream},
    sync::Barrier,
    thread,
    time::{Duration, Instant},
};

use support::process::Watch;
use twinseal::{
    DecapsulationKey, SigningKey,
    provider::{PORTABLE, Provider},
    session::{MessageTag, ReplyNonce, SessionReceiver, SessionSender},
};

use super::measure::{Effort, Progress};

const CONTEXT: &[u8] = b"example.com/gradients/v1";

/// The keys of both ends. All sessions are signed: an aggregator must know who sends.
struct Keys {
    aggregator: DecapsulationKey,
    worker: SigningKey,
}

impl Keys {
    fn on(provider: &'static Provider) -> Self {
        let aggregator = DecapsulationKey::generate().unwrap().on(provider).unwrap();
        Self { aggregator, worker: SigningKey::generate().unwrap().on(provider).unwrap() }
    }

    fn sender(&self) -> (Vec<u8>, SessionSender) {
        self.aggregator.encapsulation_key().signed_by(&self.worker).sender(CONTEXT).unwrap()
    }

    fn receiver(&self, hello: &[u8]) -> SessionReceiver {
        let from_worker = self.aggregator.accepting(self.worker.verifying_key());
        from_worker.receiver(CONTEXT, hello).unwrap()
    }
}

/// Counts what goes through.
struct Counted(TcpStream, u64);

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.0.write(bytes)?;
        self.1 += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// One end of a connection. Every message has its length (4) before it, sealed or not.
struct Peer {
    output: BufWriter<Counted>,
    input: BufReader<TcpStream>,
    sealing: Option<SessionSender>,
    opening: Option<SessionReceiver>,
}

impl Peer {
    fn new(stream: TcpStream) -> Self {
        stream.set_nodelay(true).unwrap();
        let input = BufReader::with_capacity(1 << 16, stream.try_clone().unwrap());
        let output = BufWriter::with_capacity(1 << 16, Counted(stream, 0));
        Self { output, input, sealing: None, opening: None }
    }

    fn sent(&self) -> u64 {
        self.output.get_ref().1
    }

    fn send(&mut self, message: &mut [u8]) {
        let extra = if self.sealing.is_some() { MessageTag::LEN } else { 0 };
        let length = u32::try_from(message.len() + extra).unwrap();
        self.output.write_all(&length.to_be_bytes()).unwrap();
        if let Some(sender) = &mut self.sealing {
            let detached = sender.seal_in_place(b"", message).unwrap();
            self.output.write_all(&detached.to_bytes()).unwrap();
        }
        self.output.write_all(message).unwrap();
    }

    fn flush(&mut self) {
        self.output.flush().unwrap();
    }

    fn receive(&mut self, message: &mut Vec<u8>) {
        let mut length = [0; 4];
        self.input.read_exact(&mut length).unwrap();
        let mut length = u32::from_be_bytes(length) as usize;
        let mut tag = [0; MessageTag::LEN];
        if self.opening.is_some() {
            self.input.read_exact(&mut tag).unwrap();
            length -= tag.len();
        }
        message.resize(length, 0);
        self.input.read_exact(message).unwrap();
        if let Some(receiver) = &mut self.opening {
            let tag = MessageTag::from_bytes(&tag).unwrap();
            receiver.open_in_place(b"", message, &tag).unwrap();
        }
    }

    fn start(&mut self, keys: &Keys) {
        let (mut hello, sender) = keys.sender();
        self.send(&mut hello);
        self.sealing = Some(sender);
    }

    fn accept(&mut self, keys: &Keys) {
        let mut hello = Vec::new();
        self.receive(&mut hello);
        self.opening = Some(keys.receiver(&hello));
    }
}

/// Bytes in both directions, and the time until the last was used.
#[derive(Clone, Copy)]
pub(crate) struct Transfer {
    pub(crate) bytes: u64,
    pub(crate) seconds: f64,
}

/// A worker sends messages over one connection, in one session if there are keys; the aggregator
/// opens each, and answers one byte after the last.
fn exchange(length: usize, messages: usize, keys: Option<&Keys>) -> (u64, Duration) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let _watch = Watch::over("an exchange of messages");
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut aggregator = Peer::new(listener.accept().unwrap().0);
            let mut message = vec![0; length];
            if let Some(keys) = keys {
                aggregator.accept(keys);
            }
            for _ in 0..messages {
                aggregator.receive(&mut message);
            }
            aggregator.output.write_all(&[1]).unwrap();
            aggregator.flush();
        });
        let mut worker = Peer::new(TcpStream::connect(address).unwrap());
        let mut tensor = vec![7; length];
        let started = Instant::now();
        if let Some(keys) = keys {
            worker.start(keys);
        }
        for _ in 0..messages {
            worker.send(&mut tensor);
        }
        worker.flush();
        worker.input.read_exact(&mut [0]).unwrap();
        (worker.sent(), started.elapsed())
    })
}

/// A worker's part of a round; all that it sent.
fn work(stream: TcpStream, length: usize, keys: Option<&Keys>) -> u64 {
    let mut worker = Peer::new(stream);
    if let Some(keys) = keys {
        worker.start(keys);
    }
    let mut model = vec![7; length];
    worker.send(&mut model);
    worker.flush();
    if let Some(sender) = &mut worker.sealing {
        let mut nonce = [0; ReplyNonce::LEN];
        worker.input.read_exact(&mut nonce).unwrap();
        let nonce = ReplyNonce::from_bytes(nonce);
        worker.opening = Some(sender.accept_reply(nonce).unwrap());
    }
    worker.receive(&mut model);
    worker.sent()
}

/// The aggregator's part of a round, for one worker.
fn aggregate(stream: TcpStream, keys: Option<&Keys>, all_received: &Barrier) -> u64 {
    let mut aggregator = Peer::new(stream);
    let mut update = Vec::new();
    if let Some(keys) = keys {
        aggregator.accept(keys);
    }
    aggregator.receive(&mut update);
    all_received.wait();
    if let Some(receiver) = &aggregator.opening {
        let (nonce, sender) = receiver.reply().unwrap();
        aggregator.output.write_all(nonce.as_bytes()).unwrap();
        aggregator.sealing = Some(sender);
    }
    aggregator.send(&mut update);
    aggregator.flush();
    aggregator.sent()
}

/// Each of `workers` sends its update, waits until all have been received, and gets the new model.
fn round(length: usize, workers: usize, keys: Option<&Keys>) -> (u64, Duration) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let all_received = &Barrier::new(workers);
    let _watch = Watch::over("a round of workers");
    let started = Instant::now();
    let bytes = thread::scope(|scope| {
        let worker = || work(TcpStream::connect(address).unwrap(), length, keys);
        let mut ends: Vec<_> = (0..workers).map(|_| scope.spawn(worker)).collect();
        for _ in 0..workers {
            let stream = listener.accept().unwrap().0;
            ends.push(scope.spawn(move || aggregate(stream, keys, all_received)));
        }
        ends.into_iter().map(|end| end.join().unwrap()).sum()
    });
    (bytes, started.elapsed())
}

/// A row: how long messages are and how many (or how many workers), plain and sealed.
pub(crate) struct Row {
    pub(crate) length: usize,
    pub(crate) count: usize,
    pub(crate) plain: Transfer,
    /// For each of [`PROVIDERS`].
    pub(crate) sealed: Vec<Transfer>,
}

/// The default provider and the fastest one. Others differ from them in the start of a session, or lie between.
pub(crate) const PROVIDERS: [&Provider; 2] = [&PORTABLE, &twinseal::provider::AWS_LC];

/// Message length, messages in one session.
pub(crate) fn gradients(effort: Effort) -> Vec<(usize, usize)> {
    let large = effort.pick(1 << 20, 100 << 20, 100 << 20);
    vec![
        (1 << 10, 1),
        (1 << 10, 1000),
        (64 << 10, 1),
        (64 << 10, 1000),
        (1 << 20, effort.pick(2, 100, 100)),
        (large, effort.pick(1, 4, 10)),
    ]
}

/// Length of update and model, workers.
pub(crate) fn rounds(effort: Effort) -> Vec<(usize, usize)> {
    let large = effort.pick(1 << 16, 16 << 20, 16 << 20);
    vec![(64 << 10, 4), (1 << 20, 4), (1 << 20, 32), (large, 8)]
}

fn rows(
    name: &str,
    sizes: &[(usize, usize)],
    effort: Effort,
    progress: &mut Progress,
    run: impl Fn(usize, usize, Option<&Keys>) -> (u64, Duration),
) -> Vec<Row> {
    let keys = PROVIDERS.map(Keys::on);
    let mut row = |&(length, count): &(usize, usize)| {
        progress.step(&format!("{name}: {count} of {length} bytes, with and without sealing"));
        // One after the other, so that a disturbance meets all of them.
        let mut runs: Vec<Vec<(Duration, u64)>> = vec![Vec::new(); 1 + keys.len()];
        for _ in 0..effort.repetitions() {
            let modes = std::iter::once(None).chain(keys.iter().map(Some));
            for (runs, keys) in runs.iter_mut().zip(modes) {
                let (bytes, time) = run(length, count, keys);
                runs.push((time, bytes));
            }
        }
        let mut medians = runs.into_iter().map(|mut runs| {
            runs.sort();
            let (time, bytes) = runs[runs.len() / 2];
            Transfer { bytes, seconds: time.as_secs_f64() }
        });
        let plain = medians.next().expect("the first of three modes is the plain one");
        Row { length, count, plain, sealed: medians.collect() }
    };
    sizes.iter().map(&mut row).collect()
}

pub(crate) fn measure(effort: Effort, progress: &mut Progress) -> [Vec<Row>; 2] {
    [
        rows("gradients", &gradients(effort), effort, progress, exchange),
        rows("federated round", &rounds(effort), effort, progress, round),
    ]
}
