//! Files and streams, in constant memory.
//!
//! A [`SealWriter`] seals all data that is written to it, an [`OpenReader`] opens an envelope while it is read, and
//! [`RandomAccess`] opens any part of one. All of them read and write the format of
//! [`seal`](crate::EncapsulationKey::seal) and [`open`](crate::DecapsulationKey::open):
//!
//! ```
//! use std::{error::Error, io};
//!
//! use twinseal::{DecapsulationKey, EncapsulationKey};
//!
//! /// What the data is for. Data that was sealed for one purpose does not open for another.
//! const CONTEXT: &[u8] = b"example.com/backups/v1";
//!
//! fn main() -> Result<(), Box<dyn Error>> {
//!     // Bob makes a key, keeps it, and publishes its public half as text.
//!     let bob = DecapsulationKey::generate()?;
//!     let published = bob.encapsulation_key().to_pem();
//!
//!     // Anyone can seal a message for him, and only he can open it.
//!     let to_bob = EncapsulationKey::from_pem(&published)?;
//!     let sealed = to_bob.seal(CONTEXT, b"Meet me at the usual place.")?;
//!     assert_eq!(&bob.open(CONTEXT, &sealed)?[..], b"Meet me at the usual place.");
//!
//!     // A stream is sealed in constant memory. Write to a file here: `File::create("backup.sealed")?`.
//!     let backup: Vec<u8> = (0..3_000_000_u32).map(|index| index as u8).collect();
//!     let mut writer = to_bob.seal_writer(CONTEXT, Vec::new())?;
//!     io::copy(&mut &backup[..], &mut writer)?;
//!     let sealed = writer.finish()?; // without it, the envelope does not open
//!
//!     // It is opened in constant memory, too. A reader returns only authentic data.
//!     let mut reader = bob.open_reader(CONTEXT, &sealed[..])?;
//!     let mut opened = Vec::new();
//!     io::copy(&mut reader, &mut opened)?;
//!     assert_eq!(opened, backup);
//!
//!     // Or only a part of it is read and opened.
//!     let mut part = [0; 100];
//!     bob.open_at(CONTEXT, &sealed)?.read_exact_at(&mut part, 2_000_000)?;
//!     assert_eq!(part, backup[2_000_000..2_000_100]);
//!
//!     println!("The backup has {} bytes. Sealed, it has {}.", backup.len(), sealed.len());
//!     Ok(())
//! }
//! ```
//!
//! The body of an envelope is Cobblestone-256 of C2SP chunked-encryption
//! (<https://c2sp.org/chunked-encryption>): AES-256-GCM over chunks of 16 KiB, the last of which is always shorter.

mod batch;
pub(crate) mod body;
mod chunk_key;
pub(crate) mod chunks;
pub(crate) mod opening;
pub(crate) mod outgoing;
#[cfg(feature = "rayon")]
mod parallel;
mod random_access;
mod read_at;
mod reader;
pub(crate) mod sealing;
mod writer;

pub(crate) use chunk_key::{CHUNK, ChunkKey, PREFIX, SEALED_CHUNK, plaintext_len, sealed_len};
pub(crate) use outgoing::Outgoing;
#[cfg(feature = "rayon")]
pub use parallel::{ParallelOpenReader, ParallelSealWriter};
pub use random_access::RandomAccess;
pub use read_at::ReadAt;
pub(crate) use read_at::{read_exact_at, size};
pub use reader::OpenReader;
pub use writer::SealWriter;
