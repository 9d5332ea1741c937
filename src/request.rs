//! One question to one recipient, and its answer.
//!
//! A service that calls another wants one thing: this data, for that key only, from me, now; and the
//! answer to it, for me only. A request is that, in one call on each side:
//!
//! ```
//! use twinseal::{DecapsulationKey, SigningKey, request::WindowGuard};
//!
//! const CTX: &[u8] = b"example.com/predict/v1";
//! # let (bob, alice) = (DecapsulationKey::generate()?, SigningKey::generate()?);
//! # let (to_bob, from_alice) = (bob.encapsulation_key(), alice.verifying_key());
//!
//! // Alice asks.
//! let (request, pending) = to_bob.signed_by(&alice).request(CTX, b"a picture")?;
//!
//! // Bob knows who asks, and that it is meant for him. His guard lets each request in once.
//! let guard = WindowGuard::for_new_keys(); // a service that reads its keys uses `new`
//! let (picture, asked) = bob.accepting(from_alice).accept(CTX, &request, &guard)?;
//! let answer = asked.answer(b"a cat")?;
//!
//! // Alice knows that the answer is to this request, from Bob, and complete.
//! assert_eq!(&pending.open(&answer)?[..], b"a cat");
//! # Ok::<(), twinseal::Error>(())
//! ```
//!
//! A request costs a signature and a key exchange. An answer costs no public-key operation, and
//! proves more than a signature by the service would: it is for this very request.
//!
//! | to | use | and for the other side |
//! |---|---|---|
//! | ask in memory | [`request`](crate::SignedBy::request) | [`accept`](crate::Accepting::accept) |
//! | ask with a stream | [`request_writer`](crate::SignedBy::request_writer) | [`accept_reader`](crate::Accepting::accept_reader) |
//! | look at the head before the body is there | | [`accept_head`](crate::Accepting::accept_head), then [`VerifiedHead`] |
//! | refuse what comes a second time | | [`WindowGuard`] |
//! | answer in memory | [`Asked::answer`] | [`Pending::open`] |
//! | answer with a stream | [`Asked::answer_writer`] | [`Pending::open_reader`] |
//! | answer in pieces, each as soon as it is there | [`Asked::piece_writer`] | [`Pending::piece_reader`] |
//! | send the signature in a header of HTTP | [`detach`] | [`attach`] |
//! | do all of it without I/O | [`request_sealer`](crate::SignedBy::request_sealer), [`Asked::answer_sealer`], [`Asked::piece_sealer`] | [`VerifiedHead::unlock`], [`Pending::answer_opener`], [`Pending::piece_opener`] |
//!
//! A request without a signature comes from anybody: [`EncapsulationKey::request`] and
//! [`DecapsulationKey::accept`].
//!
//! # What a signed request means
//!
//! The named signer asked *this recipient*, in this context, at about this time. The body is from
//! somebody who knows this request's secret: the signer, or **whoever has the recipient's key**. A
//! thief of that key can put another body behind a head that he saw, until the request was let in or
//! is too old. A request proves nothing to third parties. Who must prove later what was asked signs the
//! plaintext, too.
//!
//! | bytes on the wire | length |
//! |---|---|
//! | a request's head | 1636 with X25519-ML-KEM-1024, 1701 with MLKEM1024-P384 |
//! | a signed request's head | at most 6387, 6452; see [`RequestHead::MAX_LEN`] |
//! | a request's body | 56 bytes more than its plaintext, and 16 for each chunk of 16 KiB, the last of which is always shorter |
//! | a whole answer | the same, and 10 more |
//! | an answer in pieces | 42 bytes, and 21 more than its plaintext for each piece |
//!
//! # Over a connection
//!
//! Like an envelope, a request says nowhere how long it is: it ends where its reader does, and so does an
//! answer of either form. HTTP delimits both. Over TCP each side shuts down its half of the connection
//! when it has sent everything, or sends the length first ([`RequestSealer::sealed_len`],
//! [`Asked::answer_len`]), and the other side reads no further (`take`).
//!
//! - Both sides know beforehand whether the answer is whole or in pieces: neither opens as the other.
//! - An answer in pieces may end with an empty piece.
//! - A refusal has no form of its own, so how it is sent is up to the application. Anyone on the way can
//!   make one.
//! - A service may refuse a request before it has read all of it. A client whose write fails should still
//!   read: the reason may be there.
//!
//! # When a key is awaited
//!
//! A key may be in a KMS whose client is asynchronous, and a guard behind another machine. Then both ends have steps,
//! and the awaits are in between. Nothing blocks, and no I/O happens here:
//!
//! | | before | for the key | after |
//! |---|---|---|---|
//! | ask | [`prepare_request`](crate::EncapsulationKey::prepare_request) | [`signature_context`], [`sha512`]; for halves [`to_be_signed`] | [`finish`](PreparedRequest::finish), [`seal`](RequestSealer::seal) |
//! | accept | [`accept_head`](crate::Accepting::accept_head), the guard's [`look`](ReplayGuard::look) | [`recipient`], [`ciphertext`] | [`unlock_with`], [`open`](UnlockedRequest::open), the guard's [`admit`](ReplayGuard::admit), and [`admitted`](Unadmitted::admitted) with what it returned |
//!
//! The signature is verified before the request is given out. A head's signature is verified before the KMS is
//! asked, and with `look` a replay costs no call, either. What is held meanwhile is used once, and wiped if it is
//! dropped. A request carries the time at which it was prepared, so the signature has to be there within its
//! recipient's [`Window`].
//!
//! ```
//! use twinseal::{Error, Unlock, kem::AwaitedKey};
//! use twinseal::request::{ReplayGuard, RequestHead, WindowGuard};
//!
//! # use twinseal::{DecapsulationKey, KeyId, Sign, Signature, SigningKey, kem::{Ciphertext, SharedSecret}};
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Error> {
//! # let (in_bobs_kms, in_alices_kms) = (DecapsulationKey::generate()?, SigningKey::generate()?);
//! # let (to_bob, from_alice) = (in_bobs_kms.encapsulation_key().clone(), in_alices_kms.verifying_key());
//! # let sign = async |context: &[u8], sha512: &[u8; 64]| -> Result<Signature, Error> { Sign::sign_prehashed(&in_alices_kms, context, sha512) };
//! # let decapsulate = async |_: KeyId, ct: &Ciphertext| -> Result<SharedSecret, Error> { in_bobs_kms.decapsulate(ct) };
//! const CTX: &[u8] = b"example.com/predict/v1";
//!
//! // Alice
//! let prepared = to_bob.prepare_request(from_alice, CTX)?;
//! let signature = sign(prepared.signature_context(), prepared.sha512()).await?;
//! let (request, pending) = prepared.finish(signature)?.seal(b"a picture")?;
//!
//! // Bob, who has only his public key here
//! let bob = AwaitedKey::new(to_bob);
//! let guard = WindowGuard::for_new_keys(); // at later starts: `new`
//! let head = RequestHead::parse(&request)?;
//! let body = &request[head.len()..];
//! let verified = bob.accepting(from_alice).accept_head(CTX, head)?;
//! guard.look(verified.id(), verified.signer(), verified.time())?;
//! let secret = decapsulate(verified.recipient().key_id(), verified.ciphertext()).await?;
//! let opened = verified.unlock_with(&secret)?.open(body)?;
//! let verdict = guard.admit(opened.id(), opened.signer(), opened.time()); // awaited, if it is elsewhere
//! let (picture, asked) = opened.admitted(verdict)?;
//! assert_eq!(&picture[..], b"a picture");
//!
//! // An answer needs neither key.
//! assert_eq!(&pending.open(&asked.answer(b"a cat")?)?[..], b"a cat");
//! # Ok(())
//! # }
//! ```
//!
//! [`signature_context`]: PreparedRequest::signature_context
//! [`sha512`]: PreparedRequest::sha512
//! [`to_be_signed`]: PreparedRequest::to_be_signed
//! [`recipient`]: VerifiedHead::recipient
//! [`ciphertext`]: VerifiedHead::ciphertext
//! [`unlock_with`]: VerifiedHead::unlock_with
//!
//! # Both ends
//!
//! ```
//! use std::error::Error;
//!
//! use twinseal::{DecapsulationKey, SigningKey, VerifyingKeyring, request::WindowGuard};
//!
//! /// What the data is for. A request that was made for one purpose is refused for another.
//! const CONTEXT: &[u8] = b"example.com/predict/v1";
//!
//! fn main() -> Result<(), Box<dyn Error>> {
//!     // The service has a key, knows its clients by name, and remembers for a minute which requests it let in.
//!     let service = DecapsulationKey::generate()?;
//!     let alice = SigningKey::generate()?;
//!     let mut clients = VerifyingKeyring::new([])?;
//!     clients.add_named("alice", alice.verifying_key())?;
//!     let guard = WindowGuard::for_new_keys(); // at later starts: `new`
//!
//!     // Alice asks: one signature and one key exchange.
//!     let to_service = service.encapsulation_key().signed_by(&alice);
//!     let (request, pending) = to_service.request(CONTEXT, b"a picture")?;
//!
//!     // The service verifies, opens and answers. The answer needs no public-key operation.
//!     let (picture, asked) = service.accepting_any(&clients).accept(CONTEXT, &request, &guard)?;
//!     let client = asked.signer().and_then(|signer| clients.name_of(signer)).unwrap_or("nobody");
//!     println!("{client} asks about {} bytes.", picture.len());
//!     let answer = asked.answer(b"a cat")?;
//!     println!("The answer: {}.", String::from_utf8_lossy(&pending.open(&answer)?));
//!
//!     // A recording of the request is refused.
//!     let again = service.accepting_any(&clients).accept(CONTEXT, &request, &guard);
//!     println!("The same request again: {}.", again.map(drop).unwrap_err());
//!
//!     // An answer may come in pieces, each as soon as it is there.
//!     let (request, pending) = to_service.request(CONTEXT, b"a poem, please")?;
//!     let (_, asked) = service.accepting_any(&clients).accept(CONTEXT, &request, &guard)?;
//!     let mut answer = asked.piece_writer(Vec::new())?; // in practice: the connection
//!     for word in ["Roses ", "are ", "red."] {
//!         answer.piece(word.as_bytes())?;
//!     }
//!     let sent = answer.finish()?;
//!     for piece in pending.piece_reader(&sent[..]) {
//!         print!("{}", String::from_utf8_lossy(&piece?)); // as it arrives
//!     }
//!     println!(); // here all of them have come: an answer that was cut off ends in an error
//!     Ok(())
//! }
//! ```

#[cfg(doc)]
use crate::kem::{DecapsulationKey, EncapsulationKey};

pub(crate) mod accept;
mod answer;
mod guard;
mod head;
mod id;
pub(crate) mod make;
mod mark;
mod piece_reader;
mod piece_writer;
mod pieces;
pub(crate) mod prepared;
mod reader;
mod room;
mod secrets;
mod time;
mod verified;
mod window;
mod window_guard;
mod writer;

pub use answer::{Asked, FailedAnswer, Pending};
pub use guard::{AllowReplays, ReplayGuard};
pub use head::{RequestHead, attach, detach};
pub use id::RequestId;
pub use make::RequestSealer;
pub use mark::Mark;
pub use piece_reader::PieceReader;
pub use piece_writer::PieceWriter;
pub use pieces::{PieceOpener, PieceSealer};
pub use prepared::PreparedRequest;
pub use reader::RequestReader;
pub use time::RequestTime;
pub use verified::{RequestOpener, Unadmitted, UnlockedRequest, VerifiedHead};
pub use window::Window;
pub use window_guard::WindowGuard;
pub use writer::RequestWriter;
