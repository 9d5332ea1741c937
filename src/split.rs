//! Keys whose halves are in different places: one half in this HSM or KMS, the other half in that one.
//!
//! No HSM and no KMS offers a hybrid key, but they offer the halves: almost all of them ECDH and ECDSA over P-384, the
//! new ones also ML-KEM-1024 and ML-DSA-87. A split key joins two halves into one key, and works wherever
//! [`Decapsulate`] and [`Sign`] do. Its public key, ciphertexts and signatures have the same bytes as those of any
//! other key: nobody can see that it is split. Neither half opens or signs anything by itself, so a thief of one half
//! has nothing, and neither has an attacker who breaks one algorithm.
//!
//! In this table, M' is the message that both halves of a signature sign, of 130 to 385 bytes.
//! [`ToBeSigned`](crate::sign::ToBeSigned) has it, its SHA-384 and mu, which is ML-DSA's hash of it.
//!
//! | half | receives | returns | PKCS#11 | AWS KMS | Google Cloud KMS |
//! |---|---|---|---|---|---|
//! | ML-KEM-1024 | a ciphertext: 1568 bytes | 32 bytes | `C_DecapsulateKey`, `CKM_ML_KEM` | `Decapsulate` | `decapsulate` |
//! | X25519 | a public key: 32 | 32 | `CKM_ECDH1_DERIVE`, `CKD_NULL` | | |
//! | ECDH over P-384 | a point, `0x04 \|\| X \|\| Y`: 97 | its x coordinate: 48 | `CKM_ECDH1_DERIVE`, `CKD_NULL` | `DeriveSharedSecret` | not yet |
//! | ML-DSA-87 | M' and a context of 33 bytes, or mu: 64 | 4627 | `CKM_ML_DSA` with a context | `Sign`, `EXTERNAL_MU` | `asymmetricSign`, `externalMu` |
//! | ECDSA over P-384 | M', or its SHA-384: 48 | `r \|\| s`: 96, or DER: at most 104 | `CKM_ECDSA` | `Sign`, `DIGEST` | `asymmetricSign`, `sha384` |
//!
//! A KEM key has the first two halves of the table (the default suite), or the first and the third
//! ([`ML_KEM_1024_P384`](crate::KemSuite::ML_KEM_1024_P384)). Use the latter for halves in a KMS, and in most tokens.
//! The page [`kms`] has recipes for the two clouds, with calls, parameters and policies. The package examples/pkcs11 of
//! the repository has halves in PKCS#11 tokens.
//!
//! # Making one
//!
//! - *New halves.* Generate each half where it will stay, read its public key there, and join the two with
//!   [`EncapsulationKey::from_halves`] or [`VerifyingKey::from_halves`].
//! - *An existing key.* [`DecapsulationKey::into_halves`] and [`SigningKey::into_halves`] return the private bytes of
//!   each half. Import each into its token; the public key stays the same. Copies and backups of the old key file
//!   are still the whole key: destroy them, or make new halves and rotate.
//!
//! Then call [`check`](SplitDecapsulationKey::check) at every start, or what takes its place for [halves that are
//! awaited](#halves-that-are-awaited). Without it, the only sign of a half in the wrong place is that nothing opens.
//!
//! # Halves that are called
//!
//! [`SplitDecapsulationKey`] takes two boxes of [`Decapsulator`], and [`SplitSigningKey`] two of [`SchemeSigner`].
//! Implement the trait for your token or client, with a time limit: the library has none, and a half that never
//! answers blocks its caller for ever.
//!
//! [`SplitSigningKey`] is for halves that take M', in PKCS#11 tokens or in memory, and its ECDSA half returns `r || s`.
//! A KMS wants mu or a digest, and returns DER. Sign with it by [`to_be_signed`](crate::VerifyingKey::to_be_signed) and
//! [`join`](crate::sign::ToBeSigned::join), behind an `impl Sign` as `BlockingKeys` [below](#halves-that-are-awaited).
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
//! /// A ciphertext, the length of its secret, and where the half's answer goes.
//! type Request = (Vec<u8>, usize, Sender<Result<Secret, Error>>);
//!
//! /// A half as seen from this side: a connection to the HSM that holds it.
//! struct RemoteHalf {
//!     requests: Sender<Request>,
//! }
//!
//! impl Decapsulator for RemoteHalf {
//!     fn decapsulate(&self, ciphertext: &[u8], shared_secret: &mut [u8]) -> Result<(), Error> {
//!         let (answer, answers) = mpsc::channel();
//!         let unreachable = |_| Error::external("the HSM is not running");
//!         let request = (ciphertext.to_vec(), shared_secret.len(), answer);
//!         self.requests.send(request).map_err(unreachable)?;
//!         let secret = answers.recv_timeout(TIME_LIMIT).map_err(Error::external)??;
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
//!     let (requests, inbox) = mpsc::channel::<Request>();
//!     thread::spawn(move || {
//!         for (ciphertext, length, answer) in inbox {
//!             let mut secret = Secret::new(vec![0; length]);
//!             let result = half.decapsulate(&ciphertext, &mut secret).map(|()| secret);
//!             let _ = answer.send(result); // the caller may have given up
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
//! The client of a KMS is asynchronous, and the traits of this crate are not. So work in two steps, with the await in
//! between. No step does I/O, and each works with every runtime:
//!
//! | to | first | await both halves, then | finally |
//! |---|---|---|---|
//! | open an envelope | [`Header::parse`], [`find`](crate::envelope::Header::find) | [`SharedSecret::combine`] | [`Header::unlock`] |
//! | accept a request | [`accept_head`](crate::Accepting::accept_head), [`look`] | [`SharedSecret::combine`] | [`unlock_with`](crate::request::VerifiedHead::unlock_with), [`admit`] |
//! | accept a session | [`accept_hello`](crate::Accepting::accept_hello) | [`SharedSecret::combine`] | [`receiver_with`](crate::session::VerifiedHello::receiver_with) |
//! | sign | [`to_be_signed`](crate::VerifyingKey::to_be_signed) | [`join`](crate::sign::ToBeSigned::join) | |
//! | sign a request | [`prepare_request`](crate::EncapsulationKey::prepare_request) | [`join`](crate::sign::ToBeSigned::join) | [`finish`](crate::request::PreparedRequest::finish) |
//! | begin a signed session | [`prepare_sender`](crate::EncapsulationKey::prepare_sender) | [`join`](crate::sign::ToBeSigned::join) | [`finish`](crate::session::PreparedSender::finish) |
//!
//! [`AwaitedKey`](crate::kem::AwaitedKey) is the key to accept with, also in a [`Keyring`](crate::Keyring). The guard
//! [looks][`look`] at a request before the halves are asked, so a replay costs no call: see [a request whose key is
//! awaited](crate::request#when-a-key-is-awaited).
//!
//! Below, `RemoteKeys::check` is the check at the start. The adapter `BlockingKeys` turns two asynchronous functions
//! into a key for everything that calls [`Decapsulate`] or [`Sign`] and does not await:
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
//!     Decapsulate, DecapsulationKey, EncapsulationKey, Error, Plaintext, Sign, Signature, SigningKey,
//!     Unlock, VerifyingKey,
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
//!     /// As above. The signature is verified before it is returned. These clients receive M'; those of a KMS
//!     /// `external_mu()` and `sha384()`, and its ECDSA half answers with `EcdsaSignature::Der`.
//!     async fn sign(&self, to_be_signed: &ToBeSigned) -> Result<Signature, Error> {
//!         let (context, message) = (to_be_signed.ml_dsa_context(), to_be_signed.message());
//!         let (ml_dsa, ecdsa) = tokio::join!(
//!             self.in_time(self.clients.post_quantum.sign(context, message)),
//!             self.in_time(self.clients.traditional.sign(b"", message)),
//!         );
//!         to_be_signed.join(ml_dsa, ecdsa.map(EcdsaSignature::Fixed))
//!     }
//!
//!     /// Opens an envelope: parse the header, await the secret, open the body.
//!     async fn open(&self, context: &[u8], sealed: &[u8]) -> Result<Plaintext, Error> {
//!         let header = Header::parse(sealed)?;
//!         let recipient = header.find(&self.encapsulation_key).ok_or(Error::NotARecipient)?;
//!         let secret = self.decapsulate(&recipient.ciphertext()?).await?;
//!         header.unlock(&recipient, &secret)?.open(context, &sealed[header.len()..])
//!     }
//!
//!     /// Opens an envelope of its own, and signs a digest to which nobody knows a message. A half in the wrong place
//!     /// shows here, and later only as data that does not open.
//!     async fn check(&self) -> Result<(), Error> {
//!         let context = b"example.com/check/v1";
//!         self.open(context, &self.encapsulation_key.seal(context, b"")?).await?;
//!         self.sign(&self.verifying_key.to_be_signed(context, &[0; 64])?).await?;
//!         Ok(())
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
//! /// The same keys for code that does not await. They block the thread that calls them, so call them in
//! /// `spawn_blocking`. `Runtime::block_on` would panic in a thread of a runtime; here the two asynchronous functions
//! /// run in a runtime of their own thread, which ends when the keys are dropped.
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
//!     remote.check().await?;
//!
//!     // In an asynchronous service.
//!     let sealed = remote.encapsulation_key.seal(CONTEXT, b"hello")?;
//!     assert_eq!(&remote.open(CONTEXT, &sealed).await?[..], b"hello");
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
//! 1. **Each half is a key of its own, and nothing else uses it.** The library cannot check this, and everything
//!    depends on it:
//!    - An ECDH half that answers other protocols is an oracle. An attacker sends it the 32 or 97 bytes out of a
//!      recorded envelope, as if they were somebody's public key, and gets the secret of that half. What was sealed
//!      then rests on ML-KEM only. The same is true of an ML-KEM half, the other way round.
//!    - An ECDSA half that signs digests for others also signs the SHA-384 of an M', because a digest does not show
//!      what it is a digest of. The signature is then as strong as ML-DSA only. The same is true of an ML-DSA half
//!      that signs mu.
//! 2. **The halves belong to different principals**: different credentials and administrators, and best also different
//!    machines and makers. A principal that can use both halves has the use of the key.
//! 3. **No export**, not even wrapped: an exportable half is only as safe as the key that wraps it.
//! 4. **ECDH returns the raw x coordinate** (X25519: the 32 bytes of RFC 7748), without a key derivation. The result
//!    has to leave the token: one that keeps it in an object that cannot be read cannot hold a half.
//! 5. **ECDSA takes M' and hashes it with SHA-384, or takes the digest** and does not hash it again.
//! 6. **ML-DSA takes a context, or mu.** The suite's label is the context. Signatures of a token that knows only the
//!    empty context do not verify. HashML-DSA is another algorithm.
//! 7. **A half has no opinion about ciphertexts.** ML-KEM answers a changed ciphertext with another secret, never with
//!    an error (FIPS 203 §6.3). A token that reports that it dislikes a ciphertext, such as with PKCS#11's
//!    `CKR_ENCRYPTED_DATA_INVALID`, tells an attacker who sends it many of them something about the key. Do not use such
//!    a token. If you must, its adapter returns [`Error::Invalid`] for that answer: random bytes take the place of the
//!    half's secret, and the sender sees what they see for every wrong envelope, [`Error::Open`]. All other failures
//!    are [`Error::external`], and must not depend on the ciphertext.
//! 8. **A custodian decides which contexts it signs.** A half that receives M' can read the context in it
//!    ([`context_of`](crate::SignatureSuite::context_of)). One that signs every context also signs the hellos and
//!    requests of this library, whose contexts start with `twinseal/`: let it do so only if that is its purpose. For
//!    [`check`](SplitSigningKey::check) it must sign `twinseal/check/v1`. A half that receives a digest or mu cannot
//!    decide; then whoever may call it decides.
//! 9. **It logs each use**, with the key and the caller.
//!
//! # Shared halves
//!
//! Never make two keys with a half in common.
//!
//! Say that two composite keys, A and B, have the same ML-DSA half, and that an attacker breaks the ECDSA half of A with
//! a quantum computer. They wait until the owner of B signs a message. M' does not say which key it is for, so the
//! ML-DSA half of that signature is valid for A as well. The attacker adds an ECDSA signature of their own, and has a
//! signature of A over a message that A never signed. Two KEM keys with a half in common fall together when it falls.
//!
//! A [`Keyring`](crate::Keyring) and a [`VerifyingKeyring`](crate::VerifyingKeyring) refuse two different keys with an
//! equal half. Across rings it cannot be seen. If you run a ring of others' keys, accept a key only with a proof that
//! its sender has the private key, such as the signature of a certification request. Otherwise somebody can copy a half
//! of another's public key into one of their own, and the ring refuses to load both.
//!
//! # When a half fails
//!
//! Both halves are always asked, the post-quantum half first, even if that one fails. The first failure is then
//! returned as [`Error::External`]: [`half`](crate::ExternalFailure::half) names the half, and the source is its own
//! error. The other half's result is dropped. Answers of a wrong length and panics (where they unwind) are failures, too.
//!
//! Nothing depends on *what* a half answered. A changed ciphertext, the answer to another request and a wrong secret all
//! end in some shared secret with which the data does not open. A composite signature is verified before it is
//! returned. If it does not verify, the error names the half whose signature is wrong, and no part of it leaves.
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
//! [`look`]: crate::request::ReplayGuard::look
//! [`admit`]: crate::request::ReplayGuard::admit
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
