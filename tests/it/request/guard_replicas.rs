//! Do processes that share a store let each request in once, by the recipe in the documentation of `Window`?

use std::{
    collections::{HashMap, HashSet},
    sync::Mutex,
    time::Duration,
};

use proptest::{collection::vec, prelude::*};
use twinseal::{
    Error, KeyId,
    ReplayRefusal::{Replayed, TooOld},
    request::{ReplayGuard, RequestId, RequestTime, Window},
};

use super::guard::{AHEAD, BACK, Clock, START, UNSIGNED, id, refused, time};

/// The greatest difference between the clock of a process and the right time.
const CLOCKS: u64 = 10_000;

/// Ids, each with the time when its entry expires, by the right clock.
struct Store {
    right: Clock,
    entries: Mutex<HashMap<RequestId, u64>>,
}

impl Store {
    fn set_if_absent(&self, id: RequestId, expires_after: Duration) -> bool {
        let now = self.right.now();
        let mut entries = self.entries.lock().unwrap();
        entries.retain(|_, expires| *expires >= now);
        let expires = now + u64::try_from(expires_after.as_millis()).unwrap();
        match entries.contains_key(&id) {
            true => false,
            false => entries.insert(id, expires).is_none(),
        }
    }
}

struct Replica<'a> {
    store: &'a Store,
    window: Window,
    /// How far its clock is from the right one.
    offset: i64,
    /// How long it stands still between its first check and the store.
    pause: u64,
}

impl Replica<'_> {
    fn now(&self) -> RequestTime {
        time(self.store.right.now().checked_add_signed(self.offset).unwrap())
    }
}

impl ReplayGuard for Replica<'_> {
    fn admit(&self, id: RequestId, _: Option<KeyId>, time: RequestTime) -> Result<(), Error> {
        self.window.check(time, self.now())?;
        self.store.right.set(self.store.right.now() + self.pause);
        let clocks = 2 * Duration::from_millis(CLOCKS);
        let expires_after = self.window.back() + self.window.ahead() + clocks;
        match self.store.set_if_absent(id, expires_after) {
            true => self.window.check(time, self.now()),
            false => Err(Error::Replay(Replayed)),
        }
    }
}

fn store() -> Store {
    Store { right: Clock::at(START), entries: Mutex::default() }
}

/// The worst case: a request as far ahead as possible is let in by the replica whose clock is ahead, and
/// comes again to the one whose clock is behind. Not a millisecond is left between the window and the entry.
#[test]
fn the_first_and_the_last_replica() {
    let store = store();
    let replica =
        |offset, pause| Replica { store: &store, window: Window::default(), offset, pause };
    let (behind, ahead) = (replica(-(CLOCKS as i64), 0), replica(CLOCKS as i64, 0));
    let request = time(START + CLOCKS + AHEAD);
    assert_eq!(ahead.admit(id(1), UNSIGNED, request), Ok(()));
    let last = START + 2 * CLOCKS + AHEAD + BACK;
    for (now, verdict) in [
        (START + 2 * CLOCKS, refused(Replayed)),
        (last, refused(Replayed)),
        (last + 1, refused(TooOld)),
    ] {
        store.right.set(now);
        assert_eq!(behind.admit(id(1), UNSIGNED, request), verdict, "{now}");
    }
}

/// A replica that stood still until the entry had expired finds the store empty, and the request too old.
#[test]
fn a_replica_that_stood_still() {
    let store = store();
    let replica = |pause| Replica { store: &store, window: Window::default(), offset: 0, pause };
    assert_eq!(replica(0).admit(id(1), UNSIGNED, time(START)), Ok(()));
    assert!(replica(2 * BACK).admit(id(1), UNSIGNED, time(START)).is_err());
    assert!(store.right.now() > START + BACK + AHEAD + 2 * CLOCKS);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..Default::default() })]

    #[test]
    fn never_twice(
        offsets in vec(-(CLOCKS as i64)..=CLOCKS as i64, 1..5),
        steps in vec((any::<prop::sample::Index>(), 0..8_u64, 0..15_000_u64, prop_oneof![4 => Just(0), 1 => 0..200_000_u64]), 1..100),
    ) {
        let store = store();
        let mut let_in = HashSet::new();
        for (which, number, passes, pause) in steps {
            store.right.set(store.right.now() + passes);
            let replica = Replica { store: &store, window: Window::default(), offset: *which.get(&offsets), pause };
            let made = time(START + number * 20_000);
            if replica.admit(id(number), UNSIGNED, made).is_ok() {
                prop_assert!(let_in.insert(number), "let in twice");
            }
        }
    }
}
