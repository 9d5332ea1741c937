//! Do all reads return what a store in memory returns that is not sealed?

use std::{
    ops::Range,
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use object_store::{
    Attribute, GetOptions, GetRange, GetResultPayload, ObjectStore, ObjectStoreExt, PutOptions,
    local::LocalFileSystem, memory::InMemory,
};
use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};

use super::*;

/// Sizes around the edges of chunks and of the first request.
fn size() -> impl Strategy<Value = usize> {
    let around = |edge: usize| edge.saturating_sub(20)..edge + 20;
    prop_oneof![
        Just(0),
        0..100_usize,
        around(CHUNK),
        around(2 * CHUNK),
        around(FIRST as usize - 69 - 32),
        (1..9_usize, -1..=1_isize)
            .prop_map(|(chunks, more)| (chunks * CHUNK).saturating_add_signed(more)),
        0..300_000_usize,
        around(64 * CHUNK),
        1_000_000..3_000_000_usize,
    ]
}

/// A position near a chunk's edge, or anywhere.
fn position(size: usize) -> impl Strategy<Value = u64> {
    let (size, chunk) = (size as u64, CHUNK as u64);
    let edges = (0..=size / chunk + 1, -2..=2_i64)
        .prop_map(move |(index, more)| (index * chunk).saturating_add_signed(more));
    prop_oneof![edges, 0..size + 10, size.saturating_sub(3)..size + 3]
}

fn range(size: usize) -> impl Strategy<Value = GetRange> {
    prop_oneof![
        2 => (position(size), position(size)).prop_map(|(a, b)| GetRange::Bounded(a.min(b)..a.max(b))),
        1 => (position(size), 0..100_u64).prop_map(|(start, len)| GetRange::Bounded(start..start + len)),
        1 => (position(size), 0..100_u64).prop_map(|(end, len)| GetRange::Bounded(end..end.saturating_sub(len))),
        1 => position(size).prop_map(GetRange::Offset),
        1 => position(size).prop_map(GetRange::Suffix),
    ]
}

type Ranges = Vec<Range<u64>>;

/// A size, the length of the pieces in which it arrives, ranges of each kind, and lists of ranges.
fn case() -> impl Strategy<Value = (usize, usize, Vec<GetRange>, Vec<Ranges>)> {
    let pieces = prop_oneof![300..1000_usize, 8000..40_000_usize, Just(usize::MAX)];
    (size(), pieces).prop_flat_map(|(size, pieces)| {
        let bounded = (position(size), position(size)).prop_map(|(a, b)| a.min(b)..a.max(b));
        let lists = prop::collection::vec(prop::collection::vec(bounded, 0..6), 3);
        (Just(size), Just(pieces), prop::collection::vec(range(size), 1..12), lists)
    })
}

async fn compare(store: &SealedStore, model: &InMemory, name: &str, options: GetOptions) {
    let asked = options.range.clone();
    let expected = model.get_opts(&path(name), options.clone()).await;
    let found = store.get_opts(&path(name), options.clone()).await;
    let (found, expected) = match (found, expected) {
        (Ok(found), Ok(expected)) => (found, expected),
        (Err(_), Err(_)) => return,
        (found, expected) => panic!("{asked:?}: {found:?} instead of {expected:?}"),
    };
    assert_eq!(found.range, expected.range, "{asked:?}");
    assert_eq!(found.meta.size, expected.meta.size);
    assert_eq!(found.meta.location, path(name));
    assert_eq!(found.attributes, expected.attributes);
    assert!(matches!(found.payload, GetResultPayload::Stream(_)));
    let (found, expected) = (found.bytes().await.unwrap(), expected.bytes().await.unwrap());
    assert!(found == expected, "{asked:?}: {} bytes, not {}", found.len(), expected.len());
}

/// Twice each: what an earlier read opened is read in another way.
async fn compare_all(store: &SealedStore, model: &InMemory, ranges: &[GetRange], lists: &[Ranges]) {
    for _ in 0..2 {
        compare(store, model, "a/b c", GetOptions::default()).await;
        for range in ranges {
            compare(store, model, "a/b c", ranged_by(range)).await;
        }
        for list in lists {
            let expected = model.get_ranges(&path("a/b c"), list).await;
            match (store.get_ranges(&path("a/b c"), list).await, expected) {
                (Ok(found), Ok(expected)) => assert!(found == expected, "{list:?}"),
                (Err(_), Err(_)) => {}
                (found, expected) => panic!("{list:?}: {found:?} instead of {expected:?}"),
            }
        }
    }
}

fn ranged_by(range: &GetRange) -> GetOptions {
    GetOptions::default().with_range(Some(range.clone()))
}

async fn check(
    store: &SealedStore,
    (size, _, ranges, lists): &(usize, usize, Vec<GetRange>, Vec<Ranges>),
) {
    let (model, bytes) = (InMemory::new(), data(*size));
    let attributes = [(Attribute::ContentType, "text/plain")].into_iter().collect();
    let options = PutOptions { attributes, ..PutOptions::default() };
    for target in [store as &dyn ObjectStore, &model] {
        let payload = Bytes::from(bytes.clone()).into();
        target.put_opts(&path("a/b c"), payload, options.clone()).await.unwrap();
    }
    compare_all(store, &model, ranges, lists).await;
}

fn runner(cases: u32) -> TestRunner {
    TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() })
}

#[test]
fn reads_are_those_of_a_store_in_memory() {
    let runtime = tokio::runtime::Builder::new_multi_thread().build().unwrap();
    let (inner, store) = runtime.block_on(sealed());
    let checked = runner(96).run(&case(), |case| {
        let pieces = case.1;
        let answer = Box::new(move |_, _: &Range<u64>, body: Bytes| in_pieces(&body, pieces));
        inner.restart(Script { answer: Some(answer), ..Script::default() });
        runtime.block_on(check(&store, &case));
        Ok(())
    });
    checked.unwrap();
}

/// Polls until it is ready.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(ready) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return ready;
        }
    }
}

#[test]
fn reads_need_no_runtime() {
    let (inner, store) = block_on(sealed());
    let checked = runner(24).run(&case(), |case| {
        let pieces = case.1;
        let answer = Box::new(move |_, _: &Range<u64>, body: Bytes| in_pieces(&body, pieces));
        inner.restart(Script { answer: Some(answer), ..Script::default() });
        block_on(check(&store, &case));
        Ok(())
    });
    checked.unwrap();
}

/// A file system has no attributes.
async fn check_files(store: &SealedStore, case: &(usize, usize, Vec<GetRange>, Vec<Ranges>)) {
    let (model, bytes) = (InMemory::new(), data(case.0));
    for target in [store as &dyn ObjectStore, &model] {
        target.put(&path("a/b c"), Bytes::from(bytes.clone()).into()).await.unwrap();
    }
    compare_all(store, &model, &case.2, &case.3).await;
}

#[test]
fn files_are_read_as_objects_in_memory_are() {
    let directory = tempfile::tempdir().unwrap();
    let files = Arc::new(LocalFileSystem::new_with_prefix(directory.path()).unwrap());
    let people = People::new();
    let runtime = tokio::runtime::Builder::new_multi_thread().build().unwrap();
    let (owner, _) = runtime.block_on(people.create(Arc::clone(&files) as _)).unwrap();
    let checked = runner(48).run(&case(), |case| {
        runtime.block_on(check_files(owner.store(), &case));
        Ok(())
    });
    checked.unwrap();
    let case = (200_000, 0, vec![GetRange::Suffix(100_000)], vec![vec![3..4, 40_000..70_000]]);
    block_on(check_files(owner.store(), &case));
}

/// Sizes, without a key and without a byte of the objects.
#[tokio::test]
async fn head_is_that_of_a_store_in_memory() {
    let (inner, store) = sealed().await;
    for size in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 5 * CHUNK + 7] {
        put(&store, "x", &data(size)).await;
        inner.restart(Script::default());
        let meta = store.head(&path("x")).await.unwrap();
        let of_inner = inner.objects.head(&path("x")).await.unwrap();
        assert_eq!((meta.size, &meta.location), (size as u64, &path("x")));
        assert_eq!(meta.e_tag, of_inner.e_tag);
        assert_eq!(meta.last_modified, of_inner.last_modified);
        let options = GetOptions { head: true, ..ranged(0..u64::MAX) };
        match store.get_opts(&path("x"), options).await {
            Ok(found) => assert_eq!((size > 0, found.range), (true, 0..size as u64)),
            Err(_) => assert_eq!(size, 0),
        }
        let requests = inner.requests();
        assert_eq!((requests.len(), inner.calls()), (2, 2));
        assert!(requests.iter().all(|request| request.head && request.range.is_none()));
    }
    assert!(matches!(store.head(&path("y")).await, Err(object_store::Error::NotFound { .. })));
}
