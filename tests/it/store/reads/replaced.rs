//! What does a read return of an object that is replaced meanwhile?

use object_store::memory::InMemory;

use super::*;
use crate::store::scripted::{now, replace};

/// Two versions of an object that share neither a length nor a byte.
struct Versions {
    inner: Arc<Scripted>,
    store: SealedStore,
    plaintext: [Vec<u8>; 2],
    sealed: [Vec<u8>; 2],
}

impl Versions {
    /// With so many chunks and a bit more.
    async fn new(chunks: [usize; 2]) -> Self {
        let (inner, store) = sealed().await;
        let one = data(chunks[0] * CHUNK + 10);
        let other = data(chunks[1] * CHUNK + 30).into_iter().map(|byte| !byte).collect();
        let plaintext: [Vec<u8>; 2] = [one, other];
        let mut sealed = [Vec::new(), Vec::new()];
        for (plaintext, sealed) in plaintext.iter().zip(&mut sealed) {
            put(&store, "x", plaintext).await;
            *sealed = inner.bytes(&path("x"));
        }
        inner.replace(&path("x"), &sealed[0]);
        Self { inner, store, plaintext, sealed }
    }

    /// The other version takes the place of the first before this request.
    fn replaced_before(&self, request: usize, script: Script) {
        self.inner.replace(&path("x"), &self.sealed[0]);
        let other = self.sealed[1].clone();
        let before = Box::new(move |number, objects: &InMemory| {
            if number == request {
                replace(objects, &path("x"), &other);
            }
        });
        self.inner.restart(Script { before: Some(before), ..script });
    }
}

/// How an inner store answers, by name.
type Named = (&'static str, fn() -> Script);

fn scripts() -> [Named; 4] {
    [
        ("honest", Script::default),
        ("without ETags", || Script { no_e_tags: true, ..Script::default() }),
        ("with weak ETags", || Script { weak_e_tags: true, ..Script::default() }),
        ("without conditions", || Script { ignores_conditions: true, ..Script::default() }),
    ]
}

#[tokio::test]
async fn a_range_is_of_one_version() {
    for chunks in [[6, 6], [6, 9], [9, 6]] {
        let versions = Versions::new(chunks).await;
        let Versions { inner, store, plaintext, .. } = &versions;
        for (name, script) in scripts() {
            for request in 0..4 {
                for range in [70_000..80_000, 40_000..60_000, 0..20_000_usize] {
                    versions.replaced_before(request, script());
                    let asked = range.start as u64..range.end as u64;
                    let found = match store.get_range(&path("x"), asked.clone()).await {
                        Ok(found) => found,
                        // It was no condition, so the inner store says only that the object has not so many bytes.
                        Err(error) if name != "honest" && chunks == [9, 6] => {
                            assert!(error.to_string().contains("InMemory"), "{error}");
                            inner.requests();
                            continue;
                        }
                        Err(error) => panic!("{name}, {request}, {range:?}: {error}"),
                    };
                    let is = |version: usize| found == plaintext[version][range.clone()];
                    assert!(is(0) || is(1), "{name}, {request}, {range:?}");
                    let requests = inner.requests().len();
                    assert_eq!(is(1), request < requests, "it is the one that is there at the end");
                    // One of what was open, an opening that is interrupted at its end, and one that is not.
                    assert!(requests <= 7, "{requests}");
                    // Once more, of an object that is open.
                    versions.replaced_before(0, script());
                    let found = store.get_range(&path("x"), asked).await.unwrap();
                    assert_eq!(found, plaintext[1][range.clone()], "{name}");
                }
            }
        }
    }
}

#[tokio::test]
async fn ranges_are_of_one_version() {
    let versions = Versions::new([200, 200]).await;
    let Versions { inner, store, plaintext, .. } = &versions;
    let ranges = [3_000_000..3_000_100, 20_000..40_000, 1_500_000..1_500_001];
    for (name, script) in scripts() {
        for request in 0..6 {
            versions.replaced_before(request, script());
            let found = store.get_ranges(&path("x"), &ranges).await.unwrap();
            let is = |version: usize| {
                let bytes = &plaintext[version];
                let of =
                    |range: &std::ops::Range<u64>| &bytes[range.start as usize..range.end as usize];
                found.iter().zip(&ranges).all(|(found, range)| found == of(range))
            };
            assert!(is(0) || is(1), "{name}, {request}");
            assert_eq!(is(1), request < inner.requests().len(), "{name}, {request}");
        }
    }
}

/// Replaced before each request except the first: a read gives up.
#[tokio::test]
async fn a_read_begins_again_three_times() {
    let versions = Versions::new([6, 6]).await;
    let Versions { inner, store, sealed, .. } = &versions;
    for kept in [false, true] {
        if kept {
            inner.restart(Script::default());
            store.get_range(&path("x"), 70_000..70_001).await.unwrap();
        }
        let versions = sealed.clone();
        let before = Box::new(move |number: usize, objects: &InMemory| {
            replace(objects, &path("x"), &versions[number % 2]);
        });
        inner.restart(Script { before: Some(before), ..Script::default() });
        let error = store.get_range(&path("x"), 70_000..70_001).await.unwrap_err();
        assert!(error.to_string().contains("x was replaced each time"), "{error}");
        let requests = inner.requests();
        let firsts = requests.iter().filter(|request| request.if_match.is_none()).count();
        assert_eq!(firsts, if kept { 3 } else { 4 });
    }
}

#[tokio::test]
async fn an_object_that_is_deleted_meanwhile_is_not_found() {
    let versions = Versions::new([6, 6]).await;
    let Versions { inner, store, .. } = &versions;
    let before = Box::new(|number: usize, objects: &InMemory| {
        if number == 1 {
            now(objects.delete(&path("x"))).unwrap();
        }
    });
    inner.restart(Script { before: Some(before), ..Script::default() });
    let found = store.get_range(&path("x"), 70_000..70_001).await;
    assert!(matches!(found, Err(object_store::Error::NotFound { .. })), "{found:?}");
}

/// A stream that has begun is of the version that it began with.
#[tokio::test]
async fn a_stream_that_has_begun_is_not_begun_again() {
    let versions = Versions::new([200, 200]).await;
    let Versions { inner, store, plaintext, sealed } = &versions;
    inner.restart(Script::default());
    let found = store.get(&path("x")).await.unwrap();
    inner.replace(&path("x"), &sealed[1]);
    assert_eq!(found.bytes().await.unwrap(), plaintext[0]);
    assert_eq!(inner.requests().len(), 1);
}

/// The new version is longer: a range that the old one does not have is there.
#[tokio::test]
async fn what_is_open_does_not_say_how_long_the_next_version_is() {
    let versions = Versions::new([6, 9]).await;
    let Versions { inner, store, plaintext, sealed } = &versions;
    inner.restart(Script::default());
    store.get_range(&path("x"), 0..1).await.unwrap();
    inner.replace(&path("x"), &sealed[1]);
    let range = 7 * CHUNK..8 * CHUNK;
    let asked = range.start as u64..range.end as u64;
    assert_eq!(store.get_range(&path("x"), asked).await.unwrap(), plaintext[1][range]);
    inner.replace(&path("x"), &sealed[0]);
    let all = read(store, "x", ranged(5..)).await.unwrap();
    assert_eq!(all, plaintext[0][5..]);
    inner.replace(&path("x"), &sealed[1]);
    let found = store.get_ranges(&path("x"), &[7 * 16384..7 * 16384 + 5, 0..1]).await.unwrap();
    assert_eq!(found[0], plaintext[1][7 * CHUNK..7 * CHUNK + 5]);
}
