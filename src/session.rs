//! Many messages after one key exchange.
//!
//! Use a session where one program sends many messages to another while both are running: the
//! gradients of a training round, the requests of a connection. An envelope pays for a key exchange
//! each time; a session pays for it once, in its first message, the *hello*. Data that is stored, or
//! read by several recipients, belongs in an envelope.
//!
//! Messages go in one direction, in order, and none may be lost. A [reply](SessionReceiver::reply)
//! carries messages back. The program sends the bytes and marks where each message ends:
//!
//! | bytes on the wire | length |
//! |---|---|
//! | a hello | 1632 with X25519-ML-KEM-1024, 1697 with MLKEM1024-P384 |
//! | a signed hello | at most 6381, 6446; see [`Hello::MAX_LEN`] |
//! | a message | 17 bytes more than its plaintext; see [`MessageTag`] |
//! | before a reply: its nonce | 32 |
//!
//! A signed session proves who sends. Its start can be replayed, with the messages that were sent
//! then: see [`SessionId`].
//!
//! ```
//! use twinseal::{DecapsulationKey, SigningKey, session::Hello};
//!
//! # let bob = DecapsulationKey::generate()?;
//! # let alice = SigningKey::generate()?;
//! let context = b"example.com/gradients/round-7";
//! let (hello, mut tx) = bob.encapsulation_key().signed_by(&alice).sender(context)?;
//! let sealed = tx.finish(b"layer 1")?;
//! assert!(hello.len() <= Hello::MAX_LEN);
//! assert_eq!(sealed.len(), 7 + 17);
//!
//! let mut rx = bob.accepting(alice.verifying_key()).receiver(context, &hello)?;
//! assert_eq!(&rx.open(&sealed)?[..], b"layer 1");
//! assert!(rx.is_finished());
//! # Ok::<(), twinseal::Error>(())
//! ```
//!
//! Both ends, in two threads:
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
//!     // The connection. In practice it is TCP, and each message follows its length.
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
mod hello;
pub(crate) mod key_schedule;
mod message;
mod receiver;
mod reply;
mod sender;
mod session_id;
pub(crate) mod start;

pub use accept::Accepting;
pub use hello::Hello;
pub use message::{MessageKind, MessageTag};
pub use receiver::SessionReceiver;
pub use reply::ReplyNonce;
pub use sender::SessionSender;
pub use session_id::SessionId;
pub use start::SignedBy;
