//! Objects in parts of all sizes, whose futures are awaited in any order.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::{StreamExt, future, stream::FuturesUnordered};
use object_store::{MultipartUpload, ObjectStore, ObjectStoreExt, PutPayload, UploadPart};
use twinseal::StoreRefusal;

use super::{
    CHUNK, MIB, SEALED_CHUNK, START, assert_not_found, path, plaintext, read, recorded::Recorded,
};
use crate::store::fixture::{People, assert_refused, made};

/// In which order a caller awaits the futures of its parts.
#[derive(Clone, Copy, Debug)]
enum Order {
    OneByOne,
    Backwards,
    Joined,
    Tasks,
}

const ORDERS: [Order; 4] = [Order::OneByOne, Order::Backwards, Order::Joined, Order::Tasks];

async fn upload(
    store: &dyn ObjectStore,
    location: &object_store::path::Path,
    parts: &[Bytes],
    order: Order,
) {
    let mut upload = store.put_multipart(location).await.unwrap();
    let mut futures: Vec<UploadPart> = Vec::new();
    for part in parts {
        let future = upload.put_part(part.clone().into());
        match order {
            Order::OneByOne => future.await.unwrap(),
            _ => futures.push(future),
        }
    }
    match order {
        Order::OneByOne => {}
        Order::Joined => drop(future::try_join_all(futures).await.unwrap()),
        Order::Backwards => {
            while let Some(last) = futures.pop() {
                last.await.unwrap();
            }
        }
        Order::Tasks => {
            let mut tasks: FuturesUnordered<_> = futures.into_iter().map(tokio::spawn).collect();
            while let Some(done) = tasks.next().await {
                done.unwrap().unwrap();
            }
        }
    }
    upload.complete().await.unwrap();
}

async fn parts_of_all_sizes_in_any_order() {
    const SIZES: [&[usize]; 12] = [
        &[],
        &[0],
        &[1],
        &[CHUNK - 1],
        &[CHUNK],
        &[CHUNK + 1],
        &[CHUNK, CHUNK, CHUNK],
        &[0, 1, CHUNK - 1, 0, CHUNK + 1, 3 * CHUNK, 5],
        &[5, 5, 5, CHUNK - 15, 1, 16_369],
        &[5 * MIB, 5 * MIB, 17],
        &[3_200_001, 70_000, 3 * MIB, 999, 2 * MIB],
        &[64 * 1024, 64 * 1024 + 1, MIB, 1, MIB + 1, 0, 100],
    ];
    let inner = Recorded::new();
    let (owner, _) = People::new().create(Arc::clone(&inner) as _).await.unwrap();
    for (number, sizes) in SIZES.iter().enumerate() {
        let parts: Vec<_> =
            sizes.iter().zip(0..).map(|(size, seed)| plaintext(*size, seed)).collect();
        for order in ORDERS {
            let location = path(&format!("{number}/{order:?}"));
            upload(owner.store(), &location, &parts, order).await;
            let found = read(owner.store(), &location).await.unwrap();
            assert!(found == parts.concat(), "{sizes:?} {order:?}");
            assert_cut(sizes, &inner.objects(&location).concat());
        }
    }
}

/// What S3 wants: no part but the last is shorter than the caller's were.
#[track_caller]
fn assert_cut(sizes: &[usize], parts: &[Vec<u8>]) {
    let (last, whole) = parts.split_last().unwrap();
    let largest = sizes.iter().max().map_or(1, |size| (size / CHUNK).max(1)) * SEALED_CHUNK;
    assert!(!last.is_empty() && last.len() <= largest, "{sizes:?}");
    let lens: Vec<_> = whole.iter().map(Vec::len).collect();
    assert!(lens.is_sorted() && lens.iter().all(|len| len % SEALED_CHUNK == 0), "{lens:?}");
    assert!(lens.iter().all(|len| *len <= largest), "{lens:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn parts_of_all_sizes_are_awaited_in_any_order_on_threads() {
    parts_of_all_sizes_in_any_order().await;
}

#[tokio::test]
async fn parts_of_all_sizes_are_awaited_in_any_order_on_one_thread() {
    parts_of_all_sizes_in_any_order().await;
}

#[tokio::test]
async fn parts_have_one_size_where_the_callers_have() {
    let inner = Recorded::new();
    let (owner, _) = People::new().create(Arc::clone(&inner) as _).await.unwrap();
    for size in [5 * MIB, 5 * MIB + 3 * CHUNK, 6_000_000] {
        let location = path(&format!("{size}"));
        let parts =
            vec![plaintext(size, 1), plaintext(size, 2), plaintext(size, 3), plaintext(99, 4)];
        upload(owner.store(), &location, &parts, Order::Joined).await;
        let sent = inner.objects(&location).concat();
        let (last, whole) = sent.split_last().unwrap();
        let expected = size / CHUNK * SEALED_CHUNK;
        assert!(expected >= 5 * MIB);
        assert!(whole.iter().all(|part| part.len() == expected));
        assert!((16..=expected).contains(&last.len()));
    }
}

/// Nobody has to poll a part's future for the next part to reach the inner store.
#[tokio::test(flavor = "multi_thread")]
async fn inner_parts_begin_in_order_whoever_waits() {
    let inner = Recorded::new();
    let (owner, _) = People::new().create(Arc::clone(&inner) as _).await.unwrap();
    let location = path("object");
    let mut upload = owner.store().put_multipart(&location).await.unwrap();
    let parts: Vec<_> = (0..6).map(|seed| plaintext(MIB, seed)).collect();
    let mut futures: Vec<_> =
        parts.iter().map(|part| upload.put_part(part.clone().into())).collect();
    // The last one alone: it does not wait for the others to be polled.
    futures.pop().unwrap().await.unwrap();
    future::try_join_all(futures).await.unwrap();
    upload.complete().await.unwrap();
    assert!(read(owner.store(), &location).await.unwrap() == parts.concat());
    let sealed = inner.objects(&location).concat().concat();
    assert_eq!(sealed.len(), START + 6 * (MIB + 64 * 16) + 16);
    let stored = read(&*inner, &location).await.unwrap();
    assert!(stored == sealed);
}

/// An executor without threads, and none at all.
#[test]
fn uploads_need_no_runtime() {
    let data = plaintext(3 * MIB + 5, 7);
    let work = async {
        let (_, _, owner, _) = made().await;
        let parts: Vec<_> = data.chunks(MIB).map(Bytes::copy_from_slice).collect();
        for order in [Order::OneByOne, Order::Backwards, Order::Joined] {
            upload(owner.store(), &path("object"), &parts, order).await;
            assert!(read(owner.store(), &path("object")).await.unwrap() == data);
        }
    };
    futures_util::FutureExt::now_or_never(work).expect("nothing waits");
}

#[tokio::test]
async fn a_part_that_is_sent_again_is_the_same_bytes() {
    let inner = Recorded::new();
    let (owner, _) = People::new().create(Arc::clone(&inner) as _).await.unwrap();
    inner.send_twice();
    let parts: Vec<_> = (0..3).map(|seed| plaintext(MIB + 5, seed)).collect();
    upload(owner.store(), &path("object"), &parts, Order::Joined).await;
    let mut sent = inner.sent();
    sent.retain(|sent| sent.path == path("object"));
    sent.sort_by_key(|sent| sent.part);
    assert_eq!(sent.len(), 8);
    assert!(sent.chunks(2).all(|pair| pair[0].bytes == pair[1].bytes));
    assert!(read(owner.store(), &path("object")).await.unwrap() == parts.concat());
}

#[tokio::test]
async fn the_last_of_two_uploads_wins_and_they_are_never_mixed() {
    let (_, _, owner, _) = made().await;
    let (store, location) = (owner.store(), path("object"));
    let mut one = store.put_multipart(&location).await.unwrap();
    let mut two = store.put_multipart(&location).await.unwrap();
    for seed in 0..4 {
        two.put_part(plaintext(MIB, 10 + seed).into()).await.unwrap();
        one.put_part(plaintext(MIB, seed).into()).await.unwrap();
    }
    let of =
        |first: u8| (0..4).map(|seed| plaintext(MIB, first + seed)).collect::<Vec<_>>().concat();
    one.complete().await.unwrap();
    assert!(read(store, &location).await.unwrap() == of(0));
    two.complete().await.unwrap();
    assert!(read(store, &location).await.unwrap() == of(10));
}

#[tokio::test]
async fn nothing_follows_the_end_of_an_upload() {
    let (_, _, owner, _) = made().await;
    let (store, location) = (owner.store(), path("object"));
    let mut upload = store.put_multipart(&location).await.unwrap();
    upload.complete().await.unwrap();
    upload.put_part("late".into()).await.unwrap_err();
    upload.complete().await.unwrap_err();
    upload.abort().await.unwrap_err();
    assert_eq!(read(store, &location).await.unwrap(), "");

    let mut upload = store.put_multipart(&path("other")).await.unwrap();
    upload.put_part("early".into()).await.unwrap();
    upload.abort().await.unwrap();
    upload.abort().await.unwrap(); // as `WriteMultipart` does after an error
    upload.put_part("late".into()).await.unwrap_err();
    upload.complete().await.unwrap_err();
    assert_not_found(store.head(&path("other")).await);
}

/// A reader who was revoked during an upload knows its epoch.
#[tokio::test]
async fn an_upload_fails_if_an_epoch_begins_meanwhile() {
    let (people, inner, owner, pin) = made().await;
    // A client that does not look for an hour.
    let store = twinseal::store::Options::default()
        .look_every(std::time::Duration::from_secs(3600))
        .open(
            Arc::clone(&inner) as _,
            crate::store::fixture::CONTEXT,
            Arc::clone(&people.alice),
            twinseal::Sign::verifying_key(&*people.owner),
            pin,
        )
        .await
        .unwrap();
    let mut upload = store.put_multipart(&path("object")).await.unwrap();
    upload.put_part(plaintext(MIB, 1).into()).await.unwrap();
    let _pin = owner.new_epoch().await.unwrap();
    upload.put_part(plaintext(MIB, 2).into()).await.unwrap();
    assert_refused(upload.complete().await, StoreRefusal::NewEpoch);
    upload.abort().await.unwrap();
    upload.complete().await.unwrap_err();
    assert_not_found(inner.head(&path("object")).await);

    // From then on it knows.
    let mut upload = store.put_multipart(&path("object")).await.unwrap();
    upload.put_part(PutPayload::from_static(b"new")).await.unwrap();
    upload.complete().await.unwrap();
    let sealed = read(&*inner, &path("object")).await.unwrap();
    assert_eq!(sealed[9..13], [0, 0, 0, 2]);
}
