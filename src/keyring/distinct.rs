//! Keys in an order, each once, no two with an equal half, and found by their ids.

use std::collections::{BTreeMap, HashMap};

use super::halves::{self, OfHalves, PublicHalf};
use crate::{error::Error, kem::EncapsulationKey, key_id::KeyId, sign::VerifyingKey};

/// A public key, which has an id.
pub(super) trait Named: Eq + OfHalves {
    fn id(&self) -> KeyId;
}

impl Named for EncapsulationKey {
    fn id(&self) -> KeyId {
        self.key_id()
    }
}

impl Named for VerifyingKey {
    fn id(&self) -> KeyId {
        self.key_id()
    }
}

/// An entry of a ring: a handle to a key.
pub(super) trait Handle {
    type Key: Named;

    fn key(&self) -> &Self::Key;
}

/// Handles in an order, one for each key.
#[derive(Clone, Debug)]
pub(super) struct Distinct<H: Handle> {
    handles: BTreeMap<i64, H>,
    /// An id does not authenticate a key: two keys may share it.
    places: HashMap<KeyId, Vec<i64>>,
    /// Both halves of every key.
    halves: HashMap<PublicHalf<H::Key>, i64>,
}

impl<H: Handle> Distinct<H> {
    pub(super) fn new() -> Self {
        Self { handles: BTreeMap::new(), places: HashMap::new(), halves: HashMap::new() }
    }

    pub(super) fn len(&self) -> usize {
        self.handles.len()
    }

    /// All handles in their order.
    pub(super) fn iter(&self) -> impl Iterator<Item = &H> {
        self.handles.values()
    }

    pub(super) fn get(&self, key: &H::Key) -> Option<&H> {
        self.handles.get(&self.place(key)?)
    }

    pub(super) fn contains(&self, key: &H::Key) -> bool {
        self.get(key).is_some()
    }

    /// The handles of this id: one, unless somebody made two keys that share it.
    pub(super) fn with_id(&self, id: KeyId) -> impl Iterator<Item = &H> {
        let places = self.places.get(&id).into_iter().flatten();
        places.filter_map(|place| self.handles.get(place))
    }

    /// Another key that has a half of this one.
    pub(super) fn half_sibling(&self, key: &H::Key) -> Option<&H> {
        let with_half = PublicHalf::both(key).into_iter().filter_map(|half| self.halves.get(&half));
        with_half.filter_map(|place| self.handles.get(place)).find(|other| other.key() != key)
    }

    /// Refuses a key if another one has a half of it.
    ///
    /// # Errors
    ///
    /// [`Error::Keyring`], naming the half's algorithm.
    pub(super) fn check(&self, key: &H::Key) -> Result<(), Error> {
        self.half_sibling(key).map_or(Ok(()), |other| halves::check(other.key(), key))
    }

    /// Puts a handle, whose key was [checked](Self::check), before all others.
    pub(super) fn put_first(&mut self, handle: H) {
        self.remove(handle.key());
        let place = self.handles.first_key_value().map_or(0, |(first, _)| first - 1);
        self.insert(place, handle);
    }

    /// Puts a handle, whose key was [checked](Self::check), in the place of the one of the same key, or
    /// behind all others.
    pub(super) fn put(&mut self, handle: H) {
        if let Some(place) = self.place(handle.key()) {
            self.take(place);
            self.set(place, handle);
            return;
        }
        let place = self.handles.last_key_value().map_or(0, |(last, _)| last + 1);
        self.insert(place, handle);
    }

    pub(super) fn remove(&mut self, key: &H::Key) -> Option<H> {
        let place = self.place(key)?;
        if let Some(places) = self.places.get_mut(&key.id()) {
            places.retain(|other| *other != place);
            if places.is_empty() {
                self.places.remove(&key.id());
            }
        }
        self.take(place)
    }

    /// Removes the handles of this id, and returns how many there were.
    pub(super) fn remove_id(&mut self, id: KeyId) -> usize {
        let places = self.places.remove(&id).unwrap_or_default();
        places.into_iter().filter_map(|place| self.take(place)).count()
    }

    fn insert(&mut self, place: i64, handle: H) {
        self.places.entry(handle.key().id()).or_default().push(place);
        self.set(place, handle);
    }

    fn take(&mut self, place: i64) -> Option<H> {
        let handle = self.handles.remove(&place)?;
        for half in PublicHalf::both(handle.key()) {
            self.halves.remove(&half);
        }
        Some(handle)
    }

    fn set(&mut self, place: i64, handle: H) {
        for half in PublicHalf::both(handle.key()) {
            let before = self.halves.insert(half, place);
            debug_assert_eq!(before, None, "a key with this half was checked and accepted");
        }
        self.handles.insert(place, handle);
    }

    fn place(&self, key: &H::Key) -> Option<i64> {
        let places = self.places.get(&key.id())?;
        let is_key = |place: &&i64| self.handles.get(place).is_some_and(|other| other.key() == key);
        places.iter().find(is_key).copied()
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::half::Half;

    thread_local! {
        static COMPARED: Cell<usize> = const { Cell::new(0) };
        static HALVES_READ: Cell<usize> = const { Cell::new(0) };
    }

    #[derive(Clone, Debug)]
    struct Numbered {
        number: u32,
        handle: u32,
        halves: [[u8; 4]; 2],
    }

    impl PartialEq for Numbered {
        fn eq(&self, other: &Self) -> bool {
            COMPARED.set(COMPARED.get() + 1);
            self.number == other.number
        }
    }

    impl Eq for Numbered {}

    impl Named for Numbered {
        /// Numbers above a million share an id with another one.
        fn id(&self) -> KeyId {
            KeyId::from_bytes(u128::from(self.number % 1_000_000).to_be_bytes())
        }
    }

    impl OfHalves for Numbered {
        fn half(&self, half: Half) -> (&'static str, &[u8]) {
            HALVES_READ.set(HALVES_READ.get() + 1);
            match half {
                Half::PostQuantum => ("ML-KEM-1024", &self.halves[0]),
                Half::Traditional => ("X25519", &self.halves[1]),
            }
        }
    }

    impl Handle for Numbered {
        type Key = Self;

        fn key(&self) -> &Self {
            self
        }
    }

    fn handle(number: u32) -> Numbered {
        Numbered { number, handle: 0, halves: [number.to_be_bytes(); 2] }
    }

    /// The halves are those of two numbers.
    fn of_halves(number: u32, [first, second]: [u32; 2]) -> Numbered {
        Numbered { halves: [first.to_be_bytes(), second.to_be_bytes()], ..handle(number) }
    }

    fn numbers(keys: &Distinct<Numbered>) -> Vec<u32> {
        keys.iter().map(|key| key.number).collect()
    }

    #[test]
    fn keys_keep_their_order_and_are_there_once() {
        let mut keys = Distinct::new();
        [3, 1, 2, 1].into_iter().for_each(|number| keys.put(handle(number)));
        assert_eq!(numbers(&keys), [3, 1, 2]);
        keys.put_first(handle(2));
        keys.put_first(handle(4));
        assert_eq!(numbers(&keys), [4, 2, 3, 1]);
        assert_eq!(keys.remove(&handle(3)).map(|key| key.number), Some(3));
        assert!(keys.remove(&handle(3)).is_none());
        assert_eq!(numbers(&keys), [4, 2, 1]);
        assert_eq!(keys.len(), 3);
    }

    #[test]
    fn a_new_handle_takes_the_place_of_the_old_one() {
        let mut keys = Distinct::new();
        [1, 2, 3].into_iter().for_each(|number| keys.put(handle(number)));
        keys.put(Numbered { handle: 7, ..handle(2) });
        assert_eq!(numbers(&keys), [1, 2, 3]);
        assert_eq!(keys.get(&handle(2)).map(|key| key.handle), Some(7));
        assert_eq!(keys.with_id(handle(2).id()).count(), 1);
    }

    #[test]
    fn two_keys_that_share_an_id_are_two() {
        let mut keys = Distinct::new();
        [5, 1_000_005].into_iter().for_each(|number| keys.put(handle(number)));
        assert_eq!(keys.with_id(handle(5).id()).count(), 2);
        keys.remove(&handle(5));
        assert_eq!(numbers(&keys), [1_000_005]);
        assert!(!keys.contains(&handle(5)));
        keys.put(handle(5));
        assert_eq!(keys.remove_id(handle(5).id()), 2);
        assert_eq!(keys.remove_id(handle(5).id()), 0);
        assert_eq!(keys.len(), 0);
    }

    #[test]
    fn another_key_with_a_half_is_found() {
        let refused = |keys: &Distinct<Numbered>, key: &Numbered| {
            let found = keys.check(key).err()?;
            Some(found.to_string().rsplit_once(": ")?.1.to_owned())
        };
        let first = Some("two different keys have the same ML-KEM-1024 half".to_owned());
        let second = Some("two different keys have the same X25519 half".to_owned());
        let mut keys = Distinct::new();
        [1, 2, 3].into_iter().for_each(|number| keys.put(handle(number)));
        assert_eq!(refused(&keys, &handle(2)), None);
        assert_eq!(refused(&keys, &handle(4)), None);
        assert_eq!(refused(&keys, &of_halves(4, [2, 4])), first);
        assert_eq!(refused(&keys, &of_halves(4, [4, 2])), second);
        assert_eq!(refused(&keys, &of_halves(4, [2, 3])), first);
        // The same bytes, of the same id, in a handle that was replaced and in a place that changed.
        assert_eq!(refused(&keys, &of_halves(1_000_002, [2, 9])), first);
        keys.put(Numbered { handle: 7, ..handle(2) });
        keys.put_first(handle(3));
        assert_eq!(keys.half_sibling(&of_halves(4, [4, 2])).map(|key| key.handle), Some(7));
        assert_eq!(keys.half_sibling(&of_halves(4, [3, 4])).map(|key| key.number), Some(3));
        // Gone with its key.
        keys.remove(&handle(2));
        keys.remove_id(handle(3).id());
        assert_eq!(refused(&keys, &of_halves(4, [2, 3])), None);
        assert_eq!(refused(&keys, &of_halves(4, [4, 1])), second);
    }

    /// Each call compares with keys of the same id or half, not with all.
    #[test]
    fn the_work_grows_with_the_number_of_calls() {
        const KEYS: u32 = 10_000;
        let mut keys = Distinct::new();
        COMPARED.set(0);
        HALVES_READ.set(0);
        (0..KEYS).for_each(|number| keys.put(handle(number)));
        (0..KEYS).for_each(|number| keys.put(handle(number)));
        (0..KEYS).for_each(|number| keys.put_first(handle(number)));
        assert!((0..KEYS).all(|number| keys.contains(&handle(number))));
        assert!((0..KEYS).all(|number| keys.check(&of_halves(KEYS, [number, KEYS])).is_err()));
        (0..KEYS).for_each(|number| assert!(keys.remove(&handle(number)).is_some()));
        assert!(COMPARED.get() <= 7 * KEYS as usize, "{} comparisons", COMPARED.get());
        assert!(HALVES_READ.get() <= 60 * KEYS as usize, "{} halves", HALVES_READ.get());
    }
}
