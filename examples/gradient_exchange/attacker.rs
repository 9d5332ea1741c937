//! An attacker between one worker and the aggregator. It can read and change every byte, and has
//! the aggregator's public key, but not the worker's private key.

use std::{
    io::{self, Read, Write},
    net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream},
    thread,
    time::Duration,
};

use twinseal::{EncapsulationKey, SigningKey};

use crate::{
    Failure,
    message::{Spent, Update, What, aad, context},
    wire::{Frame, Kind, Wire},
};

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Settings {
    /// Where the aggregator listens
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) connect: SocketAddr,
}

const PATIENCE: Duration = Duration::from_secs(60);
const LONGEST_MESSAGE: usize = 256 << 20;

/// Prints the address where it listens for the worker, then each attack.
pub(crate) fn run(settings: &Settings) -> Result<(), Failure> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    say(&listener.local_addr()?.to_string())?;
    let mut pem = String::new();
    io::stdin().lock().take(64 * 1024).read_to_string(&mut pem)?;
    let to_aggregator = EncapsulationKey::from_pem(&pem)?;

    let worker = accept(&listener)?;
    let mut aggregator = TcpStream::connect_timeout(&settings.connect, PATIENCE)?;
    aggregator.set_nodelay(true)?;
    worker.set_nodelay(true)?;
    let (mut back, mut answers) = (worker.try_clone()?, aggregator.try_clone()?);
    thread::spawn(move || {
        // The answers go back as they are. When either connection ends, so does the other.
        let _ = io::copy(&mut answers, &mut back);
        let _ = back.shutdown(Shutdown::Both);
    });
    let mut victim =
        Victim { aggregator: settings.connect, to_aggregator, recorded: Vec::new(), at: (0, 0) };
    let mut worker = wire(worker)?;
    while let Some(frame) = worker.read()? {
        match frame.kind {
            Kind::Hello => victim.at = (victim.at.0 + 1, 0),
            Kind::Message => {
                victim.at.1 += 1;
                victim.attack(&mut aggregator, &frame)?;
            }
            Kind::Challenge | Kind::Reply => {}
        }
        aggregator.write_all(&bytes(&frame))?;
        // A hello and two updates are a whole recorded session.
        if victim.recorded.len() < 3 {
            victim.recorded.push(frame);
        }
    }
    aggregator.shutdown(Shutdown::Both)?;
    Ok(())
}

/// Waits for a connection until a deadline: the worker may have ended.
fn accept(listener: &TcpListener) -> io::Result<TcpStream> {
    const PAUSE: Duration = Duration::from_millis(5);
    listener.set_nonblocking(true)?;
    for _ in 0..PATIENCE.as_millis() / PAUSE.as_millis() {
        match listener.accept() {
            Ok((stream, _)) => {
                stream.set_nonblocking(false)?;
                return Ok(stream);
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => thread::sleep(PAUSE),
            Err(error) => return Err(error),
        }
    }
    Err(io::ErrorKind::TimedOut.into())
}

fn wire(stream: TcpStream) -> io::Result<Wire> {
    let mut wire = Wire::new(stream, PATIENCE)?;
    wire.allow(LONGEST_MESSAGE);
    Ok(wire)
}

struct Victim {
    aggregator: SocketAddr,
    to_aggregator: EncapsulationKey,
    /// The first frames that the worker sent.
    recorded: Vec<Frame>,
    /// The number of the worker's session, and of the message in it.
    at: (u32, u32),
}

impl Victim {
    /// Makes an attack before an update is passed on.
    fn attack(&self, aggregator: &mut TcpStream, update: &Frame) -> Result<(), Failure> {
        match self.at {
            (1, 2) => {
                say("forged: worker 1's update with one bit flipped")?;
                let mut forged = bytes(update);
                if let Some(last) = forged.last_mut() {
                    *last ^= 1;
                }
                Ok(aggregator.write_all(&forged)?)
            }
            (1, 3) => {
                say("replayed: worker 1's update of the previous round")?;
                let before = self.recorded.last().ok_or("nothing was recorded")?;
                Ok(aggregator.write_all(&bytes(before))?)
            }
            (1, 4) => {
                say("poisoned: a gradient of its own, neither sealed nor signed")?;
                let payload = poison()?;
                Ok(aggregator.write_all(&bytes(&Frame { kind: Kind::Message, payload }))?)
            }
            (1, 5) => {
                say("poisoned: a gradient of its own, sealed in a session that is not signed")?;
                self.connect(|challenge| {
                    let (hello, mut sender) = self.to_aggregator.sender(&context(challenge, 1))?;
                    let update = sender.seal_with_aad(&aad(What::Update, 1), &poison()?)?;
                    Ok(vec![(Kind::Hello, hello), (Kind::Message, update)])
                })
            }
            (1, 6) => {
                say("forged: a session signed with a key of its own")?;
                let key = SigningKey::generate()?;
                self.connect(|challenge| {
                    let signed = self.to_aggregator.signed_by(&key);
                    Ok(vec![(Kind::Hello, signed.sender(&context(challenge, 1))?.0)])
                })
            }
            (1, 7) => {
                say("replayed: worker 1's whole session, in a connection of its own")?;
                self.replay()
            }
            // By now all workers have the new key.
            (2, 2) => {
                say("replayed: the same session, after its key was retired")?;
                self.replay()
            }
            _ => Ok(()),
        }
    }

    fn replay(&self) -> Result<(), Failure> {
        let frames = self.recorded.iter().map(|frame| (frame.kind, frame.payload.clone()));
        self.connect(|_| Ok(frames.collect()))
    }

    /// Sends frames in a connection of its own, and waits until the aggregator has closed it.
    fn connect(
        &self,
        frames: impl FnOnce(&[u8]) -> Result<Vec<(Kind, Vec<u8>)>, Failure>,
    ) -> Result<(), Failure> {
        let stream = TcpStream::connect_timeout(&self.aggregator, PATIENCE)?;
        let mut wire = wire(stream)?;
        let challenge = wire.expect(Kind::Challenge)?;
        for (kind, payload) in frames(&challenge)? {
            // The aggregator may have closed the connection after the first frame.
            if wire.write(kind, &[&payload]).is_err() {
                break;
            }
        }
        let _ = wire.stream().shutdown(Shutdown::Write);
        let _ = wire.read();
        Ok(())
    }
}

fn poison() -> Result<Vec<u8>, Failure> {
    let hidden = 1;
    let gradient = vec![1e6; digits::Perceptron::len(hidden)];
    Update { gradient, hidden, samples: 1_000_000, loss: 0.0, spent: Spent::default() }.to_bytes()
}

/// The bytes of a frame on the wire.
fn bytes(frame: &Frame) -> Vec<u8> {
    let length = (frame.payload.len() as u32).to_be_bytes();
    [&[frame.kind as u8], &length[..], &frame.payload].concat()
}

/// Announces the next attack, and waits until the line can be read.
fn say(line: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{line}")?;
    stdout.flush()?;
    thread::sleep(Duration::from_millis(20));
    Ok(())
}
