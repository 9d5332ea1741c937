//! Copying and renaming: under the source's epoch, to another path or the same one.

use std::{sync::Arc, time::Duration};

use object_store::{
    CopyMode, CopyOptions, Error, Extensions, ObjectStore, ObjectStoreExt, PutMultipartOptions,
    PutOptions, PutPayload, RenameOptions, RenameTargetMode, memory::InMemory,
};
use twinseal::{
    StoreRefusal,
    store::{Owner, Retirement},
};

use super::{CHUNK, MIB, assert_not_found, path, plaintext, read, recorded::Recorded};
use crate::store::{
    fixture::{People, assert_refused, made},
    watched::{Call, Kind, Verdict, Watched},
};

fn create() -> CopyOptions {
    CopyOptions { mode: CopyMode::Create, ..Default::default() }
}

#[track_caller]
fn assert_exists<T: std::fmt::Debug>(result: object_store::Result<T>) {
    let error = result.unwrap_err();
    assert!(matches!(error, Error::AlreadyExists { .. }), "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn copies_of_all_lengths_are_read_as_their_source() {
    let (_, inner, owner, _) = made().await;
    let (store, from) = (owner.store(), path("from"));
    for len in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, MIB, 64 * MIB, 64 * MIB + 1, 75 * MIB] {
        let data = plaintext(len, 5);
        store.put(&from, data.clone().into()).await.unwrap();
        let location = path(&format!("to/{len}"));
        store.copy_opts(&from, &location, create()).await.unwrap();
        assert!(read(store, &location).await.unwrap() == data, "{len}");
        assert_exists(store.copy_opts(&from, &location, create()).await);
        store.put(&location, "another".into()).await.unwrap();
        store.copy(&from, &location).await.unwrap();
        assert!(read(store, &location).await.unwrap() == data, "{len}");
        let sealed = async |location| read(&*inner, &location).await.unwrap();
        assert_ne!(sealed(from.clone()).await, sealed(location.clone()).await);
        store.rename(&location, &path("renamed")).await.unwrap();
        assert_not_found(store.head(&location).await);
        assert!(read(store, &path("renamed")).await.unwrap() == data, "{len}");
    }
    let temporary = inner.list_with_delimiter(Some(&path(".twinseal/tmp"))).await.unwrap();
    assert!(temporary.objects.is_empty());
}

#[tokio::test]
async fn an_object_is_copied_and_renamed_onto_itself() {
    let (_, _, owner, _) = made().await;
    let (store, here) = (owner.store(), path("here"));
    let rename = |target_mode| RenameOptions { target_mode, ..Default::default() };
    store.put(&here, "data".into()).await.unwrap();
    store.copy(&here, &here).await.unwrap();
    store.rename_opts(&here, &here, rename(RenameTargetMode::Overwrite)).await.unwrap();
    assert_exists(store.copy_opts(&here, &here, create()).await);
    assert_exists(store.rename_opts(&here, &here, rename(RenameTargetMode::Create)).await);
    assert_eq!(read(store, &here).await.unwrap(), "data");

    let missing = path("missing");
    for to in [&here, &missing] {
        assert_not_found(store.copy(&missing, to).await);
        assert_not_found(store.copy_opts(&missing, to, create()).await);
        assert_not_found(store.rename(&missing, to).await);
    }
    assert_eq!(read(store, &here).await.unwrap(), "data");
}

/// Who knew the source's key must not be able to have his forgery sealed under one that he does not know.
#[tokio::test(flavor = "multi_thread")]
async fn a_copy_is_under_the_epoch_of_its_source() {
    let (_, inner, owner, _) = made().await;
    let store = owner.store();
    for (name, len) in [("small", 5), ("large", 65 * MIB)] {
        store.put(&path(name), plaintext(len, 1).into()).await.unwrap();
    }
    let _pin = owner.new_epoch().await.unwrap();
    let epoch = async |name: &str| {
        let start = inner.get_range(&path(name), 9..13).await.unwrap();
        u32::from_be_bytes(start[..].try_into().unwrap())
    };
    for name in ["small", "large"] {
        store.copy(&path(name), &path("copy")).await.unwrap();
        assert_eq!(epoch("copy").await, 1, "{name}");
        store.copy_opts(&path(name), &path(&format!("new-{name}")), create()).await.unwrap();
        assert_eq!(epoch(&format!("new-{name}")).await, 1, "{name}");
        store.rename(&path("copy"), &path("renamed")).await.unwrap();
        assert_eq!(epoch("renamed").await, 1, "{name}");
    }
    store.put(&path("put"), "data".into()).await.unwrap();
    assert_eq!(epoch("put").await, 2);
}

/// An object `from` of epoch 1, which the owner retires elsewhere as soon as a call is the one.
async fn retired_at(
    len: usize,
    is_the_one: impl Fn(&Call) -> bool + Send + Sync + 'static,
) -> (Arc<InMemory>, Owner) {
    let inner = Arc::new(InMemory::new());
    let watched = Watched::new(Arc::clone(&inner) as _);
    let people = People::new();
    let (owner, pin) = people.create(Arc::clone(&watched) as _).await.unwrap();
    owner.store().put(&path("from"), plaintext(len, 1).into()).await.unwrap();
    // The owner works elsewhere, and sees dates that are older.
    let elsewhere = Watched::new(Arc::clone(&inner) as _);
    elsewhere.make_older(Duration::from_secs(1000));
    let his = people.open(Arc::clone(&elsewhere) as _, &people.alice, pin).await;
    let his = his.unwrap().owned_by(Arc::clone(&people.owner) as _).unwrap();
    let _pin = his.new_epoch().await.unwrap();
    let once = std::sync::Once::new();
    watched.judge(move |call| {
        if is_the_one(call) {
            once.call_once(|| {
                let retired = std::thread::scope(|scope| {
                    let runtime = tokio::runtime::Builder::new_current_thread().build();
                    let work = || runtime.unwrap().block_on(his.abandon(1));
                    scope.spawn(work).join().unwrap()
                });
                assert!(matches!(retired.unwrap(), Retirement::Retired { .. }));
            });
        }
        Verdict::Pass
    });
    (inner, owner)
}

/// It would be unreadable from the beginning.
#[tokio::test(flavor = "multi_thread")]
async fn a_copy_fails_if_its_epoch_is_retired_meanwhile() {
    for (len, wait_for) in [(5, Kind::Get), (65 * MIB, Kind::Part)] {
        for create in [false, true] {
            let about_it =
                move |call: &Call| call.path.as_ref() == "from" || wait_for == Kind::Part;
            let is_the_one = move |call: &Call| call.kind == wait_for && about_it(call);
            let (inner, owner) = retired_at(len, is_the_one).await;
            let mode = if create { CopyMode::Create } else { CopyMode::Overwrite };
            let options = CopyOptions { mode, ..Default::default() };
            let copied = owner.store().copy_opts(&path("from"), &path("to"), options).await;
            assert_refused(copied, StoreRefusal::UnknownEpoch);
            assert_not_found(inner.head(&path("to")).await);
            let temporary = inner.list_with_delimiter(Some(&path(".twinseal/tmp"))).await.unwrap();
            assert!(temporary.objects.is_empty());
        }
    }
}

/// Nobody can read the copy, but the source may have been sealed again meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn a_rename_keeps_its_source_if_its_epoch_is_retired_while_the_copy_is_published() {
    let (inner, owner) = retired_at(65 * MIB, |call| call.kind == Kind::Copy).await;
    let options =
        RenameOptions { target_mode: RenameTargetMode::Create, ..RenameOptions::default() };
    let renamed = owner.store().rename_opts(&path("from"), &path("to"), options).await;
    assert_refused(renamed, StoreRefusal::UnknownEpoch);
    inner.head(&path("from")).await.unwrap();
}

/// A large object that is created goes by a temporary one, whose name nobody can guess and no caller can reach.
#[tokio::test(flavor = "multi_thread")]
async fn a_large_copy_is_published_from_a_temporary_object() {
    let inner = Recorded::new();
    let (owner, _) = People::new().create(Arc::clone(&inner) as _).await.unwrap();
    let store = owner.store();
    let data = plaintext(65 * MIB, 1);
    store.put(&path("from"), data.clone().into()).await.unwrap();
    for to in ["one", "two"] {
        store.copy_opts(&path("from"), &path(to), create()).await.unwrap();
        assert!(read(store, &path(to)).await.unwrap() == data);
    }
    let mut names: Vec<_> = inner
        .sent()
        .into_iter()
        .filter_map(|sent| sent.path.as_ref().strip_prefix(".twinseal/tmp/").map(str::to_owned))
        .collect();
    names.dedup();
    assert_eq!(names.len(), 2);
    assert_ne!(names[0], names[1]);
    for name in names {
        assert_eq!(name.len(), 32);
        assert!(name.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f')));
    }
    // Nothing is sent if the destination exists.
    let before = inner.sent().len();
    assert_exists(store.copy_opts(&path("from"), &path("one"), create()).await);
    assert_eq!(inner.sent().len(), before);
}

/// Each inner part but the last is as long as S3 wants it, and their number is bounded.
#[tokio::test(flavor = "multi_thread")]
async fn a_large_copy_is_sent_in_parts_of_one_size() {
    let inner = Recorded::new();
    let (owner, _) = People::new().create(Arc::clone(&inner) as _).await.unwrap();
    let store = owner.store();
    store.put(&path("from"), plaintext(70 * MIB, 1).into()).await.unwrap();
    store.copy(&path("from"), &path("to")).await.unwrap();
    let parts = inner.objects(&path("to")).concat();
    let lens: Vec<_> = parts.iter().map(Vec::len).collect();
    let whole = 8 * MIB + 8 * MIB / CHUNK * 16;
    assert_eq!(lens[..8], [whole; 8]);
    assert_eq!(lens.len(), 9);
}

#[tokio::test(flavor = "multi_thread")]
async fn extensions_are_passed_on() {
    #[derive(Clone, Debug, PartialEq)]
    struct Span(u32);
    let mut extensions = Extensions::new();
    extensions.insert(Span(7));
    let inner = Recorded::new();
    let (owner, _) = People::new().create(Arc::clone(&inner) as _).await.unwrap();
    let store = owner.store();
    let (small, large) = (PutPayload::from_static(b"data"), plaintext(65 * MIB, 1));
    let put = |location, payload| {
        let options = PutOptions { extensions: extensions.clone(), ..Default::default() };
        async move { store.put_opts(&path(location), payload, options).await.unwrap() }
    };
    put("small", small).await;
    put("large", large.into()).await;
    let options = PutMultipartOptions { extensions: extensions.clone(), ..Default::default() };
    drop(store.put_multipart_opts(&path("upload"), options).await.unwrap());
    for from in ["small", "large"] {
        for mode in [CopyMode::Overwrite, CopyMode::Create] {
            let options = CopyOptions { mode, extensions: extensions.clone() };
            store.copy_opts(&path(from), &path(&format!("{from}-copy")), options).await.unwrap();
            store.delete(&path(&format!("{from}-copy"))).await.unwrap();
        }
        let options = RenameOptions { extensions: extensions.clone(), ..Default::default() };
        store.rename_opts(&path(from), &path("renamed"), options).await.unwrap();
    }
    let seen = inner.extensions();
    // Puts, the upload, six reads and six writes of copies, and one temporary object that is published.
    assert_eq!(seen.len(), 3 + 6 + 6 + 1);
    assert!(seen.iter().all(|seen| seen.get::<Span>() == Some(&Span(7))));
}
