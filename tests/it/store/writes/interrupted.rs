//! Uploads and copies that fail, are dropped or aborted anywhere: what was there before is there, or all that is new.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use futures_util::FutureExt;
use object_store::{
    CopyMode, CopyOptions, MultipartUpload, ObjectStore, ObjectStoreExt, PutPayload, Result,
    memory::InMemory, path::Path,
};

use super::{MIB, SEALED_CHUNK, assert_not_found, path, plaintext, read, recorded::Recorded};
use crate::store::{
    fixture::{People, made},
    watched::{Kind, Verdict, Watched},
};

async fn upload(store: &dyn ObjectStore, location: &Path, parts: &[Bytes]) -> Result<()> {
    let mut upload = store.put_multipart(location).await?;
    for part in parts {
        upload.put_part(part.clone().into()).await?;
    }
    upload.complete().await.map(drop)
}

/// A store whose inner one fails at its nth call, for each n, until nothing fails any more. `before` is done without
/// failures, and `work` is checked after each failure.
async fn fail_everywhere(
    before: impl AsyncFn(&dyn ObjectStore),
    work: impl AsyncFn(&dyn ObjectStore) -> Result<()>,
    check: impl AsyncFn(&dyn ObjectStore, &InMemory, bool, &str),
) {
    let mut failures = 0;
    for verdict in [Verdict::Fail, Verdict::DoneButFail] {
        for number in 0.. {
            let inner = Arc::new(InMemory::new());
            let watched = Watched::new(Arc::clone(&inner) as _);
            let (owner, _) = People::new().create(Arc::clone(&watched) as _).await.unwrap();
            before(owner.store()).await;
            watched.judge(move |call| if call.number == number { verdict } else { Verdict::Pass });
            let done = work(owner.store()).await;
            let calls = watched.calls();
            watched.judge(|_| Verdict::Pass);
            let what = format!("{verdict:?} {:?}", calls.get(number));
            check(owner.store(), &inner, done.is_ok(), &what).await;
            if calls.len() <= number {
                done.unwrap();
                break;
            }
            failures += 1;
        }
    }
    assert!(failures > 8, "it failed only {failures} times");
}

/// What is there, or that nothing is.
async fn found(store: &dyn ObjectStore, location: &Path) -> Option<Bytes> {
    match read(store, location).await {
        Ok(bytes) => Some(bytes),
        Err(object_store::Error::NotFound { .. }) => None,
        Err(other) => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn an_upload_that_fails_anywhere_leaves_what_was_there_or_all_of_it() {
    let location = path("object");
    let parts: Vec<_> =
        [MIB, MIB, 70_000, 5].iter().zip(0..).map(|(len, seed)| plaintext(*len, seed)).collect();
    let new = Bytes::from(parts.concat());
    for old in [None, Some(plaintext(100_000, 99))] {
        fail_everywhere(
            async |store| {
                if let Some(old) = old.clone() {
                    store.put(&location, old.into()).await.unwrap();
                }
            },
            async |store| upload(store, &location, &parts).await,
            async |store, _, done, what| {
                let found = found(store, &location).await;
                let is_new = found.as_ref() == Some(&new);
                // Only where the last answer was lost can it be there without the caller knowing.
                let unknown = what.contains("DoneButFail") && what.contains("Complete");
                assert_eq!(is_new, done || unknown, "{what}");
                assert!(is_new || found == old, "{what}");
            },
        )
        .await;
    }
}

/// The source is deleted only after the destination is complete.
#[tokio::test]
async fn a_rename_that_fails_anywhere_loses_nothing() {
    let (from, to) = (path("from"), path("to"));
    let data = plaintext(2 * MIB, 1);
    fail_everywhere(
        async |store| drop(store.put(&from, data.clone().into()).await.unwrap()),
        async |store| store.rename_if_not_exists(&from, &to).await,
        async |store, _, done, what| {
            let (source, copy) = (found(store, &from).await, found(store, &to).await);
            assert!(source.as_ref().or(copy.as_ref()) == Some(&data), "{what}");
            assert!(copy.is_none() || copy.as_ref() == Some(&data), "{what}");
            assert!(!done || source.is_none(), "{what}");
        },
    )
    .await;
}

/// Larger ones go in parts, those that are created through a temporary object.
#[tokio::test(flavor = "multi_thread")]
async fn a_large_copy_that_fails_anywhere_leaves_nothing_or_all_of_it() {
    let (from, to) = (path("from"), path("to"));
    let data = plaintext(65 * MIB, 1);
    for mode in [CopyMode::Overwrite, CopyMode::Create] {
        fail_everywhere(
            async |store| drop(store.put(&from, data.clone().into()).await.unwrap()),
            async |store| {
                let options = CopyOptions { mode, ..Default::default() };
                store.copy_opts(&from, &to, options).await
            },
            async |store, inner, done, what| {
                let copy = found(store, &to).await;
                assert!(copy.is_none() || copy.as_ref() == Some(&data), "{what}");
                assert!(!done || copy.is_some(), "{what}");
                assert!(found(store, &from).await.as_ref() == Some(&data), "{what}");
                // Nothing temporary is left, unless its deletion failed.
                let temporary = inner.list_with_delimiter(Some(&path(".twinseal/tmp"))).await;
                let left = temporary.unwrap().objects;
                assert!(left.is_empty() || what.contains("Delete"), "{what}: {left:?}");
            },
        )
        .await;
    }
}

/// What a store would have that shows the parts of an upload before it is complete.
#[tokio::test]
async fn the_first_parts_of_an_object_do_not_read_as_whole() {
    let inner = Recorded::new();
    let (owner, _) = People::new().create(Arc::clone(&inner) as _).await.unwrap();
    let location = path("object");
    for size in [SEALED_CHUNK * 4, MIB, 100_000] {
        let parts: Vec<_> = (0..5).map(|seed| plaintext(size, seed)).collect();
        upload(owner.store(), &location, &parts).await.unwrap();
        let sent = inner.objects(&location).pop().unwrap();
        assert!(sent.len() > 3);
        for whole in 0..sent.len() {
            let cut = sent[..whole].concat();
            inner.inner.put(&location, cut.into()).await.unwrap();
            read(owner.store(), &location).await.unwrap_err();
        }
        inner.inner.put(&location, sent.concat().into()).await.unwrap();
        assert!(read(owner.store(), &location).await.unwrap() == parts.concat());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_whose_future_is_dropped_makes_the_upload_fail() {
    let watched = Watched::new(Arc::new(InMemory::new()));
    let (owner, _) = People::new().create(Arc::clone(&watched) as _).await.unwrap();
    let location = path("object");
    for dropped in 0..3 {
        for (len, polled) in [(MIB, false), (MIB, true), (5, false), (0, false)] {
            watched.judge(|_| Verdict::Pass);
            let mut upload = owner.store().put_multipart(&location).await.unwrap();
            for number in 0..3 {
                let mut part = upload.put_part(plaintext(len, number).into());
                match (number == dropped, polled) {
                    (true, true) if (&mut part).now_or_never().is_some() => {
                        // It was finished already, so it was not dropped: drop another one.
                        drop(upload.put_part(PutPayload::from_static(b"more")));
                        break;
                    }
                    (true, _) => drop(part),
                    (false, _) => drop(part.await),
                }
            }
            upload.complete().await.unwrap_err();
            assert!(watched.calls().iter().any(|call| call.kind == Kind::Abort));
            assert!(watched.calls().iter().all(|call| call.kind != Kind::Complete));
            upload.abort().await.unwrap();
            assert_not_found(owner.store().head(&location).await);
        }
    }
}

/// Neither by its caller nor by itself.
#[tokio::test(flavor = "multi_thread")]
async fn an_upload_is_not_completed_before_its_parts_are_finished() {
    let (_, _, owner, _) = made().await;
    let location = path("object");
    let mut upload = owner.store().put_multipart(&location).await.unwrap();
    let part = upload.put_part(plaintext(MIB, 1).into());
    upload.complete().await.unwrap_err();
    assert_not_found(owner.store().head(&location).await);
    part.await.unwrap();
    upload.complete().await.unwrap();
    assert!(read(owner.store(), &location).await.unwrap() == plaintext(MIB, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn aborted_and_dropped_uploads_leave_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let local = object_store::local::LocalFileSystem::new_with_prefix(directory.path()).unwrap();
    let (owner, _) = People::new().create(Arc::new(local)).await.unwrap();
    let location = path("object");
    let files = || {
        let names = std::fs::read_dir(directory.path()).unwrap();
        names.map(|entry| entry.unwrap().file_name()).collect::<Vec<_>>()
    };
    let empty = files();
    for aborts in [true, false] {
        for awaited in [true, false] {
            let mut upload = owner.store().put_multipart(&location).await.unwrap();
            for seed in 0..3 {
                let part = upload.put_part(plaintext(MIB, seed).into());
                if awaited {
                    part.await.unwrap();
                }
            }
            assert_ne!(files(), empty);
            if aborts {
                upload.abort().await.unwrap();
            }
            drop(upload);
            // After a drop, the inner store deletes its file in the background.
            let deadline = Instant::now() + Duration::from_secs(60);
            while files() != empty {
                assert!(
                    Instant::now() < deadline,
                    "the file of an upload stays: {aborts} {awaited}"
                );
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            assert_not_found(owner.store().head(&location).await);
        }
    }
}

/// A completion that was dropped before its end can be repeated or aborted; either way the object is whole or absent.
#[tokio::test]
async fn a_completion_that_is_dropped_leaves_all_or_nothing() {
    for polls in 0..40 {
        let inner = Recorded::new();
        let (owner, _) = People::new().create(Arc::clone(&inner) as _).await.unwrap();
        let location = path("object");
        let mut upload = owner.store().put_multipart(&location).await.unwrap();
        upload.put_part(plaintext(100_000, 1).into()).await.unwrap();
        let mut polled = 0;
        let completed = {
            let mut complete = upload.complete();
            std::future::poll_fn(|cx| {
                if polled == polls {
                    return std::task::Poll::Ready(None);
                }
                polled += 1;
                complete.as_mut().poll(cx).map(Some)
            })
            .await
        };
        match completed {
            Some(completed) => {
                completed.unwrap();
                assert!(read(owner.store(), &location).await.unwrap() == plaintext(100_000, 1));
                assert!(polls > 0);
                return;
            }
            None => {
                assert_not_found(owner.store().head(&location).await);
                let _ = upload.complete().await;
                if let Some(found) = found(owner.store(), &location).await {
                    assert!(found == plaintext(100_000, 1));
                }
            }
        }
    }
    panic!("it was not completed within 40 polls");
}
