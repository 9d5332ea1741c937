//! How many requests does a read need, and how many bytes?

use std::ops::Range;

use object_store::ObjectStore;

use super::*;
use crate::store::scripted::Request;

const LARGE: usize = 20 * CHUNK + 100;

/// The last chunk of such an object, with its tag.
const LAST: u64 = 100 + 16;

async fn large() -> (Arc<Scripted>, SealedStore, Vec<u8>) {
    let ((inner, store), bytes) = (sealed().await, data(LARGE));
    put(&store, "x", &bytes).await;
    (inner, store, bytes)
}

fn bytes_of(requests: &[Request]) -> Vec<u64> {
    requests.iter().map(|request| request.bytes).collect()
}

#[tokio::test]
async fn a_whole_object_is_one_request() {
    let (inner, store, bytes) = large().await;
    assert_eq!(read(&store, "x", GetOptions::default()).await.unwrap(), bytes);
    let [request] = &inner.requests()[..] else { panic!("this is not one request") };
    assert_eq!((&request.range, &request.if_match), (&None, &None));
    assert_eq!(inner.calls(), 4, "creating looked, opening looked and read the keys");
}

#[tokio::test]
async fn a_small_object_is_one_request_for_every_range() {
    let (inner, store) = sealed().await;
    let longest = FIRST as usize - 69 - 2 * 16;
    for size in [0, 1, CHUNK - 1, CHUNK, longest] {
        for range in [GetRange::Suffix(1), GetRange::Suffix(40_000), GetRange::Suffix(0)] {
            let name = format!("{size} {range}");
            put(&store, &name, &data(size)).await;
            let expected = range.as_range(size as u64).unwrap();
            let expected = &data(size)[expected.start as usize..expected.end as usize];
            assert_eq!(read(&store, &name, ranged_by(range)).await.unwrap(), expected);
            assert_eq!(inner.requests().len(), 1, "{name}");
        }
    }
    put(&store, "x", &data(longest + 1)).await;
    read(&store, "x", ranged(0..10)).await.unwrap();
    assert_eq!(inner.requests().len(), 2);
}

fn ranged_by(range: GetRange) -> GetOptions {
    GetOptions::default().with_range(Some(range))
}

#[tokio::test]
async fn a_range_is_three_requests_and_then_one() {
    let (inner, store, bytes) = large().await;
    let range = 5 * CHUNK - 1..6 * CHUNK + 1;
    for expected in [3, 1, 1] {
        let found = read(&store, "x", ranged(range.start as u64..range.end as u64)).await.unwrap();
        assert_eq!(found, bytes[range.clone()]);
        let requests = inner.requests();
        assert_eq!(requests.len(), expected);
        if expected == 3 {
            let mut fetched = bytes_of(&requests);
            assert_eq!(fetched.remove(0), FIRST);
            fetched.sort_unstable();
            assert_eq!(fetched, [LAST, 3 * 16400]);
        }
        let e_tag = inner.objects.head(&path("x")).await.unwrap().e_tag;
        let mut named = requests.iter().skip(usize::from(expected == 3));
        assert!(named.all(|request| request.if_match == e_tag), "{requests:?}");
    }
}

#[tokio::test]
async fn chunks_that_are_there_are_not_fetched_again() {
    for (range, expected) in [
        // The first chunk came with the first request.
        (GetRange::from(0..CHUNK as u64), vec![FIRST, LAST]),
        // The rest of the range, and of it only what is missing; the last chunk beside it.
        (GetRange::from(0..CHUNK as u64 + 1), vec![FIRST, LAST, 16400]),
        // The end is fetched at once.
        (GetRange::Suffix(8), vec![FIRST, LAST]),
        (GetRange::Suffix(101), vec![FIRST, 16400 + LAST]),
        (GetRange::Offset(0), vec![FIRST, 19 * 16400 + LAST]),
    ] {
        let (inner, store, _) = large().await;
        read(&store, "x", GetOptions { range: Some(range.clone()), ..Default::default() })
            .await
            .unwrap();
        let mut fetched = bytes_of(&inner.requests());
        fetched[1..].sort_unstable();
        assert_eq!(fetched, expected, "{range}");
    }
}

/// Ranges that are near to each other are fetched together, and the object is opened once.
#[tokio::test]
async fn ranges_are_fetched_together() {
    let (inner, store) = sealed().await;
    let bytes = data(300 * CHUNK);
    put(&store, "x", &bytes).await;
    inner.requests();
    let ranges =
        [4_000_000..4_000_001, 100_000..100_010, 700_000..800_000, 4_500_000..4_500_000 + 5];
    for expected in [4, 2] {
        let found = store.get_ranges(&path("x"), &ranges).await.unwrap();
        for (found, range) in found.iter().zip(&ranges) {
            assert_eq!(found, &bytes[range.start as usize..range.end as usize]);
        }
        assert_eq!(inner.requests().len(), expected);
    }
    assert!(store.get_ranges(&path("x"), &[]).await.unwrap().is_empty());
    assert!(store.get_ranges(&path("x"), &[0..1, 5..5]).await.is_err());
    assert!(
        store
            .get_ranges(&path("x"), &[0..1, bytes.len() as u64..bytes.len() as u64 + 1])
            .await
            .is_err()
    );
}

#[tokio::test]
async fn an_object_without_an_e_tag_is_opened_each_time() {
    let (inner, store, bytes) = large().await;
    inner.restart(Script { no_e_tags: true, ..Script::default() });
    for _ in 0..2 {
        assert_eq!(
            read(&store, "x", ranged(100_000..100_010)).await.unwrap(),
            bytes[100_000..100_010]
        );
        assert_eq!(inner.requests().len(), 3);
    }
}

/// `If-Match` never matches a weak one, so that it is compared here.
#[tokio::test]
async fn a_weak_e_tag_is_no_condition() {
    let (inner, store, bytes) = large().await;
    inner.restart(Script { weak_e_tags: true, ..Script::default() });
    for expected in [3, 1] {
        assert_eq!(
            read(&store, "x", ranged(100_000..100_010)).await.unwrap(),
            bytes[100_000..100_010]
        );
        let requests = inner.requests();
        assert_eq!(requests.len(), expected);
        assert!(requests.iter().all(|request| request.if_match.is_none()));
    }
}

/// The one that was not used for the longest time leaves.
#[tokio::test]
async fn a_thousand_objects_stay_open() {
    let (inner, store) = sealed().await;
    let bytes = data(3 * CHUNK);
    let name = |index: usize| format!("object {index}");
    let requests = async |index: usize| {
        read(&store, &name(index), ranged(20_000..20_001)).await.unwrap();
        inner.requests().len()
    };
    for index in 0..1025 {
        put(&store, &name(index), &bytes).await;
    }
    for index in 0..1024 {
        assert_eq!(requests(index).await, 3);
    }
    assert_eq!(requests(0).await, 1, "all are open");
    assert_eq!(requests(1024).await, 3, "one is pushed out");
    assert_eq!(requests(0).await, 1, "it is not the one that was just used");
    assert_eq!(requests(1).await, 3);
}

/// Whoever stops reading does not fetch the rest; nor is much fetched that nobody has read yet.
#[tokio::test(flavor = "multi_thread")]
async fn a_stream_fetches_a_few_blocks_ahead() {
    let (inner, store) = sealed().await;
    let bytes = data(40 << 20);
    put(&store, "x", &bytes).await;
    let answer = Box::new(|_, _: &Range<u64>, body: Bytes| in_pieces(&body, 64 * 1024));
    inner.restart(Script { answer: Some(answer), ..Script::default() });
    let found = store.get(&path("x")).await.unwrap();
    let mut stream = found.into_stream();
    let first = stream.try_next().await.unwrap().unwrap();
    assert_eq!(first, bytes[..first.len()]);
    tokio::time::sleep(Duration::from_millis(50)).await;
    let most = 10 << 20;
    assert!(inner.taken() < most, "{} bytes were fetched", inner.taken());
    drop(stream);
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(inner.taken() < most, "{} bytes were fetched", inner.taken());
}
