//! Is what is written what is read, and does nothing that was interrupted read as whole?

mod copies;
mod interrupted;
mod model;
mod nonces;
mod puts;
mod recorded;
mod uploads;

use bytes::Bytes;
use object_store::{Error, ObjectStore, ObjectStoreExt, Result, path::Path};
use twinseal::envelope::Sealer;

const CHUNK: usize = Sealer::CHUNK_LEN;
const SEALED_CHUNK: usize = CHUNK + Sealer::TAG_LEN;
const MIB: usize = 1 << 20;

/// What precedes the chunks of an object.
const START: usize = 13 + 56;

fn path(text: &str) -> Path {
    Path::parse(text).unwrap()
}

/// Bytes in which no two chunks are alike.
fn plaintext(len: usize, seed: u8) -> Bytes {
    (0..len).map(|index| (index / 251) as u8 ^ (index % 251) as u8 ^ seed).collect()
}

async fn read(store: &dyn ObjectStore, path: &Path) -> Result<Bytes> {
    store.get(path).await?.bytes().await
}

#[track_caller]
fn assert_not_found<T: std::fmt::Debug>(result: Result<T>) {
    let error = result.unwrap_err();
    assert!(matches!(error, Error::NotFound { .. }), "{error:?}");
}
