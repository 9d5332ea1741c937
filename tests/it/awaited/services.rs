//! Do sessions and requests work whose halves, of both keys, are tasks that are awaited, and what if one fails?

use std::{future::Future, io, sync::Arc, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, duplex},
    sync::{mpsc, oneshot},
    time::timeout,
};
use twinseal::{
    EncapsulationKey, Error, KeyId, Keyring, Signature, VerifyingKey,
    kem::{AwaitedKey, Ciphertext, SharedSecret},
    provider::{Decapsulator, SchemeSigner},
    request::{AllowReplays, ReplayGuard},
    sign::{EcdsaSignature, ToBeSigned},
    split::{Half, Halves},
    tokio::{
        FramedReceiver, FramedSender, RequestReader, SealWriter, answer_reader, read_head,
        request_writer,
    },
};

use crate::common::keys::{CTX, P384, X25519, kem_key, signing_key};

/// Long enough for a busy machine, and said when it is over.
const LIMIT: Duration = Duration::from_secs(60);

async fn within<T>(what: &str, work: impl Future<Output = T>) -> T {
    timeout(LIMIT, work).await.unwrap_or_else(|_| panic!("no end of: {what}"))
}

type Reply = oneshot::Sender<Result<Vec<u8>, Error>>;

/// One half of a key behind a channel, like a client of a service: it is asked, and answers later.
struct Service<Question> {
    asked: mpsc::Sender<(Question, Reply)>,
}

impl<Question: Send + 'static> Service<Question> {
    /// `None` is a service that hangs up.
    fn start(answer: impl Fn(Question) -> Option<Result<Vec<u8>, Error>> + Send + 'static) -> Self {
        let (asked, mut questions) = mpsc::channel::<(Question, Reply)>(8);
        tokio::spawn(async move {
            while let Some((question, reply)) = questions.recv().await {
                tokio::task::yield_now().await;
                if let Some(answer) = answer(question) {
                    let _ = reply.send(answer); // who asked may have left
                }
            }
        });
        Self { asked }
    }

    async fn ask(&self, question: Question) -> Result<Vec<u8>, Error> {
        let (reply, answer) = oneshot::channel();
        self.asked.send((question, reply)).await.map_err(|_| Error::external("it is gone"))?;
        answer.await.map_err(|_| Error::external("it hung up"))?
    }
}

/// The key id, and the ciphertext of a half.
type ForSecret = (KeyId, Vec<u8>);
/// The context of the half, and the message.
type ForSignature = (Vec<u8>, Vec<u8>);

/// Bob's two keys, of both suites: each half in a service of its own, which finds it by key id.
struct BobsServices {
    halves: Halves<Service<ForSecret>>,
}

fn bobs_keys() -> [twinseal::DecapsulationKey; 2] {
    [kem_key(X25519, 0xb0), kem_key(P384, 0xb1)]
}

fn bobs_public() -> [EncapsulationKey; 2] {
    bobs_keys().map(|key| key.encapsulation_key().clone())
}

impl BobsServices {
    fn start() -> Self {
        let secret_lengths = |half| match half {
            Half::PostQuantum => [32, 32],
            Half::Traditional => [32, 48],
        };
        let service = |half: Half| {
            let keys: Vec<(KeyId, usize, Box<dyn Decapsulator>)> = bobs_keys()
                .into_iter()
                .zip(secret_lengths(half))
                .map(|(key, length)| {
                    let id = key.encapsulation_key().key_id();
                    let halves = key.into_halves().unwrap();
                    let half = match half {
                        Half::PostQuantum => halves.post_quantum,
                        Half::Traditional => halves.traditional,
                    };
                    (id, length, half.into())
                })
                .collect();
            Service::start(move |(id, ciphertext): ForSecret| {
                let (_, length, key) = keys.iter().find(|(known, ..)| *known == id)?;
                let mut secret = vec![0; *length];
                Some(key.decapsulate(&ciphertext, &mut secret).map(|()| secret))
            })
        };
        let halves = Halves {
            post_quantum: service(Half::PostQuantum),
            traditional: service(Half::Traditional),
        };
        Self { halves }
    }

    async fn secret(
        &self,
        key: &EncapsulationKey,
        ciphertext: &Ciphertext,
    ) -> Result<SharedSecret, Error> {
        let sent = ciphertext.halves();
        let question = |half: &[u8]| (key.key_id(), half.to_vec());
        let (post_quantum, traditional) = tokio::join!(
            self.halves.post_quantum.ask(question(sent.post_quantum)),
            self.halves.traditional.ask(question(sent.traditional)),
        );
        SharedSecret::combine(key, ciphertext, post_quantum, traditional)
    }
}

/// Alice's signing key, each half in a service of its own.
struct AlicesServices {
    public: VerifyingKey,
    halves: Halves<Service<ForSignature>>,
}

impl AlicesServices {
    fn start() -> Self {
        let key = signing_key(0xa1);
        let public = key.verifying_key().clone();
        let halves = key.into_halves().unwrap();
        let service = |signer: Box<dyn SchemeSigner>| {
            Service::start(move |(context, message): ForSignature| {
                Some(signer.sign(&context, &message))
            })
        };
        let halves = Halves {
            post_quantum: service(halves.post_quantum.into()),
            traditional: service(halves.traditional.into()),
        };
        Self { public, halves }
    }

    async fn sign(&self, to_be_signed: &ToBeSigned) -> Result<Signature, Error> {
        let message = to_be_signed.message().to_vec();
        let context = to_be_signed.ml_dsa_context().to_vec();
        let (ml_dsa, ecdsa) = tokio::join!(
            self.halves.post_quantum.ask((context, message.clone())),
            self.halves.traditional.ask((vec![], message)),
        );
        to_be_signed.join(ml_dsa, ecdsa.map(EcdsaSignature::Fixed))
    }
}

/// A ring of which no private key is here.
fn ring() -> Keyring {
    let [first, second] = bobs_public().map(AwaitedKey::new);
    let mut ring = Keyring::new(first);
    ring.add_older(second).unwrap();
    ring
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_over_a_connection() {
    let (alice, bob) = (AlicesServices::start(), Arc::new(BobsServices::start()));
    for to in bobs_public() {
        let (client, server) = duplex(1000);
        let (bob, from_alice) = (Arc::clone(&bob), alice.public.clone());
        // As a task of its own, so what is held between its steps is `Send`.
        let receiving = tokio::spawn(async move {
            let (mut reader, writer) = tokio::io::split(server);
            let ring = ring();
            let hello = FramedReceiver::read_hello(&mut reader).await?;
            let verified = ring.accepting(&from_alice).accept_hello(CTX, &hello)?;
            let secret = bob.secret(verified.recipient(), verified.ciphertext()).await?;
            let mut lines = FramedReceiver::new(reader, verified.receiver_with(&secret)?);
            let mut all = Vec::new();
            while let Some(line) = lines.receive().await? {
                all.push(line.to_vec());
            }
            lines.reply(writer).await?.finish(b"thanks").await?;
            Ok::<_, io::Error>(all)
        });
        let sending = async {
            let (reader, writer) = tokio::io::split(client);
            let prepared = to.prepare_sender(&alice.public, CTX)?;
            let signature = alice.sign(prepared.to_be_signed()).await?;
            let mut lines = FramedSender::start(writer, prepared.finish(signature)?).await?;
            lines.send(b"first").await?;
            lines.finish(b"last").await?;
            let mut answers = lines.accept_reply(reader).await?;
            Ok::<_, io::Error>(answers.receive().await?.map(|answer| answer.to_vec()))
        };
        let (received, answer) =
            within("a session", async { tokio::join!(receiving, sending) }).await;
        assert_eq!(received.unwrap().unwrap(), [&b"first"[..], b"last"]);
        assert_eq!(answer.unwrap().as_deref(), Some(&b"thanks"[..]));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_over_a_connection() {
    let (alice, bob) = (AlicesServices::start(), Arc::new(BobsServices::start()));
    let picture: Vec<u8> = (0..100_000_u32).map(|index| (index % 251) as u8).collect();
    for to in bobs_public() {
        let (client, server) = duplex(5000);
        let (bob, from_alice) = (Arc::clone(&bob), alice.public.clone());
        let answering = tokio::spawn(async move {
            let (mut reader, writer) = tokio::io::split(server);
            let ring = ring();
            let head = read_head(&mut reader).await?;
            let verified = ring.accepting(&from_alice).accept_head(CTX, head)?;
            let secret = bob.secret(verified.recipient(), verified.ciphertext()).await?;
            let request = RequestReader::begin(verified.unlock_with(&secret)?, reader).await?;
            let verdict = AllowReplays.admit(request.id(), request.signer(), request.time());
            let mut request = request.admitted(verdict)?;
            let mut received = Vec::new();
            request.read_to_end(&mut received).await?;
            let asked = request.finish().await?;
            let mut answer = SealWriter::new(asked.answer_sealer()?, writer);
            answer.write_all(b"a cat").await?;
            answer.shutdown().await?;
            Ok::<_, io::Error>(received)
        });
        let asking = async {
            let (reader, writer) = tokio::io::split(client);
            let prepared = to.prepare_request(&alice.public, CTX)?;
            let signature = alice.sign(prepared.to_be_signed()).await?;
            let (mut writer, pending) = request_writer(prepared.finish(signature)?, writer);
            writer.write_all(&picture).await?;
            writer.shutdown().await?;
            let mut answer = String::new();
            answer_reader(pending, reader).await?.read_to_string(&mut answer).await?;
            Ok::<_, io::Error>(answer)
        };
        let (received, answer) =
            within("a request", async { tokio::join!(answering, asking) }).await;
        assert!(received.unwrap().unwrap() == picture);
        assert_eq!(answer.unwrap(), "a cat");
    }
}

/// A half that refuses, hangs up or answers something else is named, and the other half, the session and all others
/// stay what they are.
#[tokio::test]
async fn a_half_that_fails() {
    let refuses = || Service::start(|_| Some(Err(Error::external("throttled"))));
    let hangs_up = || Service::start(|_| None);
    let lies = || Service::start(|_| Some(Ok(vec![7; 5000])));
    let [to, _] = bobs_public();
    for start in [&refuses as &dyn Fn() -> Service<ForSignature>, &hangs_up, &lies] {
        for half in [Half::PostQuantum, Half::Traditional] {
            let mut alice = AlicesServices::start();
            match half {
                Half::PostQuantum => alice.halves.post_quantum = start(),
                Half::Traditional => alice.halves.traditional = start(),
            }
            let prepared = to.prepare_sender(&alice.public, CTX).unwrap();
            let signed = within("a half", alice.sign(prepared.to_be_signed())).await;
            let Err(Error::External(failure)) = signed else { panic!("{signed:?}") };
            assert_eq!(failure.half(), Some(half));
            // What was prepared is still there: the half is back, and signs.
            let signature = AlicesServices::start().sign(prepared.to_be_signed()).await.unwrap();
            prepared.finish(signature).unwrap();
        }
    }

    let refuses = || Service::start(|_| Some(Err(Error::external("throttled"))));
    let hangs_up = || Service::start(|_| None);
    let lies = || Service::start(|_| Some(Ok(vec![7; 5000])));
    let (hello, mut tx) = to.sender(CTX).unwrap();
    let ring = ring();
    for start in [&refuses as &dyn Fn() -> Service<ForSecret>, &hangs_up, &lies] {
        for half in [Half::PostQuantum, Half::Traditional] {
            let mut bob = BobsServices::start();
            match half {
                Half::PostQuantum => bob.halves.post_quantum = start(),
                Half::Traditional => bob.halves.traditional = start(),
            }
            let verified = ring.accept_hello(CTX, &hello).unwrap();
            let recipient = verified.recipient();
            let secret = within("a half", bob.secret(recipient, verified.ciphertext())).await;
            let Err(Error::External(failure)) = secret else { panic!("{secret:?}") };
            assert_eq!(failure.half(), Some(half));
            let services = BobsServices::start();
            let secret = services.secret(recipient, verified.ciphertext()).await.unwrap();
            assert_eq!(verified.receiver_with(&secret).unwrap().session_id(), tx.session_id());
        }
    }

    // A half that dislikes the ciphertext is not told from one that was tampered with.
    let mut bob = BobsServices::start();
    bob.halves.traditional = Service::start(|_| {
        Some(Err(Error::Invalid { what: "ciphertext", reason: "CKR_ENCRYPTED_DATA_INVALID" }))
    });
    let verified = ring.accept_hello(CTX, &hello).unwrap();
    let secret = bob.secret(verified.recipient(), verified.ciphertext()).await.unwrap();
    let mut rx = verified.receiver_with(&secret).unwrap();
    assert_eq!(rx.open(&tx.seal(b"hello").unwrap()).unwrap_err(), Error::Open);
}
