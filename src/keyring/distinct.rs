//! Keys in an order, each once, and found by their ids.

use std::collections::{BTreeMap, HashMap};

use crate::{kem::EncapsulationKey, key_id::KeyId, sign::VerifyingKey};

/// A public key, which has an id.
pub(super) trait Named: Eq {
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
pub(super) struct Distinct<H> {
    handles: BTreeMap<i64, H>,
    /// An id does not authenticate a key: two keys may share it.
    places: HashMap<KeyId, Vec<i64>>,
}

impl<H: Handle> Distinct<H> {
    pub(super) fn new() -> Self {
        Self { handles: BTreeMap::new(), places: HashMap::new() }
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

    /// Puts a handle before all others.
    pub(super) fn put_first(&mut self, handle: H) {
        self.remove(handle.key());
        let place = self.handles.first_key_value().map_or(0, |(first, _)| first - 1);
        self.insert(place, handle);
    }

    /// Puts a handle in the place of the one of the same key, or behind all others.
    pub(super) fn put(&mut self, handle: H) {
        if let Some(place) = self.place(handle.key()) {
            self.handles.insert(place, handle);
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
        self.handles.remove(&place)
    }

    /// Removes the handles of this id, and returns how many there were.
    pub(super) fn remove_id(&mut self, id: KeyId) -> usize {
        let places = self.places.remove(&id).unwrap_or_default();
        places.iter().filter(|place| self.handles.remove(place).is_some()).count()
    }

    fn insert(&mut self, place: i64, handle: H) {
        self.places.entry(handle.key().id()).or_default().push(place);
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

    thread_local! {
        static COMPARED: Cell<usize> = const { Cell::new(0) };
    }

    #[derive(Clone, Debug)]
    struct Numbered {
        number: u32,
        handle: u32,
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

    impl Handle for Numbered {
        type Key = Self;

        fn key(&self) -> &Self {
            self
        }
    }

    fn handle(number: u32) -> Numbered {
        Numbered { number, handle: 0 }
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
        keys.put(Numbered { number: 2, handle: 7 });
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

    /// Each call compares with keys of the same id, not with all.
    #[test]
    fn the_work_grows_with_the_number_of_calls() {
        const KEYS: u32 = 10_000;
        let mut keys = Distinct::new();
        COMPARED.set(0);
        (0..KEYS).for_each(|number| keys.put(handle(number)));
        (0..KEYS).for_each(|number| keys.put(handle(number)));
        (0..KEYS).for_each(|number| keys.put_first(handle(number)));
        assert!((0..KEYS).all(|number| keys.contains(&handle(number))));
        (0..KEYS).for_each(|number| assert!(keys.remove(&handle(number)).is_some()));
        assert!(COMPARED.get() <= 5 * KEYS as usize, "{} comparisons", COMPARED.get());
    }
}
