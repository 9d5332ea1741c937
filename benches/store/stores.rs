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

use super::{case::Case, mode, providers::PROVIDERS};

pub(crate) const CONTEXT: &[u8] = b"example.com/bench";

/// What the sealed store uses.
pub(crate) fn provider() -> &'static Provider {
    PROVIDERS.into_iter().find(|provider| provider.name == "aws-lc").unwrap_or(&PORTABLE)
}

pub(crate) const GIB: usize = 1 << 30;

/// How many small objects one call reads or writes.
pub(crate) const SMALL: usize = 1000;

/// A length, or less if nothing is measured.
pub(crate) fn length(measured: usize) -> usize {
    if mode::testing() { 1 << 20 } else { measured }
}

pub(crate) fn case<F: FnMut() + 'static>(
    group: &str,
    name: &str,
    bytes: usize,
    prepare: impl Fn() -> F + 'static,
) -> Case {
    let mut case = Case::new(group, name, provider().name, prepare);
    case.bytes = Some(bytes as u64);
    case
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
