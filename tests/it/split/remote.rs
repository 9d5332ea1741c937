//! Is a half behind a network a failure in time when it is late, never answers, hangs up, or mixes up its answers?

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex,
        mpsc::{self, Receiver, Sender},
    },
    thread,
    time::{Duration, Instant},
};

use twinseal::{
    Decapsulate, Error, KemSuite, Sign, Unlock,
    provider::{Decapsulator, SchemeSigner},
    split::{Half, SplitDecapsulationKey, SplitSigningKey},
};

use super::fixture::{KemCase, SignCase, assert_of_half};
use crate::common::{
    errors::outcome,
    keys::CTX,
    process::{DEADLINE, within_deadline},
};

/// What the adapter waits for an answer: long for a busy machine where one comes, short where none does.
const LONG: Duration = Duration::from_secs(60);
const SHORT: Duration = Duration::from_millis(50);

/// A token's connection: it sends what it is asked, and gets answers.
type Line = Sender<(Vec<u8>, Vec<u8>)>;

/// The adapter of a token, with a time limit of its own. It takes the next answer for its own, as a careless one
/// would that numbers nothing.
struct Remote {
    requests: Line,
    answers: Mutex<Receiver<Result<Vec<u8>, Error>>>,
    /// For the first answer, and for all later ones.
    limits: Mutex<[Duration; 2]>,
}

/// What a token does with its requests, each a context and a message or ciphertext.
type Token = Box<dyn FnMut(&[u8], &[u8]) -> VecDeque<Result<Vec<u8>, Error>> + Send>;

impl Remote {
    /// The token hangs up when it was asked so many times.
    fn new(limits: [Duration; 2], times: usize, mut token: Token) -> Self {
        let (requests, inbox) = mpsc::channel::<(Vec<u8>, Vec<u8>)>();
        let (outbox, answers) = mpsc::channel();
        thread::spawn(move || {
            for _ in 0..times {
                let Ok((context, message)) = inbox.recv_timeout(DEADLINE) else { return };
                for answer in token(&context, &message) {
                    let _ = outbox.send(answer);
                }
            }
        });
        Self { requests, answers: Mutex::new(answers), limits: limits.into() }
    }

    fn ask(&self, context: &[u8], message: &[u8]) -> Result<Vec<u8>, Error> {
        let hung_up = |_| Error::external("the token hung up");
        self.requests.send((context.to_vec(), message.to_vec())).map_err(hung_up)?;
        let broken = "a call panicked";
        let mut limits = self.limits.lock().map_err(|_| Error::external(broken))?;
        let answers = self.answers.lock().map_err(|_| Error::external(broken))?;
        let [limit, later] = *limits;
        *limits = [later; 2];
        answers.recv_timeout(limit).map_err(Error::external)?
    }
}

impl Decapsulator for Remote {
    fn decapsulate(&self, ciphertext: &[u8], shared_secret: &mut [u8]) -> Result<(), Error> {
        let answer = self.ask(b"", ciphertext)?;
        if answer.len() != shared_secret.len() {
            return Err(Error::external("the token's answer has another length"));
        }
        shared_secret.copy_from_slice(&answer);
        Ok(())
    }
}

impl SchemeSigner for Remote {
    fn sign(&self, context: &[u8], message: &[u8]) -> Result<Vec<u8>, Error> {
        self.ask(context, message)
    }
}

/// One of a key's halves in a token, the other in memory.
fn kem_key(
    case: &KemCase,
    half: Half,
    make: impl Fn(Token) -> Remote,
    how: How,
) -> SplitDecapsulationKey {
    let (ours, other) = match half {
        Half::PostQuantum => (&case.right.post_quantum, &case.right.traditional),
        Half::Traditional => (&case.right.traditional, &case.right.post_quantum),
    };
    let (ours, other) = (ours.clone(), Box::new(Shared(other.clone())));
    let decapsulate = move |_: &[u8], ciphertext: &[u8]| {
        let mut secret = vec![0; if ciphertext.len() == 97 { 48 } else { 32 }];
        ours.decapsulate(ciphertext, &mut secret).map(|()| secret)
    };
    let remote = Box::new(make(how.of(decapsulate)));
    let public = case.public.clone();
    match half {
        Half::PostQuantum => SplitDecapsulationKey::new(public, remote, other),
        Half::Traditional => SplitDecapsulationKey::new(public, other, remote),
    }
}

/// A half that the test keeps, too.
struct Shared<T: ?Sized>(Arc<T>);

impl Decapsulator for Shared<dyn Decapsulator> {
    fn decapsulate(&self, ciphertext: &[u8], shared_secret: &mut [u8]) -> Result<(), Error> {
        self.0.decapsulate(ciphertext, shared_secret)
    }
}

impl SchemeSigner for Shared<dyn SchemeSigner> {
    fn sign(&self, context: &[u8], message: &[u8]) -> Result<Vec<u8>, Error> {
        self.0.sign(context, message)
    }
}

fn signing_key(
    case: &SignCase,
    half: Half,
    make: impl Fn(Token) -> Remote,
    how: How,
) -> SplitSigningKey {
    let (ours, other) = match half {
        Half::PostQuantum => (&case.right.post_quantum, &case.right.traditional),
        Half::Traditional => (&case.right.traditional, &case.right.post_quantum),
    };
    let (ours, other) = (ours.clone(), Box::new(Shared(other.clone())));
    let sign = move |context: &[u8], message: &[u8]| ours.sign(context, message);
    let remote = Box::new(make(how.of(sign)));
    let public = case.public.clone();
    match half {
        Half::PostQuantum => SplitSigningKey::new(public, remote, other),
        Half::Traditional => SplitSigningKey::new(public, other, remote),
    }
}

/// How a token answers.
#[derive(Clone, Copy)]
enum How {
    AtOnce,
    Late,
    Never,
    /// The first answer comes with the second.
    OneBehind,
}

impl How {
    fn of(
        self,
        mut right: impl FnMut(&[u8], &[u8]) -> Result<Vec<u8>, Error> + Send + 'static,
    ) -> Token {
        let mut kept = VecDeque::new();
        Box::new(move |context, message| {
            if !matches!(self, Self::Never) {
                kept.push_back(right(context, message));
            }
            match self {
                Self::OneBehind if kept.len() == 1 => return VecDeque::new(),
                Self::Late => thread::sleep(Duration::from_millis(100)),
                _ => {}
            }
            std::mem::take(&mut kept)
        })
    }
}

const HALVES: [Half; 2] = [Half::PostQuantum, Half::Traditional];

#[test]
fn decapsulation() {
    within_deadline("a key with a remote half", || {
        for &suite in KemSuite::ALL {
            let case = KemCase::new(suite);
            let sealed = case.public.seal(CTX, b"hello").unwrap();
            let opened = |key: &SplitDecapsulationKey| key.open(CTX, &sealed);
            for half in HALVES {
                for how in [How::AtOnce, How::Late] {
                    let key = kem_key(&case, half, |token| Remote::new([LONG; 2], 9, token), how);
                    assert_eq!(&opened(&key).unwrap()[..], b"hello");
                }
                let never =
                    kem_key(&case, half, |token| Remote::new([SHORT; 2], 9, token), How::Never);
                let start = Instant::now();
                let error = opened(&never).unwrap_err();
                assert!(start.elapsed() >= SHORT);
                assert_of_half(&error, half, "timed out waiting on channel", &[]);

                // What it answers later is taken for the answer to the next: that does not open, and nobody learns why.
                let behind = kem_key(
                    &case,
                    half,
                    |token| Remote::new([SHORT, LONG], 9, token),
                    How::OneBehind,
                );
                assert_of_half(&opened(&behind).unwrap_err(), half, "timed out", &[]);
                assert_eq!(
                    outcome(behind.open(CTX, &case.public.seal(CTX, b"hello").unwrap())),
                    "Open"
                );

                let gone =
                    kem_key(&case, half, |token| Remote::new([LONG; 2], 1, token), How::AtOnce);
                assert_eq!(&opened(&gone).unwrap()[..], b"hello");
                let error = gone.decapsulate(&KemCase::elsewhere(suite)).unwrap_err();
                assert_of_half(&error, half, "", &[]);
            }
        }
    });
}

#[test]
fn signing() {
    within_deadline("a signing key with a remote half", || {
        let case = SignCase::new();
        for half in HALVES {
            for how in [How::AtOnce, How::Late] {
                let key = signing_key(&case, half, |token| Remote::new([LONG; 2], 9, token), how);
                let signature = key.sign(CTX, b"message").unwrap();
                case.public.verify(CTX, b"message", &signature).unwrap();
            }
            let never =
                signing_key(&case, half, |token| Remote::new([SHORT; 2], 9, token), How::Never);
            let error = never.sign(CTX, b"message").unwrap_err();
            assert_of_half(&error, half, "timed out waiting on channel", &[]);

            // A late signature over the first message is not given out as one over the second.
            let behind = signing_key(
                &case,
                half,
                |token| Remote::new([SHORT, LONG], 9, token),
                How::OneBehind,
            );
            assert_of_half(&behind.sign(CTX, b"first").unwrap_err(), half, "timed out", &[]);
            let error = behind.sign(CTX, b"second").unwrap_err();
            assert_of_half(&error, half, "its signature does not verify", &[]);

            let gone =
                signing_key(&case, half, |token| Remote::new([LONG; 2], 1, token), How::AtOnce);
            gone.sign(CTX, b"message").unwrap();
            assert_of_half(&gone.sign(CTX, b"message").unwrap_err(), half, "", &[]);
        }
    });
}
