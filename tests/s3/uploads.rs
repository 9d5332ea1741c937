//! Are uploads in parts and copies as they should be there?

use std::sync::Arc;

use futures_util::{StreamExt, stream};
use object_store::{Error, MultipartUpload, ObjectStore, ObjectStoreExt, path::Path};
use twinseal::{StoreRefusal, store::Owner};

use crate::{
    fixture::{People, assert_refused},
    moto::Bucket,
};

const MIB: usize = 1 << 20;

async fn made(inner: Arc<dyn ObjectStore>) -> Owner {
    People::new().create(inner).await.unwrap().0
}

/// Uploads these bytes in parts, and completes the upload or not.
async fn upload(store: &dyn ObjectStore, path: &Path, data: &[u8]) -> Box<dyn MultipartUpload> {
    let mut upload = store.put_multipart(path).await.unwrap();
    for part in data.chunks(8 * MIB) {
        upload.put_part(part.to_vec().into()).await.unwrap();
    }
    upload
}

async fn assert_absent(store: &dyn ObjectStore, path: &Path) {
    let error = store.head(path).await.unwrap_err();
    assert!(matches!(error, Error::NotFound { .. }), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_complete_upload_is_there() {
    let Some(bucket) = Bucket::new() else { return };
    let owner = made(bucket.store()).await;
    let (store, path) = (owner.store(), Path::from("model"));
    drop(upload(store, &path, &[1; 9 * MIB]).await);
    assert_absent(store, &path).await;
    upload(store, &path, &[1; 9 * MIB]).await.abort().await.unwrap();
    assert_absent(store, &path).await;

    let mut late = upload(store, &path, &[1; 9 * MIB]).await;
    let _pin = owner.new_epoch().await.unwrap();
    assert_refused(late.complete().await, StoreRefusal::NewEpoch);
    assert_absent(store, &path).await;

    upload(store, &path, &[]).await.complete().await.unwrap();
    assert_eq!(store.head(&path).await.unwrap().size, 0);
    assert_eq!(store.get(&path).await.unwrap().bytes().await.unwrap(), "");
}

/// Through a temporary object, which the bucket copies only if there is nothing yet.
#[tokio::test(flavor = "multi_thread")]
async fn long_objects_are_copied_and_replace_nothing() {
    let Some(bucket) = Bucket::new() else { return };
    let inner = bucket.store();
    let owner = made(inner.clone()).await;
    let store = owner.store();
    let data: Vec<u8> = (0..65 * MIB + 1).map(|index| (index / 1000) as u8).collect();
    let [from, copied, renamed] = ["from", "copied", "renamed"].map(Path::from);
    upload(store, &from, &data).await.complete().await.unwrap();

    store.copy_if_not_exists(&from, &copied).await.unwrap();
    let again = store.copy_if_not_exists(&from, &copied).await.unwrap_err();
    assert!(matches!(again, Error::AlreadyExists { .. }), "{again}");
    store.rename(&from, &renamed).await.unwrap();
    assert_absent(store, &from).await;
    for path in [&copied, &renamed] {
        assert!(store.get(path).await.unwrap().bytes().await.unwrap() == data, "{path}");
    }
    let temporary = inner.list_with_delimiter(Some(&Path::from(".twinseal/tmp"))).await.unwrap();
    assert!(temporary.objects.is_empty(), "{temporary:?}");
}

/// The store below asks for many deletions at once, and forgets those that it collected before an error.
#[tokio::test(flavor = "multi_thread")]
async fn a_path_that_is_refused_keeps_no_other_from_being_deleted() {
    let Some(bucket) = Bucket::new() else { return };
    let owner = made(bucket.store()).await;
    let store = owner.store();
    let [before, after, own] = ["before", "after", ".twinseal/keys/0000000001"].map(Path::from);
    for path in [&before, &after] {
        store.put(path, "x".into()).await.unwrap();
    }
    let asked = [before.clone(), own, after.clone()].map(Ok);
    let results: Vec<_> = store.delete_stream(stream::iter(asked).boxed()).collect().await;
    assert!(matches!(results[..], [Ok(_), Ok(_), Err(Error::NotFound { .. })]), "{results:?}");
    assert_absent(store, &before).await;
    assert_absent(store, &after).await;
    owner.store().put(&before, "still ours".into()).await.unwrap();
}
