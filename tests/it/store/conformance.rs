//! Is a sealed store like any other one? `object_store`'s own tests of stores say so, each in a store of its own.
//!
//! Not here: `multipart`, `multipart_with_opts`, `multipart_put_part_out_of_order` and `list_paginated` test the traits
//! `MultipartStore` and `PaginatedListStore`, which a sealed store does not have, and `response_extensions` is about
//! HTTP. tests/s3 runs that, and all of these on S3.

use std::sync::Arc;

use object_store::{
    ObjectStore, integration, local::LocalFileSystem, memory::InMemory, path::Path,
};
use tempfile::TempDir;
use twinseal::{
    Recipients,
    store::{Options, SealedStore},
};

use super::fixture::{CONTEXT, People};

/// What is below a sealed store, and whether it is at a prefix there.
struct Below {
    inner: Arc<dyn ObjectStore>,
    prefix: Path,
    _directory: Option<TempDir>,
}

impl Below {
    fn memory() -> Self {
        Self { inner: Arc::new(InMemory::new()), prefix: Path::default(), _directory: None }
    }

    fn at_a_prefix() -> Self {
        Self { prefix: Path::from("some/prefix"), ..Self::memory() }
    }

    fn directory() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let inner = Arc::new(LocalFileSystem::new_with_prefix(directory.path()).unwrap());
        Self { inner, prefix: Path::default(), _directory: Some(directory) }
    }

    /// A new sealed store in it.
    async fn sealed(&self) -> SealedStore {
        let people = People::new();
        let recipients = Recipients::new([people.alice.encapsulation_key()]).unwrap();
        let options = Options::default().prefix(self.prefix.clone());
        let (inner, reader) = (Arc::clone(&self.inner), Arc::clone(&people.alice));
        let (owner, _) =
            options.create(inner, CONTEXT, reader, people.owner, &recipients).await.unwrap();
        owner.store().clone()
    }
}

macro_rules! conforms {
    (@call $name:ident $store:ident ($($argument:expr),*)) => {
        super::integration::$name(&$store $(, $argument)*).await
    };
    ($($name:ident $arguments:tt in $($below:ident),+;)*) => { $(
        mod $name {
            $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $below() {
                    let below = super::Below::$below();
                    let store = below.sealed().await;
                    conforms!(@call $name store $arguments);
                }
            )+
        }
    )* };
}

conforms! {
    put_get_delete_list() in memory, at_a_prefix, directory;
    put_get_attributes() in memory, at_a_prefix, directory;
    get_opts() in memory, at_a_prefix, directory;
    stream_get() in memory, at_a_prefix, directory;
    list_uses_directories_correctly() in memory, at_a_prefix, directory;
    list_with_delimiter() in memory, at_a_prefix, directory;
    list_with_offset_exclusivity() in memory, at_a_prefix, directory;
    rename_and_copy() in memory, at_a_prefix, directory;
    copy_if_not_exists() in memory, at_a_prefix, directory;
    copy_rename_nonexistent_object() in memory, at_a_prefix, directory;
    multipart_out_of_order() in memory, at_a_prefix, directory;
    multipart_race_condition(true) in memory, at_a_prefix, directory;
}

mod put_opts {
    use super::{Below, integration};

    #[tokio::test(flavor = "multi_thread")]
    async fn memory() {
        let below = Below::memory();
        integration::put_opts(&below.sealed().await, true).await;
    }

    /// It has no `PutMode::Update`, with a seal or without.
    #[tokio::test(flavor = "multi_thread")]
    async fn directory() {
        let below = Below::directory();
        integration::put_opts(&below.sealed().await, false).await;
    }
}

#[tokio::test]
async fn what_is_not_there() {
    let store = Below::memory().sealed().await;
    let store: Arc<dyn ObjectStore> = Arc::new(store);
    let error = integration::get_nonexistent_object(&store, None).await.unwrap_err();
    assert!(matches!(error, object_store::Error::NotFound { .. }), "{error}");
}
