//! A key whose halves are awaited from two KMSs: in an asynchronous service, and for code that does not await.

use std::{
    io,
    pin::Pin,
    sync::{Arc, mpsc::channel},
    thread,
    time::Duration,
};

use tokio::{
    runtime,
    sync::mpsc::{UnboundedSender, unbounded_channel},
    task, time,
};
use twinseal::{
    Decapsulate, DecapsulationKey, EncapsulationKey, Error, Plaintext, Sign, Signature, SigningKey,
    Unlock, VerifyingKey,
    envelope::Header,
    kem::{Ciphertext, SharedSecret},
    provider::{Decapsulator, SchemeSigner},
    sign::{EcdsaSignature, ToBeSigned},
    split::Halves,
    zeroize::Zeroizing,
};

const CONTEXT: &[u8] = b"example.com/notes/v1";

/// Two keys, one to open with and one to sign with. The halves of both are in two KMSs.
struct RemoteKeys {
    encapsulation_key: EncapsulationKey,
    verifying_key: VerifyingKey,
    clients: Halves<Client>,
    time_limit: Duration,
}

impl RemoteKeys {
    /// Asks both halves at once, and passes on what both said.
    async fn decapsulate(&self, ciphertext: &Ciphertext) -> Result<SharedSecret, Error> {
        let sent = ciphertext.halves();
        let (post_quantum, traditional) = tokio::join!(
            self.in_time(self.clients.post_quantum.decapsulate(sent.post_quantum)),
            self.in_time(self.clients.traditional.decapsulate(sent.traditional)),
        );
        SharedSecret::combine(&self.encapsulation_key, ciphertext, post_quantum, traditional)
    }

    /// As above. The signature is verified before it is returned. These clients receive M'; those of a KMS
    /// `external_mu()` and `sha384()`, and its ECDSA half answers with `EcdsaSignature::Der`.
    async fn sign(&self, to_be_signed: &ToBeSigned) -> Result<Signature, Error> {
        let (context, message) = (to_be_signed.ml_dsa_context(), to_be_signed.message());
        let (ml_dsa, ecdsa) = tokio::join!(
            self.in_time(self.clients.post_quantum.sign(context, message)),
            self.in_time(self.clients.traditional.sign(b"", message)),
        );
        to_be_signed.join(ml_dsa, ecdsa.map(EcdsaSignature::Fixed))
    }

    /// Opens an envelope: parse the header, await the secret, open the body.
    async fn open(&self, context: &[u8], sealed: &[u8]) -> Result<Plaintext, Error> {
        let header = Header::parse(sealed)?;
        let recipient = header.find(&self.encapsulation_key).ok_or(Error::NotARecipient)?;
        let secret = self.decapsulate(&recipient.ciphertext()?).await?;
        header.unlock(&recipient, &secret)?.open(context, &sealed[header.len()..])
    }

    /// Opens an envelope of its own, and signs a digest to which nobody knows a message. A half in the wrong place
    /// shows here, and later only as data that does not open.
    async fn check(&self) -> Result<(), Error> {
        let context = b"example.com/check/v1";
        self.open(context, &self.encapsulation_key.seal(context, b"")?).await?;
        self.sign(&self.verifying_key.to_be_signed(context, &[0; 64])?).await?;
        Ok(())
    }

    /// A KMS that hangs must not hang its callers.
    async fn in_time<T>(&self, answer: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        time::timeout(self.time_limit, answer).await.map_err(Error::external)?
    }
}

type Job = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The same keys for code that does not await. They block the thread that calls them, so call them in
/// `spawn_blocking`. `Runtime::block_on` would panic in a thread of a runtime; here the two asynchronous functions
/// run in a runtime of their own thread, which ends when the keys are dropped.
struct BlockingKeys {
    remote: Arc<RemoteKeys>,
    jobs: UnboundedSender<Job>,
}

impl BlockingKeys {
    fn new(remote: Arc<RemoteKeys>) -> io::Result<Self> {
        let (jobs, mut inbox) = unbounded_channel::<Job>();
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        let run_jobs = async move {
            while let Some(job) = inbox.recv().await {
                task::spawn(job);
            }
        };
        thread::Builder::new().spawn(move || runtime.block_on(run_jobs))?;
        Ok(Self { remote, jobs })
    }

    fn wait_for<T: Send + 'static>(
        &self,
        answer: impl Future<Output = Result<T, Error>> + Send + 'static,
    ) -> Result<T, Error> {
        let (sender, receiver) = channel();
        let job = async move { drop(sender.send(answer.await)) };
        let ended = |_| Error::external("the runtime of the keys has ended");
        self.jobs.send(Box::pin(job)).map_err(ended)?;
        // `in_time` ends it earlier, unless a client blocks the thread.
        receiver.recv_timeout(2 * self.remote.time_limit).map_err(Error::external)?
    }
}

impl Decapsulate for BlockingKeys {
    fn encapsulation_key(&self) -> &EncapsulationKey {
        &self.remote.encapsulation_key
    }

    fn decapsulate(&self, ciphertext: &Ciphertext) -> Result<SharedSecret, Error> {
        let (remote, ciphertext) = (self.remote.clone(), ciphertext.clone());
        self.wait_for(async move { remote.decapsulate(&ciphertext).await })
    }
}

impl Sign for BlockingKeys {
    fn verifying_key(&self) -> &VerifyingKey {
        &self.remote.verifying_key
    }

    fn sign_prehashed(&self, context: &[u8], sha512: &[u8; 64]) -> Result<Signature, Error> {
        let to_be_signed = self.remote.verifying_key.to_be_signed(context, sha512)?;
        let remote = self.remote.clone();
        self.wait_for(async move { remote.sign(&to_be_signed).await })
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let remote = Arc::new(start_two_kms()?);
    remote.check().await?;

    // In an asynchronous service.
    let sealed = remote.encapsulation_key.seal(CONTEXT, b"hello")?;
    assert_eq!(&remote.open(CONTEXT, &sealed).await?[..], b"hello");

    // For everything that does not await.
    let verifying_key = remote.verifying_key.clone();
    let keys = BlockingKeys::new(remote)?;
    let signature = task::spawn_blocking(move || {
        let note = keys.open(CONTEXT, &sealed)?;
        keys.sign(CONTEXT, &note)
    });
    verifying_key.verify(CONTEXT, b"hello", &signature.await??)?;
    println!("Opened twice and signed, while no half left its KMS.");
    Ok(())
}

/// What the SDK of a KMS offers. Here its keys are in the same process, and it takes a moment to answer.
struct Client {
    decapsulator: Box<dyn Decapsulator>,
    signer: Box<dyn SchemeSigner>,
    latency: Duration,
}

impl Client {
    async fn decapsulate(&self, ciphertext: &[u8]) -> Result<Zeroizing<[u8; 32]>, Error> {
        time::sleep(self.latency).await;
        let mut secret = Zeroizing::new([0; 32]);
        self.decapsulator.decapsulate(ciphertext, &mut *secret).map(|()| secret)
    }

    async fn sign(&self, context: &[u8], message: &[u8]) -> Result<Vec<u8>, Error> {
        time::sleep(self.latency).await;
        self.signer.sign(context, message)
    }
}

fn start_two_kms() -> Result<RemoteKeys, Error> {
    let (opens, signs) = (DecapsulationKey::generate()?, SigningKey::generate()?);
    let encapsulation_key = opens.encapsulation_key().clone();
    let verifying_key = signs.verifying_key().clone();
    let (opens, signs) = (opens.into_halves()?, signs.into_halves()?);
    let client =
        |decapsulator, signer| Client { decapsulator, signer, latency: Duration::from_millis(10) };
    let clients = Halves {
        post_quantum: client(opens.post_quantum.into(), signs.post_quantum.into()),
        traditional: client(opens.traditional.into(), signs.traditional.into()),
    };
    let time_limit = Duration::from_secs(5);
    Ok(RemoteKeys { encapsulation_key, verifying_key, clients, time_limit })
}

#[cfg(test)]
#[path = "tests/unit/awaited_key.rs"]
mod tests;
