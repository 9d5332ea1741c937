//! An object as bytes: which epoch it is under, and the key of its chunks.

use std::{collections::BTreeMap, sync::Arc};

use zeroize::Zeroizing;

use super::{id::StoreId, keys::Keys};
use crate::{
    constants, context,
    error::Error,
    kdf,
    provider::Provider,
    random,
    stream::{self, ChunkKey, PREFIX},
};

/// Magic, version, epoch.
pub(super) const HEADER: usize = 8 + 1 + 4;

/// Where the chunks begin.
pub(super) const START: usize = HEADER + PREFIX;

/// The length of a sealed object; `None` beyond 4 PiB.
pub(super) fn sealed_len(plaintext: u64) -> Option<u64> {
    stream::sealed_len(plaintext)?.checked_add(HEADER as u64)
}

/// The length of the plaintext; `None` if no object has this length.
pub(super) fn plaintext_len(sealed: u64) -> Option<u64> {
    stream::plaintext_len(sealed.checked_sub(HEADER as u64)?)
}

/// The epoch that an object's first bytes name; `None` if they are not an object's.
pub(super) fn epoch(start: &[u8; START]) -> Option<u32> {
    epoch_of_header(start.first_chunk()?)
}

pub(super) fn epoch_of_header(header: &[u8; HEADER]) -> Option<u32> {
    let rest = header.strip_prefix(constants::OBJECT_MAGIC)?;
    let (version, rest) = rest.split_first()?;
    let epoch = u32::from_be_bytes(*rest.first_chunk()?);
    (*version == constants::OBJECT_VERSION).then_some(epoch)
}

/// The keys of all objects, by epoch.
pub(super) struct ObjectKeys {
    keys: BTreeMap<u32, Arc<EpochKey>>,
}

/// The key of all objects of one epoch.
pub(super) struct EpochKey {
    epoch: u32,
    key: Zeroizing<[u8; 32]>,
    provider: &'static Provider,
}

impl ObjectKeys {
    pub(super) fn of(keys: &Keys, provider: &'static Provider) -> Self {
        let epochs = keys.epochs.iter().map(|(&epoch, store_key)| {
            let key = derive(&keys.store_id, epoch, store_key);
            (epoch, Arc::new(EpochKey { epoch, key, provider }))
        });
        Self { keys: epochs.collect() }
    }

    pub(super) fn get(&self, epoch: u32) -> Option<&Arc<EpochKey>> {
        self.keys.get(&epoch)
    }

    /// Of what is written now. There is always one.
    pub(super) fn newest(&self) -> Option<&Arc<EpochKey>> {
        self.keys.last_key_value().map(|(_, key)| key)
    }
}

fn derive(store_id: &StoreId, epoch: u32, store_key: &[u8; 32]) -> Zeroizing<[u8; 32]> {
    const {
        assert!(kdf::separated(32, constants::OBJECT_INFO.len() + StoreId::LEN + 4));
    };
    let mut key = Zeroizing::new([0; 32]);
    let info: [&[u8]; 3] = [constants::OBJECT_INFO, store_id.as_bytes(), &epoch.to_be_bytes()];
    kdf::hkdf_sha384(store_key, &info, &mut *key);
    key
}

impl EpochKey {
    pub(super) fn epoch(&self) -> u32 {
        self.epoch
    }

    /// The key of a new object at a path, and the bytes before its chunks.
    pub(super) fn seal(
        &self,
        context: &[u8],
        path: &str,
    ) -> Result<(ChunkKey, [u8; START]), Error> {
        let (key, prefix) =
            ChunkKey::seal(self.provider, &self.key, &*random::array()?, &bound(context, path)?)?;
        let mut start = [0; START];
        let (magic, rest) = start.split_at_mut(constants::OBJECT_MAGIC.len());
        let (version, rest) = rest.split_at_mut(1);
        let (epoch, rest) = rest.split_at_mut(4);
        magic.copy_from_slice(constants::OBJECT_MAGIC);
        version.copy_from_slice(&[constants::OBJECT_VERSION]);
        epoch.copy_from_slice(&self.epoch.to_be_bytes());
        rest.copy_from_slice(&prefix);
        Ok((key, start))
    }

    /// The key of the object at a path that begins with `start`.
    ///
    /// # Errors
    ///
    /// [`Error::Open`] if it is not sealed for this path, store, epoch and context.
    pub(super) fn open(
        &self,
        context: &[u8],
        path: &str,
        start: &[u8; START],
    ) -> Result<ChunkKey, Error> {
        let prefix = start.last_chunk().expect("it ends with the prefix");
        ChunkKey::open(self.provider, &self.key, prefix, &bound(context, path)?)
    }
}

/// What the chunks are bound to: the store's context, and where the object is.
fn bound(context: &[u8], path: &str) -> Result<Vec<u8>, Error> {
    let length = context::length(context)?;
    Ok([&[length], context, path.as_bytes()].concat())
}
