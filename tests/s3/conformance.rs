//! Is it like any other store? `object_store`'s own tests of stores say so, each in a bucket of its own.
//!
//! Not here: `multipart`, `multipart_with_opts`, `multipart_put_part_out_of_order` and `list_paginated` test the traits
//! `MultipartStore` and `PaginatedListStore`, which a sealed store does not have.

use std::sync::Arc;

use object_store::{
    Error, ObjectStore,
    integration::{self, MarkerHttpConnector},
};
use twinseal::store::SealedStore;

use crate::{fixture::People, moto::Bucket};

async fn sealed(inner: Arc<dyn ObjectStore>) -> SealedStore {
    People::new().create(inner).await.unwrap().0.store().clone()
}

macro_rules! conforms {
    ($($name:ident($($argument:expr),*);)*) => { $(
        #[tokio::test(flavor = "multi_thread")]
        async fn $name() {
            let Some(bucket) = Bucket::new() else { return };
            integration::$name(&sealed(bucket.store()).await $(, $argument)*).await;
        }
    )* };
}

conforms! {
    put_get_delete_list();
    put_get_attributes();
    get_opts();
    put_opts(true);
    stream_get();
    list_uses_directories_correctly();
    list_with_delimiter();
    list_with_offset_exclusivity();
    rename_and_copy();
    copy_if_not_exists();
    copy_rename_nonexistent_object();
    multipart_out_of_order();
    multipart_race_condition(true);
}

#[tokio::test(flavor = "multi_thread")]
async fn response_extensions() {
    let Some(bucket) = Bucket::new() else { return };
    let marked = bucket.builder().with_http_connector(MarkerHttpConnector::default());
    let store = sealed(Arc::new(marked.build().unwrap())).await;
    integration::response_extensions(&store, true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn get_nonexistent_object() {
    let Some(bucket) = Bucket::new() else { return };
    let store: Arc<dyn ObjectStore> = Arc::new(sealed(bucket.store()).await);
    let error = integration::get_nonexistent_object(&store, None).await.unwrap_err();
    assert!(matches!(error, Error::NotFound { .. }), "{error}");
}
