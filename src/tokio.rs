//! Asynchronous readers and writers, and keys that change, on [tokio]. Feature `tokio`.
//!
//! | to | use |
//! |---|---|
//! | seal a stream | [`SealWriter`], an [`AsyncWrite`](::tokio::io::AsyncWrite) |
//! | open a stream | [`open_reader`], which makes an [`OpenReader`], an [`AsyncRead`](::tokio::io::AsyncRead) |
//! | open a stream with a key that has to be awaited | [`read_header`], then [`open_body`] |
//! | ask | [`request_writer`], then [`answer_reader`] or [`PieceReader`] |
//! | ask with a signature that has to be awaited | [`prepare_request`](crate::EncapsulationKey::prepare_request), then [`request_writer`] |
//! | accept a request | [`read_head`], then [`RequestReader`] |
//! | accept it with a key or a guard that has to be awaited | [`read_head`], then [`RequestReader::begin`] |
//! | answer | [`SealWriter`] of [`Asked::answer_sealer`](crate::request::Asked::answer_sealer) |
//! | answer in pieces | [`PieceWriter`]; for the body of an HTTP response [`SealedPieces`], a [`Stream`](futures_core::Stream) |
//! | send or receive a session over a connection | [`FramedSender`], [`FramedReceiver`] |
//! | the same with keys that have to be awaited | [`prepare_sender`](crate::EncapsulationKey::prepare_sender), [`FramedReceiver::read_hello`] |
//! | reload keys that change | [`watch`](fn@watch) |
//!
//! They read and write the formats of the blocking forms in [`stream`](crate::stream) and
//! [`request`](crate::request), whose example is [here](request_writer). An envelope:
//!
//! ```
//! use std::io;
//!
//! use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
//! use twinseal::{
//!     DecapsulationKey,
//!     tokio::{SealWriter, open_reader},
//! };
//!
//! const CONTEXT: &[u8] = b"example.com/models/v1";
//!
//! #[tokio::main(flavor = "current_thread")]
//! async fn main() -> io::Result<()> {
//!     let bob = DecapsulationKey::generate()?;
//!     let sealer = bob.encapsulation_key().sealer(CONTEXT)?; // the key exchange, in memory
//!     let (client, server) = duplex(64 * 1024); // a connection
//!
//!     let sealing = async {
//!         let mut writer = SealWriter::new(sealer, client);
//!         for _ in 0..1000 {
//!             writer.write_all(b"a part of the model, ").await?;
//!         }
//!         writer.shutdown().await // without it the envelope does not open
//!     };
//!     let opening = async {
//!         let mut model = Vec::new();
//!         open_reader(&bob, CONTEXT, server).await?.read_to_end(&mut model).await?;
//!         Ok::<_, io::Error>(model) // complete, because the reader has reported the end
//!     };
//!     let (sealed, model) = tokio::join!(sealing, opening);
//!     sealed?;
//!     assert_eq!(model?.len(), 21_000);
//!     Ok(())
//! }
//! ```
//!
//! # What blocks
//!
//! Nothing here does. Between two calls of the inner reader or writer is at most a batch of AES-GCM, 128 KiB,
//! which takes some 60 µs, and the adapters take part in tokio's
//! [cooperative scheduling](::tokio::task::coop), so that a stream in memory does not hold its thread.
//!
//! Public-key operations are done before, by functions that are not asynchronous; only [`open_reader`] and
//! [`RequestReader::new`] use a key themselves, for keys in memory. With these all but signing can be done in a task:
//! [`sealer`](crate::EncapsulationKey::sealer) and
//! [`unlock`](crate::DecapsulationKey::unlock) take about 0.2 ms, and the verification in
//! [`accept_head`](crate::Accepting::accept_head) takes about 1 ms. Give to
//! [`spawn_blocking`](::tokio::task::spawn_blocking):
//!
//! - signing ([`request_sealer`](crate::SignedBy::request_sealer)), which takes 1 to several ms, because ML-DSA draws
//!   until a signature fits;
//! - every operation of an external key ([`Decapsulate`](crate::Decapsulate), [`Sign`](crate::Sign)), which may wait
//!   for another machine. A secret that can be awaited is given to [`Header::unlock`](crate::envelope::Header::unlock),
//!   [`VerifiedHead::unlock_with`](crate::request::VerifiedHead::unlock_with) or
//!   [`VerifiedHello::receiver_with`](crate::session::VerifiedHello::receiver_with) instead, and a signature to
//!   [`PreparedRequest::finish`](crate::request::PreparedRequest::finish) or
//!   [`PreparedSender::finish`](crate::session::PreparedSender::finish);
//! - messages in memory of more than a few MiB ([`seal`](crate::EncapsulationKey::seal),
//!   [`open`](crate::DecapsulationKey::open)).
//!
//! # What can be cancelled
//!
//! A future that is dropped before it is ready loses nothing, if it is one of a writer or a reader that still exists:
//! the next call continues. A call that was cancelled has taken nothing of its plaintext; only a message of a
//! [`FramedSender`] is sent nevertheless, by the next call.
//!
//! The functions that read the start of something ([`open_reader`], [`open_body`], [`read_header`], [`read_head`],
//! [`answer_reader`], [`RequestReader::new`], [`RequestReader::begin`], [`FramedReceiver::accept`],
//! [`FramedSender::accept_reply`]) keep what they have read in the future: if they are cancelled, that part of the
//! input is lost. So it is with a `finish` that owns its writer or reader; `try_finish` does not. Dropping a writer does
//! not finish it: an envelope or request of it does not open, and an answer is seen to be cut off.

mod framed_receiver;
mod framed_sender;
mod in_task;
mod open_reader;
mod piece_reader;
mod piece_writer;
mod reading;
mod request;
mod seal_writer;
mod sealed_pieces;
mod watch;

pub use framed_receiver::FramedReceiver;
pub use framed_sender::FramedSender;
pub use open_reader::{OpenReader, open_body, open_reader, read_header};
pub use piece_reader::PieceReader;
pub use piece_writer::PieceWriter;
pub use request::{RequestReader, answer_reader, read_head, request_writer};
pub use seal_writer::SealWriter;
pub use sealed_pieces::SealedPieces;
pub use watch::watch;
