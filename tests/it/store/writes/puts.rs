//! Whole objects: all modes, attributes, and what nobody may write to.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::future;
use object_store::{
    Attribute, Attributes, CopyMode, CopyOptions, Error, ObjectStore, ObjectStoreExt, PutMode,
    PutMultipartOptions, PutOptions, PutPayload, RenameOptions, TagSet, UpdateVersion,
    local::LocalFileSystem, memory::InMemory, path::Path,
};
use twinseal::Recipients;

use super::{CHUNK, MIB, assert_not_found, path, plaintext, read};
use crate::store::fixture::{CONTEXT, People, eager, made};

#[tokio::test(flavor = "multi_thread")]
async fn objects_of_all_lengths_are_read_as_they_were_put() {
    let (_, _, owner, _) = made().await;
    let store = owner.store();
    for len in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, MIB - 1, MIB, MIB + 1, 5 * MIB + 7] {
        let (location, plaintext) = (path(&format!("of/{len}")), plaintext(len, 3));
        for piece in [len.max(1), CHUNK, 100_000] {
            let payload: PutPayload = plaintext.chunks(piece).map(Bytes::copy_from_slice).collect();
            store.put(&location, payload).await.unwrap();
            assert!(read(store, &location).await.unwrap() == plaintext, "{len} in {piece}");
            assert_eq!(store.head(&location).await.unwrap().size, len as u64);
        }
    }
}

#[tokio::test]
async fn create_and_update_are_the_inner_stores() {
    let (_, _, owner, _) = made().await;
    let (store, location) = (owner.store(), path("checkpoint"));
    let put = |text: &'static str, mode: PutMode| {
        store.put_opts(&location, PutPayload::from_static(text.as_bytes()), mode.into())
    };
    let first = put("one", PutMode::Create).await.unwrap();
    let again = put("two", PutMode::Create).await;
    assert!(matches!(again, Err(Error::AlreadyExists { .. })), "{again:?}");
    assert_eq!(read(store, &location).await.unwrap(), "one");

    let version = || UpdateVersion::from(first.clone());
    put("three", PutMode::Update(version())).await.unwrap();
    let again = put("four", PutMode::Update(version())).await;
    assert!(matches!(again, Err(Error::Precondition { .. })), "{again:?}");
    assert_eq!(read(store, &location).await.unwrap(), "three");
    put("five", PutMode::Overwrite).await.unwrap();
    assert_eq!(read(store, &location).await.unwrap(), "five");
}

/// Of any number of writers at once.
#[tokio::test(flavor = "multi_thread")]
async fn one_creates_an_object_and_one_updates_it() {
    let (_, _, owner, _) = made().await;
    let (store, location) = (owner.store(), path("lock"));
    let race = async |mode: PutMode| {
        let puts = (0..16_u8).map(|writer| {
            let payload = PutPayload::from(plaintext(100_000, writer));
            let (store, location, mode) = (store.clone(), location.clone(), mode.clone());
            tokio::spawn(async move { store.put_opts(&location, payload, mode.into()).await })
        });
        let done = future::join_all(puts).await.into_iter().map(|done| done.unwrap());
        let (mut winners, mut losers) = (Vec::new(), 0);
        for (writer, done) in (0_u8..).zip(done) {
            match done {
                Ok(done) => winners.push((writer, done)),
                Err(Error::AlreadyExists { .. } | Error::Precondition { .. }) => losers += 1,
                Err(other) => panic!("{other:?}"),
            }
        }
        assert_eq!((winners.len(), losers), (1, 15));
        let (writer, done) = winners.pop().unwrap();
        assert!(read(store, &location).await.unwrap() == plaintext(100_000, writer));
        done
    };
    let created = race(PutMode::Create).await;
    race(PutMode::Update(created.into())).await;
}

#[tokio::test]
async fn attributes_are_kept_by_puts_uploads_and_copies() {
    let (_, _, owner, _) = made().await;
    let store = owner.store();
    let attributes: Attributes =
        [(Attribute::ContentType, "application/x-safetensors")].into_iter().collect();
    let mut tags = TagSet::default();
    tags.push("kind", "checkpoint"); // a store in memory ignores them
    let (attributes_too, tags_too) = (attributes.clone(), tags.clone());
    let options = PutOptions { attributes: attributes_too, tags: tags_too, ..Default::default() };
    store.put_opts(&path("put"), "data".into(), options).await.unwrap();
    let options =
        PutMultipartOptions { attributes: attributes.clone(), tags, ..Default::default() };
    store.put_multipart_opts(&path("upload"), options).await.unwrap().complete().await.unwrap();
    store.copy(&path("put"), &path("copy")).await.unwrap();
    store.rename(&path("upload"), &path("renamed")).await.unwrap();
    for location in ["put", "copy", "renamed"] {
        let found = store.get(&path(location)).await.unwrap();
        assert_eq!(found.attributes, attributes, "{location}");
    }
}

#[tokio::test]
async fn nothing_is_written_into_the_stores_own_directory() {
    let (_, inner, owner, _) = made().await;
    let store = owner.store();
    store.put(&path("mine"), "data".into()).await.unwrap();
    let denied = |result: object_store::Result<()>| {
        assert!(matches!(result, Err(Error::PermissionDenied { .. })), "{result:?}");
    };
    for own in [".twinseal/keys/0000000001", ".twinseal/tmp/x", ".TwinSeal/x", ".twinseal"] {
        let own = path(own);
        denied(store.put(&own, "data".into()).await.map(drop));
        denied(store.put_opts(&own, "data".into(), PutMode::Create.into()).await.map(drop));
        denied(store.put_multipart(&own).await.map(drop));
        for mode in [CopyMode::Overwrite, CopyMode::Create] {
            let options = CopyOptions { mode, ..Default::default() };
            denied(store.copy_opts(&path("mine"), &own, options.clone()).await);
            assert_not_found(store.copy_opts(&own, &path("x"), options).await);
        }
        denied(store.rename_opts(&path("mine"), &own, RenameOptions::default()).await);
        assert_not_found(store.rename_opts(&own, &path("x"), RenameOptions::default()).await);
        assert_not_found(store.delete(&own).await);
    }
    assert_eq!(read(store, &path("mine")).await.unwrap(), "data");
    inner.head(&path(".twinseal/keys/0000000001")).await.unwrap();
}

/// With a prefix, it would be the object at the prefix itself.
#[tokio::test]
async fn nothing_is_at_the_empty_path() {
    let (people, inner) = (People::new(), Arc::new(InMemory::new()));
    let recipients = Recipients::new([people.alice.encapsulation_key()]).unwrap();
    let (reader, signer) = (Arc::clone(&people.alice), Arc::clone(&people.owner));
    let options = eager().prefix(path("a/b"));
    let created =
        options.create(Arc::clone(&inner) as _, CONTEXT, reader, signer, &recipients).await;
    let (owner, _) = created.unwrap();
    let (store, empty) = (owner.store(), Path::default());
    store.put(&path("mine"), "data".into()).await.unwrap();
    inner.put(&path("a/b"), "another's".into()).await.unwrap();
    let refused = |result: object_store::Result<()>| {
        assert!(matches!(result, Err(Error::InvalidPath { .. })), "{result:?}");
    };
    refused(store.put(&empty, "data".into()).await.map(drop));
    refused(store.put_multipart(&empty).await.map(drop));
    refused(store.copy(&path("mine"), &empty).await);
    refused(store.rename(&path("mine"), &empty).await);
    assert_not_found(store.get(&empty).await);
    assert_not_found(store.head(&empty).await);
    assert_not_found(store.get_range(&empty, 0..1).await);
    assert_not_found(store.copy(&empty, &path("x")).await);
    assert_not_found(store.delete(&empty).await);
    assert_eq!(read(store, &path("mine")).await.unwrap(), "data");
    let others = inner.get(&path("a/b")).await.unwrap().bytes().await.unwrap();
    assert_eq!(others, "another's");
}

#[tokio::test]
async fn a_local_directory_takes_puts_uploads_and_copies() {
    let directory = tempfile::tempdir().unwrap();
    let inner = Arc::new(LocalFileSystem::new_with_prefix(directory.path()).unwrap());
    let (owner, _) = People::new().create(inner).await.unwrap();
    let store = owner.store();
    let (first, data) = (path("a/b/first"), plaintext(3 * MIB + 1, 1));
    store.put_opts(&first, data.clone().into(), PutMode::Create.into()).await.unwrap();
    let mut upload = store.put_multipart(&path("second")).await.unwrap();
    let parts: Vec<_> =
        data.chunks(MIB).map(|part| upload.put_part(Bytes::copy_from_slice(part).into())).collect();
    future::try_join_all(parts).await.unwrap();
    upload.complete().await.unwrap();
    store.copy_if_not_exists(&first, &path("third")).await.unwrap();
    store.rename(&first, &path("fourth")).await.unwrap();
    for location in ["second", "third", "fourth"] {
        assert!(read(store, &path(location)).await.unwrap() == data, "{location}");
    }
    assert_not_found(store.head(&first).await);
}
