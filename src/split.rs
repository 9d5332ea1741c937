//! Keys whose halves are in different places: one half in this HSM or KMS, the other half in that one.
//!
//! No HSM and no KMS offers a hybrid key. All offer halves: ECDH and ECDSA over P-384 everywhere, ML-KEM-1024 and
//! ML-DSA-87 in new ones. A split key joins two halves to one key, which works wherever [`Decapsulate`] and [`Sign`]
//! do. Its public key, its ciphertexts and its signatures have the same bytes as those of any other key, and nobody
//! can see from outside that it is split. Neither half opens or signs anything by itself, so one that is stolen, or
//! whose algorithm is broken, is not enough.
//!
//! | half | receives | returns | PKCS#11 | AWS KMS | Google Cloud KMS |
//! |---|---|---|---|---|---|
//! | ML-KEM-1024 | a ciphertext: 1568 bytes | 32 bytes | `C_DecapsulateKey`, `CKM_ML_KEM` | `Decapsulate` | `decapsulate` |
//! | X25519 | a public key: 32 | 32 | `CKM_ECDH1_DERIVE`, `CKD_NULL` | | |
//! | ECDH over P-384 | a point, `0x04 \|\| X \|\| Y`: 97 | its x coordinate: 48 | `CKM_ECDH1_DERIVE`, `CKD_NULL` | `DeriveSharedSecret` | not yet |
//! | ML-DSA-87 | M' and a context of 33 bytes, or mu: 64 | 4627 | `CKM_ML_DSA` with a context | `Sign`, `EXTERNAL_MU` | `asymmetricSign`, `externalMu` |
//! | ECDSA over P-384 | M', or its SHA-384: 48 | `r \|\| s`: 96, or DER: at most 104 | `CKM_ECDSA` | `Sign`, `DIGEST` | `asymmetricSign`, `sha384` |
//!
//! M' is the message that both halves of a signature sign, of 130 to 385 bytes:
//! [`ToBeSigned`](crate::sign::ToBeSigned) has it, its SHA-384 and mu. A KEM key has the first two halves of the table
//! (the default suite), or the first and the third ([`ML_KEM_1024_P384`](crate::KemSuite::ML_KEM_1024_P384)). Take
//! that suite if a half is in a KMS. The page [`kms`] has recipes for the two clouds: calls, parameters, policies.
//!
//! # Making one
//!
//! - *New halves.* Generate each half where it will stay, get the two public keys out, and join them with
//!   [`EncapsulationKey::from_halves`] or [`VerifyingKey::from_halves`].
//! - *A key that exists.* [`DecapsulationKey::into_halves`] and [`SigningKey::into_halves`] give the private bytes of
//!   each half. Import each into its token; the public key stays what it is. Copies and backups of the old key file
//!   are still the whole key: destroy them, or make new halves and rotate.
//!
//! Then call [`check`](SplitDecapsulationKey::check), once at every start: a half in the wrong place shows otherwise
//! only in that nothing opens.
//!
//! # Halves that are called
//!
//! [`SplitDecapsulationKey`] and [`SplitSigningKey`] take two boxes of [`Decapsulator`] and [`SchemeSigner`]. Write one
//! for your token. It brings its own time limit: nothing here has one, and a half that never answers blocks its
//! caller.
//!
//! ```
//! use std::{
//!     sync::mpsc::{self, Sender},
//!     thread,
//!     time::Duration,
//! };
//!
//! use twinseal::{
//!     Decapsulate, DecapsulationKey, Error, Unlock, provider::Decapsulator,
//!     split::SplitDecapsulationKey, zeroize::Zeroizing,
//! };
//!
//! const CONTEXT: &[u8] = b"example.com/notes/v1";
//!
//! /// A half that hangs must not hang its callers.
//! const TIME_LIMIT: Duration = Duration::from_secs(5);
//!
//! type Secret = Zeroizing<Vec<u8>>;
//!
//! /// A half as seen from this side: a connection to the HSM that holds it.
//! struct RemoteHalf {
//!     requests: Sender<(Vec<u8>, Sender<Secret>)>,
//! }
//!
//! impl Decapsulator for RemoteHalf {
//!     fn decapsulate(&self, ciphertext: &[u8], shared_secret: &mut [u8]) -> Result<(), Error> {
//!         let (answer, answers) = mpsc::channel();
//!         let unreachable = |_| Error::external("the HSM is not running");
//!         self.requests.send((ciphertext.to_vec(), answer)).map_err(unreachable)?;
//!         let secret = answers.recv_timeout(TIME_LIMIT).map_err(Error::external)?;
//!         if secret.len() != shared_secret.len() {
//!             return Err(Error::external("the HSM answered with another length"));
//!         }
//!         shared_secret.copy_from_slice(&secret);
//!         Ok(())
//!     }
//! }
//!
//! /// An HSM: it answers requests, and its half does not leave it.
//! fn start_hsm(half: Box<dyn Decapsulator>) -> Box<dyn Decapsulator> {
//!     let (requests, inbox) = mpsc::channel::<(Vec<u8>, Sender<Secret>)>();
//!     thread::spawn(move || {
//!         for (ciphertext, answer) in inbox {
//!             let mut secret = Secret::new(vec![0; 32]);
//!             let _ = half.decapsulate(&ciphertext, &mut secret).map(|()| answer.send(secret));
//!         }
//!     });
//!     Box::new(RemoteHalf { requests })
//! }
//!
//! fn main() -> Result<(), Error> {
//!     // A key in memory moves into two HSMs, and its public key stays what it is.
//!     let whole = DecapsulationKey::generate()?;
//!     let public = whole.encapsulation_key().clone();
//!     let halves = whole.into_halves()?;
//!     let post_quantum = start_hsm(halves.post_quantum.into());
//!     let traditional = start_hsm(halves.traditional.into());
//!
//!     let key = SplitDecapsulationKey::new(public, post_quantum, traditional);
//!     key.check()?; // a half in the wrong place shows here, and later only as data that does not open
//!
//!     // Envelopes are decrypted here. 1568 and 32 bytes go to the HSMs, and 32 come back from each.
//!     let sealed = key.encapsulation_key().seal(CONTEXT, b"hello")?;
//!     assert_eq!(&key.open(CONTEXT, &sealed)?[..], b"hello");
//!     println!("The envelope was opened, and neither half left its HSM.");
//!     Ok(())
//! }
//! ```
//!
//! # Halves that are awaited
//!
//! A KMS has an asynchronous client, and the traits of this crate are called. So do it in two steps, with the await in
//! between. No step does I/O, and each works with every runtime:
//!
//! | you | first | then await both halves, and | at last |
//! |---|---|---|---|
//! | open an envelope | [`Header::parse`], [`find`](crate::envelope::Header::find) | [`SharedSecret::combine`] | [`Header::unlock`] |
//! | accept a request | [`accept_head`](crate::Accepting::accept_head) | [`SharedSecret::combine`] | [`unlock_with`](crate::request::VerifiedHead::unlock_with) |
//! | sign | [`to_be_signed`](crate::VerifyingKey::to_be_signed) | [`join`](crate::sign::ToBeSigned::join) | |
//!
//! For everything else, such as a [`Keyring`](crate::Keyring), two asynchronous functions become a key by the 40 lines
//! of `BlockingKeys` below:
//!
//! ```
//! use std::{
//!     io,
//!     pin::Pin,
//!     sync::{Arc, mpsc::channel},
//!     thread,
//!     time::Duration,
//! };
//!
//! use tokio::{
//!     runtime,
//!     sync::mpsc::{UnboundedSender, unbounded_channel},
//!     task, time,
//! };
//! use twinseal::{
//!     Decapsulate, DecapsulationKey, EncapsulationKey, Error, Sign, Signature, SigningKey, Unlock,
//!     VerifyingKey,
//!     envelope::Header,
//!     kem::{Ciphertext, SharedSecret},
//!     provider::{Decapsulator, SchemeSigner},
//!     sign::{EcdsaSignature, ToBeSigned},
//!     split::Halves,
//!     zeroize::Zeroizing,
//! };
//!
//! const CONTEXT: &[u8] = b"example.com/notes/v1";
//!
//! /// Two keys, one to open with and one to sign with. The halves of both are in two KMSs.
//! struct RemoteKeys {
//!     encapsulation_key: EncapsulationKey,
//!     verifying_key: VerifyingKey,
//!     clients: Halves<Client>,
//!     time_limit: Duration,
//! }
//!
//! impl RemoteKeys {
//!     /// Asks both halves at once, and passes on what both said.
//!     async fn decapsulate(&self, ciphertext: &Ciphertext) -> Result<SharedSecret, Error> {
//!         let sent = ciphertext.halves();
//!         let (post_quantum, traditional) = tokio::join!(
//!             self.in_time(self.clients.post_quantum.decapsulate(sent.post_quantum)),
//!             self.in_time(self.clients.traditional.decapsulate(sent.traditional)),
//!         );
//!         SharedSecret::combine(&self.encapsulation_key, ciphertext, post_quantum, traditional)
//!     }
//!
//!     /// As above. The signature is verified before it is returned.
//!     async fn sign(&self, to_be_signed: &ToBeSigned) -> Result<Signature, Error> {
//!         let (context, message) = (to_be_signed.ml_dsa_context(), to_be_signed.message());
//!         let (ml_dsa, ecdsa) = tokio::join!(
//!             self.in_time(self.clients.post_quantum.sign(context, message)),
//!             self.in_time(self.clients.traditional.sign(b"", message)),
//!         );
//!         to_be_signed.join(ml_dsa, ecdsa.map(EcdsaSignature::Fixed))
//!     }
//!
//!     /// A KMS that hangs must not hang its callers.
//!     async fn in_time<T>(&self, answer: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
//!         time::timeout(self.time_limit, answer).await.map_err(Error::external)?
//!     }
//! }
//!
//! type Job = Pin<Box<dyn Future<Output = ()> + Send>>;
//!
//! /// The same keys for code that does not await, such as a keyring. They block the thread that calls them, so call
//! /// them in `spawn_blocking`. `Runtime::block_on` would panic in a thread of a runtime; here the two asynchronous
//! /// functions run in a runtime of their own thread, which ends when the keys are dropped.
//! struct BlockingKeys {
//!     remote: Arc<RemoteKeys>,
//!     jobs: UnboundedSender<Job>,
//! }
//!
//! impl BlockingKeys {
//!     fn new(remote: Arc<RemoteKeys>) -> io::Result<Self> {
//!         let (jobs, mut inbox) = unbounded_channel::<Job>();
//!         let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
//!         let run_jobs = async move {
//!             while let Some(job) = inbox.recv().await {
//!                 task::spawn(job);
//!             }
//!         };
//!         thread::Builder::new().spawn(move || runtime.block_on(run_jobs))?;
//!         Ok(Self { remote, jobs })
//!     }
//!
//!     fn wait_for<T: Send + 'static>(
//!         &self,
//!         answer: impl Future<Output = Result<T, Error>> + Send + 'static,
//!     ) -> Result<T, Error> {
//!         let (sender, receiver) = channel();
//!         let job = async move { drop(sender.send(answer.await)) };
//!         let ended = |_| Error::external("the runtime of the keys has ended");
//!         self.jobs.send(Box::pin(job)).map_err(ended)?;
//!         // `in_time` ends it earlier, unless a client blocks the thread.
//!         receiver.recv_timeout(2 * self.remote.time_limit).map_err(Error::external)?
//!     }
//! }
//!
//! impl Decapsulate for BlockingKeys {
//!     fn encapsulation_key(&self) -> &EncapsulationKey {
//!         &self.remote.encapsulation_key
//!     }
//!
//!     fn decapsulate(&self, ciphertext: &Ciphertext) -> Result<SharedSecret, Error> {
//!         let (remote, ciphertext) = (self.remote.clone(), ciphertext.clone());
//!         self.wait_for(async move { remote.decapsulate(&ciphertext).await })
//!     }
//! }
//!
//! impl Sign for BlockingKeys {
//!     fn verifying_key(&self) -> &VerifyingKey {
//!         &self.remote.verifying_key
//!     }
//!
//!     fn sign_prehashed(&self, context: &[u8], sha512: &[u8; 64]) -> Result<Signature, Error> {
//!         let to_be_signed = self.remote.verifying_key.to_be_signed(context, sha512)?;
//!         let remote = self.remote.clone();
//!         self.wait_for(async move { remote.sign(&to_be_signed).await })
//!     }
//! }
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let remote = Arc::new(start_two_kms()?);
//!     let sealed = remote.encapsulation_key.seal(CONTEXT, b"hello")?;
//!
//!     // In an asynchronous service: parse the header, await the secret, open the body.
//!     let header = Header::parse(&sealed)?;
//!     let recipient = header.find(&remote.encapsulation_key).ok_or(Error::NotARecipient)?;
//!     let secret = remote.decapsulate(&recipient.ciphertext()?).await?;
//!     let body_key = header.unlock(&recipient, &secret)?;
//!     assert_eq!(&body_key.open(CONTEXT, &sealed[header.len()..])?[..], b"hello");
//!
//!     // For everything that does not await.
//!     let verifying_key = remote.verifying_key.clone();
//!     let keys = BlockingKeys::new(remote)?;
//!     let signature = task::spawn_blocking(move || {
//!         let note = keys.open(CONTEXT, &sealed)?;
//!         keys.sign(CONTEXT, &note)
//!     });
//!     verifying_key.verify(CONTEXT, b"hello", &signature.await??)?;
//!     println!("Opened twice and signed, while no half left its KMS.");
//!     Ok(())
//! }
//! #
//! # /// What the SDK of a KMS offers. Here its keys are in the same process, and it takes a moment to answer.
//! # struct Client {
//! #     decapsulator: Box<dyn Decapsulator>,
//! #     signer: Box<dyn SchemeSigner>,
//! #     latency: Duration,
//! # }
//! #
//! # impl Client {
//! #     async fn decapsulate(&self, ciphertext: &[u8]) -> Result<Zeroizing<[u8; 32]>, Error> {
//! #         time::sleep(self.latency).await;
//! #         let mut secret = Zeroizing::new([0; 32]);
//! #         self.decapsulator.decapsulate(ciphertext, &mut *secret).map(|()| secret)
//! #     }
//! #
//! #     async fn sign(&self, context: &[u8], message: &[u8]) -> Result<Vec<u8>, Error> {
//! #         time::sleep(self.latency).await;
//! #         self.signer.sign(context, message)
//! #     }
//! # }
//! #
//! # fn start_two_kms() -> Result<RemoteKeys, Error> {
//! #     let (opens, signs) = (DecapsulationKey::generate()?, SigningKey::generate()?);
//! #     let encapsulation_key = opens.encapsulation_key().clone();
//! #     let verifying_key = signs.verifying_key().clone();
//! #     let (opens, signs) = (opens.into_halves()?, signs.into_halves()?);
//! #     let client =
//! #         |decapsulator, signer| Client { decapsulator, signer, latency: Duration::from_millis(10) };
//! #     let clients = Halves {
//! #         post_quantum: client(opens.post_quantum.into(), signs.post_quantum.into()),
//! #         traditional: client(opens.traditional.into(), signs.traditional.into()),
//! #     };
//! #     let time_limit = Duration::from_secs(5);
//! #     Ok(RemoteKeys { encapsulation_key, verifying_key, clients, time_limit })
//! # }
//! ```
//!
//! # What your HSM must offer
//!
//! Each rule is here because of an attack.
//!
//! 1. **Each half is a key of its own, and nothing else uses it.** This library cannot check that, and all depends on
//!    it:
//!    - An ECDH half that other protocols can ask is an oracle. Somebody sends it the 32 or 97 bytes out of a recorded
//!      envelope, as if they were another's public key, and gets the secret of that half. What was sealed then rests on
//!      ML-KEM alone. The same is true of an ML-KEM half.
//!    - An ECDSA half that signs digests for others also signs the SHA-384 of an M', and cannot tell: a digest does not
//!      show what it is of. The signature is then as strong as ML-DSA alone. The same is true of an ML-DSA half that
//!      signs mu.
//! 2. **The halves belong to different principals**: other credentials, administrators, and best other machines and
//!    makers. Whoever can use both halves has the key.
//! 3. **No export**, not even wrapped under another key: the half is then worth as much as that key.
//! 4. **ECDH returns the raw x coordinate** (X25519: the 32 bytes of RFC 7748), without a key derivation. The result
//!    has to leave the token: a token that keeps it as a key object that cannot be read cannot be a half.
//! 5. **ECDSA takes M' and hashes it with SHA-384, or takes the digest** and does not hash it again.
//! 6. **ML-DSA takes a context, or mu.** The suite's label is the context. A token that signs with the empty context
//!    only makes signatures that do not verify. HashML-DSA is another algorithm.
//! 7. **A half has no opinion about ciphertexts.** ML-KEM answers a changed ciphertext with another secret, never with
//!    an error (FIPS 203 §6.3). A token that reports that it dislikes a ciphertext, such as with PKCS#11's
//!    `CKR_ENCRYPTED_DATA_INVALID`, tells an attacker who sends it many of them something about the key. Do not use such
//!    a token. If you must, its adapter returns [`Error::Invalid`] for that answer: random bytes take the place of the
//!    half's secret, and the sender sees what they see for every wrong envelope, [`Error::Open`]. All other failures
//!    are [`Error::external`], and must not depend on the ciphertext.
//! 8. **A custodian decides which contexts it signs.** A half that receives M' can read the context in it: its length
//!    is the 66th byte. One that signs every context also signs the hellos and requests of this library, whose
//!    contexts start with `twinseal/`: let it do so only if that is its purpose. A half that receives a digest or mu
//!    cannot decide; then whoever may call it decides.
//! 9. **It writes down each use**, with the key and the caller.
//!
//! # Shared halves
//!
//! Never make two keys with a half in common.
//!
//! Say that two composite keys, A and B, have one ML-DSA key, and that somebody breaks the ECDSA half of A, with a
//! quantum computer. They wait until the owner of B signs a message. M' does not say which key it is for, so the ML-DSA
//! half of that signature is also valid for A. They add an ECDSA signature of their own, and have a signature of A over
//! that message, which A never made. Two KEM keys with a half in common fall together when it falls.
//!
//! A [`Keyring`](crate::Keyring) and a [`VerifyingKeyring`](crate::VerifyingKeyring) refuse two different keys with an
//! equal half. In different rings, nobody sees it. And whoever runs a ring for others takes their keys only with a
//! proof that they have the private key, such as the signature of a certification request: otherwise somebody could
//! send a key with a copied half of another's, and the ring would refuse to load.
//!
//! # When a half fails
//!
//! Both halves are always asked, the post-quantum half first, also if that failed. Then the first failure is returned,
//! as [`Error::External`]: [`half`](crate::ExternalFailure::half) names it, and its source is what it said. The other's
//! result is dropped. Answers of a wrong length and panics (where they unwind) are such failures, too.
//!
//! Nothing depends on *what* a half answered. A changed ciphertext, the answer to another request and a wrong secret all
//! give some shared secret, and the data does not open. A composite signature is verified before it is given out; if
//! it does not verify, the error names the half whose signature is wrong, and half a signature never leaves.
//!
//! The process that joins the answers sees the shared secrets and what is opened: its place in the threat model is in
//! [SECURITY.md].
//!
//! [`Decapsulate`]: crate::Decapsulate
//! [`Sign`]: crate::Sign
//! [`Decapsulator`]: crate::provider::Decapsulator
//! [`SchemeSigner`]: crate::provider::SchemeSigner
//! [`DecapsulationKey::into_halves`]: crate::DecapsulationKey::into_halves
//! [`SigningKey::into_halves`]: crate::SigningKey::into_halves
//! [`EncapsulationKey::from_halves`]: crate::EncapsulationKey::from_halves
//! [`VerifyingKey::from_halves`]: crate::VerifyingKey::from_halves
//! [`VerifyingKey::to_be_signed`]: crate::VerifyingKey::to_be_signed
//! [`Header::parse`]: crate::envelope::Header::parse
//! [`Header::unlock`]: crate::envelope::Header::unlock
//! [`SharedSecret::combine`]: crate::kem::SharedSecret::combine
//! [`Error::External`]: crate::Error::External
//! [`Error::external`]: crate::Error::external
//! [`Error::Invalid`]: crate::Error::Invalid
//! [`Error::Open`]: crate::Error::Open
//! [SECURITY.md]: https://docs.rs/crate/twinseal/latest/source/SECURITY.md

mod asked;
mod decapsulation_key;
mod half_key;
mod signing_key;

pub use crate::half::{Half, Halves};
pub use decapsulation_key::SplitDecapsulationKey;
pub use half_key::HalfKey;
pub use signing_key::SplitSigningKey;

#[cfg(any(doc, doctest))]
#[doc = include_str!("../docs/kms.md")]
pub mod kms {}
