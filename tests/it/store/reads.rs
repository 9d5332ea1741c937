//! Does a read return what was written, or an error?

mod attacks;
mod conditions;
mod faults;
mod model;
mod replaced;
mod requests;

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::TryStreamExt;
use object_store::{GetOptions, GetRange, ObjectStore, ObjectStoreExt, Result, path::Path};
use twinseal::store::{Options, Pin, SealedStore};

use super::{
    fixture::{CONTEXT, People},
    scripted::{Script, Scripted, in_pieces},
};

const CHUNK: usize = 16 * 1024;

/// The longest sealed object that one request returns.
const FIRST: u64 = 32 * 1024;

/// Bytes of which no two chunks are alike.
fn data(len: usize) -> Vec<u8> {
    (0..len).map(|index| (index ^ (index >> 8) ^ (index >> 16)) as u8).collect()
}

fn path(name: &str) -> Path {
    Path::from(name)
}

/// A sealed store in memory. It looks at its keys again when it meets an unknown epoch, and hardly ever otherwise.
async fn sealed() -> (Arc<Scripted>, SealedStore) {
    let (people, inner) = (People::new(), Scripted::new());
    let _made = people.create(Arc::clone(&inner) as _).await.unwrap();
    let store = open(&people, &inner, Options::default().look_every(Duration::from_secs(3600)));
    (Arc::clone(&inner), store.await)
}

async fn open(people: &People, inner: &Arc<Scripted>, options: Options) -> SealedStore {
    let (inner, reader) = (Arc::clone(inner) as _, Arc::clone(&people.alice));
    let owner = people.owner.verifying_key();
    options.open(inner, CONTEXT, reader, owner, Pin::first_use()).await.unwrap()
}

async fn put(store: &SealedStore, name: &str, bytes: &[u8]) {
    store.put(&path(name), Bytes::copy_from_slice(bytes).into()).await.unwrap();
}

fn ranged(range: impl Into<GetRange>) -> GetOptions {
    GetOptions::default().with_range(Some(range.into()))
}

/// All of an answer, piece by piece.
async fn read(store: &impl ObjectStore, name: &str, options: GetOptions) -> Result<Vec<u8>> {
    let found = store.get_opts(&path(name), options).await?;
    let pieces: Vec<Bytes> = found.into_stream().try_collect().await?;
    Ok(pieces.concat())
}
