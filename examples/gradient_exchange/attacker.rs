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
    message::{CHALLENGE, Spent, Update, What, aad, context},
};

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Settings {
    /// Where the aggregator listens
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) connect: SocketAddr,
}

const PATIENCE: Duration = Duration::from_secs(60);
const LONGEST_FRAME: u32 = 256 << 20;
/// Shorter messages are not updates. Lengths are visible.
const LONGEST_FAREWELL: usize = 300;

/// Prints the address where it listens for the worker, then each attack.
pub(crate) fn run(settings: &Settings) -> Result<(), Failure> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    say(&listener.local_addr()?.to_string())?;
    let mut pem = String::new();
    io::stdin().lock().take(64 * 1024).read_to_string(&mut pem)?;
    let to_aggregator = EncapsulationKey::from_pem(&pem)?;

    let mut attacker = Attacker {
        aggregator: settings.connect,
        to_aggregator,
        recorded: Vec::new(),
        before: Vec::new(),
        next: 0,
        resent: false,
        rotated: false,
    };
    loop {
        attacker.pass_on(accept(&listener)?)?;
    }
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

struct Attacker {
    aggregator: SocketAddr,
    to_aggregator: EncapsulationKey,
    /// The first two frames that the worker sent.
    recorded: Vec<Vec<u8>>,
    /// The last message that was passed on.
    before: Vec<u8>,
    /// The number of the next attack.
    next: u32,
    /// Whether the worker sends an update again, because an attack has ended its session.
    resent: bool,
    /// Whether the worker has started a session although no attack has ended the one before.
    rotated: bool,
}

impl Attacker {
    /// Passes on what a worker sends, with an attack before each update but the first of a session.
    fn pass_on(&mut self, mut worker: TcpStream) -> Result<(), Failure> {
        let mut aggregator = connect(self.aggregator)?;
        worker.set_nodelay(true)?;
        worker.set_read_timeout(Some(PATIENCE))?;
        let (mut back, mut answers) = (worker.try_clone()?, aggregator.try_clone()?);
        thread::spawn(move || {
            // The answers go back as they are. When either connection ends, so does the other.
            let _ = io::copy(&mut answers, &mut back);
            let _ = back.shutdown(Shutdown::Both);
        });
        self.rotated = !self.recorded.is_empty() && !self.resent;
        let mut messages = 0;
        aggregator.write_all(&self.record(read_frame(&mut worker)?))?;
        while let Ok(message) = read_frame(&mut worker) {
            messages += 1;
            if messages > 1
                && message.len() > LONGEST_FAREWELL
                && let Some(forged) = self.attack(&message)?
            {
                // It ends the session.
                self.resent = true;
                return Ok(aggregator.write_all(&forged)?);
            }
            self.resent = false;
            aggregator.write_all(&self.record(message.clone()))?;
            self.before = message;
        }
        Ok(aggregator.shutdown(Shutdown::Both)?)
    }

    /// Keeps a hello and its first message: all that a replay needs.
    fn record(&mut self, frame: Vec<u8>) -> Vec<u8> {
        if self.recorded.len() < 2 {
            self.recorded.push(frame.clone());
        }
        frame
    }

    /// The next attack. Returns the frame that goes into the worker's connection, if it is one of those.
    fn attack(&mut self, update: &[u8]) -> Result<Option<Vec<u8>>, Failure> {
        self.next += 1;
        match self.next {
            1 => {
                say("forged: worker 1's update with one bit flipped")?;
                let mut forged = update.to_vec();
                if let Some(last) = forged.last_mut() {
                    *last ^= 1;
                }
                return Ok(Some(forged));
            }
            2 => {
                say("replayed: worker 1's update of the previous round")?;
                return Ok(Some(self.before.clone()));
            }
            3 => {
                say("poisoned: a gradient of its own, neither sealed nor signed")?;
                return Ok(Some(frame(&poison()?)));
            }
            4 => {
                say("poisoned: a gradient of its own, sealed in a session that is not signed")?;
                self.send(|challenge| {
                    let (hello, mut sender) = self.to_aggregator.sender(&context(challenge))?;
                    let update = sender.seal_with_aad(&aad(What::Update, 1), &poison()?)?;
                    Ok([frame(&hello), frame(&update)].concat())
                })?;
            }
            5 => {
                say("forged: a session signed with a key of its own")?;
                let key = SigningKey::generate()?;
                self.send(|challenge| {
                    let signed = self.to_aggregator.signed_by(&key);
                    Ok(frame(&signed.sender(&context(challenge))?.0))
                })?;
            }
            6 => {
                say("replayed: worker 1's whole session, in a connection of its own")?;
                self.send(|_| Ok(self.recorded.concat()))?;
            }
            // By the second message of the next session all workers have the new key.
            7 if self.rotated => {
                say("replayed: the same session, after its key was retired")?;
                self.send(|_| Ok(self.recorded.concat()))?;
            }
            7 => self.next -= 1,
            _ => {}
        }
        Ok(None)
    }

    /// Sends frames in a connection of its own, and waits until the aggregator has closed it.
    fn send(
        &self,
        frames: impl FnOnce(&[u8; CHALLENGE]) -> Result<Vec<u8>, Failure>,
    ) -> Result<(), Failure> {
        let mut stream = connect(self.aggregator)?;
        let mut challenge = [0; CHALLENGE];
        stream.read_exact(&mut challenge)?;
        // The aggregator may have closed the connection after the first frame.
        let _ = stream.write_all(&frames(&challenge)?);
        let _ = stream.shutdown(Shutdown::Write);
        let _ = stream.read_to_end(&mut Vec::new());
        Ok(())
    }
}

fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    Ok(stream)
}

/// Lengths are not encrypted, so an attacker finds the frames.
fn read_frame(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut length = [0; 4];
    stream.read_exact(&mut length)?;
    let mut content = vec![0; u32::from_be_bytes(length).min(LONGEST_FRAME) as usize];
    stream.read_exact(&mut content)?;
    Ok(frame(&content))
}

fn frame(content: &[u8]) -> Vec<u8> {
    [&(content.len() as u32).to_be_bytes(), content].concat()
}

fn poison() -> Result<Vec<u8>, Failure> {
    let hidden = 1;
    let gradient = vec![1e6; digits::Perceptron::len(hidden)];
    Update { gradient, hidden, samples: 1_000_000, loss: 0.0, spent: Spent::default() }.to_bytes()
}

/// Announces the next attack, and waits until the line can be read.
fn say(line: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{line}")?;
    stdout.flush()?;
    thread::sleep(Duration::from_millis(20));
    Ok(())
}
