//! Do the owner's changes hold there: who reads, two owners at once, and sealing again?

use std::time::Duration;

use futures_util::future::join_all;
use object_store::{Error, GetOptions, ObjectStore, ObjectStoreExt, PutPayload, path::Path};
use twinseal::{
    DecapsulationKey, Error as Ours,
    store::{Fate, Retirement},
};

use crate::{
    fixture::{People, ours},
    moto::Bucket,
    watched::Watched,
};

/// The dates of a bucket are whole seconds: what is written now is in a later one than what was written before.
async fn next_second() {
    tokio::time::sleep(Duration::from_millis(1100)).await;
}

async fn read(store: &dyn ObjectStore, path: &Path) -> Vec<u8> {
    store.get(path).await.unwrap().bytes().await.unwrap().to_vec()
}

/// The epoch that an object of the bucket is under: four bytes after a magic of eight and a version.
async fn epoch(inner: &dyn ObjectStore, path: &Path) -> u32 {
    let start = inner.get_range(path, 0..13).await.unwrap();
    u32::from_be_bytes(start[9..13].try_into().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_granted_reads_until_revoked_and_what_was_there_is_sealed_again() {
    let Some(bucket) = Bucket::new() else { return };
    let (people, inner) = (People::new(), bucket.store());
    let (owner, pin) = people.create(inner.clone()).await.unwrap();
    let store = owner.store();
    let open = |key, pin| people.open(inner.clone(), key, pin);
    assert_eq!(ours(open(&people.bob, pin).await), Ours::NotARecipient);

    let (small, large) = (Path::from("small"), Path::from("in parts/large"));
    store.put(&small, "weights".into()).await.unwrap();
    let parts = [vec![1; 6 << 20], vec![2; 6 << 20], vec![3; 5]];
    let mut upload = store.put_multipart(&large).await.unwrap();
    for part in parts.clone() {
        upload.put_part(part.into()).await.unwrap();
    }
    upload.complete().await.unwrap();
    let parts = parts.concat();

    let granted = owner.grant(people.bob.encapsulation_key()).await.unwrap();
    let bobs = open(&people.bob, granted).await.unwrap();
    assert_eq!(read(&bobs, &small).await, b"weights");
    assert_eq!(read(&bobs, &large).await, parts);
    let ranges = [0..5, (6 << 20) - 7..(6 << 20) + 7, (12 << 20) + 1..(12 << 20) + 5];
    let read_ranges = bobs.get_ranges(&large, &ranges).await.unwrap();
    for (range, bytes) in ranges.into_iter().zip(read_ranges) {
        assert_eq!(bytes, parts[range.start as usize..range.end as usize]);
    }

    next_second().await;
    let revoked = owner.revoke(people.bob.encapsulation_key().key_id()).await.unwrap();
    assert_eq!(ours(open(&people.bob, granted).await), Ours::NotARecipient);
    assert_eq!(ours(bobs.get(&small).await), Ours::NotARecipient);
    store.put(&Path::from("later"), PutPayload::default()).await.unwrap();

    let mut fates = Vec::new();
    let progress = |path: &Path, fate| fates.push((path.to_string(), fate));
    let report = owner.reseal().progress(progress).run().await.unwrap();
    assert_eq!((report.resealed, report.newest), (2, 1), "{report:?}");
    fates.sort_by_key(|(path, _)| path.clone());
    let expected =
        [("in parts/large", Fate::Resealed), ("later", Fate::Newest), ("small", Fate::Resealed)];
    assert_eq!(fates, expected.map(|(path, fate)| (path.to_owned(), fate)));
    let [_, newest] = owner.epochs().await.unwrap()[..] else { panic!("two epochs") };
    for path in [&small, &large] {
        assert_eq!(epoch(&*inner, path).await, newest);
    }
    assert_eq!(read(store, &small).await, b"weights");
    assert_eq!(read(store, &large).await, parts);

    open(&people.alice, revoked).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_after_an_epoch_began_is_left_alone() {
    let Some(bucket) = Bucket::new() else { return };
    let (people, inner) = (People::new(), bucket.store());
    let (owner, _) = people.create(inner.clone()).await.unwrap();
    let path = Path::from("model");
    owner.store().put(&path, "old".into()).await.unwrap();
    let old = inner.get_opts(&path, GetOptions::default()).await.unwrap().bytes().await.unwrap();
    let pin = owner.new_epoch().await.unwrap();
    next_second().await;
    inner.put(&path, old.into()).await.unwrap();

    let report = owner.reseal().run().await.unwrap();
    assert_eq!((report.resealed, report.left), (0, 1), "{report:?}");
    assert_eq!(epoch(&*inner, &path).await, 1);
    let report = owner.reseal().accept(|meta| meta.location == path).run().await.unwrap();
    assert_eq!((report.resealed, report.left), (1, 0), "{report:?}");
    assert_eq!(read(owner.store(), &path).await, b"old");
    assert_eq!(pin, owner.store().pin());
}

#[tokio::test(flavor = "multi_thread")]
async fn owners_at_once_lose_no_change() {
    let Some(bucket) = Bucket::new() else { return };
    let (people, inner) = (People::new(), bucket.store());
    let (_, pin) = people.create(inner.clone()).await.unwrap();
    let changes = (0..4).map(|_| async {
        let store = people.open(inner.clone(), &people.alice, pin).await.unwrap();
        let owner = store.owned_by(people.owner.clone()).unwrap();
        owner.grant(DecapsulationKey::generate().unwrap().encapsulation_key()).await.unwrap()
    });
    join_all(changes).await;
    let store = people.open(inner.clone(), &people.alice, pin).await.unwrap();
    let owner = store.owned_by(people.owner.clone()).unwrap();
    assert_eq!(owner.recipients().await.unwrap().len(), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_is_made_once() {
    let Some(bucket) = Bucket::new() else { return };
    let (people, inner) = (People::new(), bucket.store());
    let made = join_all((0..4).map(|_| people.create(inner.clone()))).await;
    assert_eq!(made.iter().filter(|made| made.is_ok()).count(), 1);
    for refused in made.into_iter().filter_map(Result::err) {
        assert!(matches!(refused, Error::AlreadyExists { .. }), "{refused}");
    }
}

/// Others may not have looked yet, so two minutes must pass: the keys seem to be an hour older than they are.
#[tokio::test(flavor = "multi_thread")]
async fn an_epoch_is_retired_when_nothing_is_under_it() {
    let Some(bucket) = Bucket::new() else { return };
    let (people, inner) = (People::new(), Watched::new(bucket.store()));
    let (owner, _) = people.create(inner.clone()).await.unwrap();
    let path = Path::from("model");
    owner.store().put(&path, "weights".into()).await.unwrap();
    next_second().await;
    let _pin = owner.new_epoch().await.unwrap();
    let refused = ours(owner.retire(1).await);
    assert!(matches!(refused, Ours::Misuse { what: "epoch to retire", .. }), "{refused}");

    inner.make_older(Duration::from_secs(3600));
    let in_use = owner.retire(1).await.unwrap();
    assert!(
        matches!(&in_use, Retirement::InUse { objects: 1, example, .. } if *example == path),
        "{in_use:?}"
    );
    inner.make_older(Duration::ZERO);
    assert_eq!(owner.reseal().run().await.unwrap().resealed, 1);
    inner.make_older(Duration::from_secs(3600));
    let retired = owner.retire(1).await.unwrap();
    assert!(matches!(retired, Retirement::Retired { unreadable: 0, .. }), "{retired:?}");
    assert_eq!(owner.epochs().await.unwrap(), [2]);
    assert_eq!(read(owner.store(), &path).await, b"weights");
}
