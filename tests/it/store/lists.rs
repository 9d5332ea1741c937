//! Do listings show what was put, with its plaintext's size, and nothing else? And what can be deleted?

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use object_store::{
    Error, ListResult, ObjectMeta, ObjectStore, ObjectStoreExt, Result, memory::InMemory,
    path::Path,
};
use twinseal::store::{Options, Pin, SealedStore};

use super::fixture::{CONTEXT, People};

const PATHS: [&str; 9] =
    ["a", "a/b", "a/b/c", "a/bc", "b/1", "b/2", "b b/x", "c/.twinsealer/x", ".twinsealed/x"];

/// A sealed store under a prefix, beside objects that are not its own; and the same objects in a store that is not
/// sealed.
async fn stores(prefix: &str, options: Options) -> (Arc<InMemory>, SealedStore, InMemory) {
    let (people, inner, model) = (People::new(), Arc::new(InMemory::new()), InMemory::new());
    let prefix = Path::parse(prefix).unwrap();
    let recipients = twinseal::Recipients::new([people.alice.encapsulation_key()]).unwrap();
    let (alice, owner) = (Arc::clone(&people.alice), Arc::clone(&people.owner));
    let create = Options::default().prefix(prefix.clone());
    let _made =
        create.create(Arc::clone(&inner) as _, CONTEXT, alice, owner, &recipients).await.unwrap();
    let options = options.prefix(prefix).look_every(Duration::from_secs(3600));
    let (alice, owner) = (Arc::clone(&people.alice), people.owner.verifying_key());
    let store =
        options.open(Arc::clone(&inner) as _, CONTEXT, alice, owner, Pin::first_use()).await;
    let store = store.unwrap();
    for (index, path) in PATHS.iter().enumerate() {
        let bytes = Bytes::from(vec![7; index * 10_000]);
        store.put(&self::path(path), bytes.clone().into()).await.unwrap();
        model.put(&self::path(path), bytes.into()).await.unwrap();
    }
    (inner, store, model)
}

fn path(path: &str) -> Path {
    Path::parse(path).unwrap()
}

fn seen(mut metas: Vec<ObjectMeta>) -> Vec<(Path, u64)> {
    metas.sort_by(|one, other| one.location.cmp(&other.location));
    metas.into_iter().map(|meta| (meta.location, meta.size)).collect()
}

async fn listed(store: &impl ObjectStore, prefix: Option<&Path>) -> Vec<(Path, u64)> {
    seen(store.list(prefix).try_collect().await.unwrap())
}

#[tokio::test]
async fn listings_are_those_of_a_store_in_memory() {
    for under in ["", "p", "p/q"] {
        let (inner, store, model) = stores(under, Options::default()).await;
        // Its neighbours are not its own.
        for neighbour in ["pq/x", "o/x"].iter().filter(|_| !under.is_empty()) {
            inner.put(&path(neighbour), Bytes::from_static(b"plain").into()).await.unwrap();
        }
        let prefixes = ["", "a", "a/b", "b", "b b", "c", "none", ".twinseal", ".TwinSeal"];
        for prefix in prefixes.map(path).iter().map(Some).chain([None]) {
            assert_eq!(listed(&store, prefix).await, listed(&model, prefix).await, "{prefix:?}");
            for offset in PATHS.map(path) {
                let after = async |store: &dyn ObjectStore| -> Vec<(Path, u64)> {
                    seen(store.list_with_offset(prefix, &offset).try_collect().await.unwrap())
                };
                assert_eq!(after(&store).await, after(&model).await, "{prefix:?}, {offset}");
            }
            let levels = async |store: &dyn ObjectStore| {
                let found = store.list_with_delimiter(prefix).await.unwrap();
                let ListResult { mut common_prefixes, objects, .. } = found;
                common_prefixes.sort();
                (common_prefixes, seen(objects))
            };
            assert_eq!(levels(&store).await, levels(&model).await, "{prefix:?}");
        }
    }
}

/// Objects that no length of plaintext explains: each is an error in its place, or is left out and counted.
#[tokio::test]
async fn what_is_not_sealed_is_an_error_or_is_left_out() {
    for ignores in [false, true] {
        let options = Options::default();
        let options = if ignores { options.ignore_foreign() } else { options };
        let (inner, store, model) = stores("p", options).await;
        for (name, len) in [("a/x", 0), ("z", 84), ("a/y", 69 + 16400)] {
            let bytes = Bytes::from(vec![0; len]);
            inner.put(&path(&format!("p/{name}")), bytes.into()).await.unwrap();
        }
        let items: Vec<Result<ObjectMeta>> = store.list(None).collect().await;
        let (found, errors): (Vec<_>, Vec<_>) = items.into_iter().partition(Result::is_ok);
        let found = seen(found.into_iter().map(Result::unwrap).collect());
        assert_eq!(found, listed(&model, None).await, "the others are all there");
        let mut errors: Vec<_> =
            errors.into_iter().map(|item| item.unwrap_err().to_string()).collect();
        errors.sort();
        let level = store.list_with_delimiter(Some(&path("a"))).await;
        if ignores {
            assert!(errors.is_empty());
            assert_eq!(level.unwrap().objects.len(), 2);
            assert_eq!(store.foreign(), 3 + 2);
        } else {
            let [x, y, z] = &errors[..] else { panic!("{errors:?}") };
            for (error, name) in [(x, "a/x"), (y, "a/y"), (z, "z")] {
                assert!(
                    error.contains(&format!("{name}: invalid sealed object: it is not sealed")),
                    "{error}"
                );
            }
            assert!(level.is_err());
            assert_eq!(store.foreign(), 0);
        }
    }
}

#[tokio::test]
async fn deleting_removes_an_object_of_this_store_only() {
    let (inner, store, model) = stores("p", Options::default()).await;
    inner.put(&path("a"), Bytes::from_static(b"a neighbour").into()).await.unwrap();
    let gone = ["a/b", "b b/x", "none"].map(path);
    let deleted: Vec<Path> = store
        .delete_stream(stream::iter(gone.clone().map(Ok)).boxed())
        .try_collect()
        .await
        .unwrap();
    assert_eq!(deleted, gone);
    let _: Vec<Path> =
        model.delete_stream(stream::iter(gone.map(Ok)).boxed()).try_collect().await.unwrap();
    assert_eq!(listed(&store, None).await, listed(&model, None).await);
    store.delete(&path("a")).await.unwrap();
    assert!(inner.head(&path("a")).await.is_ok());
    assert!(matches!(store.get(&path("a")).await, Err(Error::NotFound { .. })));
}

/// Between the others, it would keep S3 from deleting those before it.
#[tokio::test]
async fn a_path_that_is_refused_comes_after_all_that_are_deleted() {
    let (_, store, _) = stores("p", Options::default()).await;
    let asked = ["a/b", ".twinseal/keys/0000000001", "b b/x", ".twinseal"].map(|at| Ok(path(at)));
    let results: Vec<_> = store.delete_stream(stream::iter(asked).boxed()).collect().await;
    let [Ok(first), Ok(second), rest @ ..] = &results[..] else { panic!("{results:?}") };
    assert_eq!([first, second], [&path("a/b"), &path("b b/x")]);
    let refused = rest.iter().map(|error| match error {
        Err(Error::NotFound { path, .. }) => path.as_str(),
        other => panic!("{other:?}"),
    });
    assert!(refused.eq([".twinseal/keys/0000000001", ".twinseal"]));
}

#[tokio::test]
async fn the_store_s_own_objects_cannot_be_reached() {
    for under in ["", "p"] {
        let (inner, store, _) = stores(under, Options::default()).await;
        let everything = async || seen(inner.list(None).try_collect().await.unwrap());
        let before = everything().await;
        assert!(before.iter().any(|(path, _)| path.as_ref().contains(".twinseal/keys/0000000001")));
        for own in [".twinseal/keys/0000000001", ".TWINSEAL/keys/0000000001", ".twinseal"] {
            let own = &path(own);
            let not_found = |error: Option<Error>| matches!(error, Some(Error::NotFound { .. }));
            assert!(not_found(store.get(own).await.err()));
            assert!(not_found(store.head(own).await.err()));
            assert!(not_found(store.get_range(own, 0..1).await.err()));
            assert!(not_found(store.get_ranges(own, &[0..1, 1..2]).await.err()));
            assert!(not_found(store.delete(own).await.err()));
            assert!(not_found(store.copy(own, &path("x")).await.err()));
            assert!(not_found(store.rename(own, &path("x")).await.err()));
            let denied =
                |error: Option<Error>| matches!(error, Some(Error::PermissionDenied { .. }));
            assert!(denied(store.put(own, Bytes::new().into()).await.err()));
            assert!(denied(store.put_multipart(own).await.err()));
            assert!(denied(store.copy(&path("a"), own).await.err()));
            assert!(denied(store.rename(&path("a"), own).await.err()));
        }
        assert_eq!(everything().await, before);
    }
}
