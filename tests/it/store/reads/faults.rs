//! What does a read return when the inner store fails?

use std::ops::Range;

use futures_util::FutureExt;

use super::*;
use twinseal::StoreRefusal;

use crate::store::{fixture::assert_refused, scripted::fault};

/// Checks what each way to read returns.
async fn all_ways(store: &SealedStore, mut check: impl FnMut(&str, Result<Vec<u8>>)) {
    let (start, end) = (3 * CHUNK as u64 + 5, 4 * CHUNK as u64 + 5);
    let part = start..end;
    for (way, options) in [
        ("whole", GetOptions::default()),
        ("range", ranged(part.clone())),
        ("offset", ranged(start..)),
        ("suffix", GetOptions { range: Some(GetRange::Suffix(7)), ..GetOptions::default() }),
    ] {
        check(way, read(store, "x", options).await);
    }
    let ranges = store.get_ranges(&path("x"), &[part]).await;
    check("ranges", ranges.map(|mut found| found.remove(0).to_vec()));
}

fn expected<'a>(way: &str, bytes: &'a [u8]) -> &'a [u8] {
    let (start, end) = (3 * CHUNK + 5, 4 * CHUNK + 5);
    match way {
        "whole" => bytes,
        "offset" => &bytes[start..],
        "suffix" => &bytes[bytes.len() - 7..],
        _ => &bytes[start..end],
    }
}

/// All reads of objects and of keys, one after the other.
#[tokio::test]
async fn a_call_that_fails_is_an_error_of_its_read_only() {
    let (people, inner) = (People::new(), Scripted::new());
    let _made = people.create(Arc::clone(&inner) as _).await.unwrap();
    let bytes = data(5 * CHUNK + 100);
    let store = open(&people, &inner, Options::default().look_every(Duration::ZERO)).await;
    put(&store, "x", &bytes).await;
    inner.restart(Script::default());
    all_ways(&store, |way, found| assert_eq!(found.unwrap(), expected(way, &bytes))).await;
    let calls = inner.calls();
    assert!(calls > 10, "{calls}");
    for fails in 0..calls {
        // Nothing is open yet.
        put(&store, "x", &bytes).await;
        inner.restart(Script { fails: Some(fails), ..Script::default() });
        let mut errors = 0;
        all_ways(&store, |way, found| match found {
            Ok(found) => assert_eq!(found, expected(way, &bytes), "{way}, {fails}"),
            Err(error) => {
                assert_eq!(error.to_string(), fault().to_string(), "{way}, {fails}");
                errors += 1;
            }
        })
        .await;
        assert_eq!(errors, 1, "{fails}");
    }
}

/// Bodies of answers that break off, end early, or are longer than they should be, at every piece.
#[tokio::test]
async fn a_body_that_is_not_whole_is_an_error() {
    let (inner, store) = sealed().await;
    let bytes = data(5 * CHUNK + 100);
    for wrong in ["breaks off", "ends early", "is longer"] {
        for request in 0..3 {
            for at in 0..10 {
                put(&store, "x", &bytes).await;
                let answer = Box::new(move |number, _: &Range<u64>, body: Bytes| {
                    let mut pieces = in_pieces(&body, 10_000);
                    if number == request && at < pieces.len() {
                        match wrong {
                            "breaks off" => pieces.insert(at, Err(fault())),
                            "ends early" => pieces.truncate(at),
                            _ => pieces.push(Ok(Bytes::from_static(b"x"))),
                        }
                    }
                    pieces
                });
                inner.restart(Script { answer: Some(answer), ..Script::default() });
                all_ways(&store, |way, found| {
                    if let Ok(found) = found {
                        assert_eq!(found, expected(way, &bytes), "{way} {wrong} at {at}");
                    }
                })
                .await;
            }
        }
    }
}

/// A whole object has one answer. Up to where it breaks off, data is authentic; afterwards there is none.
#[tokio::test]
async fn a_stream_ends_with_its_error() {
    let (inner, store) = sealed().await;
    let bytes = data(400 * CHUNK + 100);
    put(&store, "x", &bytes).await;
    for options in [GetOptions::default(), ranged(20_000..)] {
        for wrong in ["breaks off", "ends early", "is longer", "is changed"] {
            let answer = Box::new(move |_, _: &Range<u64>, body: Bytes| {
                let mut pieces = in_pieces(&body, 100_000);
                let middle = pieces.len() / 2;
                if pieces.len() > 10 {
                    match wrong {
                        "breaks off" => pieces.insert(middle, Err(fault())),
                        "ends early" => pieces.truncate(middle),
                        "is longer" => pieces.push(Ok(Bytes::from_static(b"x"))),
                        _ => pieces[middle] = Ok(Bytes::from(vec![7; 100_000])),
                    }
                }
                pieces
            });
            inner.restart(Script { answer: Some(answer), ..Script::default() });
            let found = store.get_opts(&path("x"), options.clone()).await.unwrap();
            let (mut position, mut stream) = (found.range.start as usize, found.into_stream());
            let error = loop {
                match stream.try_next().await {
                    Ok(Some(piece)) => {
                        assert_eq!(piece, bytes[position..position + piece.len()], "{wrong}");
                        position += piece.len();
                    }
                    Ok(None) => panic!("it {wrong}, and nothing was said"),
                    Err(error) => break error,
                }
            };
            let all = wrong == "is longer";
            assert_eq!(all, position == bytes.len(), "{wrong}: {position}");
            assert!(position > 2_000_000, "what came before it is delivered: {position}");
            assert!(stream.try_next().await.unwrap().is_none(), "nothing follows an error");
            assert!(!error.to_string().is_empty());
        }
    }
}

/// An inner store that returns other bytes than those that were asked for, and says so.
#[tokio::test]
async fn a_wrong_range_is_noticed() {
    let (inner, store) = sealed().await;
    let bytes = data(5 * CHUNK + 100);
    for request in 0..3 {
        put(&store, "x", &bytes).await;
        inner.restart(Script { misses: Some(request), ..Script::default() });
        let error = store.get_range(&path("x"), 40_000..40_001).await.unwrap_err();
        assert!(error.to_string().contains("returned bytes"), "{error}");
    }
}

/// `buffered` polls nothing while its consumer does something else, which may be to use the same store.
#[tokio::test]
async fn a_look_that_nobody_polls_any_more_stops_nobody() {
    let (people, inner) = (People::new(), Scripted::new());
    let _made = people.create(Arc::clone(&inner) as _).await.unwrap();
    let store = open(&people, &inner, Options::default().look_every(Duration::ZERO)).await;
    put(&store, "x", b"x").await;
    inner.restart(Script { slow_lists: true, ..Script::default() });
    let mut first = Box::pin(read(&store, "x", GetOptions::default()));
    assert!((&mut first).now_or_never().is_none());
    let second = read(&store, "x", GetOptions::default());
    let second = tokio::time::timeout(Duration::from_secs(300), second).await;
    assert_eq!(second.expect("it does not wait for the first").unwrap(), b"x");
    assert_eq!(first.await.unwrap(), b"x");
}

/// One look for both, and an error for both.
#[tokio::test]
async fn a_look_that_fails_fails_for_all_that_wait_for_it() {
    let (people, inner) = (People::new(), Scripted::new());
    let _made = people.create(Arc::clone(&inner) as _).await.unwrap();
    let store = open(&people, &inner, Options::default().look_every(Duration::ZERO)).await;
    put(&store, "x", b"x").await;
    inner.objects.delete(&path(".twinseal/keys/0000000001")).await.unwrap();
    let reads = || read(&store, "x", GetOptions::default());
    inner.restart(Script { slow_lists: true, ..Script::default() });
    for found in futures_util::future::join_all([reads(), reads(), reads()]).await {
        assert_refused(found, StoreRefusal::NoKeys);
    }
}
