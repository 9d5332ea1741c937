//! What keeps a store in order: pins in files and pins that were lost, objects that are none, stores below others,
//! and errors that say where.

use std::{sync::Arc, time::Duration};

use futures_util::{StreamExt, TryStreamExt};
use object_store::{
    GetOptions, ObjectStore, ObjectStoreExt, PutMode, PutPayload, local::LocalFileSystem,
    memory::InMemory, path::Path,
};
use twinseal::{
    Error, Recipients, StoreRefusal,
    store::{Fate, Options, Pin, Retirement, SealedStore},
};

use super::{
    fixture::{CONTEXT, People, assert_refused, eager, made, ours},
    watched::Watched,
};

const MIB: usize = 1 << 20;

async fn read(store: &SealedStore, path: &Path) -> Vec<u8> {
    store.get(path).await.unwrap().bytes().await.unwrap().to_vec()
}

#[tokio::test]
async fn a_pin_is_kept_in_a_file_that_is_replaced_as_a_whole() {
    let (_, _, owner, first) = made().await;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store.pin");
    first.write_file(&path).unwrap();
    assert_eq!(Pin::read_file(&path).unwrap(), first);
    let second = owner.new_epoch().await.unwrap();
    second.write_file(&path).unwrap();
    assert_eq!(Pin::read_file(&path).unwrap(), second);
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);

    let nothing = Pin::first_use().write_file(&path).unwrap_err();
    assert!(matches!(Error::inside(&nothing), Some(Error::Misuse { what: "pin", .. })));
    assert_eq!(Pin::read_file(&path).unwrap(), second);

    let text = std::fs::read_to_string(&path).unwrap();
    assert_eq!(format!(" {text}\r\n").parse(), Ok(second));
    for wrong in ["", "first use", &text[1..], &text[..text.len() - 2], &text.replace('.', ":")] {
        std::fs::write(&path, wrong).unwrap();
        let error = Pin::read_file(&path).unwrap_err();
        assert!(matches!(Error::inside(&error), Some(Error::Invalid { what: "pin", .. })));
        assert!(error.to_string().contains("store.pin: "), "{error}");
    }
    let absent = first.write_file(directory.path().join("no/store.pin")).unwrap_err();
    assert!(absent.to_string().contains("store.pin: "), "{absent}");
}

/// So does an owner whose `create` ended before the pin was saved.
#[tokio::test]
async fn whoever_lost_the_pin_trusts_the_bucket_once() {
    let (people, inner, _, pin) = made().await;
    let found = people.open(inner.clone(), &people.alice, Pin::first_use()).await.unwrap();
    assert!(found.owned_by(people.owner.clone()).is_err());
    assert_eq!(found.pin(), pin);
    let again = people.open(inner, &people.alice, found.pin()).await.unwrap();
    let _pin = again.owned_by(people.owner.clone()).unwrap().new_epoch().await.unwrap();
}

#[tokio::test]
async fn with_a_pin_at_a_wrong_place_there_is_no_store_and_nobody_hides_one() {
    let (people, inner, owner, _) = made().await;
    let pin = owner.new_epoch().await.unwrap();
    let elsewhere = Options::default().prefix(Path::from("elsewhere"));
    let (alice, key) = (people.alice.clone(), people.owner.verifying_key());
    let opened = elsewhere.open(inner, CONTEXT, alice, key, pin).await;
    assert_refused(opened, StoreRefusal::NoKeys);
}

#[tokio::test]
async fn an_epoch_is_retired_twice_without_an_error() {
    let (people, inner, _, pin) = made().await;
    let watched = Watched::new(inner.clone());
    let store = people.open(watched.clone(), &people.alice, pin).await.unwrap();
    let owner = store.owned_by(people.owner.clone()).unwrap();
    let path = Path::from("x");
    owner.store().put(&path, "weights".into()).await.unwrap();
    let old = inner.get(&path).await.unwrap().bytes().await.unwrap();
    owner.store().delete(&path).await.unwrap();
    let _pin = owner.new_epoch().await.unwrap();
    watched.make_older(Duration::from_secs(121));
    let retired = owner.retire(1).await.unwrap();
    inner.put(&path, old.into()).await.unwrap(); // whatever somebody puts back
    assert_eq!(owner.retire(1).await.unwrap(), retired);
    assert_eq!(owner.abandon(1).await.unwrap(), retired);
    assert!(matches!(retired, Retirement::Retired { pin, .. } if pin == owner.store().pin()));
    for newest_or_later in [2, 3, u32::MAX] {
        assert!(matches!(ours(owner.retire(newest_or_later).await), Error::Misuse { .. }));
    }
}

#[tokio::test]
async fn what_is_no_object_is_counted_and_stops_no_resealing() {
    let (_, inner, owner, _) = made().await;
    let path = Path::from("x");
    owner.store().put(&path, "weights".into()).await.unwrap();
    for (name, len) in [("empty", 0), ("short", 5), ("impossible", 70), ("possible", 5000)] {
        inner.put(&Path::from(name), vec![b't'; len].into()).await.unwrap();
    }
    tokio::time::sleep(Duration::from_millis(2)).await;
    let _pin = owner.new_epoch().await.unwrap();
    let mut fates = Vec::new();
    let report = owner.reseal().progress(|path, fate| fates.push((path.to_string(), fate)));
    let report = report.run().await.unwrap();
    assert_eq!((report.resealed, report.unreadable), (1, 4), "{report:?}");
    fates.sort_by(|(a, _), (b, _)| a.cmp(b));
    let unreadable = ["empty", "impossible", "possible", "short"];
    let expected = unreadable.map(|name| (name.to_owned(), Fate::Unreadable));
    assert_eq!(fates[..4], expected);
    assert_eq!(read(owner.store(), &path).await, b"weights");
}

#[tokio::test]
async fn a_directory_is_resealed_only_if_nobody_else_writes() {
    let directory = tempfile::tempdir().unwrap();
    let files = Arc::new(LocalFileSystem::new_with_prefix(directory.path()).unwrap());
    let (people, inner) = (People::new(), files as Arc<dyn ObjectStore>);
    let (owner, _) = people.create(Arc::clone(&inner)).await.unwrap();
    for (name, len) in [("small", 5), ("large", 64 * MIB + 1)] {
        let path = Path::from(name);
        owner.store().put(&path, vec![7; len].into()).await.unwrap();
        let old = inner.head(&path).await.unwrap();
        tokio::time::sleep(Duration::from_millis(20)).await;
        let _pin = owner.new_epoch().await.unwrap();
        let refused = owner.reseal().run().await.unwrap_err();
        assert!(matches!(refused, object_store::Error::NotSupported { .. }), "{refused}");
        assert!(refused.to_string().contains("nobody_else_writes"), "{refused}");
        assert_eq!(inner.head(&path).await.unwrap(), old);
        let resealed = owner.reseal().nobody_else_writes().run().await.unwrap();
        assert_eq!(resealed.resealed, 1, "{resealed:?}");
        assert!(read(owner.store(), &path).await == vec![7; len]);
        owner.store().delete(&path).await.unwrap();
    }
}

/// Its keys are neither listed nor deleted through the one above.
#[tokio::test]
async fn a_store_does_not_reach_the_keys_of_one_below_it() {
    let (people, inner, owner, _) = made().await;
    let recipients = Recipients::new([people.alice.encapsulation_key()]).unwrap();
    let below = eager().prefix(Path::from("sub"));
    let (alice, signer) = (people.alice.clone(), people.owner.clone());
    let (_, pin) =
        below.clone().create(inner.clone(), CONTEXT, alice, signer, &recipients).await.unwrap();
    let keys = Path::from("sub/.twinseal/keys/0000000001");
    let listed: Vec<_> = owner.store().list(None).try_collect().await.unwrap();
    assert_eq!(listed, []);
    let deleted = owner.store().delete(&keys).await;
    assert!(matches!(deleted, Err(object_store::Error::NotFound { .. })), "{deleted:?}");
    let (alice, key) = (people.alice.clone(), people.owner.verifying_key());
    below.open(inner, CONTEXT, alice, key, pin).await.unwrap();
}

/// Sealed and written in parts: a store in memory must not need one piece of its length.
#[tokio::test(flavor = "multi_thread")]
async fn a_long_object_that_is_put_is_an_object_like_others() {
    let (people, inner, owner, pin) = made().await;
    let (store, path) = (owner.store(), Path::from("long"));
    let data: Vec<u8> = (0..65 * MIB + 3).map(|index| (index / 1000) as u8).collect();
    let pieces = data.chunks(10 * MIB + 7).map(<[u8]>::to_vec);
    store.put(&path, pieces.map(bytes::Bytes::from).collect::<PutPayload>()).await.unwrap();
    assert!(read(store, &path).await == data);
    let sealed = inner.head(&path).await.unwrap().size;
    let chunks = (data.len() as u64).div_ceil(16 * 1024);
    assert_eq!(sealed, 69 + data.len() as u64 + 16 * chunks);

    // The modes that allow no parts.
    let created = store.put_opts(&path, data.clone().into(), PutMode::Create.into()).await;
    assert!(matches!(created, Err(object_store::Error::AlreadyExists { .. })));

    // Another owner begins an epoch while it is written.
    let other = people.open(inner.clone(), &people.alice, pin).await.unwrap();
    let other = other.owned_by(people.owner.clone()).unwrap();
    let lazy = Options::default().look_every(Duration::from_secs(3600));
    let (alice, key) = (people.alice.clone(), people.owner.verifying_key());
    let lazy = lazy.open(inner.clone(), CONTEXT, alice, key, pin).await.unwrap();
    let _pin = other.new_epoch().await.unwrap();
    lazy.put(&path, data.clone().into()).await.unwrap();
    assert_eq!(inner.get_range(&path, 9..13).await.unwrap()[..], [0, 0, 0, 2]);
    assert!(read(store, &path).await == data);
}

#[tokio::test]
async fn an_epoch_that_has_just_begun_is_found_at_once() {
    let (people, inner, owner, pin) = made().await;
    let (alice, key) = (people.alice.clone(), people.owner.verifying_key());
    let opened = SealedStore::open(inner, CONTEXT, alice, key, pin).await.unwrap();
    let _pin = owner.new_epoch().await.unwrap();
    owner.store().put(&Path::from("x"), "weights".into()).await.unwrap();
    assert_eq!(read(&opened, &Path::from("x")).await, b"weights");
}

#[tokio::test]
async fn errors_say_which_object_and_which_keys() {
    let (people, inner, owner, pin) = made().await;
    let (store, at, moved) = (owner.store(), Path::from("run 7/x"), Path::from("run 7/y"));
    store.put(&at, vec![7; 100_000].into()).await.unwrap();
    inner.copy(&at, &moved).await.unwrap();
    let mut errors = vec![
        store.get(&moved).await.unwrap_err(),
        store.get_range(&moved, 5..6).await.unwrap_err(),
        store.get_ranges(&moved, &[5..6, 90_000..90_001]).await.unwrap_err(),
        store.copy(&moved, &Path::from("z")).await.unwrap_err(),
    ];
    // The end of an object is known to be wrong only when it is read.
    let whole = inner.get(&at).await.unwrap().bytes().await.unwrap();
    let mut changed = whole.to_vec();
    *changed.last_mut().unwrap() ^= 1;
    inner.put(&moved, changed.clone().into()).await.unwrap();
    inner.put(&at, changed.into()).await.unwrap();
    let found = store.get_opts(&at, GetOptions::default()).await.unwrap();
    let read: Vec<_> = found.into_stream().collect().await;
    let in_stream = read.into_iter().find_map(Result::err).unwrap();
    assert!(in_stream.to_string().contains("run 7/x does not open"), "{in_stream}");
    assert_eq!(Error::inside(&in_stream), Some(&Error::Open));
    errors.push(store.get(&moved).await.unwrap_err());
    for error in errors {
        assert!(error.to_string().contains("run 7/y does not open"), "{error}");
        assert_eq!(Error::inside(&error), Some(&Error::Open));
    }

    let keys = ".twinseal/keys/0000000001";
    let stranger = people.open(inner.clone(), &people.bob, pin).await.unwrap_err();
    assert!(stranger.to_string().contains(&format!("{keys} is not for this key")), "{stranger}");
    let damaged = PutPayload::from_static(b"nothing");
    inner.put(&Path::parse(keys).unwrap(), damaged).await.unwrap();
    let refused = people.open(inner as Arc<InMemory>, &people.alice, pin).await.unwrap_err();
    assert!(refused.to_string().contains(keys), "{refused}");
}
