//! Does whoever has the bucket get wrong data out of a read?

use std::ops::Range;

use twinseal::{Error, StoreRefusal};

use super::*;
use crate::store::{
    fixture::{assert_refused, ours},
    watched::Watched,
};

/// Reads in all ways. Each returns the expected bytes, or an error; the answer is how many returned an error.
async fn refusals(store: &SealedStore, name: &str, expected: &[u8]) -> usize {
    let len = expected.len() as u64;
    let mut refusals = 0;
    for range in [None, Some(GetRange::Offset(0)), Some(GetRange::Suffix(1)), Some((0..1).into())] {
        let wanted = range.as_ref().map_or(Ok(0..len), |range| range.as_range(len));
        let options = GetOptions { range, ..GetOptions::default() };
        match (read(store, name, options).await, wanted) {
            (Ok(found), Ok(wanted)) => {
                assert_eq!(found, expected[wanted.start as usize..wanted.end as usize]);
            }
            (Ok(found), Err(_)) => panic!("{found:?}, though there is no such range"),
            (Err(_), _) => refusals += 1,
        }
    }
    let all = 0..len.max(1);
    match store.get_ranges(&path(name), std::slice::from_ref(&all)).await {
        Ok(found) => assert_eq!(found[0], expected),
        Err(_) => refusals += 1,
    }
    refusals
}

const WAYS: usize = 5;

#[tokio::test]
async fn every_byte_of_a_small_object_counts() {
    let (inner, store) = sealed().await;
    for len in [0, 1, 40] {
        put(&store, "x", &data(len)).await;
        let bytes = inner.bytes(&path("x"));
        assert_eq!(bytes.len(), 13 + 56 + len + 16);
        for index in 0..bytes.len() {
            for bit in [0x01, 0x80] {
                let mut changed = bytes.clone();
                changed[index] ^= bit;
                inner.replace(&path("x"), &changed);
                assert_eq!(refusals(&store, "x", &data(len)).await, WAYS, "byte {index} of {len}");
            }
        }
    }
}

#[tokio::test]
async fn every_cut_of_a_small_object_is_an_error() {
    let (inner, store) = sealed().await;
    put(&store, "x", &data(40)).await;
    let bytes = inner.bytes(&path("x"));
    for len in 0..bytes.len() {
        inner.replace(&path("x"), &bytes[..len]);
        assert_eq!(refusals(&store, "x", &data(40)).await, WAYS, "{len}");
        let is_possible = len >= 13 + 56 + 16;
        assert_eq!(store.head(&path("x")).await.is_ok(), is_possible, "{len}");
    }
    for more in 1..40 {
        inner.replace(&path("x"), &[&bytes[..], &vec![0; more]].concat());
        assert_eq!(refusals(&store, "x", &data(40)).await, WAYS, "{more} more");
    }
}

/// A bit in each chunk, and cuts and joints at the chunks' edges. The last chunk is opened for every range, and the
/// others are for all that need them.
#[tokio::test]
async fn chunks_are_bound_to_their_place_and_to_the_end() {
    let (inner, store) = sealed().await;
    let plaintext = data(4 * CHUNK + 30);
    put(&store, "x", &plaintext).await;
    let bytes = inner.bytes(&path("x"));
    let start_of = |chunk: usize| 69 + chunk * 16400;
    for chunk in 0..5 {
        for at in [start_of(chunk), (start_of(chunk + 1) - 1).min(bytes.len() - 1)] {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            inner.replace(&path("x"), &changed);
            let expected = match chunk {
                0 => 4,
                4 => WAYS,
                _ => 3,
            };
            assert_eq!(refusals(&store, "x", &plaintext).await, expected, "chunk {chunk}");
        }
    }
    for chunk in 0..5 {
        for cut in [start_of(chunk), start_of(chunk) + 16, start_of(chunk) + 46] {
            if cut < bytes.len() {
                inner.replace(&path("x"), &bytes[..cut]);
                assert_eq!(refusals(&store, "x", &plaintext).await, WAYS, "cut at {cut}");
            }
        }
    }
    for (one, other) in [(0, 1), (1, 2), (2, 3)] {
        let mut swapped = bytes.clone();
        swapped[start_of(one)..start_of(other + 1)].rotate_left(16400);
        inner.replace(&path("x"), &swapped);
        assert!(refusals(&store, "x", &plaintext).await >= 3, "{one} and {other}");
    }
    let without = [&bytes[..start_of(1)], &bytes[start_of(2)..]].concat();
    inner.replace(&path("x"), &without);
    assert_eq!(refusals(&store, "x", &plaintext).await, WAYS);
    let twice = [&bytes[..start_of(2)], &bytes[start_of(1)..]].concat();
    inner.replace(&path("x"), &twice);
    assert_eq!(refusals(&store, "x", &plaintext).await, WAYS);
}

#[tokio::test]
async fn an_object_does_not_open_at_another_path() {
    let (inner, store) = sealed().await;
    put(&store, "a", &data(100)).await;
    put(&store, "b", &data(100)).await;
    let (a, b) = (inner.bytes(&path("a")), inner.bytes(&path("b")));
    inner.replace(&path("a"), &b);
    inner.replace(&path("b"), &a);
    inner.replace(&path("a/b"), &a);
    for name in ["a", "b", "a/b"] {
        assert_eq!(refusals(&store, name, &data(100)).await, WAYS);
        assert_eq!(ours(store.get(&path(name)).await), Error::Open);
        assert_eq!(ours(store.get_range(&path(name), 0..1).await), Error::Open);
    }
    inner.replace(&path("a"), &a);
    assert_eq!(refusals(&store, "a", &data(100)).await, 0);
}

/// Of the same owner, for the same reader, in the same context.
#[tokio::test]
async fn an_object_of_another_store_does_not_open() {
    let people = People::new();
    let (one, other) = (Scripted::new(), Scripted::new());
    let (one_owner, _) = people.create(Arc::clone(&one) as _).await.unwrap();
    let (other_owner, _) = people.create(Arc::clone(&other) as _).await.unwrap();
    put(one_owner.store(), "x", &data(100)).await;
    put(other_owner.store(), "x", &data(100)).await;
    other.replace(&path("x"), &one.bytes(&path("x")));
    assert_eq!(refusals(other_owner.store(), "x", &data(100)).await, WAYS);
    assert_eq!(ours(other_owner.store().get(&path("x")).await), Error::Open);
}

/// The epoch is in the key, so that an object cannot be said to be of another.
#[tokio::test]
async fn an_object_does_not_open_under_another_epoch() {
    let (people, inner) = (People::new(), Scripted::new());
    let (owner, _) = people.create(Arc::clone(&inner) as _).await.unwrap();
    put(owner.store(), "x", &data(100)).await;
    let old = inner.bytes(&path("x"));
    let _pin = owner.new_epoch().await.unwrap();
    put(owner.store(), "x", &data(100)).await;
    let new = inner.bytes(&path("x"));
    assert_ne!(old[9..13], new[9..13]);
    for (bytes, epoch) in [(&old, &new[9..13]), (&new, &old[9..13])] {
        let mut moved = bytes.clone();
        moved[9..13].copy_from_slice(epoch);
        inner.replace(&path("x"), &moved);
        assert_eq!(refusals(owner.store(), "x", &data(100)).await, WAYS);
        assert_eq!(ours(owner.store().get(&path("x")).await), Error::Open);
        inner.replace(&path("x"), bytes);
        assert_eq!(refusals(owner.store(), "x", &data(100)).await, 0);
    }
}

#[tokio::test]
async fn an_unknown_epoch_is_an_error_that_says_so() {
    let (inner, store) = sealed().await;
    put(&store, "x", &data(100)).await;
    let mut bytes = inner.bytes(&path("x"));
    bytes[9..13].copy_from_slice(&7_u32.to_be_bytes());
    inner.replace(&path("x"), &bytes);
    assert_refused(store.get(&path("x")).await, StoreRefusal::UnknownEpoch);
    assert_refused(store.get_range(&path("x"), 0..1).await, StoreRefusal::UnknownEpoch);
    assert_refused(store.get_ranges(&path("x"), &[0..1, 2..3]).await, StoreRefusal::UnknownEpoch);
    assert!(store.head(&path("x")).await.is_ok(), "this needs no key");
}

#[tokio::test]
async fn an_old_epoch_is_refused_by_who_does_not_accept_it() {
    let (people, inner) = (People::new(), Scripted::new());
    let (owner, _) = people.create(Arc::clone(&inner) as _).await.unwrap();
    put(owner.store(), "old", &data(100)).await;
    let _pin = owner.new_epoch().await.unwrap();
    put(owner.store(), "new", &data(100)).await;
    let epoch = u32::from_be_bytes(inner.bytes(&path("new"))[9..13].try_into().unwrap());
    let store = open(&people, &inner, Options::default().not_before(epoch)).await;
    assert_eq!(refusals(&store, "new", &data(100)).await, 0);
    assert_refused(store.get(&path("old")).await, StoreRefusal::OldEpoch);
    assert_refused(store.get_range(&path("old"), 0..1).await, StoreRefusal::OldEpoch);
    assert_refused(store.get_ranges(&path("old"), &[0..1, 1..2]).await, StoreRefusal::OldEpoch);
    assert_eq!(refusals(owner.store(), "old", &data(100)).await, 0);
}

#[tokio::test]
async fn what_is_no_object_is_said_to_be_none() {
    let (inner, store) = sealed().await;
    put(&store, "x", &data(100)).await;
    let bytes = inner.bytes(&path("x"));
    for (start, found) in [(&b"twinobjx\x01"[..], "magic"), (&b"twinobjt\x02"[..], "version")] {
        let mut changed = bytes.clone();
        changed[..9].copy_from_slice(start);
        inner.replace(&path("x"), &changed);
        let wrong = |error| matches!(error, Error::Invalid { what: "sealed object", .. });
        assert!(wrong(ours(store.get(&path("x")).await)), "{found}");
        assert!(wrong(ours(store.get_range(&path("x"), 0..1).await)), "{found}");
    }
    inner.replace(&path("x"), b"this was never sealed");
    for error in [
        store.get(&path("x")).await.unwrap_err(),
        store.head(&path("x")).await.unwrap_err(),
        store.get_range(&path("x"), 0..1).await.unwrap_err(),
        store.get_ranges(&path("x"), &[0..1, 1..2]).await.unwrap_err(),
    ] {
        assert!(
            error.to_string().contains("x: invalid sealed object: it is not sealed"),
            "{error}"
        );
    }
}

/// The inner store says that nothing has changed, and returns other bytes: those of another version of the object.
#[tokio::test]
async fn another_version_under_the_same_e_tag_does_not_open() {
    let (inner, store) = sealed().await;
    let plaintext = data(5 * CHUNK);
    put(&store, "x", &plaintext).await;
    let old = inner.bytes(&path("x"));
    put(&store, "x", &plaintext).await;
    let lie = move |_, range: &Range<u64>, body: Bytes| {
        let other = &old[range.start as usize..range.end as usize];
        vec![Ok(if range.start == 0 { body } else { Bytes::copy_from_slice(other) })]
    };
    inner.restart(Script { answer: Some(Box::new(lie)), ..Script::default() });
    let range = 2 * CHUNK as u64 + 5..2 * CHUNK as u64 + 9;
    let found = store.get_range(&path("x"), range.clone()).await;
    assert_eq!(ours(found), Error::Open);
    assert_eq!(ours(store.get_ranges(&path("x"), std::slice::from_ref(&range)).await), Error::Open);
    inner.restart(Script::default());
    let found = store.get_range(&path("x"), range.clone()).await.unwrap();
    assert_eq!(found, plaintext[range.start as usize..range.end as usize]);
}

/// A lie of the inner store is forgotten with the object that it was told about.
#[tokio::test]
async fn a_read_after_a_lie_begins_again() {
    let (inner, store) = sealed().await;
    let plaintext = data(5 * CHUNK);
    put(&store, "x", &plaintext).await;
    let range = 2 * CHUNK as u64 + 5..2 * CHUNK as u64 + 9;
    let wanted = &plaintext[range.start as usize..range.end as usize];
    assert_eq!(store.get_range(&path("x"), range.clone()).await.unwrap(), wanted);
    let lies =
        || Box::new(|_, _: &Range<u64>, body: Bytes| vec![Ok(Bytes::from(vec![0; body.len()]))]);
    inner.restart(Script { answer: Some(lies()), ..Script::default() });
    assert_eq!(ours(store.get_range(&path("x"), range.clone()).await), Error::Open);
    inner.restart(Script::default());
    assert_eq!(store.get_range(&path("x"), range.clone()).await.unwrap(), wanted);
    assert_eq!(inner.requests().len(), 3, "it was opened again");
}

/// A reader whose keys no longer have an object's epoch does not read what it opened before.
#[tokio::test]
async fn an_open_object_closes_when_its_epoch_is_retired() {
    let (people, inner) = (People::new(), Scripted::new());
    let aged = Watched::new(Arc::clone(&inner) as _);
    let (owner, _) = people.create(Arc::clone(&aged) as _).await.unwrap();
    put(owner.store(), "x", &data(5 * CHUNK)).await;
    let store = open(&people, &inner, Options::default().look_every(Duration::ZERO)).await;
    let range = async || store.get_range(&path("x"), 40_000..40_001).await;
    for _ in 0..2 {
        range().await.unwrap();
    }
    let _pin = owner.new_epoch().await.unwrap();
    aged.make_older(Duration::from_secs(3600));
    assert_eq!(range().await.unwrap().len(), 1, "its epoch is not retired yet");
    let _retired = owner.abandon(1).await.unwrap();
    assert_refused(range().await, StoreRefusal::UnknownEpoch);
    assert_refused(store.get_ranges(&path("x"), &[0..1, 1..2]).await, StoreRefusal::UnknownEpoch);
    assert_refused(store.get(&path("x")).await, StoreRefusal::UnknownEpoch);
}
