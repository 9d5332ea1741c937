//! Many messages after one key exchange.
//!
//! Use a session where one program sends many messages to another while both are running: the
//! gradients of a training round, the lines of a log. An envelope pays for a key exchange
//! each time; a session pays for it once, in its first message, the *hello*. Data that is stored, or
//! read by several recipients, belongs in an envelope; a question that is let in once, and whose answer
//! is to it alone, is a [request](crate::request).
//!
//! Messages go in one direction, in order, and none may be lost. A [reply](SessionReceiver::reply)
//! carries messages back:
//!
//! | bytes on the wire | length |
//! |---|---|
//! | a hello | 1632 with X25519-ML-KEM-1024, 1697 with MLKEM1024-P384 |
//! | a signed hello | at most 6381 with X25519-ML-KEM-1024, 6446 with MLKEM1024-P384; see [`Hello::MAX_LEN`] |
//! | a message | 17 bytes more than its plaintext; see [`MessageTag`] |
//! | before a reply: its nonce | 32 |
//!
//! # What a session proves
//!
//! - **A hello's signature** covers the rest of the hello, the recipient's and the signer's whole keys,
//!   and the context. It proves that the signer began this session, with this recipient, in this
//!   context. It does not cover the messages.
//! - **A message** is authenticated with keys that only the two ends have. In a signed session it comes
//!   from the signer, or from somebody who has the recipient's decapsulation key: they can put
//!   messages of their own behind a hello that they saw. No third party can tell who made it.
//!   Sign the plaintext if you must prove later what was sent.
//! - **A reply** comes from somebody who has the recipient's decapsulation key and knows this hello and
//!   the context. It does not prove which messages arrived, or whether any did: put that into the reply.
//! - **Nothing is fresh.** A recorded session can be sent again: see [`SessionId`].
//!
//! # Over a connection
//!
//! [`FramedSender`] and [`FramedReceiver`] send and receive a session over anything that writes and reads.
//! The length of each message travels before it, in 4 bytes, and is checked before anything is allocated:
//!
//! ```
//! use std::{net::{TcpListener, TcpStream}, thread};
//! use twinseal::{DecapsulationKey, SigningKey, session::{FramedReceiver, FramedSender}};
//!
//! # let bob = DecapsulationKey::generate()?;
//! # let alice = SigningKey::generate()?;
//! # let (to_bob, from_alice) = (bob.encapsulation_key().clone(), alice.verifying_key().clone());
//! let context = b"example.com/gradients/round-7";
//! # let listener = TcpListener::bind("127.0.0.1:0")?;
//! # let address = listener.local_addr()?;
//! # let alice = thread::spawn(move || -> std::io::Result<()> {
//!
//! // Alice
//! let connection = TcpStream::connect(address)?;
//! let session = to_bob.signed_by(&alice).sender(context)?;
//! let mut gradients = FramedSender::start(&connection, session)?;
//! gradients.send(b"layer 1")?; // and others, as they come
//! gradients.finish(b"layer 2")?;
//! let mut answers = gradients.accept_reply(&connection)?;
//! assert_eq!(answers.receive()?.as_deref(), Some(&b"averaged"[..]));
//! # Ok(()) });
//!
//! // Bob
//! let (connection, _) = listener.accept()?;
//! let accept = |hello: &[u8]| bob.accepting(&from_alice).receiver(context, hello);
//! let mut gradients = FramedReceiver::accept(&connection, accept)?;
//! while let Some(gradient) = gradients.receive()? {
//!     assert!(gradient.starts_with(b"layer"));
//! }
//! gradients.reply(&connection)?.finish(b"averaged")?;
//! # alice.join().unwrap()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! There, a message that fails ends the session, because a connection delivers in order. What of it was received
//! before is authentic, and complete only after the last message.
//!
//! # When a key is awaited
//!
//! A key may be in a KMS whose client is asynchronous. Then both ends have two steps, and the await is in between.
//! Nothing blocks, and no I/O happens here:
//!
//! | | before | for the key | after |
//! |---|---|---|---|
//! | start | [`prepare_sender`] | [`signature_context`], [`sha512`]; for halves [`to_be_signed`] | [`finish`](PreparedSender::finish) |
//! | accept | [`accept_hello`](crate::Accepting::accept_hello) | [`recipient`], [`ciphertext`] | [`receiver_with`] |
//!
//! The signature is verified before the hello is given out. The hello's signature is verified before the KMS is
//! asked. What is held meanwhile is used once, and wiped if it is dropped: an await that fails or is cancelled ends
//! this session and harms no other.
//!
//! ```
//! use twinseal::{Error, Unlock, kem::AwaitedKey};
//!
//! # use twinseal::{DecapsulationKey, KeyId, Sign, Signature, SigningKey, kem::{Ciphertext, SharedSecret}};
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Error> {
//! # let (in_bobs_kms, in_alices_kms) = (DecapsulationKey::generate()?, SigningKey::generate()?);
//! # let (to_bob, from_alice) = (in_bobs_kms.encapsulation_key().clone(), in_alices_kms.verifying_key());
//! # let sign = async |context: &[u8], sha512: &[u8; 64]| -> Result<Signature, Error> { Sign::sign_prehashed(&in_alices_kms, context, sha512) };
//! # let decapsulate = async |_: KeyId, ct: &Ciphertext| -> Result<SharedSecret, Error> { in_bobs_kms.decapsulate(ct) };
//! let context = b"example.com/gradients/round-7";
//!
//! // Alice
//! let prepared = to_bob.prepare_sender(from_alice, context)?;
//! let signature = sign(prepared.signature_context(), prepared.sha512()).await?;
//! let (hello, mut tx) = prepared.finish(signature)?;
//!
//! // Bob, who has only his public key here
//! let bob = AwaitedKey::new(to_bob);
//! let verified = bob.accepting(from_alice).accept_hello(context, &hello)?;
//! let secret = decapsulate(verified.recipient().key_id(), verified.ciphertext()).await?;
//! let mut rx = verified.receiver_with(&secret)?;
//! assert_eq!(&rx.open(&tx.seal(b"layer 1")?)?[..], b"layer 1");
//! # Ok(())
//! # }
//! ```
//!
//! Over a connection, [`FramedSender::start`] takes what `finish` returned. For a receiver see
//! [`tokio::FramedReceiver::read_hello`](crate::tokio::FramedReceiver::read_hello).
//!
//! [`prepare_sender`]: crate::EncapsulationKey::prepare_sender
//! [`signature_context`]: PreparedSender::signature_context
//! [`sha512`]: PreparedSender::sha512
//! [`to_be_signed`]: PreparedSender::to_be_signed
//! [`recipient`]: VerifiedHello::recipient
//! [`ciphertext`]: VerifiedHello::ciphertext
//! [`receiver_with`]: VerifiedHello::receiver_with
//!
//! # Without I/O
//!
//! Both ends, in two threads. The program delivers each message as a whole:
//!
//! ```
//! use std::{error::Error, sync::mpsc, thread};
//!
//! use twinseal::{DecapsulationKey, SigningKey};
//!
//! /// What the messages are for. The number of the round makes a recorded session useless in the next one.
//! const CONTEXT: &[u8] = b"example.com/gradients/round-7";
//!
//! fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
//!     // Bob and Alice know each other's public keys.
//!     let (bob, alice) = (DecapsulationKey::generate()?, SigningKey::generate()?);
//!     let (to_bob, from_alice) = (bob.encapsulation_key().clone(), alice.verifying_key().clone());
//!
//!     // What delivers the messages: a queue, for example, or a WebSocket.
//!     let (outbox, inbox) = mpsc::channel();
//!
//!     let sending = thread::spawn(move || -> Result<(), Box<dyn Error + Send + Sync>> {
//!         // The hello has the key exchange and Alice's signature. After it, sealing adds 17 bytes to a message.
//!         let (hello, mut session) = to_bob.signed_by(&alice).sender(CONTEXT)?;
//!         outbox.send(hello)?;
//!         outbox.send(session.seal(b"layer 1")?)?;
//!         outbox.send(session.seal(b"layer 2")?)?;
//!         outbox.send(session.finish(b"layer 3")?)?;
//!         Ok(())
//!     });
//!
//!     let mut messages = inbox.into_iter();
//!     let hello = messages.next().ok_or("there is no hello")?;
//!     let mut session = bob.accepting(&from_alice).receiver(CONTEXT, &hello)?;
//!     for message in messages {
//!         let gradient = session.open(&message)?; // a message that was changed, repeated or left out is an error
//!         println!("{}", String::from_utf8_lossy(&gradient));
//!     }
//!     // A connection can be cut by anyone. Only the last message proves that Alice has sent everything.
//!     if !session.is_finished() {
//!         return Err("the rest is missing".into());
//!     }
//!     sending.join().map_err(|_| "the sender panicked")??;
//!     Ok(())
//! }
//! ```

pub(crate) mod accept;
mod direction;
pub(crate) mod frame;
pub(crate) mod framed;
mod framed_receiver;
mod framed_sender;
mod hello;
pub(crate) mod key_schedule;
pub(crate) mod message;
pub(crate) mod prepared;
mod receiver;
mod reply;
mod sender;
mod session_id;
pub(crate) mod start;
mod verified_hello;

pub(crate) use direction::Direction;
pub use framed_receiver::FramedReceiver;
pub use framed_sender::FramedSender;
pub use hello::Hello;
pub use message::{MessageKind, MessageTag};
pub use prepared::PreparedSender;
pub use receiver::SessionReceiver;
pub use reply::ReplyNonce;
pub use sender::SessionSender;
pub use session_id::SessionId;
pub use verified_hello::VerifiedHello;
