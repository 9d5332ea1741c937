//! Is every statement that is written read as what it was?

use std::{collections::BTreeMap, num::NonZeroU64};

use proptest::{collection::btree_map, collection::btree_set, prelude::*};

use super::{
    super::{
        contents::{Contents, Method},
        file_digest::{Digests, FileDigest},
        names,
    },
    parse, write,
};

/// Components of all kinds, among them some that look like a shard's name or like another component.
fn name() -> impl Strategy<Value = String> {
    let component = prop_oneof!["[^/\0\\\\:]{1,8}", Just("a".into()), "[a.:0-9-]{1,4}"];
    let names = prop::collection::vec(component, 1..4).prop_map(|parts| parts.join("/"));
    names.prop_filter("a plain path", |name| names::check(name).is_ok())
}

fn digest(method: Method) -> BoxedStrategy<FileDigest> {
    match method {
        Method::Files => {
            any::<[u8; 32]>().prop_map(|digest| FileDigest(Digests::Whole(digest))).boxed()
        }
        Method::Shards(size) => {
            let lengths = 1..=size.get().saturating_mul(12).min(u64::MAX >> 8);
            let with_digests = lengths.prop_flat_map(move |length| {
                let count = usize::try_from(length.div_ceil(size.get())).expect("at most twelve");
                (Just(length), prop::collection::vec(any::<[u8; 32]>(), count))
            });
            with_digests
                .prop_map(move |(length, digests)| {
                    FileDigest(Digests::Shards { size, length, digests })
                })
                .boxed()
        }
    }
}

fn contents() -> impl Strategy<Value = Contents> {
    let sizes = prop_oneof![1..20_u64, 1..=super::super::json::MAX_INTEGER];
    let method = prop_oneof![
        Just(Method::Files),
        sizes.prop_map(|size| Method::Shards(NonZeroU64::new(size).expect("it is from 1"))),
    ];
    method.prop_flat_map(|method| {
        let parts = (".{1,12}", btree_map(name(), digest(method), 1..12), btree_set(name(), 0..6));
        parts.prop_map(move |(name, files, ignored)| {
            let may_be = |path: &String| {
                names::check_ignored_to_sign(path).is_ok() && !names::covers_any(path, &files)
            };
            let ignored = ignored.into_iter().filter(may_be).collect();
            Contents { name, method, files, ignored }
        })
    })
}

proptest! {
    #[test]
    fn contents_are_what_was_written(contents in contents()) {
        let statement = write(&contents).expect("it was made by these rules");
        let read = parse(&statement).expect("it was made by these rules");
        prop_assert_eq!(&read.contents, &contents);
        prop_assert_eq!(write(&read.contents).expect("it was made by these rules"), statement);
    }

    #[test]
    fn what_covers_is_what_is_above(path in name(), names in btree_set(name(), 0..6)) {
        let under = format!("{path}/");
        let expected = names.iter().any(|name| *name == path || name.starts_with(&under));
        let names: BTreeMap<_, _> = names.into_iter().map(|name| (name, ())).collect();
        prop_assert_eq!(names::covers_any(&path, &names), expected);
    }
}
