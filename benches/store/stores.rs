//! Stores to measure: a bare one in memory or in a directory, and the same one sealed.

use std::sync::Arc;

use object_store::{ObjectStore, local::LocalFileSystem, memory::InMemory};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};
use twinseal::{
    DecapsulationKey, Recipients, SigningKey,
    provider::{PORTABLE, Provider},
    store::{Options, SealedStore},
};

use super::providers::PROVIDERS;

pub(crate) const CONTEXT: &[u8] = b"example.com/bench";

/// What the sealed store uses.
pub(crate) fn provider() -> &'static Provider {
    PROVIDERS.into_iter().find(|provider| provider.name == "aws-lc").unwrap_or(&PORTABLE)
}

/// A store without and with sealing. What is sealed is in the bare one, too.
pub(crate) struct Stores {
    pub(crate) runtime: Runtime,
    pub(crate) bare: Arc<dyn ObjectStore>,
    pub(crate) sealed: SealedStore,
    /// Holds the files.
    _directory: Option<TempDir>,
}

impl Stores {
    pub(crate) fn in_memory() -> Self {
        Self::new(Arc::new(InMemory::new()), None)
    }

    pub(crate) fn in_files() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let files = LocalFileSystem::new_with_prefix(directory.path()).unwrap();
        Self::new(Arc::new(files), Some(directory))
    }

    fn new(bare: Arc<dyn ObjectStore>, _directory: Option<TempDir>) -> Self {
        let runtime = Builder::new_multi_thread().build().unwrap();
        let (reader, owner) =
            (DecapsulationKey::generate().unwrap(), SigningKey::generate().unwrap());
        let recipients = Recipients::new([reader.encapsulation_key()]).unwrap();
        let (inner, owner) = (Arc::clone(&bare), Arc::new(owner));
        let created = Options::default().create(inner, CONTEXT, reader, owner, &recipients);
        let sealed = runtime.block_on(created).unwrap().0.store().clone();
        Self { runtime, bare, sealed, _directory }
    }
}
