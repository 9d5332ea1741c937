//! Any object store, sealed: one key exchange for all of its objects.
//!
//! Checkpoints and datasets are in object stores, and Rust's data software reads them through one trait,
//! [`ObjectStore`](object_store::ObjectStore) of the crate `object_store` 0.14. A [`SealedStore`] wraps any store that
//! has this trait, and has it, too. So whatever takes a store takes a sealed one: it lists, reads ranges, uploads in
//! parts and copies, while the bucket holds only sealed bytes.
//!
//! ```toml
//! twinseal = { version = "0.2", features = ["object_store"] }
//! object_store = { version = "0.14", features = ["aws"] } # or azure, gcp; also re-exported, as `twinseal::object_store`
//! tokio = { version = "1", features = ["macros", "rt-multi-thread"] }
//! ```
//!
//! ```
//! use std::sync::Arc;
//!
//! use object_store::{ObjectStore, ObjectStoreExt, memory::InMemory, path::Path};
//! use twinseal::{DecapsulationKey, Recipients, SigningKey, store::SealedStore};
//!
//! /// What the store is for. Who opens it with another context is refused.
//! const CTX: &[u8] = b"example.com/checkpoints/v1";
//!
//! /// Some code that takes any store, such as a reader of Parquet files.
//! async fn first_layer(store: &dyn ObjectStore) -> object_store::Result<bytes::Bytes> {
//!     store.get_range(&Path::from("run 7/model"), 1_000_000..1_004_096).await
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let bucket: Arc<dyn ObjectStore> = Arc::new(InMemory::new()); // S3, GCS, Azure, a directory
//!
//! // The owner makes the store once. One of its readers' keys is the owner's own.
//! let signer = Arc::new(SigningKey::generate()?); // keep both: `write_pem_file`, or an HSM
//! let admin = Arc::new(DecapsulationKey::generate()?);
//! let readers = Recipients::new([admin.encapsulation_key()])?;
//! let made = SealedStore::create(bucket.clone(), CTX, admin, signer.clone(), &readers);
//! let (owner, _pin) = made.await?; // save the pin outside the bucket
//!
//! // The owner lets a trainer in, by its public key, and gives it the new pin and its own verifying key.
//! let trainer = DecapsulationKey::generate()?;
//! let trainer_id = trainer.encapsulation_key().key_id();
//! let pin = owner.grant(trainer.encapsulation_key()).await?;
//!
//! // The trainer opens the store with its private key, and uses it as any other.
//! let store =
//!     SealedStore::open(bucket.clone(), CTX, trainer, signer.verifying_key(), pin).await?;
//! store.put(&Path::from("run 7/model"), vec![7; 2_000_000].into()).await?;
//! assert_eq!(first_layer(&store).await?, vec![7; 4096]);
//! assert_eq!(store.head(&Path::from("run 7/model")).await?.size, 2_000_000);
//!
//! // When the trainer leaves: take its access to the bucket away, then
//! let _pin = owner.revoke(trainer_id).await?; // it has none of the keys of what is written from now on,
//! let report = owner.reseal().run().await?; // nor of what was written before.
//! assert_eq!(report.resealed, 1);
//! // Two minutes later, `owner.retire(1)` takes the old keys away: 1 is the first of `owner.epochs()`.
//! # Ok(())
//! # }
//! ```
//!
//! # A store, or envelopes
//!
//! | | envelopes | a sealed store |
//! |---|---|---|
//! | who reads | is said for each file | is said once, for all objects, and is changed once |
//! | key exchanges | one for each file that is opened | one when the store is opened |
//! | bytes added | 1784 and more for each file | 85 for each object, and 16 for each 16 KiB |
//! | a file that is passed on | opens wherever it is | opens only at its path in its store |
//! | needs | nothing | a signing key of its owner, and a place for the pin |
//!
//! Choose envelopes for files that travel, and a store for a directory tree that several services share. Neither says
//! who wrote an object: every reader of a store can also write. Sign the plaintext where that matters.
//!
//! # What is where
//!
//! Under its [`prefix`](Options::prefix), a store keeps `.twinseal/keys/0000000001` and so on: one *keys object* for
//! each change, sealed to the readers and signed by the owner. It has the readers' public keys, and the keys of the
//! *epochs*. Each object names the epoch whose key it is sealed under, in 13 bytes before its body. The key of an
//! object depends on the store, the epoch, the context and the path: what is moved elsewhere does not open, and so the
//! store copies and renames by sealing again. Nothing under `.twinseal`, in upper or lower case, is listed, read or written
//! for a caller. SPEC.md has every byte.
//!
//! **Without `.twinseal/keys` the data is lost.** Keep these objects out of every rule that lets objects expire, and back
//! them up: each has 8 KB, and 3.3 KB for each reader after the first. Without the owner's signing key the store can
//! still be read and written, but nobody can change who reads it.
//!
//! | needs in the bucket | list | get | put, delete |
//! |---|---|---|---|
//! | who reads | all | all | |
//! | who writes | `.twinseal/keys/` | `.twinseal/keys/` | all but `.twinseal/keys/` |
//! | the owner | all | all | all |
//!
//! # Who does what
//!
//! | the owner | with |
//! |---|---|
//! | makes a store | [`SealedStore::create`]; with a prefix or other settings [`Options::create`] |
//! | opens it again to change it | [`SealedStore::open`] with a saved pin, then [`owned_by`](SealedStore::owned_by) |
//! | lets somebody read | [`Owner::grant`]: everything, from before and after |
//! | takes that back | [`Owner::revoke`], which begins a new epoch |
//! | changes the key of what comes next | [`Owner::new_epoch`] |
//! | seals old objects under the newest epoch | [`Owner::reseal`] |
//! | refuses what is still under an old one | [`Owner::retire`], or [`Owner::abandon`] |
//!
//! A reader opens the store with a [`Reader`]: a private key, one in an HSM, a [`Keyring`](crate::Keyring), or a ring
//! that is [reloaded](crate::keyring::Shared) while it is used. Readers read and write; only the owner changes keys.
//! Each change is one object that is created or not, so two owners at once, or one that is interrupted, leave nothing
//! to mend: repeat the change.
//!
//! # Pins
//!
//! Whoever controls the bucket can delete the newest keys object, and show the one before, with a reader that was
//! revoked since. A [`Pin`] prevents that: the store's id, its serial, and a hash of the newest keys that were
//! seen, in one line of text. Older keys are then refused, and so are others in their place.
//!
//! | who | begins with | saves [`SealedStore::pin`] |
//! |---|---|---|
//! | the owner | the pin that `create` or the last change returned; nothing is changed without one | before the change is reported as made |
//! | a service | the pin that the owner gave it with the verifying key; without one [`Pin::first_use`], which trusts the bucket once | after opening, and when it has changed: at its end, for example |
//!
//! Save it where nobody who can write to the bucket can: in a database, in the configuration, or in a volume, by
//! [`Pin::write_file`]. While a program runs, it remembers the newest keys by itself. A pin is not secret. What to do
//! if it was lost: [there](Pin#a-pin-that-was-lost).
//!
//! # Looking again
//!
//! A store lists its keys again when the last look is older than 60 s ([`look_every`](Options::look_every)), before the
//! call goes on. If the look fails, so does the call. So a reader that was revoked reads what others write for at most
//! that long. An upload in parts fails to complete if a newer epoch began meanwhile.
//! [`not_before`](Options::not_before) refuses old epochs at once.
//!
//! # What others can do
//!
//! | with | can | cannot |
//! |---|---|---|
//! | only the bucket | see paths, sizes, times, attributes, tags, and the number and key ids of readers; delete; put an object's earlier version back; hide newer keys from who has not seen them | read, change or make an object; move one to another path; show keys from before a pin to whoever has it |
//! | the bucket, and the keys of a former reader | also read and replace what is under epochs from before the revocation, and put new objects under them, until these are retired | the same under newer epochs |
//! | the keys of a reader, and the bucket | also read and replace everything | change who reads |
//!
//! `reseal` vouches for what it finds, so it leaves alone what was written after the newest epoch began. SECURITY.md
//! has more.
//!
//! # Reading
//!
//! A whole object is one request, and its chunks leave as they open: bytes that came before an error are authentic, but
//! they are not the whole object. The first range of an object takes at most three requests, each later one takes one,
//! and its length is authentic when it is returned. Sizes in listings and of `head` follow from the sealed sizes without
//! a request more; they are authentic once the object is read. A read never mixes two versions of an object. An object
//! whose length no sealed one can have is an error in listings; [`ignore_foreign`](Options::ignore_foreign) leaves it
//! out.
//!
//! [`Error::inside`](crate::Error::inside) finds the errors of this crate in those of `object_store`, and in those of
//! what reads a store. Their text names the object.
//!
//! ```
//! # use std::sync::Arc;
//! # use object_store::memory::InMemory;
//! # use twinseal::{DecapsulationKey, SigningKey, store::{Pin, SealedStore}};
//! use twinseal::{Error, StoreRefusal};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Error> {
//! # let (bucket, key) = (Arc::new(InMemory::new()), DecapsulationKey::generate()?);
//! # let signer = SigningKey::generate()?;
//! # let (ctx, owner) = (b"example.com/checkpoints/v1", signer.verifying_key());
//! let refused = SealedStore::open(bucket, ctx, key, owner, Pin::first_use()).await.unwrap_err();
//! assert_eq!(Error::inside(&refused), Some(&Error::Store(StoreRefusal::NoKeys)));
//! # Ok(())
//! # }
//! ```
//!
//! # Limits
//!
//! - 1000 readers, 65,535 changes of keys, 12 MiB for a keys object, 4 PiB for an object.
//! - The inner store must be able to create an object only if there is none; `create` tries it.
//! - `reseal` replaces exactly the version that it read, for which the inner store needs
//!   [`PutMode::Update`](object_store::PutMode::Update). A local directory has none: there, nobody else may write
//!   meanwhile ([`nobody_else_writes`](Reseal::nobody_else_writes)). Of an object above 64 MiB the version is compared
//!   just before it is replaced, so a write in that moment is lost.
//! - Copies, renames and `reseal` read and seal again. They keep attributes and lose tags, which the trait cannot read.
//! - A copy of more than 64 MiB that must not replace anything goes through `.twinseal/tmp`. From there the inner store
//!   copies it, within its limits: on S3 up to 5 GiB, without attributes, and only with `S3CopyIfNotExists` set. What an
//!   interrupted copy leaves there is deleted by a later `reseal`, after a day.
//! - Attributes, tags, dates, `ETag`s and versions are the inner store's: neither secret nor authenticated.
//! - Earlier versions of an object cannot be told from the newest one.
//! - An upload that was interrupted never reads as whole, but its parts may stay in the bucket until a lifecycle rule
//!   takes them.

mod copy;
mod delete;
mod failure;
mod get;
mod id;
mod implementation;
mod keys;
mod list;
mod multipart;
mod object;
mod offload;
mod owner;
mod paths;
mod pieces;
mod pin;
mod put;
mod read;
mod reader;
mod sealed_store;
mod sealing;
mod state;

pub use id::StoreId;
pub use owner::{Fate, Owner, Reseal, Resealed, Retirement};
pub use pin::Pin;
pub use reader::Reader;
pub use sealed_store::{Options, SealedStore};
