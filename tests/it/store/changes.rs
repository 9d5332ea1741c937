//! Who reads a store: changes, owners at once, and owners who are interrupted.

use std::{sync::Arc, time::Duration};

use futures_util::{StreamExt, TryStreamExt, future::join_all, stream};
use object_store::{
    GetOptions, ObjectStore, PutMode, PutPayload, local::LocalFileSystem, memory::InMemory,
    path::Path,
};
use twinseal::{
    DecapsulationKey, Error, Recipients, SigningKey, StoreRefusal,
    store::{Pin, Retirement},
};

use super::{
    fixture::{CONTEXT, People, assert_refused, eager, made, ours},
    scripted::{self, Script, Scripted, fault},
    watched::{Kind, Verdict, Watched},
};

fn keys_path(serial: u32) -> Path {
    Path::parse(format!(".twinseal/keys/{serial:010}")).unwrap()
}

async fn keys_object(store: &dyn ObjectStore, serial: u32) -> PutPayload {
    let found = store.get_opts(&keys_path(serial), GetOptions::default()).await.unwrap();
    found.bytes().await.unwrap().into()
}

async fn delete(store: &dyn ObjectStore, serial: u32) {
    let one = stream::iter([Ok(keys_path(serial))]).boxed();
    store.delete_stream(one).try_collect::<Vec<_>>().await.unwrap();
}

async fn put(store: &dyn ObjectStore, serial: u32, payload: PutPayload) {
    store.put_opts(&keys_path(serial), payload, PutMode::Overwrite.into()).await.unwrap();
}

#[tokio::test]
async fn a_store_is_made_once() {
    let (people, inner, _, _) = made().await;
    let again = people.create(Arc::clone(&inner) as _).await;
    assert!(matches!(again.unwrap_err(), object_store::Error::AlreadyExists { .. }));
}

#[tokio::test]
async fn a_store_shows_what_is_below_and_its_pin() {
    let (people, inner, _, pin) = made().await;
    let store = people.open(Arc::clone(&inner) as _, &people.alice, pin).await.unwrap();
    assert_eq!(format!("{store:?}"), format!("SealedStore({inner}, {pin})"));
    assert_eq!(store.to_string(), format!("SealedStore({inner})"));
}

#[tokio::test]
async fn a_store_is_made_in_a_directory_too() {
    let directory = tempfile::tempdir().unwrap();
    let people = People::new();
    let local = || Arc::new(LocalFileSystem::new_with_prefix(directory.path()).unwrap());
    let (owner, _) = people.create(local()).await.unwrap();
    let pin = owner.grant(people.bob.encapsulation_key()).await.unwrap();
    people.open(local(), &people.bob, pin).await.unwrap();
}

#[tokio::test]
async fn the_owner_must_be_a_recipient() {
    let people = People::new();
    let recipients = Recipients::new([people.bob.encapsulation_key()]).unwrap();
    let (reader, owner) = (Arc::clone(&people.alice), Arc::clone(&people.owner));
    let inner = Arc::new(InMemory::new());
    let made = eager().create(inner.clone(), CONTEXT, reader, owner, &recipients).await;
    assert!(matches!(ours(made), Error::Misuse { what: "recipients", .. }));
    assert_eq!(inner.list(None).count().await, 0);
}

#[tokio::test]
async fn who_is_granted_reads_and_who_is_revoked_does_not() {
    let (people, inner, owner, pin) = made().await;
    let open = |key, pin| people.open(Arc::clone(&inner) as _, key, pin);
    assert_eq!(ours(open(&people.bob, pin).await), Error::NotARecipient);

    let granted = owner.grant(people.bob.encapsulation_key()).await.unwrap();
    assert_ne!(granted, pin);
    assert_eq!(open(&people.bob, pin).await.unwrap().pin(), granted);
    assert_eq!(owner.grant(people.bob.encapsulation_key()).await.unwrap(), granted);
    assert_eq!(owner.epochs().await.unwrap(), [1]);

    let bob = people.bob.encapsulation_key().key_id();
    let revoked = owner.revoke(bob).await.unwrap();
    assert_eq!(ours(open(&people.bob, granted).await), Error::NotARecipient);
    assert_eq!(owner.revoke(bob).await.unwrap(), revoked);
    assert_eq!(owner.epochs().await.unwrap(), [1, 3]);
    assert_eq!(owner.recipients().await.unwrap(), [people.alice.encapsulation_key().clone()]);

    let alice = people.alice.encapsulation_key().key_id();
    assert!(matches!(ours(owner.revoke(alice).await), Error::Misuse { what: "recipients", .. }));
    assert_eq!(owner.store().pin(), revoked);
}

#[tokio::test]
async fn whoever_saw_a_change_is_not_led_back() {
    let (people, inner, owner, first) = made().await;
    let second = owner.grant(people.bob.encapsulation_key()).await.unwrap();
    let open = |pin| people.open(Arc::clone(&inner) as _, &people.alice, pin);
    let store = open(second).await.unwrap();

    let hidden = keys_object(&*inner, 2).await;
    delete(&*inner, 2).await;
    assert_refused(open(second).await, StoreRefusal::Older);
    assert_refused(owner.recipients().await, StoreRefusal::Older);
    assert_eq!(store.pin(), second);
    open(first).await.unwrap(); // who has not seen it cannot know

    // The owner, without his pin, is led into making another change with the same serial.
    let fork = open(first).await.unwrap().owned_by(Arc::clone(&people.owner) as _).unwrap();
    let other = fork.new_epoch().await.unwrap();
    assert_refused(open(second).await, StoreRefusal::Replaced);
    let later = fork.new_epoch().await.unwrap();
    assert_refused(open(second).await, StoreRefusal::Replaced);
    open(other).await.unwrap();
    open(later).await.unwrap();

    put(&*inner, 2, hidden).await;
    delete(&*inner, 3).await;
    open(second).await.unwrap();

    delete(&*inner, 1).await;
    delete(&*inner, 2).await;
    assert_refused(open(first).await, StoreRefusal::NoKeys);
    assert_refused(open(Pin::first_use()).await, StoreRefusal::NoKeys);
}

#[tokio::test]
async fn keys_of_another_owner_or_store_or_name_are_refused() {
    let (people, inner, owner, pin) = made().await;
    let open = |pin| people.open(Arc::clone(&inner) as _, &people.alice, pin);
    let mine = keys_object(&*inner, 1).await;

    put(&*inner, 2, mine.clone()).await;
    assert_refused(open(pin).await, StoreRefusal::Misplaced);
    delete(&*inner, 2).await;

    let elsewhere = Arc::new(InMemory::new());
    let _made = people.create(Arc::clone(&elsewhere) as _).await.unwrap();
    put(&*inner, 1, keys_object(&*elsewhere, 1).await).await;
    assert_refused(open(pin).await, StoreRefusal::AnotherStore);
    open(Pin::first_use()).await.unwrap();

    let elsewhere = Arc::new(InMemory::new());
    let mallory = People { owner: Arc::new(SigningKey::generate().unwrap()), ..People::new() };
    let mallory = People { alice: Arc::clone(&people.alice), ..mallory };
    let _made = mallory.create(Arc::clone(&elsewhere) as _).await.unwrap();
    put(&*inner, 1, keys_object(&*elsewhere, 1).await).await;
    assert_refused(open(Pin::first_use()).await, StoreRefusal::Owner);

    put(&*inner, 1, mine).await;
    let context = b"example.com/other";
    let reader = Arc::clone(&people.alice);
    let other = eager().open(inner.clone(), context, reader, people.owner.verifying_key(), pin);
    assert_refused(other.await, StoreRefusal::Owner);
    owner.recipients().await.unwrap();
}

#[tokio::test]
async fn a_reader_cannot_add_another_one() {
    let (people, inner, _, pin) = made().await;
    let sealed = keys_object(&*inner, 1).await;
    let sealed = sealed.iter().flatten().copied().collect::<Vec<u8>>();
    let (alice, bob) = (people.alice.encapsulation_key(), people.bob.encapsulation_key());
    let to = Recipients::new([alice, bob]).unwrap();
    let mut wider = Vec::new();
    people.alice.rewrap(&to, &sealed[..], &mut wider).unwrap();
    put(&*inner, 1, wider.into()).await;
    for reader in [&people.alice, &people.bob] {
        let opened = people.open(Arc::clone(&inner) as _, reader, pin).await;
        assert_refused(opened, StoreRefusal::Recipients);
    }
}

#[tokio::test]
async fn a_keys_object_is_fetched_only_if_it_is_not_too_long() {
    let (people, inner, _, pin) = made().await;
    let watched = Watched::new(Arc::clone(&inner) as _);
    put(&*inner, 2, vec![0; 12 * 1024 * 1024 + 1].into()).await;
    let opened = people.open(Arc::clone(&watched) as _, &people.alice, pin).await;
    assert_refused(opened, StoreRefusal::TooLong);
}

#[tokio::test]
async fn every_cut_and_every_changed_byte_of_keys_is_refused() {
    let (people, inner, _, pin) = made().await;
    let sealed = keys_object(&*inner, 1).await;
    let sealed = sealed.iter().flatten().copied().collect::<Vec<u8>>();
    let open = || people.open(Arc::clone(&inner) as _, &people.alice, pin);
    for length in (0..sealed.len()).step_by(7) {
        put(&*inner, 1, sealed[..length].to_vec().into()).await;
        open().await.unwrap_err();
    }
    for index in (0..sealed.len()).step_by(3) {
        let mut changed = sealed.clone();
        changed[index] ^= 1;
        put(&*inner, 1, changed.into()).await;
        open().await.unwrap_err();
    }
}

#[tokio::test]
async fn at_first_use_a_store_is_read_but_not_changed() {
    let (people, inner, _, pin) = made().await;
    let store = people.open(inner, &people.alice, Pin::first_use()).await.unwrap();
    assert_eq!(store.pin(), pin);
    let owned = store.owned_by(Arc::clone(&people.owner) as _);
    assert!(matches!(owned.unwrap_err(), Error::Misuse { what: "use of the store", .. }));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_several_owners_at_once_each_makes_its_change() {
    let (people, inner, owner, _) = made().await;
    let keys: Vec<_> = (0..5).map(|_| DecapsulationKey::generate().unwrap()).collect();
    let pin = owner.store().pin();
    let grants = keys.iter().map(|key| async {
        let store = people.open(Arc::clone(&inner) as _, &people.alice, pin).await.unwrap();
        let owner = store.owned_by(Arc::clone(&people.owner) as _).unwrap();
        owner.grant(key.encapsulation_key()).await
    });
    let granted = tokio::time::timeout(Duration::from_secs(60), join_all(grants)).await;
    for pin in granted.expect("all owners are done") {
        let _pin = pin.unwrap();
    }
    let recipients = owner.recipients().await.unwrap();
    assert_eq!(recipients.len(), 6);
    assert!(keys.iter().all(|key| recipients.contains(key.encapsulation_key())));
}

/// At each call, an owner is interrupted, or the answer is lost. The change is made once or not at all, and it can be
/// repeated.
#[tokio::test]
async fn a_change_is_made_once_wherever_it_is_interrupted() {
    for verdict in [Verdict::Fail, Verdict::DoneButFail] {
        for number in 0.. {
            let (people, inner, owner, _) = made().await;
            let _pin = owner.grant(people.bob.encapsulation_key()).await.unwrap();
            let watched = Watched::new(Arc::clone(&inner) as _);
            let pin = owner.store().pin();
            let store = people.open(Arc::clone(&watched) as _, &people.alice, pin).await.unwrap();
            let owner = store.owned_by(Arc::clone(&people.owner) as _).unwrap();
            watched.judge(move |call| if call.number == number { verdict } else { Verdict::Pass });
            let bob = people.bob.encapsulation_key().key_id();
            let revoked = owner.revoke(bob).await;
            let calls = watched.calls();
            watched.judge(|_| Verdict::Pass);
            if revoked.is_err() {
                let _pin = owner.revoke(bob).await.unwrap();
            }
            assert_eq!(owner.epochs().await.unwrap(), [1, 3], "{verdict:?} of call {number}");
            assert_eq!(owner.recipients().await.unwrap().len(), 1);
            if calls.len() <= number {
                assert!(number >= 2, "there is a listing and a put: {calls:?}");
                break;
            }
        }
    }
}

#[tokio::test]
async fn a_put_whose_answer_is_lost_is_found_again() {
    let (people, inner, owner, pin) = made().await;
    let watched = Watched::new(Arc::clone(&inner) as _);
    let store = people.open(Arc::clone(&watched) as _, &people.alice, pin).await.unwrap();
    let owner_again = store.owned_by(Arc::clone(&people.owner) as _).unwrap();
    watched.judge(|call| match call.kind {
        Kind::Put => Verdict::DoneButFail,
        _ => Verdict::Pass,
    });
    let pin = owner_again.new_epoch().await.unwrap();
    assert_eq!(owner.epochs().await.unwrap(), [1, 2]);
    assert_eq!(owner.store().pin(), pin);
}

#[tokio::test]
async fn an_epoch_is_retired_when_everybody_has_seen_its_successor() {
    let (people, inner, _, pin) = made().await;
    let watched = Watched::new(Arc::clone(&inner) as _);
    let store = people.open(Arc::clone(&watched) as _, &people.alice, pin).await.unwrap();
    let owner = store.owned_by(Arc::clone(&people.owner) as _).unwrap();
    let refused = |result| matches!(ours(result), Error::Misuse { what: "epoch to retire", .. });
    assert!(refused(owner.retire(1).await)); // the newest
    let _pin = owner.new_epoch().await.unwrap();
    assert!(refused(owner.retire(7).await));
    assert!(refused(owner.retire(1).await)); // too young
    watched.make_older(Duration::from_secs(119));
    assert!(refused(owner.retire(1).await));
    watched.make_older(Duration::from_secs(121));
    let retired = owner.retire(1).await.unwrap();
    assert!(matches!(retired, Retirement::Retired { unreadable: 0, .. }));
    assert_eq!(owner.epochs().await.unwrap(), [2]);
}

#[tokio::test]
async fn keys_that_are_longer_than_they_say_are_not_read_to_their_end() {
    let (people, inner) = (People::new(), Scripted::new());
    let (_, pin) = people.create(Arc::clone(&inner) as _).await.unwrap();
    let behind = (0..13).map(|_| Ok(vec![0; 1 << 20].into())).chain([Err(fault())]);
    inner.restart(Script { behind_keys: Some(behind.collect()), ..Script::default() });
    let opened = people.open(Arc::clone(&inner) as _, &people.alice, pin).await;
    assert_refused(opened, StoreRefusal::TooLong);
}

/// Where listings have no `ETag`s, what is found may be newer than what was listed.
#[tokio::test]
async fn what_reseal_finds_is_judged_by_its_own_date() {
    let (people, inner) = (People::new(), Scripted::new());
    let (owner, _) = people.create(Arc::clone(&inner) as _).await.unwrap();
    let path = Path::from("x");
    let mine = PutPayload::from_static(b"mine");
    owner.store().put_opts(&path, mine, PutMode::Overwrite.into()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(2)).await;
    let _pin = owner.new_epoch().await.unwrap();
    // Somebody who knows the old key writes after the listing.
    let late = inner.bytes(&path);
    let (to, bytes) = (path.clone(), late.clone());
    let before = move |number: usize, objects: &InMemory| {
        if number == 1 {
            scripted::replace(objects, &to, &bytes);
        }
    };
    inner.restart(Script { no_e_tags: true, before: Some(Box::new(before)), ..Script::default() });
    let report = owner.reseal().nobody_else_writes().run().await.unwrap();
    assert_eq!((report.resealed, report.left), (0, 1));
    assert_eq!(inner.bytes(&path), late);
}
