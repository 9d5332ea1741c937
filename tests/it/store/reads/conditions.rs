//! Do a caller's own conditions mean what they mean without sealing?

use object_store::{Attribute, Attributes, PutOptions, memory::InMemory};

use super::*;
use crate::store::scripted::replace;

/// An `ETag` that no object has.
const NONE: &str = "\"none\"";

fn kind(result: Result<Vec<u8>>) -> &'static str {
    match result {
        Ok(_) => "found",
        Err(object_store::Error::Precondition { .. }) => "precondition",
        Err(object_store::Error::NotModified { .. }) => "not modified",
        Err(object_store::Error::NotFound { .. }) => "not found",
        Err(error) => panic!("{error:?}"),
    }
}

/// All conditions, in all combinations, of a whole object, of ranges of one that is not open, and of one that is.
#[tokio::test]
async fn conditions_are_those_of_a_store_in_memory() {
    let (inner, store) = sealed().await;
    put(&store, "x", &data(5 * CHUNK)).await;
    let meta = inner.objects.head(&path("x")).await.unwrap();
    let e_tag = meta.e_tag.unwrap();
    let (before, after) = (meta.last_modified - SECOND, meta.last_modified + SECOND);
    let listed = format!("{NONE}, {e_tag}");
    let e_tags = [None, Some(&*e_tag), Some(NONE), Some("*"), Some(&*listed)];
    let dates = [None, Some(before), Some(after)];
    for if_match in e_tags {
        for if_none_match in e_tags {
            for if_modified_since in dates {
                for if_unmodified_since in dates {
                    let options = GetOptions {
                        if_match: if_match.map(str::to_owned),
                        if_none_match: if_none_match.map(str::to_owned),
                        if_modified_since,
                        if_unmodified_since,
                        ..GetOptions::default()
                    };
                    same(&inner, &store, &options).await;
                }
            }
        }
    }
}

const SECOND: Duration = Duration::from_secs(1);

async fn same(inner: &Arc<Scripted>, store: &SealedStore, options: &GetOptions) {
    let expected = kind(read(&inner.objects, "x", options.clone()).await);
    for range in [None, Some(GetRange::from(40_000..40_010))] {
        let options = GetOptions { range, ..options.clone() };
        assert_eq!(kind(read(store, "x", options.clone()).await), expected, "{options:?}");
        let head = GetOptions { head: true, ..options };
        assert_eq!(kind(read(store, "x", head).await), expected);
    }
}

/// A caller who asks for one version gets no other, however it comes.
#[tokio::test]
async fn a_version_that_was_replaced_is_a_failed_condition() {
    let (inner, store) = sealed().await;
    let bytes = data(5 * CHUNK);
    put(&store, "x", &bytes).await;
    let old = inner.objects.head(&path("x")).await.unwrap().e_tag;
    let asked = || ranged(40_000..40_010).with_if_match(old.clone());
    for expected in [3, 1] {
        assert_eq!(read(&store, "x", asked()).await.unwrap(), bytes[40_000..40_010]);
        assert_eq!(inner.requests().len(), expected);
    }
    put(&store, "x", &bytes).await;
    assert_eq!(kind(read(&store, "x", asked()).await), "precondition");
    read(&store, "x", ranged(40_000..40_010)).await.unwrap();
    assert_eq!(kind(read(&store, "x", asked()).await), "precondition");
    // Nor if it is replaced between the requests of the read.
    put(&store, "y", &bytes).await;
    let (old, sealed) =
        (inner.objects.head(&path("y")).await.unwrap().e_tag, inner.bytes(&path("y")));
    let before = Box::new(move |number, objects: &InMemory| {
        if number == 1 {
            replace(objects, &path("y"), &sealed);
        }
    });
    inner.restart(Script { before: Some(before), ..Script::default() });
    let found = read(&store, "y", ranged(70_000..70_010).with_if_match(old)).await;
    assert_eq!(kind(found), "precondition");
}

#[tokio::test]
async fn attributes_come_with_every_read() {
    let (_, store) = sealed().await;
    let attributes: Attributes = [(Attribute::ContentType, "text/csv")].into_iter().collect();
    let options = PutOptions { attributes: attributes.clone(), ..PutOptions::default() };
    let bytes = Bytes::from(data(5 * CHUNK));
    store.put_opts(&path("x"), bytes.into(), options).await.unwrap();
    for options in [
        GetOptions::default(),
        ranged(70_000..70_001),
        ranged(70_000..70_001),
        GetOptions { head: true, ..GetOptions::default() },
    ] {
        let found = store.get_opts(&path("x"), options).await.unwrap();
        assert_eq!(found.attributes, attributes);
        assert_eq!(found.meta.size, 5 * CHUNK as u64);
    }
}
